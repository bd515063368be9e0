// SPDX-License-Identifier: MIT
// Blocks of bytes against one byte at a time, from heap blocks of exactly the text's size.
#include "base/byte_block.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

namespace spate::base {
namespace {

TEST(ByteBlock, masks_say_what_single_bytes_say_at_every_place_and_size) {
  for (std::size_t size = 0; size <= ByteBlock::size; ++size) {
    auto const text = std::make_unique_for_overwrite<char[]>(size);
    std::fill_n(text.get(), size, 'x');
    for (std::size_t at = 0; at < size; ++at) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        text[at] = static_cast<char>(byte);
        ByteBlock const block = size == ByteBlock::size ? ByteBlock::load(text.get())
                                                        : ByteBlock::load_part(text.get(), size);
        std::uint32_t const all = (1U << size) - 1;
        std::uint32_t const here = 1U << at;
        ASSERT_EQ(block.equal(static_cast<char>(byte)), byte == 'x'    ? all
                                                        : byte == '\0' ? (here | (0xFFFFU & ~all))
                                                                       : here)
            << byte << " at " << at << " of " << size;
        ASSERT_EQ(block.high(), byte >= 0x80 ? here : 0U);
        ASSERT_EQ(block.equal('/') & all, byte == '/' ? here : 0U);
        text[at] = 'x';
      }
    }
  }
}

TEST(ByteBlock, a_short_text_is_one_word_with_zeros_behind_it) {
  char const text[] = {'a', 'b', 'c', 'd', 'e', 'f', 'g'};
  std::uint64_t expected = 0;
  for (std::size_t size = 0; size <= sizeof text; ++size) {
    auto const copy = std::make_unique_for_overwrite<char[]>(size);
    std::copy_n(text, size, copy.get());
    EXPECT_EQ(load_short(copy.get(), size), expected) << size;
    if (size < sizeof text) {
      expected |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[size])) << 8 * size;
    }
  }
}

}  // namespace
}  // namespace spate::base
