// SPDX-License-Identifier: MIT
// Timers in order of their time: a 4-ary heap of embedded entries that know their place, so that a
// wait which ends early is removed in O(log n) without a search. Equal times fire in order of
// scheduling.
#pragma once

#include <spate/coro/runtime.hpp>
#include <vector>

namespace spate::coro {

class TimerQueue {
 public:
  void push(Timer& timer);
  void remove(Timer& timer) noexcept;
  bool is_empty() const noexcept { return heap_.empty(); }
  TimePoint first() const noexcept { return heap_.front().when; }
  Timer& pop() noexcept;
  std::size_t size() const noexcept { return heap_.size(); }

 private:
  struct Entry {
    TimePoint when;
    std::uint64_t order;
    Timer* timer;
    bool before(const Entry& other) const noexcept {
      return when != other.when ? when < other.when : order < other.order;
    }
  };

  void place(std::size_t index, const Entry& entry) noexcept;
  void sift_up(std::size_t index, Entry entry) noexcept;
  void sift_down(std::size_t index, Entry entry) noexcept;

  std::vector<Entry> heap_;
  std::uint64_t next_order_ = 0;
};

}  // namespace spate::coro
