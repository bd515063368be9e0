// SPDX-License-Identifier: MIT
// Timers in order of their time; equal times fire in order of scheduling. Most waits of a server
// are of few lengths (a deadline of 30 s, a pause of 1 ms), so each comes after the last of its
// kind: a few lists that are in order by themselves take those in O(1). What fits into none goes to
// a 4-ary heap, O(log n). Timers know their place: ending one early needs no search.
#pragma once

#include <array>
#include <spate/coro/runtime.hpp>
#include <vector>

namespace spate::coro {

class TimerQueue {
 public:
  void push(Timer& timer);
  void remove(Timer& timer) noexcept;
  bool is_empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  // The next to fire; null when there is none.
  Timer* first() const noexcept;

 private:
  struct Lane {
    Timer* first = nullptr;
    Timer* last = nullptr;
    TimePoint end = TimePoint::min();  // of the last; before all times when there is none
  };

  static bool is_before(const Timer& a, const Timer& b) noexcept {
    return a.when != b.when ? a.when < b.when : a.order < b.order;
  }
  void append(Lane& lane, Timer& timer) noexcept;
  void unlink(Lane& lane, Timer& timer) noexcept;
  void place(std::size_t index, Timer& timer) noexcept;
  void sift_up(std::size_t index, Timer& timer) noexcept;
  void sift_down(std::size_t index, Timer& timer) noexcept;
  void remove_from_heap(std::size_t index) noexcept;

  std::array<Lane, 4> lanes_;
  std::vector<Timer*> heap_;
  std::uint64_t next_order_ = 0;
  std::size_t size_ = 0;
};

}  // namespace spate::coro
