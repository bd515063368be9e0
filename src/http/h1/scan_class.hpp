// SPDX-License-Identifier: MIT
// A class of ASCII characters as two tables of 16 bytes, indexed by the halves of a character: it
// is in the class when the entries have a bit in common. That is what a shuffle of bytes looks up,
// 16 or 32 at a time, exactly. Made by the compiler from the one table of characters.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "http/ascii.hpp"

namespace spate::h1 {

struct CharClass {
  alignas(16) std::array<std::uint8_t, 16> low{};   // a bit for each upper half that goes with it
  alignas(16) std::array<std::uint8_t, 16> high{};  // the bit of that upper half; none from 8 on
  std::uint8_t bits = 0;                            // the same class in http::char_table
  char but = '\0';                                  // and this one is not in it
};

// The characters of http::char_table that have one of the bits, without one of them.
consteval CharClass make_char_class(std::uint8_t bits, char but = '\0') noexcept {
  CharClass out;
  out.bits = bits;
  out.but = but;
  for (std::size_t c = 0; c < 128; ++c) {
    char const character = static_cast<char>(c);
    if (!http::is_in(character, bits) || character == but) continue;
    out.low[c & 15] = static_cast<std::uint8_t>(out.low[c & 15] | 1U << (c >> 4));
    out.high[c >> 4] = static_cast<std::uint8_t>(1U << (c >> 4));
  }
  return out;
}

inline constexpr CharClass token_class = make_char_class(http::char_class::token);
inline constexpr CharClass target_class = make_char_class(http::char_class::target);
inline constexpr CharClass path_class = make_char_class(http::char_class::target, '?');
inline constexpr CharClass host_class = make_char_class(http::char_class::host);

}  // namespace spate::h1
