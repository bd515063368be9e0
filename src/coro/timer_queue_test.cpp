// SPDX-License-Identifier: MIT
#include "coro/timer_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace spate::coro {
namespace {

using namespace std::chrono_literals;

struct Numbered final : Timer {
  explicit Numbered(int n) : number(n) {}
  void fire() noexcept override {}
  int number;
};

struct Timers : ::testing::Test {
  TimerQueue queue;
  std::vector<std::unique_ptr<Numbered>> made;

  Numbered& push(Duration when) {
    made.push_back(std::make_unique<Numbered>(static_cast<int>(made.size())));
    made.back()->when = TimePoint(when);
    queue.push(*made.back());
    return *made.back();
  }
  // The numbers of all that are left, in the order in which they would fire.
  std::vector<int> drain() {
    std::vector<int> order;
    while (Timer* timer = queue.first()) {
      queue.remove(*timer);
      order.push_back(static_cast<Numbered*>(timer)->number);
    }
    return order;
  }
};

TEST_F(Timers, are_none_at_first) {
  EXPECT_TRUE(queue.is_empty());
  EXPECT_EQ(queue.first(), nullptr);
}

TEST_F(Timers, of_equal_times_fire_in_order_of_scheduling_wherever_they_lie) {
  // More falling times than there are lanes, each twice: some lie in the heap.
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 10; ++i) push(std::chrono::seconds(10 - i));
  }
  EXPECT_EQ(drain(),
            (std::vector{9, 19, 8, 18, 7, 17, 6, 16, 5, 15, 4, 14, 3, 13, 2, 12, 1, 11, 0, 10}));
}

TEST_F(Timers, that_are_removed_do_not_fire) {
  Numbered& first = push(1s);
  push(2s);
  Numbered& last = push(3s);
  queue.remove(last);
  queue.remove(first);
  EXPECT_FALSE(first.is_scheduled());
  EXPECT_EQ(queue.size(), 1U);
  push(2500ms);
  EXPECT_EQ(drain(), (std::vector{1, 3}));
}

TEST_F(Timers, may_be_scheduled_again) {
  Numbered& timer = push(5s);
  push(6s);
  queue.remove(timer);
  timer.when = TimePoint(7s);
  queue.push(timer);
  EXPECT_EQ(drain(), (std::vector{1, 0}));
}

TEST_F(Timers, at_the_ends_of_time_are_taken) {
  push(Duration::max());
  push(Duration::min());
  push(0s);
  push(Duration::max());
  EXPECT_EQ(drain(), (std::vector{1, 2, 0, 3}));
}

// Against a list that is sorted anew each time.
TEST_F(Timers, of_any_mixture_fire_as_sorted) {
  std::mt19937 random(7);
  const auto draw = [&](int below) {
    return static_cast<int>(random() % static_cast<unsigned>(below));
  };
  for (int round = 0; round < 200; ++round) {
    made.clear();
    std::vector<Numbered*> expected;
    const int lengths = 1 + draw(12);
    Duration now{};
    for (int step = 0; step < 200; ++step) {
      now += std::chrono::nanoseconds(draw(3));
      if (expected.empty() || draw(5) < 3) {
        expected.push_back(&push(now + std::chrono::nanoseconds(1 << draw(lengths))));
      } else {
        const auto at = expected.begin() + draw(static_cast<int>(expected.size()));
        queue.remove(**at);
        expected.erase(at);
      }
      ASSERT_EQ(queue.size(), expected.size());
    }
    // What was scheduled first comes first of equal times.
    std::ranges::sort(expected, {},
                      [](const Numbered* timer) { return std::pair(timer->when, timer->number); });
    std::vector<int> numbers;
    for (const Numbered* timer : expected) numbers.push_back(timer->number);
    ASSERT_EQ(drain(), numbers) << "round " << round;
  }
}

}  // namespace
}  // namespace spate::coro
