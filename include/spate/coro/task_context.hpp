// SPDX-License-Identifier: MIT
// The tree of cancellation. A TaskContext stands for a scope of tasks that end together: a
// connection, a request, a `with_deadline`. Every pending wait is listed in the context it was
// begun in; cancelling a context ends those waits and those of the contexts below it. lifetime: a
// context outlives its tasks and its children. thread: its worker only.
#pragma once

#include <coroutine>
#include <cstdint>
#include <spate/base/async_stack.hpp>
#include <spate/coro/cancel.hpp>
#include <spate/coro/runtime.hpp>

namespace spate::coro {

class TaskContext;

// A wait in progress, embedded in its awaitable. Sources of events derive from it, call `begin`
// when they suspend and `complete` when the event is there; the runtime resumes the coroutine in
// its turn.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  TaskContext* context() const noexcept { return context_; }
  const AsyncFrame* frame() const noexcept { return frame_; }
  const Waiter* next_waiting() const noexcept { return next_; }

 protected:
  enum class State : std::uint8_t { idle, waiting, ready, done };

  virtual ~Waiter();

  // The scope was cancelled. Returns true when the wait has been withdrawn from its source and ends
  // as cancelled now; false when it cannot be given up and will call `complete` by itself.
  virtual bool withdraw() noexcept = 0;

  // True when the current context is cancelled already: do not suspend.
  bool cancelled_before() noexcept;
  template <class Promise>
  void begin(std::coroutine_handle<Promise> handle) noexcept {
    if constexpr (requires { handle.promise().async_frame(); })
      frame_ = &handle.promise().async_frame();
    begin_waiting(handle);
  }
  // The event is there. May be called once, between `begin` and the resumption.
  void complete() noexcept;
  // At the start of await_resume: makes the awaiting scope current again.
  void end() noexcept;
  bool was_cancelled() const noexcept { return cancelled_; }
  CancelReason cancel_reason() const noexcept;
  void throw_if_cancelled() const {
    if (cancelled_) [[unlikely]]
      throw Cancelled(cancel_reason());
  }
  State state() const noexcept { return state_; }
  Runtime& runtime() const noexcept;

 private:
  friend class TaskContext;
  friend class Runtime;

  void begin_waiting(std::coroutine_handle<> handle) noexcept;
  void unlink() noexcept;

  Waiter* previous_ = nullptr;  // in the context's list
  Waiter* next_ = nullptr;
  Waiter* next_ready_ = nullptr;
  TaskContext* context_ = nullptr;
  AsyncFrame* frame_ = nullptr;
  std::coroutine_handle<> handle_;
  State state_ = State::idle;
  bool cancelled_ = false;
};

class TaskContext {
 public:
  explicit TaskContext(Runtime& runtime) noexcept : runtime_(&runtime) {}
  // A child: it is cancelled with its parent.
  explicit TaskContext(TaskContext& parent) noexcept;
  TaskContext(const TaskContext&) = delete;
  TaskContext& operator=(const TaskContext&) = delete;
  ~TaskContext();

  // Ends all waits in this context and below. The first reason stays; later calls do nothing.
  void cancel(CancelReason reason) noexcept;
  bool is_cancelled() const noexcept { return reason_ != CancelReason::none; }
  CancelReason reason() const noexcept { return reason_; }
  // Makes a finished context usable for the next request. The context has no waits and no children.
  void reset() noexcept { reason_ = CancelReason::none; }

  bool has_waits() const noexcept { return waiters_ != nullptr; }
  const Waiter* first_waiter() const noexcept { return waiters_; }
  const TaskContext* first_child() const noexcept { return first_child_; }
  const TaskContext* next_sibling() const noexcept { return next_sibling_; }
  TaskContext* parent() const noexcept { return parent_; }
  Runtime& runtime() const noexcept { return *runtime_; }

 private:
  friend class Waiter;

  TaskContext* parent_ = nullptr;
  TaskContext* first_child_ = nullptr;
  TaskContext* previous_sibling_ = nullptr;
  TaskContext* next_sibling_ = nullptr;
  Waiter* waiters_ = nullptr;
  Runtime* runtime_;
  CancelReason reason_ = CancelReason::none;
};

// The scope of the code that runs now; null outside of any. Restored by every await.
extern constinit thread_local TaskContext* current_context;

// The current scope, or an ErrorException (Errc::configuration) when the thread has none: a wait
// outside of a handler, a hook, `background()` or a test runtime.
TaskContext& require_context(const std::source_location& where = std::source_location::current());

// Makes `context` current for a block.
class EnterContext {
 public:
  explicit EnterContext(TaskContext& context) noexcept : outer_(current_context) {
    current_context = &context;
  }
  EnterContext(const EnterContext&) = delete;
  EnterContext& operator=(const EnterContext&) = delete;
  ~EnterContext() { current_context = outer_; }

 private:
  TaskContext* outer_;
};

}  // namespace spate::coro
