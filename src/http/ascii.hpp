// SPDX-License-Identifier: MIT
// Classes of ASCII characters as HTTP needs them, in one table of 256 bytes, and comparisons
// without case. Independent of the locale, total over all byte values, pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spate::http {

namespace char_class {
inline constexpr std::uint8_t token = 1;   // tchar, RFC 9110 5.6.2
inline constexpr std::uint8_t value = 2;   // a byte of a field value, RFC 9110 5.5
inline constexpr std::uint8_t target = 4;  // visible ASCII but '#', RFC 9112 3.2
inline constexpr std::uint8_t host = 8;    // unreserved or sub-delims but ',', RFC 3986 3.2.2
inline constexpr std::uint8_t digit = 16;
inline constexpr std::uint8_t hex = 32;
inline constexpr std::uint8_t quoted = 64;  // qdtext, RFC 9110 5.6.4
}  // namespace char_class

// Runs in the compiler only.
consteval std::array<std::uint8_t, 256> make_char_table() noexcept {
  std::array<std::uint8_t, 256> table{};
  auto add = [&](std::string_view chars, std::uint8_t bits) {
    for (char c : chars) {
      auto& entry = table[static_cast<unsigned char>(c)];
      entry = static_cast<std::uint8_t>(entry | bits);
    }
  };
  constexpr std::string_view alnum =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  add(alnum, char_class::token | char_class::host);
  add("!#$%&'*+-.^_`|~", char_class::token);
  // A comma is a sub-delim too, but in Host it is how two hosts are joined into one by a proxy.
  add("-._~!$&'()*+;=", char_class::host);
  add("0123456789", char_class::digit | char_class::hex);
  add("ABCDEFabcdef", char_class::hex);
  for (unsigned c = 0; c < 256; ++c) {
    unsigned bits = table[c];
    bool const visible = c > 0x20 && c < 0x7F;
    bool const text = visible || c == ' ' || c == '\t' || c >= 0x80;
    if (text) bits |= char_class::value;
    if (visible && c != '#') bits |= char_class::target;
    if (text && c != '"' && c != '\\') bits |= char_class::quoted;
    table[c] = static_cast<std::uint8_t>(bits);
  }
  return table;
}

inline constexpr std::array<std::uint8_t, 256> char_table = make_char_table();

constexpr bool is_in(char c, std::uint8_t bits) noexcept {
  return (char_table[static_cast<unsigned char>(c)] & bits) != 0;
}
constexpr bool is_token_char(char c) noexcept { return is_in(c, char_class::token); }
constexpr bool is_value_char(char c) noexcept { return is_in(c, char_class::value); }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_hex_digit(char c) noexcept { return is_in(c, char_class::hex); }
constexpr bool is_ows(char c) noexcept { return c == ' ' || c == '\t'; }

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

// The value of a hexadecimal digit; meaningless for other characters.
constexpr unsigned hex_value(char c) noexcept {
  return is_digit(c) ? static_cast<unsigned>(c - '0')
                     : static_cast<unsigned>(to_lower(c) - 'a') + 10U;
}

constexpr bool equals_ignore_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

// Optional whitespace off both ends (RFC 9110 5.6.3).
constexpr std::string_view trim_ows(std::string_view text) noexcept {
  while (!text.empty() && is_ows(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ows(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace spate::http
