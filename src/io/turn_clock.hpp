// SPDX-License-Identifier: MIT
// The time as an engine tells it: taken once a turn, so that all that happens in a turn happens at
// one time. No system call on machines whose clocks are mapped into the process.
#pragma once

#include <time.h>

#include <spate/coro/runtime.hpp>

#include "io/slot.hpp"

namespace spate::io {

class TurnClock {
 public:
  TurnClock() noexcept : start_(read()) { take(); }

  void take() noexcept {
    now_ = read();
    if (now_ >= next_tick_) take_tick();
  }
  TimePoint now() const noexcept { return now_; }
  Tick ticks() const noexcept { return ticks_; }
  std::int64_t unix_seconds() const noexcept { return unix_seconds_; }

 private:
  static TimePoint read() noexcept {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return TimePoint(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
  }

  // A second of the wall is seen to change within a tick.
  void take_tick() noexcept {
    constexpr auto tick = std::chrono::nanoseconds(std::chrono::seconds(1)) / ticks_per_second;
    const auto passed = (now_ - start_) / tick;
    ticks_ = static_cast<Tick>(passed) + 1;
    next_tick_ = start_ + (passed + 1) * tick;
    timespec wall{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &wall);
    unix_seconds_ = wall.tv_sec;
  }

  TimePoint start_;
  TimePoint now_;
  TimePoint next_tick_;
  Tick ticks_ = 1;
  std::int64_t unix_seconds_ = 0;
};

}  // namespace spate::io
