// SPDX-License-Identifier: MIT
// Bodies piece by piece: BodyStream reads the request's, ResponseStream writes the answer's. Both
// wait for the peer and nothing else: a slow one slows the handler down, its memory use stays flat.
// lifetime: until the handler ends. thread: the connection's worker; one reader, one writer at a
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <spate/coro/task.hpp>
#include <string_view>

namespace spate {

class Context;
namespace http {
class Exchange;
}

// The body of a request, as `ctx.body()` gives it. How it arrives follows from the handler: a Task
// that takes Context& streams it (nothing is read from the socket before it is asked for); with a
// Json or Body parameter, or as a plain function, it finds the body complete.
class BodyStream {
 public:
  explicit BodyStream(http::Exchange& exchange) noexcept : exchange_(&exchange) {}

  // The next piece, or nothing at the end. lifetime: until the next read. throws: ErrorException
  // when the body is cut, malformed, too slow (408) or larger than the route's body_limit (413): a
  // cut upload never looks like an end. Cancelled.
  Task<std::optional<std::string_view>> read();
  // The whole body. lifetime: until the handler ends. throws: as read.
  Task<std::string_view> text();
  // The whole body where it is complete before the handler begins. throws: ErrorException
  // (Errc::configuration) where it is streamed: `co_await text()` there.
  std::string_view whole() const;

 private:
  http::Exchange* exchange_;
};

// An answer that is being sent: `auto stream = co_await ctx.respond(200).stream();`. It ends well
// when the handler returns; when the handler fails or is cancelled instead, the connection is cut,
// so that a truncated answer never looks complete.
class [[nodiscard("an answer is streamed by writing to it")]] ResponseStream {
 public:
  explicit ResponseStream(http::Exchange& exchange) noexcept : exchange_(&exchange) {}
  ResponseStream(ResponseStream&&) = default;
  ResponseStream& operator=(ResponseStream&&) = default;

  // Sends a piece; waits while the peer is slow (Limits::send_backlog). throws: Cancelled,
  // ErrorException (Errc::closed) after finish().
  Task<> write(std::string_view piece);
  // Sends every text of a list.
  template <class List>
  Task<> write_all(const List& pieces) {
    for (const auto& piece : pieces) co_await write(piece);
  }
  // Ends the answer now, while the handler goes on.
  void finish();

 private:
  http::Exchange* exchange_;
  bool ended_ = false;
};

}  // namespace spate
