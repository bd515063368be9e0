// SPDX-License-Identifier: MIT
// A Scope holds a number of tasks that is not known beforehand. Whoever opens it waits for all of
// them: nothing that was spawned outlives it.
//
//     co_await with_scope([&](Scope& scope) -> Task<> {
//       for (int id : ids) scope.spawn(check, id);
//       co_return;
//     });
#pragma once

#include <optional>
#include <span>
#include <spate/coro/call.hpp>
#include <spate/coro/join.hpp>
#include <string_view>

namespace spate {

// Says that an argument handed to `spawn` borrows, and that what it refers to outlives the scope.
template <class T>
struct Borrow {
  T value;
  operator T() const noexcept { return value; }
};
template <class T>
Borrow<T> borrow(T value) noexcept {
  return {value};
}

namespace coro {

template <class T>
inline constexpr bool is_view = false;
template <>
inline constexpr bool is_view<std::string_view> = true;
template <class T, std::size_t N>
inline constexpr bool is_view<std::span<T, N>> = true;

// A coroutine that owns itself: its frame is gone when it has ended.
struct Detached {
  struct promise_type : PromiseBase {
    static Detached get_return_object() noexcept { return {}; }
    static std::suspend_never final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    // The body catches everything.
    [[noreturn]] static void unhandled_exception() noexcept { std::terminate(); }
  };
};

template <class F, class... A>
Detached run_spawned(Join& join, F fn, A... args) {
  try {
    co_await fn(args...);
  } catch (const Cancelled&) {
    if (!join.branches().is_cancelled()) join.branch_failed(std::current_exception());
  } catch (...) {
    join.branch_failed(std::current_exception());
  }
  join.branch_ended();
}

}  // namespace coro

class Scope {
 public:
  // A child of the current scope, or of the given one.
  Scope() = default;
  explicit Scope(coro::TaskContext& parent) noexcept : join_(parent) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // The cancellation scope that the spawned tasks run in.
  coro::TaskContext& context() noexcept { return join_.branches(); }

  // Starts `fn(args...)`, a Task, beside the caller; it runs until its first wait before spawn
  // returns. lifetime: function and arguments are copied or moved and live until the task ends;
  // views are refused unless wrapped in `borrow(...)`. errors: the first exception cancels the
  // scope and is rethrown by join.
  template <class F, class... A>
  void spawn(F fn, A... args) {
    static_assert(std::is_invocable_v<F&, A&...>,
                  "spate: the function cannot be called with these arguments");
    static_assert(
        (!coro::is_view<A> && ...),
        "spate: spawn was given a view, which may die before the task; pass a std::string or "
        "std::vector, or say borrow(view) when what it refers to outlives the scope");
    static_assert(coro::is_task<std::invoke_result_t<F&, A&...>>,
                  "spate: spawn takes a function that returns a Task");
    coro::EnterContext enter(join_.branches());
    join_.branch_started();
    try {
      coro::run_spawned(join_, std::move(fn), std::move(args)...);
    } catch (...) {
      // The task has not begun: no memory for its frame, or an argument refused to be moved.
      join_.branch_ended();
      throw;
    }
  }

  // Ends all waits of the tasks in this scope.
  void cancel(CancelReason reason = CancelReason::aborted) noexcept {
    join_.branches().cancel(reason);
  }
  std::size_t running() const noexcept { return join_.running(); }

  // Waits until every task has ended, then rethrows the first failure.
  Task<> join() {
    co_await join_;
    if (auto failure = join_.take_failure()) std::rethrow_exception(failure);
  }

 private:
  template <class F, class... A>
  friend Task<coro::task_value<F, Scope&, A&...>> with_scope(F fn, A... args);

  coro::Join join_;
};

// Opens a scope, awaits `fn(scope, args...)`, then waits for all that was spawned. An exception of
// fn cancels the spawned tasks first. throws: what fn or a spawned task throws, Cancelled.
template <class F, class... A>
Task<coro::task_value<F, Scope&, A&...>> with_scope(F fn, A... args) {
  coro::check_task_call<F, Scope&, A&...>();
  using T = coro::task_value<F, Scope&, A&...>;
  Scope scope;
  std::exception_ptr failure;
  std::optional<std::conditional_t<std::is_void_v<T>, char, T>> value;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await fn(scope, args...);
    } else {
      value.emplace(co_await fn(scope, args...));
    }
  } catch (...) {
    failure = std::current_exception();
    scope.cancel(CancelReason::sibling);
  }
  co_await scope.join_;
  if (failure) std::rethrow_exception(failure);
  if (auto spawned = scope.join_.take_failure()) std::rethrow_exception(spawned);
  if (scope.join_.branches().is_cancelled()) throw Cancelled(scope.join_.branches().reason());
  if constexpr (!std::is_void_v<T>) co_return std::move(*value);
}

}  // namespace spate
