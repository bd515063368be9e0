// SPDX-License-Identifier: MIT
// The test's side of HTTP/1.1: reads answers and forgives nothing (RFC 9112), so that what a
// lenient client would guess right is found here. Independent of the server's own codec on purpose.
// lifetime: one parser per connection. thread: a plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <spate/testing/test_response.hpp>
#include <string>
#include <string_view>

namespace spate::testing {

class ResponseParser {
 public:
  // Begins the next answer. `to_head`: it answers HEAD and has no content.
  void begin(bool to_head);

  // Takes what it can from the front of `input`. `ended`: nothing follows. errors: malformed;
  // closed when the bytes end before the answer does; too_large when more than `most_content` bytes
  // of content are held.
  Result<> parse(std::string& input, bool ended, std::size_t most_content);

  bool has_head() const noexcept { return state_ > State::fields; }
  bool is_complete() const noexcept { return state_ == State::complete; }
  bool has_begun() const noexcept { return has_begun_; }
  // The answer as far as it has arrived; its body may be taken piece by piece.
  TestResponse& response() noexcept { return response_; }

 private:
  enum class State : std::uint8_t {
    status_line,
    fields,
    content,
    chunk_size,
    chunk_content,
    chunk_end,
    trailers,
    until_close,
    complete
  };

  bool take_line(std::string_view& rest, std::string_view& line);
  Result<> status_line(std::string_view line);
  Result<> field_line(std::string_view line, std::vector<TestField>& fields);
  Result<> end_of_head();
  Result<> chunk_size(std::string_view line);
  void take_content(std::string_view& rest);

  TestResponse response_;
  State state_ = State::status_line;
  bool to_head_ = false;
  bool has_begun_ = false;
  std::uint64_t left_ = 0;
};

}  // namespace spate::testing
