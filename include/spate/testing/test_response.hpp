// SPDX-License-Identifier: MIT
// An answer as a test sees it: a plain value, parsed by a strict parser of the test's side, so that
// a framing mistake of the server fails the test instead of being read kindly.
// lifetime: owns its text. thread: a plain value.
#pragma once

#include <spate/base/error.hpp>
#include <spate/json/read.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace spate {

struct TestField {
  std::string name;  // as it stood on the wire
  std::string value;
};

// The value of the first field of that name (case is ignored, RFC 9110 5.1), or "".
std::string_view find_field(const std::vector<TestField>& fields, std::string_view name) noexcept;

// An informational answer before the final one (RFC 9110 15.2).
struct TestInformational {
  int status = 0;
  std::vector<TestField> headers;
};

struct TestResponse {
  int status = 0;
  std::vector<TestField> headers;   // in order of arrival
  std::string body;                 // the content, transfer coding removed
  std::vector<TestField> trailers;  // after chunked content
  std::vector<TestInformational> informational;
  bool chunked = false;  // framed by Transfer-Encoding: chunked
  bool closed = false;   // the server closed the connection after this answer

  // The value of the first field of that name, or "".
  std::string_view header(std::string_view name) const noexcept {
    return find_field(headers, name);
  }
  std::size_t header_count(std::string_view name) const noexcept;
  bool has_header(std::string_view name) const noexcept { return header_count(name) > 0; }
  std::string_view text() const noexcept { return body; }
  // The body as a T. throws: ErrorException when it is not JSON of that shape; its pointer says
  // where.
  template <class T>
  T json() const {
    Result<T> value = from_json<T>(std::string_view(body));
    if (!value) throw ErrorException(std::move(value).error());
    return std::move(*value);
  }
};

}  // namespace spate
