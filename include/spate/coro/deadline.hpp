// SPDX-License-Identifier: MIT
// A deadline around a piece of waiting work.
#pragma once

#include <spate/coro/call.hpp>

namespace spate {

namespace coro {

// A scope that is cancelled when its time has come.
class DeadlineContext final : private Timer {
 public:
  explicit DeadlineContext(Duration patience);
  ~DeadlineContext();
  DeadlineContext(const DeadlineContext&) = delete;
  DeadlineContext& operator=(const DeadlineContext&) = delete;
  TaskContext& context() noexcept { return context_; }
  bool is_expired() const noexcept { return expired_; }

 private:
  void fire() noexcept override;

  TaskContext context_;
  bool expired_ = false;
};

}  // namespace coro

// Awaits `fn(args...)`, a Task, for at most `patience`. When the time is over its waits throw
// Cancelled; once it has unwound, with_deadline throws Timeout. A result that came in time is
// returned even if the deadline passes before it is fetched. throws: Timeout, Cancelled, what fn
// throws. lifetime: arguments are copied or moved into the call and live until it ends.
template <class F, class... A>
Task<coro::task_value<F, A&...>> with_deadline(Duration patience, F fn, A... args) {
  coro::check_task_call<F, A&...>();
  using T = coro::task_value<F, A&...>;
  coro::DeadlineContext deadline(patience);
  try {
    coro::ContextCall<T> call(deadline.context(), fn, args...);
    co_return co_await call;
  } catch (const Cancelled&) {
    if (!deadline.is_expired()) throw;
  }
  throw Timeout();
}

// As with_deadline; a passed deadline and a cancelled scope are Errors (Errc::timeout,
// Errc::cancelled).
template <class F, class... A>
Task<Result<coro::task_value<F, A&...>>> try_with_deadline(Duration patience, F fn, A... args) {
  coro::check_task_call<F, A&...>();
  using T = coro::task_value<F, A&...>;
  coro::DeadlineContext deadline(patience);
  try {
    coro::ContextCall<T> call(deadline.context(), fn, args...);
    if constexpr (std::is_void_v<T>) {
      co_await call;
      co_return Result<T>();
    } else {
      co_return co_await call;
    }
  } catch (const Cancelled& cancelled) {
    if (!deadline.is_expired()) {
      co_return std::unexpected(Error(Errc::cancelled, to_string(cancelled.reason()), 503));
    }
  }
  co_return std::unexpected(Error(Errc::timeout, "the deadline passed", 503));
}

}  // namespace spate
