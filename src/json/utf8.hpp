// SPDX-License-Identifier: MIT
// One step through UTF-8 (RFC 3629 4): the next character, or the maximal part that cannot begin
// one (Unicode 3.9, table 3-7). Overlong forms, surrogates and values above U+10FFFF are wrong.
// Pure; reads only between the two pointers.
#pragma once

#include <cstddef>

namespace spate::json {

struct Utf8Step {
  std::size_t size;  // 1 to 4; of the wrong part when not valid
  bool valid;
};

// `at` is before `end`.
constexpr Utf8Step next_utf8(const char* at, const char* end) {
  const auto byte = [&](std::ptrdiff_t i) { return static_cast<unsigned char>(at[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte has a narrower range behind four leads: that is where the wrong values are.
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (end - at < 2 || byte(1) < low || byte(1) > high) return {1, false};
  for (std::size_t i = 2; i < size; ++i) {
    const auto offset = static_cast<std::ptrdiff_t>(i);
    if (end - at <= offset || byte(offset) < 0x80 || byte(offset) > 0xBF) return {i, false};
  }
  return {size, true};
}

}  // namespace spate::json
