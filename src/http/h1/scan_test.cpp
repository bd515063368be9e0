// SPDX-License-Identifier: MIT
// The blocks of sixteen against one byte at a time: every byte value at every place of ranges from
// nothing to three blocks, in heap blocks of exactly that size.
#include "http/h1/scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

namespace spate::h1 {
namespace {

template <class Class>
class Scan : public testing::Test {};

using Classes = testing::Types<TargetEnd, Control, NotNameLetter>;
TYPED_TEST_SUITE(Scan, Classes);

TYPED_TEST(Scan, blocks_find_what_single_bytes_find) {
  for (std::size_t size = 0; size <= 48; ++size) {
    auto const block = std::make_unique_for_overwrite<char[]>(size);
    char* const begin = block.get();
    char* const end = begin + size;
    std::fill(begin, end, 'x');  // in none of the classes
    for (std::size_t from = 0; from <= size; from += size < 17 ? 1 : 5) {
      ASSERT_EQ(find_special<TypeParam>(begin, begin + from, end), end);
      for (std::size_t at = 0; at < size; ++at) {
        for (unsigned byte = 0; byte < 256; ++byte) {
          begin[at] = static_cast<char>(byte);
          bool const found = at >= from && TypeParam::matches(begin[at]);
          ASSERT_EQ(find_special<TypeParam>(begin, begin + from, end), found ? begin + at : end)
              << "byte " << byte << " at " << at << " of " << size << " from " << from;
        }
        begin[at] = 'x';
      }
    }
  }
}

TYPED_TEST(Scan, the_first_of_several_is_found) {
  char text[40];
  std::fill(std::begin(text), std::end(text), '\n');  // in all of the classes
  for (std::size_t from = 0; from < sizeof text; ++from) {
    EXPECT_EQ(find_special<TypeParam>(text, text + from, std::end(text)), text + from);
  }
}

TEST(ScanClasses, they_are_what_the_grammar_says) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    char const c = static_cast<char>(byte);
    bool const control = byte < 0x20 || byte == 0x7F;
    bool const letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    EXPECT_EQ(Control::matches(c), control) << byte;
    EXPECT_EQ(TargetEnd::matches(c), byte <= 0x20 || byte >= 0x7F || byte == '#') << byte;
    EXPECT_EQ(NotNameLetter::matches(c), !letter && byte != '-') << byte;
  }
}

}  // namespace
}  // namespace spate::h1
