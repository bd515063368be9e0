// SPDX-License-Identifier: MIT
// The variant for AVX2: a block is one register. All headers come before the target is changed, so
// that no inline function of theirs is compiled for it and then used on a lesser machine.
#if defined(__x86_64__)

#include <immintrin.h>

#include "http/h1/scan_head_parts.hpp"

#if defined(__clang__)
// Tuned, or it would read a block as two halves for the sake of older machines.
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,tune=haswell"))), \
                             apply_to = function)
#else
#pragma GCC push_options
// No tuning: GCC inlines nothing from the headers into a function that is tuned otherwise.
#pragma GCC target("avx2,bmi,bmi2")
#endif

namespace spate::h1 {
namespace {

using Block = __m256i;

inline Block load_block(const char* p) noexcept {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

// What is left from `at` on but the last three bytes or fewer, with zeros behind it: a masked load
// does not touch what its mask leaves out.
inline Block load_rest(const char* base, std::size_t at, std::size_t stop) noexcept {
  alignas(32) static constexpr std::array<std::int32_t, 16> masks = {-1, -1, -1, -1,
                                                                     -1, -1, -1, -1};
  const std::int32_t* const mask = masks.data() + 8 - std::min((stop - at) / 4, std::size_t{8});
  return _mm256_maskload_epi32(reinterpret_cast<const int*>(base + at),
                               _mm256_loadu_si256(reinterpret_cast<const __m256i*>(mask)));
}

inline std::uint32_t mask_of(__m256i v) noexcept {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(v));
}

inline std::uint32_t colons(Block v) noexcept {
  return mask_of(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(':')));
}

inline std::uint32_t controls(Block v) noexcept {
  __m256i const low = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1F)), v);
  return mask_of(_mm256_or_si256(low, _mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x7F))));
}

inline std::uint32_t not_digits(Block v) noexcept {
  __m256i const digit = _mm256_sub_epi8(v, _mm256_set1_epi8('0'));
  return ~mask_of(_mm256_cmpeq_epi8(_mm256_min_epu8(digit, _mm256_set1_epi8(9)), digit));
}

inline __m256i twice(const std::array<std::uint8_t, 16>& table) noexcept {
  return _mm256_broadcastsi128_si256(
      _mm_load_si128(reinterpret_cast<const __m128i*>(table.data())));
}

// A byte from 0x80 on has its upper bit set, for which a shuffle gives zero.
inline std::uint32_t not_in(const CharClass& chars, Block v) noexcept {
  __m256i const low = _mm256_shuffle_epi8(twice(chars.low), v);
  __m256i const upper = _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(0x0F));
  __m256i const both = _mm256_and_si256(low, _mm256_shuffle_epi8(twice(chars.high), upper));
  return mask_of(_mm256_cmpeq_epi8(both, _mm256_setzero_si256()));
}

inline bool begins_with(Block v, const http::HeaderPattern& name) noexcept {
  __m256i const text = _mm256_load_si256(reinterpret_cast<const __m256i*>(name.text.data()));
  __m256i const mask = _mm256_load_si256(reinterpret_cast<const __m256i*>(name.mask.data()));
  return _mm256_testz_si256(_mm256_xor_si256(v, text), mask) != 0;
}

#include "http/h1/scan_head_body.hpp"

}  // namespace

std::size_t scan_head_avx2(http::RequestHead& head, std::string_view bytes,
                           const HeadLimits& limits, ConnectionOptions& options) noexcept {
  return scan(head, bytes, limits, options);
}

}  // namespace spate::h1

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif
