// SPDX-License-Identifier: MIT
#include "http/h1/head_rules.hpp"

#include <spate/http/field_rules.hpp>
#include <spate/http/known_header.hpp>

#include "http/ascii.hpp"

namespace spate::h1 {
namespace {

// Cuts the next element off a comma-separated list, whitespace trimmed (RFC 9110 5.6.1).
std::string_view next_element(std::string_view& list) noexcept {
  std::size_t const comma = list.find(',');
  std::string_view const element = http::trim_ows(list.substr(0, comma));
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  return element;
}

// A hop that obeys Connection removes what it names, so naming one of these hides it from some hops
// and not from others.
bool is_end_to_end(KnownHeader header) noexcept {
  switch (header) {
    case KnownHeader::host:
    case KnownHeader::content_length:
    case KnownHeader::transfer_encoding:
    case KnownHeader::expect:
    case KnownHeader::content_type:
    case KnownHeader::content_encoding:
    case KnownHeader::content_range:
    case KnownHeader::authorization:
    case KnownHeader::cookie:
    case KnownHeader::origin:
    case KnownHeader::cache_control:
    case KnownHeader::max_forwards:
    case KnownHeader::forwarded:
    case KnownHeader::x_forwarded_for:
    case KnownHeader::x_forwarded_host:
    case KnownHeader::x_forwarded_proto:
      return true;
    default:
      return false;
  }
}

}  // namespace

ParseError parse_content_length(std::string_view value, std::uint64_t& length) noexcept {
  if (value.empty() || value.size() > 19) return ParseError::bad_content_length;
  std::uint64_t n = 0;
  for (char c : value) {
    if (!http::is_digit(c)) return ParseError::bad_content_length;
    n = n * 10 + static_cast<std::uint64_t>(c - '0');
  }
  // 19 digits fit in 64 bits, but not all of them in 63.
  if (n > static_cast<std::uint64_t>(INT64_MAX)) return ParseError::bad_content_length;
  length = n;
  return ParseError::none;
}

ParseError check_transfer_encoding(std::string_view value) noexcept {
  if (http::equals_ignore_case(value, "chunked")) return ParseError::none;
  bool chunked = false;
  do {
    std::string_view const element = next_element(value);
    std::string_view const coding = http::trim_ows(element.substr(0, element.find(';')));
    if (!is_token(coding)) return ParseError::bad_transfer_encoding;
    // RFC 9112 6.3: chunked is the last coding, and RFC 9112 7.1: it is applied once.
    if (chunked) return ParseError::bad_transfer_encoding;
    if (!http::equals_ignore_case(coding, "chunked")) return ParseError::unknown_transfer_coding;
    // RFC 9112 7.1: parameters of chunked are an error.
    if (coding.size() != element.size()) return ParseError::bad_transfer_encoding;
    chunked = true;
  } while (!value.empty());
  // "chunked," ends in an empty element: some peers read it as another coding.
  return ParseError::bad_transfer_encoding;
}

ParseError parse_connection(std::string_view value, ConnectionOptions& options) noexcept {
  while (!value.empty()) {
    std::string_view const option = next_element(value);
    if (option.empty()) continue;  // RFC 9110 5.6.1.2: empty elements are ignored
    if (!is_token(option)) return ParseError::bad_connection;
    if (http::equals_ignore_case(option, "keep-alive")) {
      options.keep_alive = true;
    } else if (http::equals_ignore_case(option, "close")) {
      options.close = true;
    } else if (http::equals_ignore_case(option, "upgrade")) {
      options.upgrade = true;
    } else if (is_end_to_end(known_header(option))) {
      return ParseError::connection_names_end_to_end_field;
    }
  }
  return ParseError::none;
}

bool is_forbidden_trailer(std::string_view name) noexcept {
  KnownHeader const header = known_header(name);
  if (is_end_to_end(header)) return true;
  switch (header) {
    case KnownHeader::connection:
    case KnownHeader::upgrade:
    case KnownHeader::te:
    case KnownHeader::trailer:
    case KnownHeader::keep_alive:
    case KnownHeader::proxy_authorization:
    case KnownHeader::set_cookie:
    case KnownHeader::range:
    case KnownHeader::if_match:
    case KnownHeader::if_none_match:
    case KnownHeader::if_modified_since:
    case KnownHeader::if_unmodified_since:
    case KnownHeader::if_range:
    case KnownHeader::pragma:
      return true;
    default:
      return false;
  }
}

}  // namespace spate::h1
