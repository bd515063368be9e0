// SPDX-License-Identifier: MIT
// Task<T>: the result of a coroutine. It starts at once, runs until its first wait on the caller's
// stack, and is awaited in the expression that made it:
//
//     User user = co_await load_user(id);
//
// A Task cannot be moved or stored, so references handed to the coroutine live until it ends. Work
// that shall run beside its caller goes through when_all, when_any or a Scope. cost: one frame from
// the worker's pool; a Task that never waits costs no suspension. errors: an exception that leaves
// the coroutine is rethrown where it is awaited. thread: a Task resumes on the worker that began
// it, always.
#pragma once

#include <coroutine>
#include <exception>
#include <new>
#include <source_location>
#include <spate/base/async_stack.hpp>
#include <spate/coro/frame_pool.hpp>
#include <spate/coro/task_context.hpp>
#include <type_traits>
#include <utility>

namespace spate {

template <class T>
class Task;

namespace coro {

template <class T>
inline constexpr bool is_task = false;
template <class T>
inline constexpr bool is_task<Task<T>> = true;

// Awaits an object that stays where it is: awaitables are immovable, since events point at them.
template <class Awaitable>
class AwaitRef {
 public:
  explicit AwaitRef(Awaitable& awaitable) noexcept : awaitable_(&awaitable) {}
  bool await_ready() const noexcept { return awaitable_->await_ready(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) const {
    awaitable_->await_suspend(handle);
  }
  decltype(auto) await_resume() const { return awaitable_->await_resume(); }

 private:
  Awaitable* awaitable_;
};

class PromiseBase : public Pooled {
 public:
  AsyncFrame& async_frame() noexcept { return frame_; }
  const AsyncFrame& async_frame() const noexcept { return frame_; }

  static std::suspend_never initial_suspend() noexcept { return {}; }

  // Every await passes here and leaves its place in the source, for profiles and deadlock reports.
  // The awaiter is returned by value: GCC 12.2 would move an awaitable returned by reference.
  template <class Awaitable>
  auto await_transform(Awaitable&& awaitable,
                       std::source_location where = std::source_location::current()) noexcept {
    frame_.where = where;
    if constexpr (requires { std::forward<Awaitable>(awaitable).operator co_await(); }) {
      return std::forward<Awaitable>(awaitable).operator co_await();
    } else {
      return AwaitRef<std::remove_reference_t<Awaitable>>(awaitable);
    }
  }

 private:
  AsyncFrame frame_;
};

class TaskPromiseBase : public PromiseBase {
 public:
  struct FinalAwaiter {
    static bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> handle) noexcept {
      return handle.promise().continuation_;
    }
    static void await_resume() noexcept {}
  };

  static FinalAwaiter final_suspend() noexcept { return {}; }
  void set_continuation(std::coroutine_handle<> handle) noexcept { continuation_ = handle; }

 private:
  // A task that ends before it is awaited has nobody to resume.
  std::coroutine_handle<> continuation_ = std::noop_coroutine();
};

template <class T>
class TaskPromise final : public TaskPromiseBase {
 public:
  TaskPromise() noexcept {}
  ~TaskPromise() {
    if (outcome_ == Outcome::value) value_.~T();
    if (outcome_ == Outcome::error) error_.~exception_ptr();
  }

  Task<T> get_return_object() noexcept;

  template <class U>
    requires std::is_constructible_v<T, U&&>
  void return_value(U&& value) {
    ::new (static_cast<void*>(&value_)) T(std::forward<U>(value));
    outcome_ = Outcome::value;
  }
  void unhandled_exception() noexcept {
    ::new (static_cast<void*>(&error_)) std::exception_ptr(std::current_exception());
    outcome_ = Outcome::error;
  }
  T take() {
    if (outcome_ == Outcome::error) std::rethrow_exception(error_);
    return std::move(value_);
  }

 private:
  enum class Outcome : unsigned char { none, value, error };
  union {
    T value_;
    std::exception_ptr error_;
  };
  Outcome outcome_ = Outcome::none;
};

template <>
class TaskPromise<void> final : public TaskPromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  static void return_void() noexcept {}
  void unhandled_exception() noexcept { error_ = std::current_exception(); }
  void take() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::exception_ptr error_;
};

}  // namespace coro

template <class T = void>
class [[nodiscard("a Task does its work when it is awaited: co_await it")]] Task {
 public:
  using promise_type = coro::TaskPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;
  using value_type = T;

  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() { handle_.destroy(); }

  class Awaiter {
   public:
    explicit Awaiter(Handle handle) noexcept : handle_(handle) {}
    bool await_ready() const noexcept { return handle_.done(); }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> awaiting) noexcept {
      waited_in_ = coro::current_context;
      if constexpr (requires { awaiting.promise().async_frame(); }) {
        handle_.promise().async_frame().awaited_by = &awaiting.promise().async_frame();
      }
      handle_.promise().set_continuation(awaiting);
    }
    T await_resume() {
      // The task may have ended in an inner scope; what follows belongs to the awaiting one.
      if (waited_in_ != nullptr) coro::current_context = waited_in_;
      return handle_.promise().take();
    }

   private:
    Handle handle_;
    coro::TaskContext* waited_in_ = nullptr;
  };

  Awaiter operator co_await() && noexcept { return Awaiter(handle_); }
  bool is_done() const noexcept { return handle_.done(); }

 private:
  friend promise_type;
  explicit Task(Handle handle) noexcept : handle_(handle) {}

  Handle handle_;
};

template <class T>
Task<T> coro::TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

inline Task<void> coro::TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

}  // namespace spate
