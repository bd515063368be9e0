// SPDX-License-Identifier: MIT
// The sealed index: every key is found and nothing else, from heap blocks of exactly the text's
// size.
#include "app/text_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace spate::app {
namespace {

std::uint32_t look_up(const TextIndex& index, std::uint32_t place, std::string_view text) {
  const auto copy = std::make_unique_for_overwrite<char[]>(text.size());
  std::copy(text.begin(), text.end(), copy.get());
  return index.find(place, {copy.get(), text.size()});
}

TEST(TextIndex, AnEmptyIndexHasNothing) {
  TextIndex index;
  EXPECT_EQ(look_up(index, 0, "a"), 0U);
  index.seal();
  EXPECT_EQ(look_up(index, 0, ""), 0U);
  EXPECT_EQ(look_up(index, 0, "/a/path/of/more/than/sixteen"), 0U);
}

TEST(TextIndex, TextsOfAllSizesAreFoundAtTheirPlaceAndNoNeighbourIs) {
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> keys;
  std::uint32_t value = 0;
  for (std::uint32_t place : {0U, 1U, 7U, UINT32_MAX}) {
    for (std::size_t size = 0; size <= 130; ++size) {
      keys[{place, std::string(size, 'x')}] = ++value;
      for (std::size_t at : {size / 2, size - 1}) {
        std::string text(size, 'x');
        if (at >= size) continue;
        text[at] = 'y';
        keys[{place, text}] = ++value;
      }
    }
  }
  TextIndex index;
  for (const auto& [key, number] : keys) index.add(key.first, key.second, number);
  index.seal();
  for (const auto& [key, number] : keys) {
    const auto& [place, text] = key;
    ASSERT_EQ(look_up(index, place, text), number) << place << " " << text;
    EXPECT_EQ(look_up(index, 99, text), 0U);
    EXPECT_EQ(look_up(index, place, text + "z"), 0U);
    for (std::size_t at = 0; at < text.size(); ++at) {
      std::string changed = text;
      changed[at] = '\0';
      EXPECT_EQ(look_up(index, place, changed), 0U) << text << " changed at " << at;
    }
  }
  EXPECT_EQ(look_up(index, 0, std::string(130 + 64, 'x')), 0U) << "longer than every key";
}

TEST(TextIndex, ManyKeysAreSealedAndFound) {
  TextIndex index;
  constexpr std::uint32_t count = 50'000;
  for (std::uint32_t i = 1; i <= count; ++i) index.add(i % 3, "/item/" + std::to_string(i), i);
  index.seal();
  for (std::uint32_t i = 1; i <= count; ++i) {
    ASSERT_EQ(look_up(index, i % 3, "/item/" + std::to_string(i)), i);
    ASSERT_EQ(look_up(index, (i + 1) % 3, "/item/" + std::to_string(i)), 0U);
  }
}

}  // namespace
}  // namespace spate::app
