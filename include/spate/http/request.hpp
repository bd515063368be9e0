// SPDX-License-Identifier: MIT
// The head of a request as handlers and hooks read it (RFC 9110). All text is a view.
// lifetime: until the handler ends, also across co_await. thread: the connection's worker.
#pragma once

#include <cstddef>
#include <optional>
#include <spate/http/known_header.hpp>
#include <spate/http/method.hpp>
#include <string_view>

namespace spate {

namespace http {
class RequestHead;
}

struct HeaderView {
  std::string_view name;
  std::string_view value;
};

class Request {
 public:
  explicit Request(const http::RequestHead& head) noexcept : head_(&head) {}

  Method method() const noexcept;
  // The method as sent: the only name of Method::other.
  std::string_view method_text() const noexcept;
  // The target as sent, not decoded (RFC 9112 section 3.2).
  std::string_view target() const noexcept;
  // The path of the target as sent, not decoded. Routing and parameters decode it once.
  std::string_view path() const noexcept;
  // What follows the '?', not decoded, or "".
  std::string_view query_string() const noexcept;
  // Host and port that the client asked for; "" when an HTTP/1.0 client named none.
  std::string_view host() const noexcept;
  int version_minor() const noexcept;

  // The first field of that name, in any case of letters; nothing when there is none.
  std::optional<std::string_view> header(std::string_view name) const noexcept;
  std::optional<std::string_view> header(KnownHeader name) const noexcept;
  // All fields in the order received.
  std::size_t header_count() const noexcept;
  HeaderView header_at(std::size_t index) const noexcept;
  // The value of the first cookie of that name (RFC 6265 section 4.2), as sent.
  std::optional<std::string_view> cookie(std::string_view name) const noexcept;

 private:
  const http::RequestHead* head_;
};

}  // namespace spate
