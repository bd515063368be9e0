// SPDX-License-Identifier: MIT
#include "http/h1/chunked.hpp"

#include <algorithm>

#include "http/ascii.hpp"
#include "http/h1/head_rules.hpp"

namespace spate::h1 {

// The size is complete: CR or ';' follows.
ParseError ChunkedDecoder::end_size() noexcept {
  // Body sizes are counted in 63 bits, as Content-Length is.
  if (remaining_ > static_cast<std::uint64_t>(INT64_MAX) - body_size_) {
    return ParseError::chunk_size_overflow;
  }
  return ParseError::none;
}

ParseError ChunkedDecoder::count_extension_byte() noexcept {
  bool const over =
      ++extension_line_ > limits_.extension_line || ++extension_body_ > limits_.extension_body;
  return over ? ParseError::chunk_extension_too_long : ParseError::none;
}

// Where an extension may end, or the next begin.
ParseError ChunkedDecoder::after_extension(char c) noexcept {
  if (c == ';') {
    phase_ = Phase::ext_start;
  } else if (c == '\r') {
    phase_ = Phase::size_lf;
  } else {
    return c == '\n' ? ParseError::bare_lf : ParseError::bad_chunk_extension;
  }
  return ParseError::none;
}

// One byte of anything but data. The grammar of extensions is followed, although they are dropped:
// what two parsers skip differently is how CVE-2025-55315 smuggled (RFC 9112 7.1.1).
ParseError ChunkedDecoder::consume_line_byte(char c) noexcept {
  bool const in_extension = phase_ >= Phase::ext_start && phase_ <= Phase::ext_after_value;
  if (in_extension && c != '\r') {
    if (ParseError const error = count_extension_byte(); error != ParseError::none) return error;
  }
  bool const in_trailer = phase_ >= Phase::trailer_start && phase_ <= Phase::trailer_lf;
  if (in_trailer && ++trailer_bytes_ > limits_.trailer_bytes) return ParseError::trailer_too_large;

  switch (phase_) {
    case Phase::size_start:
      remaining_ = 0;
      digits_ = 0;
      [[fallthrough]];

    case Phase::size:
      if (http::is_hex_digit(c)) {
        if (digits_ == 16) return ParseError::chunk_size_overflow;
        ++digits_;
        remaining_ = remaining_ << 4 | http::hex_value(c);
        phase_ = Phase::size;
        return ParseError::none;
      }
      if (digits_ == 0) return ParseError::bad_chunk_size;
      if (c == ';') {
        phase_ = Phase::ext_start;
        extension_line_ = 0;
        ParseError const error = end_size();
        return error != ParseError::none ? error : count_extension_byte();
      }
      if (c == '\r') {
        phase_ = Phase::size_lf;
        return end_size();
      }
      // RFC 9112 7.1.1 knows whitespace before ';' as bad; a size is compared by too many peers.
      return c == '\n' ? ParseError::bare_lf : ParseError::bad_chunk_size;

    case Phase::ext_start:
      if (http::is_ows(c)) return ParseError::none;
      if (!http::is_token_char(c)) return ParseError::bad_chunk_extension;
      phase_ = Phase::ext_name;
      return ParseError::none;

    case Phase::ext_name:
      if (http::is_token_char(c)) return ParseError::none;
      [[fallthrough]];

    case Phase::ext_after_name:
      if (http::is_ows(c)) {
        phase_ = Phase::ext_after_name;
        return ParseError::none;
      }
      if (c == '=') {
        phase_ = Phase::ext_value_start;
        return ParseError::none;
      }
      // Whitespace at the end of the line belongs to no part of the grammar.
      if (c == '\r' && phase_ == Phase::ext_after_name) return ParseError::bad_chunk_extension;
      return after_extension(c);

    case Phase::ext_value_start:
      if (http::is_ows(c)) return ParseError::none;
      if (c == '"') {
        phase_ = Phase::ext_quoted;
      } else if (http::is_token_char(c)) {
        phase_ = Phase::ext_token;
      } else {
        return ParseError::bad_chunk_extension;
      }
      return ParseError::none;

    case Phase::ext_quoted:
      if (c == '"') {
        phase_ = Phase::ext_after_quoted;
      } else if (c == '\\') {
        phase_ = Phase::ext_quoted_pair;
      } else if (!http::is_in(c, http::char_class::quoted)) {
        return ParseError::bad_chunk_extension;
      }
      return ParseError::none;

    case Phase::ext_quoted_pair:
      if (!http::is_value_char(c)) return ParseError::bad_chunk_extension;
      phase_ = Phase::ext_quoted;
      return ParseError::none;

    case Phase::ext_token:
      if (http::is_token_char(c)) return ParseError::none;
      [[fallthrough]];

    case Phase::ext_after_quoted:
    case Phase::ext_after_value:
      if (http::is_ows(c)) {
        phase_ = Phase::ext_after_value;
        return ParseError::none;
      }
      if (c == '\r' && phase_ == Phase::ext_after_value) return ParseError::bad_chunk_extension;
      return after_extension(c);

    case Phase::size_lf:
      if (c != '\n') return ParseError::bare_cr;
      phase_ = remaining_ == 0 ? Phase::trailer_start : Phase::data;
      return ParseError::none;

    case Phase::data_cr:
      if (c != '\r') return ParseError::missing_chunk_end;
      phase_ = Phase::data_lf;
      return ParseError::none;

    case Phase::data_lf:
      if (c != '\n') return ParseError::missing_chunk_end;
      phase_ = Phase::size_start;
      return ParseError::none;

    case Phase::trailer_start:
      if (c == '\r') {
        phase_ = Phase::end_lf;
        return ParseError::none;
      }
      if (http::is_ows(c)) {
        return trailer_fields_ == 0 ? ParseError::leading_whitespace : ParseError::obs_fold;
      }
      if (c == '\n') return ParseError::bare_lf;
      if (trailer_fields_ == limits_.trailer_fields) return ParseError::too_many_trailer_fields;
      ++trailer_fields_;
      name_size_ = 0;
      phase_ = Phase::trailer_name;
      [[fallthrough]];

    case Phase::trailer_name:
      if (http::is_token_char(c)) {
        if (name_size_ < name_.size()) name_[name_size_] = c;
        ++name_size_;
        return ParseError::none;
      }
      if (c != ':') {
        return http::is_ows(c) ? ParseError::space_before_colon
               : c == '\r'     ? ParseError::missing_colon
               : c == '\n'     ? ParseError::bare_lf
                               : ParseError::bad_name_char;
      }
      if (name_size_ == 0) return ParseError::empty_name;
      // No forbidden name is longer than what was kept.
      if (name_size_ <= name_.size() && is_forbidden_trailer({name_.data(), name_size_})) {
        return ParseError::forbidden_trailer;
      }
      phase_ = Phase::trailer_value;
      return ParseError::none;

    case Phase::trailer_value:
      if (http::is_value_char(c)) return ParseError::none;
      if (c != '\r') return c == '\n' ? ParseError::bare_lf : ParseError::bad_value_char;
      phase_ = Phase::trailer_lf;
      return ParseError::none;

    case Phase::trailer_lf:
      if (c != '\n') return ParseError::bare_cr;
      phase_ = Phase::trailer_start;
      return ParseError::none;

    case Phase::end_lf:
      if (c != '\n') return ParseError::bare_cr;
      phase_ = Phase::done;
      return ParseError::none;

    case Phase::data:
    case Phase::done:
    case Phase::failed:
      break;
  }
  return ParseError::none;
}

ChunkResult ChunkedDecoder::step(std::string_view in) noexcept {
  if (phase_ == Phase::done) return {ChunkStatus::done, ParseError::none, 0, {}};
  if (phase_ == Phase::failed) return {ChunkStatus::error, error_, 0, {}};

  for (std::size_t i = 0; i < in.size();) {
    if (phase_ == Phase::data) {
      std::size_t const size =
          remaining_ < in.size() - i ? static_cast<std::size_t>(remaining_) : in.size() - i;
      remaining_ -= size;
      body_size_ += size;
      if (remaining_ == 0) phase_ = Phase::data_cr;
      return {ChunkStatus::data, ParseError::none, i + size, in.substr(i, size)};
    }
    if (ParseError const error = consume_line_byte(in[i]); error != ParseError::none) {
      phase_ = Phase::failed;
      error_ = error;
      return {ChunkStatus::error, error, i, {}};
    }
    ++framing_bytes_;
    ++i;
    if (phase_ == Phase::done) return {ChunkStatus::done, ParseError::none, i, {}};
  }
  return {ChunkStatus::need_more, ParseError::none, in.size(), {}};
}

std::size_t encode_chunk_head(char* out, std::uint64_t size) noexcept {
  if (size == 0) return 0;
  constexpr std::string_view digits = "0123456789abcdef";
  std::size_t n = 0;
  for (int shift = 60; shift >= 0; shift -= 4) {
    std::size_t const digit = size >> shift & 15U;
    if (n != 0 || digit != 0) out[n++] = digits[digit];
  }
  out[n++] = '\r';
  out[n++] = '\n';
  return n;
}

}  // namespace spate::h1
