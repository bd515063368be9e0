// SPDX-License-Identifier: MIT
// What when_all, when_any and Scope share: counting branches that end, and waiting for the last.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <spate/coro/task_context.hpp>
#include <utility>

namespace spate::coro {

// A set of branches that run in one child context. Awaiting it waits for the last to end. That wait
// is not given up when the scope is cancelled: the branches are, and each of them ends.
class Join final : public Waiter {
 public:
  Join() : branches_(require_context()) {}
  explicit Join(TaskContext& parent) noexcept : branches_(parent) {}

  TaskContext& branches() noexcept { return branches_; }
  void branch_started() noexcept { ++running_; }
  void branch_ended() noexcept;
  // The first failure is kept for whoever joins; it ends the other branches.
  void branch_failed(std::exception_ptr error) noexcept;
  std::size_t running() const noexcept { return running_; }
  std::exception_ptr take_failure() noexcept { return std::exchange(failure_, nullptr); }

  bool await_ready() noexcept {
    (void)cancelled_before();
    return running_ == 0;
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    begin(handle);
  }
  void await_resume() noexcept {
    if (state() != State::idle) end();
  }

 private:
  bool withdraw() noexcept override { return false; }

  TaskContext branches_;
  std::size_t running_ = 0;
  std::exception_ptr failure_;
};

}  // namespace spate::coro
