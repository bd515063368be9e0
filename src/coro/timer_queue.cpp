// SPDX-License-Identifier: MIT
#include "coro/timer_queue.hpp"

namespace spate::coro {

namespace {
constexpr std::size_t arity = 4;
// Positions from here on are numbers of lanes, those below are places in the heap.
constexpr std::uint32_t first_lane = Timer::unscheduled - 16;
}  // namespace

void TimerQueue::push(Timer& timer) {
  timer.order = next_order_++;
  // The lane that ends last of those that this timer may follow: an empty one ends before all.
  Lane* best = nullptr;
  for (Lane& lane : lanes_) {
    if (lane.end <= timer.when && (best == nullptr || lane.end > best->end)) best = &lane;
  }
  if (best != nullptr) [[likely]] {
    append(*best, timer);
  } else {
    heap_.push_back(&timer);
    sift_up(heap_.size() - 1, timer);
  }
  ++size_;
}

void TimerQueue::remove(Timer& timer) noexcept {
  const std::uint32_t position = timer.position;
  timer.position = Timer::unscheduled;
  --size_;
  if (position >= first_lane) [[likely]] {
    unlink(lanes_[position - first_lane], timer);
  } else {
    remove_from_heap(position);
  }
}

Timer* TimerQueue::first() const noexcept {
  Timer* least = heap_.empty() ? nullptr : heap_.front();
  for (const Lane& lane : lanes_) {
    if (lane.first != nullptr && (least == nullptr || is_before(*lane.first, *least))) {
      least = lane.first;
    }
  }
  return least;
}

void TimerQueue::append(Lane& lane, Timer& timer) noexcept {
  timer.position = first_lane + static_cast<std::uint32_t>(&lane - lanes_.data());
  timer.lane_previous = lane.last;
  timer.lane_next = nullptr;
  (lane.last != nullptr ? lane.last->lane_next : lane.first) = &timer;
  lane.last = &timer;
  lane.end = timer.when;
}

void TimerQueue::unlink(Lane& lane, Timer& timer) noexcept {
  (timer.lane_previous != nullptr ? timer.lane_previous->lane_next : lane.first) = timer.lane_next;
  if (timer.lane_next != nullptr) {
    timer.lane_next->lane_previous = timer.lane_previous;
  } else {
    lane.last = timer.lane_previous;
    lane.end = lane.last != nullptr ? lane.last->when : TimePoint::min();
  }
}

void TimerQueue::place(std::size_t index, Timer& timer) noexcept {
  heap_[index] = &timer;
  timer.position = static_cast<std::uint32_t>(index);
}

void TimerQueue::sift_up(std::size_t index, Timer& timer) noexcept {
  while (index > 0) {
    const std::size_t parent = (index - 1) / arity;
    if (!is_before(timer, *heap_[parent])) break;
    place(index, *heap_[parent]);
    index = parent;
  }
  place(index, timer);
}

void TimerQueue::sift_down(std::size_t index, Timer& timer) noexcept {
  for (;;) {
    const std::size_t first = index * arity + 1;
    if (first >= heap_.size()) break;
    std::size_t least = first;
    const std::size_t end = first + arity < heap_.size() ? first + arity : heap_.size();
    for (std::size_t child = first + 1; child < end; ++child) {
      if (is_before(*heap_[child], *heap_[least])) least = child;
    }
    if (!is_before(*heap_[least], timer)) break;
    place(index, *heap_[least]);
    index = least;
  }
  place(index, timer);
}

void TimerQueue::remove_from_heap(std::size_t index) noexcept {
  Timer& last = *heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  if (index > 0 && is_before(last, *heap_[(index - 1) / arity])) {
    sift_up(index, last);
  } else {
    sift_down(index, last);
  }
}

}  // namespace spate::coro
