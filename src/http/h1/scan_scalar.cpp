// SPDX-License-Identifier: MIT
// The variant for any processor: a block is four words of 8 bytes, whose bytes are compared all at
// once by arithmetic. What the others are tested against.
#include "http/h1/scan_head_parts.hpp"

namespace spate::h1 {
namespace {

struct Block {
  std::array<std::uint64_t, 4> words;
};

inline Block load_block(const void* p) noexcept {
  Block block;
  std::memcpy(&block, p, sizeof block);
  return block;
}

constexpr std::uint64_t every_byte(unsigned byte) noexcept { return 0x0101010101010101U * byte; }

// The upper bit of each byte that is at most `limit`, which is below 0x80. Exact: no carry leaves
// its byte.
inline std::uint64_t at_most(std::uint64_t word, unsigned limit) noexcept {
  std::uint64_t const above = (word & every_byte(0x7F)) + every_byte(0x7F - limit);
  return ~(above | word) & every_byte(0x80);
}

inline std::uint64_t equal(std::uint64_t word, char c) noexcept {
  return at_most(word ^ every_byte(static_cast<unsigned char>(c)), 0);
}

// The upper bits of four words' bytes, side by side.
inline std::uint32_t gather(std::uint64_t upper_bits) noexcept {
  return static_cast<std::uint32_t>((upper_bits >> 7) * 0x0102040810204080U >> 56);
}

inline std::uint32_t colons(const Block& block) noexcept {
  std::uint32_t mask = 0;
  for (unsigned i = 0; i < 4; ++i) mask |= gather(equal(block.words[i], ':')) << 8 * i;
  return mask;
}

inline std::uint32_t controls(const Block& block) noexcept {
  std::uint32_t mask = 0;
  for (unsigned i = 0; i < 4; ++i) {
    std::uint64_t const word = block.words[i];
    mask |= gather(at_most(word, 0x1F) | equal(word, 0x7F)) << 8 * i;
  }
  return mask;
}

inline std::uint32_t not_digits(const Block& block) noexcept {
  std::uint32_t mask = 0;
  for (unsigned i = 0; i < 4; ++i) {
    std::uint64_t const word = block.words[i];
    mask |= gather(at_most(word, '9') & ~at_most(word, '0' - 1)) << 8 * i;
  }
  return ~mask;
}

// Two small tables in memory are what a shuffle is for; a word has no such thing.
inline std::uint32_t not_in(const CharClass& chars, const Block& block) noexcept {
  std::uint32_t mask = 0;
  for (unsigned i = 0; i < 32; ++i) {
    auto const c = static_cast<char>(block.words[i / 8] >> i % 8 * 8);
    bool const in = http::is_in(c, chars.bits) && c != chars.but;
    mask |= static_cast<std::uint32_t>(!in) << i;
  }
  return mask;
}

inline bool begins_with(const Block& block, const http::HeaderPattern& name) noexcept {
  Block const text = load_block(name.text.data());
  Block const mask = load_block(name.mask.data());
  std::uint64_t difference = 0;
  for (unsigned i = 0; i < 4; ++i) {
    difference |= (block.words[i] ^ text.words[i]) & mask.words[i];
  }
  return difference == 0;
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

std::size_t scan_head_scalar(http::RequestHead& head, std::string_view bytes,
                             const HeadLimits& limits, ConnectionOptions& options) noexcept {
  return scan(head, bytes, limits, options);
}

}  // namespace spate::h1
