// SPDX-License-Identifier: MIT
#include "http/authority.hpp"

#include "http/ascii.hpp"

namespace spate::http {
namespace {

// RFC 3986 3.2.2: dec-octet without leading zeros, four of them.
bool is_ipv4(std::string_view text) noexcept {
  for (int part = 0; part < 4; ++part) {
    if (part != 0) {
      if (text.empty() || text.front() != '.') return false;
      text.remove_prefix(1);
    }
    unsigned value = 0;
    std::size_t size = 0;
    while (size < text.size() && is_digit(text[size])) {
      if (size == 3) return false;
      value = value * 10 + hex_value(text[size++]);
    }
    if (size == 0 || value > 255 || (size > 1 && text.front() == '0')) return false;
    text.remove_prefix(size);
  }
  return text.empty();
}

// RFC 3986 3.2.2: eight groups of one to four digits, one run of zero groups as "::", the last two
// groups perhaps as an IPv4 address.
bool is_ipv6(std::string_view text) noexcept {
  int groups = 0;
  bool compressed = false;
  bool need_group = true;  // a single ':' promises one
  if (text.starts_with("::")) {
    compressed = true;
    need_group = false;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    std::size_t size = 0;
    while (size < text.size() && is_hex_digit(text[size])) ++size;
    if (size < text.size() && text[size] == '.') {
      if (!is_ipv4(text)) return false;
      groups += 2;
      need_group = false;
      break;
    }
    if (size == 0 || size > 4) return false;
    ++groups;
    need_group = false;
    text.remove_prefix(size);
    if (text.empty()) break;
    if (text.front() != ':') return false;
    text.remove_prefix(1);
    need_group = true;
    if (!text.empty() && text.front() == ':') {
      if (compressed) return false;
      compressed = true;
      need_group = false;
      text.remove_prefix(1);
    }
  }
  if (need_group) return false;
  return compressed ? groups <= 7 : groups == 8;
}

bool is_port(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5) return false;
  unsigned value = 0;
  for (char c : text) {
    if (!is_digit(c)) return false;
    value = value * 10 + hex_value(c);
  }
  return value <= 65535;
}

// How many bytes at the front are a registered name or an IPv4 address, which looks the same.
std::size_t reg_name_size(std::string_view text) noexcept {
  std::size_t i = 0;
  while (i < text.size()) {
    if (is_in(text[i], char_class::host)) {
      ++i;
    } else if (text[i] == '%' && text.size() - i > 2 && is_hex_digit(text[i + 1]) &&
               is_hex_digit(text[i + 2])) {
      i += 3;
    } else {
      break;
    }
  }
  return i;
}

}  // namespace

bool is_authority(std::string_view text, Port port) noexcept {
  std::size_t host_size = 0;
  if (text.starts_with('[')) {
    std::size_t const end = text.find(']');
    if (end == std::string_view::npos || !is_ipv6(text.substr(1, end - 1))) return false;
    host_size = end + 1;
  } else {
    host_size = reg_name_size(text);
  }
  if (host_size == 0) return false;
  std::string_view const rest = text.substr(host_size);
  if (rest.empty()) return port == Port::optional;
  if (rest.front() != ':') return false;
  // RFC 3986 3.2.3: the port may be empty behind its colon.
  if (rest.size() == 1) return port == Port::optional;
  return is_port(rest.substr(1));
}

}  // namespace spate::http
