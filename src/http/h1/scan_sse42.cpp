// SPDX-License-Identifier: MIT
// The variant for SSE4.2, which every x86-64 build has (cmake/build_flags.cmake): a block is two
// registers.
#if defined(__x86_64__) && defined(__SSE4_2__)

#include <smmintrin.h>

#include "http/h1/scan_head_parts.hpp"

namespace spate::h1 {
namespace {

struct Block {
  __m128i first;
  __m128i second;
};

inline __m128i load_half(const void* p) noexcept {
  return _mm_loadu_si128(static_cast<const __m128i*>(p));
}

inline Block load_block(const char* p) noexcept { return {load_half(p), load_half(p + 16)}; }

inline std::uint32_t mask_of(__m128i first, __m128i second) noexcept {
  return static_cast<std::uint32_t>(_mm_movemask_epi8(first)) |
         static_cast<std::uint32_t>(_mm_movemask_epi8(second)) << 16;
}

inline std::uint32_t colons(Block v) noexcept {
  __m128i const colon = _mm_set1_epi8(':');
  return mask_of(_mm_cmpeq_epi8(v.first, colon), _mm_cmpeq_epi8(v.second, colon));
}

inline __m128i is_control(__m128i v) noexcept {
  __m128i const low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v);
  return _mm_or_si128(low, _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7F)));
}

inline std::uint32_t controls(Block v) noexcept {
  return mask_of(is_control(v.first), is_control(v.second));
}

inline __m128i is_digit(__m128i v) noexcept {
  __m128i const digit = _mm_sub_epi8(v, _mm_set1_epi8('0'));
  return _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
}

inline std::uint32_t not_digits(Block v) noexcept {
  return ~mask_of(is_digit(v.first), is_digit(v.second));
}

// A byte from 0x80 on has its upper bit set, for which a shuffle gives zero.
inline __m128i is_not_in(const CharClass& chars, __m128i v) noexcept {
  __m128i const low = _mm_shuffle_epi8(load_half(chars.low.data()), v);
  __m128i const upper = _mm_and_si128(_mm_srli_epi16(v, 4), _mm_set1_epi8(0x0F));
  __m128i const both = _mm_and_si128(low, _mm_shuffle_epi8(load_half(chars.high.data()), upper));
  return _mm_cmpeq_epi8(both, _mm_setzero_si128());
}

inline std::uint32_t not_in(const CharClass& chars, Block v) noexcept {
  return mask_of(is_not_in(chars, v.first), is_not_in(chars, v.second));
}

inline bool begins_with(Block v, const http::HeaderPattern& name) noexcept {
  __m128i const first = _mm_xor_si128(v.first, load_half(name.text.data()));
  __m128i const second = _mm_xor_si128(v.second, load_half(name.text.data() + 16));
  return _mm_testz_si128(first, load_half(name.mask.data())) != 0 &&
         _mm_testz_si128(second, load_half(name.mask.data() + 16)) != 0;
}

// What is left from `at` on, with zeros behind it.
inline Block load_rest(const char* base, std::size_t at, std::size_t stop) noexcept {
  std::array<char, 2 * block_size> copy{};
  std::size_t const begin = std::min(at, stop - block_size);
  std::memcpy(copy.data(), base + begin, block_size);
  return load_block(copy.data() + (at - begin));
}

#include "http/h1/scan_head_body.hpp"

}  // namespace

std::size_t scan_head_sse42(http::RequestHead& head, std::string_view bytes,
                            const HeadLimits& limits, ConnectionOptions& options) noexcept {
  return scan(head, bytes, limits, options);
}

}  // namespace spate::h1

#endif
