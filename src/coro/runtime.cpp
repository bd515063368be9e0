// SPDX-License-Identifier: MIT
#include <spate/coro/runtime.hpp>
#include <spate/coro/task_context.hpp>

#include "coro/timer_queue.hpp"

namespace spate::coro {

namespace {
constinit thread_local Runtime* current_runtime = nullptr;
}

Runtime::Runtime() : timers_(std::make_unique<TimerQueue>()) {}
Runtime::~Runtime() = default;

Runtime* Runtime::current() noexcept { return current_runtime; }
void Runtime::set_current(Runtime* runtime) noexcept { current_runtime = runtime; }

void Runtime::schedule(Timer& timer, TimePoint when) {
  timer.when = when;
  timers_->push(timer);
}

void Runtime::unschedule(Timer& timer) noexcept {
  if (timer.is_scheduled()) timers_->remove(timer);
}

std::optional<TimePoint> Runtime::next_timer() const noexcept {
  const Timer* first = timers_->first();
  if (first == nullptr) return std::nullopt;
  return first->when;
}

void Runtime::run_timers() {
  for (Timer* timer; (timer = timers_->first()) != nullptr && timer->when <= now_;) {
    timers_->remove(*timer);
    timer->fire();
  }
}

void Runtime::ready(Waiter& waiter) noexcept {
  waiter.next_ready_ = nullptr;
  if (ready_tail_ == nullptr) {
    ready_head_ = &waiter;
  } else {
    ready_tail_->next_ready_ = &waiter;
  }
  ready_tail_ = &waiter;
}

void Runtime::forget(Waiter& waiter) noexcept {
  Waiter* before = nullptr;
  for (Waiter* entry = ready_head_; entry != nullptr; before = entry, entry = entry->next_ready_) {
    if (entry != &waiter) continue;
    (before == nullptr ? ready_head_ : before->next_ready_) = waiter.next_ready_;
    if (ready_tail_ == &waiter) ready_tail_ = before;
    return;
  }
}

std::size_t Runtime::run_ready(std::size_t most) {
  std::size_t resumed = 0;
  while (ready_head_ != nullptr && resumed < most) {
    Waiter& waiter = *ready_head_;
    ready_head_ = waiter.next_ready_;
    if (ready_head_ == nullptr) ready_tail_ = nullptr;
    ++resumed;
    waiter.state_ = Waiter::State::done;
    waiter.handle_.resume();
    current_context = nullptr;
  }
  return resumed;
}

}  // namespace spate::coro
