// SPDX-License-Identifier: MIT
// The chunked transfer coding (RFC 9112 7.1): an incremental decoder that hands out views of its
// input, and the few bytes that encode a chunk. Strict: CRLF only, no space around the size,
// checked sizes, bounded extensions and trailers. Pure, without allocation; the outcome does not
// depend on how the input is split. thread: one decoder per body; a plain value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/h1/parse_error.hpp"

namespace spate::h1 {

struct ChunkLimits {
  std::uint32_t extension_line = 256;       // bytes of extensions in one chunk line
  std::uint32_t extension_body = 4 * 1024;  // and in the whole body
  std::uint32_t trailer_bytes = 4 * 1024;   // the trailer section; more is 431
  std::uint16_t trailer_fields = 16;        // more is 431
};

enum class ChunkStatus : std::uint8_t { need_more, data, done, error };

struct ChunkResult {
  ChunkStatus status = ChunkStatus::need_more;
  ParseError error = ParseError::none;
  // Bytes of the input that are used up, `data` included. error: offset of the faulty byte.
  std::size_t consumed = 0;
  // status data only: a view into the input, never empty.
  std::string_view data = {};
};

class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(const ChunkLimits& limits = {}) noexcept : limits_(limits) {}

  // Takes as much of `in` as gives one piece of data, or an end. Call again with the rest after
  // `data`; with new bytes after `need_more`, which used all of `in`. After `done` what follows
  // `consumed` is the next request; after `done` or `error` the answer repeats, consuming nothing.
  ChunkResult step(std::string_view in) noexcept;

  // Payload bytes handed out so far.
  std::uint64_t body_size() const noexcept { return body_size_; }
  // Payload bytes that the current chunk still announces: a size limit can refuse them early.
  std::uint64_t announced() const noexcept { return phase_ == Phase::data ? remaining_ : 0; }
  // Bytes spent on framing so far: how an abuse budget sees a body of one-byte chunks.
  std::uint64_t framing_bytes() const noexcept { return framing_bytes_; }
  bool is_done() const noexcept { return phase_ == Phase::done; }

 private:
  enum class Phase : std::uint8_t {
    size_start,
    size,
    ext_start,
    ext_name,
    ext_after_name,
    ext_value_start,
    ext_token,
    ext_quoted,
    ext_quoted_pair,
    ext_after_quoted,
    ext_after_value,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf,
    done,
    failed
  };

  ParseError consume_line_byte(char c) noexcept;
  ParseError end_size() noexcept;
  ParseError count_extension_byte() noexcept;
  ParseError after_extension(char c) noexcept;

  ChunkLimits limits_;
  std::uint64_t body_size_ = 0;
  std::uint64_t remaining_ = 0;  // size being read, then bytes of data still to come
  std::uint64_t framing_bytes_ = 0;
  std::uint32_t extension_line_ = 0;
  std::uint32_t extension_body_ = 0;
  std::uint32_t trailer_bytes_ = 0;
  std::uint16_t trailer_fields_ = 0;
  std::uint16_t name_size_ = 0;
  std::uint8_t digits_ = 0;
  Phase phase_ = Phase::size_start;
  ParseError error_ = ParseError::none;
  std::array<char, 32> name_{};  // the start of a trailer's name, to know the forbidden ones
};

// Room that encode_chunk_head needs at most.
inline constexpr std::size_t max_chunk_head = 18;

// Writes the size line of a chunk of `size` bytes, returns its length. `size` 0 would end the body
// and writes nothing. After the data comes `chunk_end`, after the last chunk `last_chunk`.
std::size_t encode_chunk_head(char* out, std::uint64_t size) noexcept;

inline constexpr std::string_view chunk_end = "\r\n";
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace spate::h1
