// SPDX-License-Identifier: MIT
// Sixteen bytes of text at once, and masks with a bit for each of them: SSE2 where there is any,
// two words of 8 bytes elsewhere. Reads no byte outside the text it is given. Pure, any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace spate::base {

static_assert(std::endian::native == std::endian::little,
              "the first byte of a word is taken for its lowest");

template <class Word>
inline Word load_word(const char* p) noexcept {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// The bytes of a text of less than 8 as one word, the first one lowest, zeros behind the last.
inline std::uint64_t load_short(const char* p, std::size_t size) noexcept {
  if (size >= 4) {
    std::uint64_t const low = load_word<std::uint32_t>(p);
    std::uint64_t const high = load_word<std::uint32_t>(p + size - 4);
    return low | high << (size - 4) * 8;
  }
  std::uint64_t word = 0;
  for (std::size_t i = size; i != 0; --i) word = word << 8 | static_cast<unsigned char>(p[i - 1]);
  return word;
}

class ByteBlock {
 public:
  static constexpr std::size_t size = 16;

  // The 16 bytes at p.
  static ByteBlock load(const char* p) noexcept {
    return ByteBlock(load_word<std::uint64_t>(p), load_word<std::uint64_t>(p + 8));
  }
  // The bytes [p, p + count), less than 16 of them, and zeros.
  static ByteBlock load_part(const char* p, std::size_t count) noexcept {
    if (count < 8) return ByteBlock(load_short(p, count), 0);
    std::uint64_t const last = load_word<std::uint64_t>(p + count - 8);
    // In two steps, as a shift by 64 is none.
    return ByteBlock(load_word<std::uint64_t>(p), last >> 8 >> (15 - count) * 8);
  }

  // Bit i says that byte i is c.
  std::uint32_t equal(char c) const noexcept;
  // Bit i says that byte i is 0x80 or more.
  std::uint32_t high() const noexcept;

 private:
#if defined(__SSE2__)
  ByteBlock(std::uint64_t low, std::uint64_t high) noexcept
      : bytes_(_mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low))) {}
  __m128i bytes_;
#else
  ByteBlock(std::uint64_t low, std::uint64_t high) noexcept : low_(low), high_(high) {}
  // The upper bits of the eight bytes, side by side.
  static std::uint32_t gather(std::uint64_t word) noexcept {
    return static_cast<std::uint32_t>((word >> 7 & 0x0101010101010101U) * 0x0102040810204080U >>
                                      56);
  }
  static std::uint32_t zeros(std::uint64_t word) noexcept {
    std::uint64_t const low_bits = (word & 0x7F7F7F7F7F7F7F7FU) + 0x7F7F7F7F7F7F7F7FU;
    return gather(~(low_bits | word));
  }
  std::uint64_t low_;
  std::uint64_t high_;
#endif
};

#if defined(__SSE2__)
inline std::uint32_t ByteBlock::equal(char c) const noexcept {
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes_, _mm_set1_epi8(c))));
}
inline std::uint32_t ByteBlock::high() const noexcept {
  return static_cast<std::uint32_t>(_mm_movemask_epi8(bytes_));
}
#else
inline std::uint32_t ByteBlock::equal(char c) const noexcept {
  std::uint64_t const same = 0x0101010101010101U * static_cast<unsigned char>(c);
  return zeros(low_ ^ same) | zeros(high_ ^ same) << 8;
}
inline std::uint32_t ByteBlock::high() const noexcept { return gather(low_) | gather(high_) << 8; }
#endif

}  // namespace spate::base
