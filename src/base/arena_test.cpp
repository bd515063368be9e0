// SPDX-License-Identifier: MIT
#include "base/arena.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace spate {
namespace {

TEST(Arena, gives_aligned_memory_that_does_not_overlap) {
  Arena arena;
  std::vector<std::pair<char*, std::size_t>> pieces;
  for (std::size_t i = 1; i < 200; ++i) {
    const std::size_t alignment = std::size_t{1} << (i % 7);
    char* memory = static_cast<char*>(arena.allocate(i, alignment));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % alignment, 0U);
    std::memset(memory, static_cast<int>(i), i);
    pieces.emplace_back(memory, i);
  }
  for (const auto& [memory, size] : pieces) {
    EXPECT_EQ(std::string(memory, size), std::string(size, static_cast<char>(size)));
  }
}

TEST(Arena, destroys_what_it_made_last_made_first) {
  std::string order;
  struct Note {
    std::string* order;
    char name;
    ~Note() { *order += name; }
  };
  Arena arena;
  arena.make<Note>(&order, 'a');
  arena.make<Note>(&order, 'b');
  arena.reset();
  EXPECT_EQ(order, "ba");
  arena.reset();
  EXPECT_EQ(order, "ba");
}

TEST(Arena, gives_everything_back_but_the_first_block) {
  Arena arena;
  (void)arena.allocate(100);
  (void)arena.allocate(1'000'000);
  EXPECT_GT(arena.bytes_held(), 1'000'000U);
  arena.reset();
  EXPECT_LE(arena.bytes_held(), Arena::first_block);
  arena.release();
  EXPECT_EQ(arena.bytes_held(), 0U);
}

TEST(Arena, copies_text) {
  Arena arena;
  std::string text = "flood";
  const std::string_view copy = arena.copy(text);
  text = "other";
  EXPECT_EQ(copy, "flood");
  EXPECT_EQ(arena.copy({}), "");
}

}  // namespace
}  // namespace spate
