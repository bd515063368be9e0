// SPDX-License-Identifier: MIT
#include <spate/coro/sleep.hpp>

namespace spate::coro {

TimerWait::~TimerWait() {
  if (is_scheduled()) runtime().unschedule(*this);
}

void TimerWait::arm() {
  Runtime& timers = runtime();
  timers.schedule(*this, wait_ >= Duration::zero() ? later(timers.now(), wait_) : until_);
}

void TimerWait::fire() noexcept { complete(); }

bool TimerWait::withdraw() noexcept {
  runtime().unschedule(*this);
  return true;
}

Result<> TrySleepAwaiter::await_resume() {
  finish();
  if (was_cancelled())
    return std::unexpected(Error(Errc::cancelled, to_string(cancel_reason()), 503));
  return {};
}

}  // namespace spate::coro
