// SPDX-License-Identifier: MIT
#include "coro/timer_queue.hpp"

namespace spate::coro {

namespace {
constexpr std::size_t arity = 4;
}

void TimerQueue::place(std::size_t index, const Entry& entry) noexcept {
  heap_[index] = entry;
  entry.timer->position = static_cast<std::uint32_t>(index);
}

void TimerQueue::sift_up(std::size_t index, Entry entry) noexcept {
  while (index > 0) {
    const std::size_t parent = (index - 1) / arity;
    if (!entry.before(heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, entry);
}

void TimerQueue::sift_down(std::size_t index, Entry entry) noexcept {
  for (;;) {
    const std::size_t first = index * arity + 1;
    if (first >= heap_.size()) break;
    std::size_t least = first;
    const std::size_t end = first + arity < heap_.size() ? first + arity : heap_.size();
    for (std::size_t child = first + 1; child < end; ++child) {
      if (heap_[child].before(heap_[least])) least = child;
    }
    if (!heap_[least].before(entry)) break;
    place(index, heap_[least]);
    index = least;
  }
  place(index, entry);
}

void TimerQueue::push(Timer& timer) {
  const Entry entry{timer.when, next_order_++, &timer};
  heap_.push_back(entry);
  sift_up(heap_.size() - 1, entry);
}

void TimerQueue::remove(Timer& timer) noexcept {
  const std::size_t index = timer.position;
  timer.position = Timer::unscheduled;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  if (index > 0 && last.before(heap_[(index - 1) / arity])) {
    sift_up(index, last);
  } else {
    sift_down(index, last);
  }
}

Timer& TimerQueue::pop() noexcept {
  Timer& timer = *heap_.front().timer;
  remove(timer);
  return timer;
}

}  // namespace spate::coro
