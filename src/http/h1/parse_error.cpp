// SPDX-License-Identifier: MIT
#include "http/h1/parse_error.hpp"

#include <array>
#include <cstddef>

namespace spate::h1 {
namespace {

struct Entry {
  ParseError error;
  int status;
  std::string_view name;
  std::string_view text;
};

using enum ParseError;

constexpr auto entries = std::to_array<Entry>({
    {none, 0, "none", ""},
    {empty_lines, 400, "empty_lines",
     "too many empty lines before the request line; at most one is ignored (RFC 9112 2.2)"},
    {leading_whitespace, 400, "leading_whitespace",
     "whitespace before the request line or before the first header field (RFC 9112 2.2)"},
    {bad_method, 400, "bad_method",
     "the method is not a token followed by one space (RFC 9112 3.1, RFC 9110 9.1)"},
    {method_too_long, 501, "method_too_long",
     "the method is longer than any that is implemented, 32 bytes (RFC 9112 3)"},
    {empty_target, 400, "empty_target",
     "the request target is empty; one space stands before and after it (RFC 9112 3)"},
    {bad_target_char, 400, "bad_target_char",
     "the request target contains a control character, a '#' or a byte above 0x7F; they must be "
     "percent-encoded, and a fragment is not sent (RFC 9112 3.2)"},
    {bad_target, 400, "bad_target",
     "the request target is neither a path that begins with '/' nor an http or https URI "
     "(RFC 9112 3.2)"},
    {bad_authority, 400, "bad_authority",
     "the host or port in the request target is not valid; user information is not allowed "
     "(RFC 9110 4.2.1, 4.2.4)"},
    {connect_target, 400, "connect_target",
     "the target of CONNECT must be host:port, and of no other method (RFC 9112 3.2.3)"},
    {asterisk_target, 400, "asterisk_target",
     "the target '*' is only for OPTIONS (RFC 9112 3.2.4)"},
    {missing_version, 400, "missing_version",
     "the request line ends without an HTTP version (RFC 9112 3)"},
    {bad_version, 400, "bad_version",
     "the request line must end in \"HTTP/\", digit, \".\", digit and CRLF (RFC 9112 2.3)"},
    {unsupported_version, 505, "unsupported_version",
     "only HTTP/1.x is spoken here (RFC 9110 15.6.6)"},
    {request_line_too_long, 414, "request_line_too_long",
     "the request line is longer than the limit (RFC 9112 3)"},
    {bare_cr, 400, "bare_cr", "a CR that no LF follows (RFC 9112 2.2)"},
    {bare_lf, 400, "bare_lf", "a line that ends in LF without CR (RFC 9112 2.2)"},
    {obs_fold, 400, "obs_fold",
     "a header field that continues on the next line; this is obsolete (RFC 9112 5.2)"},
    {empty_name, 400, "empty_name", "a header field without a name (RFC 9112 5)"},
    {bad_name_char, 400, "bad_name_char",
     "a field name contains a character that is not allowed in tokens (RFC 9110 5.1)"},
    {space_before_colon, 400, "space_before_colon",
     "whitespace between a field name and its colon (RFC 9112 5.1)"},
    {missing_colon, 400, "missing_colon", "a header line without a colon (RFC 9112 5)"},
    {bad_value_char, 400, "bad_value_char",
     "a field value contains a control character (RFC 9110 5.5)"},
    {header_too_large, 431, "header_too_large",
     "the header section is larger than the limit (RFC 6585 5)"},
    {too_many_fields, 431, "too_many_fields",
     "there are more header fields than the limit (RFC 6585 5)"},
    {missing_host, 400, "missing_host", "an HTTP/1.1 request without Host (RFC 9112 3.2)"},
    {duplicate_host, 400, "duplicate_host", "more than one Host field (RFC 9112 3.2)"},
    {bad_host, 400, "bad_host",
     "Host is not a host with an optional port (RFC 9112 3.2, RFC 9110 7.2)"},
    {host_mismatch, 400, "host_mismatch",
     "Host differs from the authority in the request target (RFC 9112 3.2)"},
    {bad_content_length, 400, "bad_content_length",
     "Content-Length is not a decimal number below 2^63 (RFC 9110 8.6)"},
    {duplicate_content_length, 400, "duplicate_content_length",
     "more than one Content-Length field (RFC 9112 6.3)"},
    {content_length_with_transfer_encoding, 400, "content_length_with_transfer_encoding",
     "both Content-Length and Transfer-Encoding (RFC 9112 6.1, 6.3)"},
    {bad_transfer_encoding, 400, "bad_transfer_encoding",
     "Transfer-Encoding must be \"chunked\", once and without parameters (RFC 9112 6.1, 6.3)"},
    {unknown_transfer_coding, 501, "unknown_transfer_coding",
     "a transfer coding other than chunked (RFC 9112 6.1)"},
    {transfer_encoding_in_http10, 400, "transfer_encoding_in_http10",
     "Transfer-Encoding in an HTTP/1.0 request (RFC 9112 6.1)"},
    {bad_connection, 400, "bad_connection", "Connection is not a list of tokens (RFC 9110 7.6.1)"},
    {connection_names_end_to_end_field, 400, "connection_names_end_to_end_field",
     "Connection names a field that is meant for the recipient, such as Host or Content-Length "
     "(RFC 9110 7.6.1)"},
    {unknown_expectation, 417, "unknown_expectation",
     "an expectation other than 100-continue (RFC 9110 10.1.1)"},
    {bad_chunk_size, 400, "bad_chunk_size",
     "a chunk does not begin with a hexadecimal size that is followed by CRLF or ';' "
     "(RFC 9112 7.1)"},
    {chunk_size_overflow, 400, "chunk_size_overflow",
     "a chunk size of more than 16 digits, or a body above 2^63 - 1 bytes (RFC 9112 7.1)"},
    {bad_chunk_extension, 400, "bad_chunk_extension",
     "a malformed chunk extension (RFC 9112 7.1.1)"},
    {chunk_extension_too_long, 400, "chunk_extension_too_long",
     "chunk extensions are longer than the limit (RFC 9112 7.1.1)"},
    {missing_chunk_end, 400, "missing_chunk_end",
     "the data of a chunk is not followed by CRLF (RFC 9112 7.1)"},
    {trailer_too_large, 431, "trailer_too_large",
     "the trailer section is larger than the limit (RFC 6585 5)"},
    {too_many_trailer_fields, 431, "too_many_trailer_fields",
     "there are more trailer fields than the limit (RFC 6585 5)"},
    {forbidden_trailer, 400, "forbidden_trailer",
     "a trailer field that must not stand in a trailer section, such as Content-Length or Host "
     "(RFC 9110 6.5.1)"},
});

consteval bool in_order() noexcept {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (static_cast<std::size_t>(entries[i].error) != i) return false;
  }
  return true;
}

static_assert(entries.size() == parse_error_count && in_order(),
              "entries must list every ParseError in the order of the enum");

const Entry& entry_of(ParseError error) noexcept {
  auto const i = static_cast<std::size_t>(error);
  return entries[i < entries.size() ? i : 0];
}

}  // namespace

int status_of(ParseError error) noexcept { return entry_of(error).status; }
std::string_view describe(ParseError error) noexcept { return entry_of(error).text; }
std::string_view to_string(ParseError error) noexcept { return entry_of(error).name; }

}  // namespace spate::h1
