// SPDX-License-Identifier: MIT
#include "io/slot_queue.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace spate::io {
namespace {

Slot slot_of(std::uint32_t index, std::uint16_t generation) {
  Slot slot{};
  slot.index = index;
  slot.generation = generation;
  return slot;
}

TEST(SlotQueue, GivesThemInTheirOrderOnce) {
  SlotQueue queue;
  queue.reserve(3);
  for (std::uint32_t i = 0; i < 3; ++i) {
    queue.push(slot_of(i, static_cast<std::uint16_t>(7 + i)));
  }
  std::vector<std::uint32_t> seen;
  queue.take([&](std::uint32_t index, std::uint16_t generation) {
    EXPECT_EQ(generation, 7 + index);
    seen.push_back(index);
  });
  EXPECT_EQ(seen, (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_TRUE(queue.is_empty());
}

TEST(SlotQueue, WhatIsQueuedMeanwhileWaitsForTheNextTurn) {
  SlotQueue queue;
  // More than there is room for at once: taken ones make room.
  constexpr std::uint32_t count = 1000;
  queue.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) queue.push(slot_of(i, 1));
  for (std::uint16_t round = 1; round < 4; ++round) {
    std::uint32_t next = 0;
    queue.take([&](std::uint32_t index, std::uint16_t generation) {
      EXPECT_EQ(index, next++);
      EXPECT_EQ(generation, round);
      queue.push(slot_of(index, static_cast<std::uint16_t>(round + 1)));
    });
    EXPECT_EQ(next, count);
  }
  std::uint32_t left = 0;
  queue.for_each([&](std::uint32_t, std::uint16_t generation) {
    EXPECT_EQ(generation, 4);
    ++left;
  });
  EXPECT_EQ(left, count);
}

}  // namespace
}  // namespace spate::io
