// SPDX-License-Identifier: MIT
// The HTTP/1.1 request head, bytes to RequestHead, strict as RFC 9112 allows a server to be and
// never lax. Pure and without allocation. It resumes where it stopped, so that a head that comes
// byte by byte costs the same as one that comes whole; an error is found at the first byte that
// makes the head wrong, however the bytes were split. thread: one parser per connection whose head
// is incomplete; a plain value of 24 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/h1/head_rules.hpp"
#include "http/h1/parse_error.hpp"
#include "http/h1/scan_head.hpp"
#include "http/request_head.hpp"

namespace spate::h1 {

// In bytes or pieces. Together they are cut so that a head never exceeds http::max_head_bytes.
struct HeadLimits {
  std::size_t request_line = 8 * 1024;   // with its CRLF; more is 414
  std::size_t header_bytes = 32 * 1024;  // all field lines and the empty line; more is 431
  std::uint16_t fields = 100;            // more is 431
  std::uint8_t empty_lines = 1;          // ignored before a request (RFC 9112 2.2); more is 400
};

enum class ParseStatus : std::uint8_t { need_more, done, error };

struct ParseResult {
  ParseStatus status = ParseStatus::need_more;
  ParseError error = ParseError::none;
  // done: bytes of the head; what follows is its body or the next request.
  // error: offset of the byte at which it was found. need_more: 0.
  std::size_t consumed = 0;
};

class RequestParser {
 public:
  // `bytes` is all of this head received so far, from its first byte: what was given before,
  // unchanged though perhaps moved, and more behind it. `head` is the one given before.
  // After `error` the head holds what was read before it, of this request alone.
  // After `done` the parser is ready for the next head; after `error` it repeats the error.
  // lifetime: `head` refers to `bytes`.
  ParseResult parse(http::RequestHead& head, std::string_view bytes,
                    const HeadLimits& limits) noexcept {
    // perf: nearly every head is whole and clean, and ends here without the frame of a function.
    // The tests hold both ways to the same outcome: a head that comes in pieces never passes here.
    if (phase_ == Phase::start && position_ == 0) {
      if (std::size_t const size = scan_head()(head, bytes, limits, options_); size != 0) {
        return {ParseStatus::done, ParseError::none, size};
      }
      head.begin(bytes.data());
      options_ = {};
    }
    return resume(head, bytes, limits);
  }

  // Ready for a new head.
  void reset() noexcept { *this = RequestParser(); }

  // Whether nothing of a request has been seen, an ignored empty line aside. It tells an idle
  // connection from one that is in the middle of a request.
  bool is_idle() const noexcept { return phase_ <= Phase::start_lf; }

 private:
  enum class Phase : std::uint8_t {
    start,
    start_lf,
    method,
    target,
    version,
    version_lf,
    line_start,
    name,
    before_value,
    value,
    value_lf,
    end_lf,
    failed
  };

  ParseResult resume(http::RequestHead& head, std::string_view bytes,
                     const HeadLimits& limits) noexcept;
  ParseResult fail(ParseError error, std::size_t offset) noexcept;

  std::uint32_t position_ = 0;  // next byte to look at
  std::uint32_t token_ = 0;     // where the current token began
  std::uint32_t section_ = 0;   // where the request line, then the field section, began
  std::uint16_t name_ = 0;      // the current field's name
  std::uint16_t name_size_ = 0;
  std::uint8_t empty_lines_ = 0;
  Phase phase_ = Phase::start;
  ParseError error_ = ParseError::none;
  ConnectionOptions options_;  // seen so far
};

}  // namespace spate::h1
