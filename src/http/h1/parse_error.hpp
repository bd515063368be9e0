// SPDX-License-Identifier: MIT
// Every way in which HTTP/1.1 input can be wrong: an enumerator, the status that answers it, and a
// sentence that names the rule. After any of these the connection is closed, because the place
// where the next request begins is no longer known (RFC 9112 9.3).
#pragma once

#include <cstdint>
#include <string_view>

namespace spate::h1 {

enum class ParseError : std::uint8_t {
  none,
  // request line
  empty_lines,
  leading_whitespace,
  bad_method,
  method_too_long,
  empty_target,
  bad_target_char,
  bad_target,
  bad_authority,
  connect_target,
  asterisk_target,
  missing_version,
  bad_version,
  unsupported_version,
  request_line_too_long,
  // lines
  bare_cr,
  bare_lf,
  obs_fold,
  // fields
  empty_name,
  bad_name_char,
  space_before_colon,
  missing_colon,
  bad_value_char,
  header_too_large,
  too_many_fields,
  // meaning
  missing_host,
  duplicate_host,
  bad_host,
  host_mismatch,
  bad_content_length,
  duplicate_content_length,
  content_length_with_transfer_encoding,
  bad_transfer_encoding,
  unknown_transfer_coding,
  transfer_encoding_in_http10,
  bad_connection,
  connection_names_end_to_end_field,
  unknown_expectation,
  // chunked body
  bad_chunk_size,
  chunk_size_overflow,
  bad_chunk_extension,
  chunk_extension_too_long,
  missing_chunk_end,
  trailer_too_large,
  too_many_trailer_fields,
  forbidden_trailer,
};

inline constexpr std::uint8_t parse_error_count = 46;

// The status that answers it; 0 for none.
int status_of(ParseError error) noexcept;

// One sentence for people: what is wrong, what was expected, RFC section. The view never ends.
std::string_view describe(ParseError error) noexcept;

// The enumerator's name, for logs, metrics and tests.
std::string_view to_string(ParseError error) noexcept;

}  // namespace spate::h1
