// SPDX-License-Identifier: MIT
// Waiting for time to pass, and giving others their turn.
#pragma once

#include <coroutine>
#include <spate/base/error.hpp>
#include <spate/coro/task_context.hpp>

namespace spate {

namespace coro {

class TimerWait : public Waiter, private Timer {
 public:
  explicit TimerWait(TimePoint until) noexcept : until_(until) {}
  explicit TimerWait(Duration wait) noexcept : wait_(wait) {}
  ~TimerWait() override;

  bool await_ready() noexcept { return cancelled_before(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) {
    arm();
    begin(handle);
  }

 protected:
  void finish() noexcept {
    if (state() != State::idle) end();
  }

 private:
  void arm();
  void fire() noexcept override;
  bool withdraw() noexcept override;

  TimePoint until_{};
  Duration wait_{-1};
};

class SleepAwaiter final : public TimerWait {
 public:
  using TimerWait::TimerWait;
  void await_resume() {
    finish();
    throw_if_cancelled();
  }
};

class TrySleepAwaiter final : public TimerWait {
 public:
  using TimerWait::TimerWait;
  Result<> await_resume();
};

class YieldAwaiter final : public Waiter {
 public:
  bool await_ready() noexcept { return cancelled_before(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    begin(handle);
    complete();
  }
  void await_resume() {
    if (state() != State::idle) end();
    throw_if_cancelled();
  }

 private:
  bool withdraw() noexcept override { return true; }
};

}  // namespace coro

// Waits for that long, in the time of the runtime (virtual in tests); a negative time is none.
// throws: Cancelled.
inline coro::SleepAwaiter sleep(Duration duration) noexcept {
  return coro::SleepAwaiter(duration < Duration::zero() ? Duration::zero() : duration);
}
inline coro::SleepAwaiter sleep_until(TimePoint when) noexcept { return coro::SleepAwaiter(when); }

// As sleep; a cancelled wait is an Error with Errc::cancelled.
inline coro::TrySleepAwaiter try_sleep(Duration duration) noexcept {
  return coro::TrySleepAwaiter(duration < Duration::zero() ? Duration::zero() : duration);
}

// Lets everything else that is ready on this worker run first. throws: Cancelled.
inline coro::YieldAwaiter yield() noexcept { return coro::YieldAwaiter(); }

}  // namespace spate
