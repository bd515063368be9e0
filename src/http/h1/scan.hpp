// SPDX-License-Identifier: MIT
// Finding the first byte of a class, 16 at a time with SSE2 where there is any, one at a time
// elsewhere: for the state machine, which sees what scan_head.hpp does not take.
// Never reads outside [begin, end): the last, partial block is read overlapping backwards.
#pragma once

#include <cstddef>
#include <cstdint>

#include "http/ascii.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace spate::h1 {

// Anything that may not stand in a target: up to the space, from DEL on, and '#'.
struct TargetEnd {
  static bool matches(char c) noexcept { return !http::is_in(c, http::char_class::target); }
#if defined(__SSE2__)
  static __m128i matches(__m128i v) noexcept {
    // Signed: bytes from 0x80 on are negative, so they are below '!' too.
    __m128i const low = _mm_cmplt_epi8(v, _mm_set1_epi8('!'));
    __m128i const del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7F));
    __m128i const hash = _mm_cmpeq_epi8(v, _mm_set1_epi8('#'));
    return _mm_or_si128(low, _mm_or_si128(del, hash));
  }
#endif
};

// Control characters, the tab too, and DEL.
struct Control {
  static bool matches(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }
#if defined(__SSE2__)
  static __m128i matches(__m128i v) noexcept {
    __m128i const low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v);
    return _mm_or_si128(low, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7F)));
  }
#endif
};

// Anything but letters and '-', of which nearly all names are made.
struct NotNameLetter {
  static bool matches(char c) noexcept {
    char const lower = static_cast<char>(c | 0x20);
    return !((lower >= 'a' && lower <= 'z') || c == '-');
  }
#if defined(__SSE2__)
  static __m128i matches(__m128i v) noexcept {
    __m128i const lower = _mm_or_si128(v, _mm_set1_epi8(0x20));
    __m128i const clamped =
        _mm_max_epu8(_mm_min_epu8(lower, _mm_set1_epi8('z')), _mm_set1_epi8('a'));
    __m128i const letter = _mm_cmpeq_epi8(clamped, lower);
    __m128i const dash = _mm_cmpeq_epi8(v, _mm_set1_epi8('-'));
    return _mm_xor_si128(_mm_or_si128(letter, dash), _mm_set1_epi8(-1));
  }
#endif
};

// The first byte in [p, end) that matches, or `end`. Bytes from `begin` on are readable.
template <class Class>
inline const char* find_special(const char* begin, const char* p, const char* end) noexcept {
#if defined(__SSE2__)
  auto mask_at = [](const char* at) noexcept {
    __m128i const block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    return static_cast<unsigned>(_mm_movemask_epi8(Class::matches(block)));
  };
  while (end - p >= 16) {
    if (unsigned const mask = mask_at(p); mask != 0) return p + __builtin_ctz(mask);
    p += 16;
  }
  if (p == end) return end;
  if (end - begin >= 16) {
    unsigned const mask = mask_at(end - 16) >> (16 - (end - p));
    return mask != 0 ? p + __builtin_ctz(mask) : end;
  }
#else
  static_cast<void>(begin);
#endif
  while (p != end && !Class::matches(*p)) ++p;
  return p;
}

}  // namespace spate::h1
