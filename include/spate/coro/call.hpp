// SPDX-License-Identifier: MIT
// The rules for functions and arguments that are handed to a scope (with_deadline, when_any,
// when_all, spawn, offload, run_on), each enforced with one sentence.
#pragma once

#include <spate/coro/task.hpp>
#include <type_traits>
#include <utility>

namespace spate {

namespace coro {

// GCC 12.2 destroys a closure temporary twice inside a co_await expression; one without a
// destructor of its own is safe. What a function needs beyond references is passed as an argument
// instead.
template <class F>
consteval void check_callable() {
  static_assert(
      std::is_trivially_destructible_v<std::remove_cvref_t<F>>,
      "spate: this function owns what it captures; capture by reference or pass the values as "
      "arguments: with_deadline(2s, fn, args...)");
}

template <class F, class... A>
using call_result = std::invoke_result_t<F&, A...>;

template <class F, class... A>
consteval void check_task_call() {
  check_callable<F>();
  static_assert(std::is_invocable_v<F&, A...>,
                "spate: the function cannot be called with these arguments");
  if constexpr (std::is_invocable_v<F&, A...>) {
    static_assert(is_task<call_result<F, A...>>,
                  "spate: the function must return a Task; for a function that blocks use "
                  "offload(fn, args...)");
  }
}

template <class F, class... A>
using task_value = typename call_result<F, A...>::value_type;

// Begins `fn(args...)` in `context` and awaits it from the scope around: what the call starts
// belongs to the context, what follows the await does not.
template <class T>
class ContextCall {
 public:
  template <class F, class... A>
  explicit ContextCall(TaskContext& context, F& fn, A&... args)
      : task_(call(context, fn, args...)), awaiter_(std::move(task_).operator co_await()) {}
  ContextCall(const ContextCall&) = delete;
  ContextCall& operator=(const ContextCall&) = delete;

  bool await_ready() const noexcept { return awaiter_.await_ready(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    awaiter_.await_suspend(handle);
  }
  T await_resume() { return awaiter_.await_resume(); }

 private:
  template <class F, class... A>
  static Task<T> call(TaskContext& context, F& fn, A&... args) {
    EnterContext enter(context);
    return fn(args...);
  }

  Task<T> task_;
  typename Task<T>::Awaiter awaiter_;
};

}  // namespace coro
}  // namespace spate
