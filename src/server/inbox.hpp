// SPDX-License-Identifier: MIT
// Jobs that other threads hand to a worker: a stack that is pushed without locks and taken whole,
// then run in order of arrival. Posts are bounded; outcomes of work that was taken are always
// accepted. thread: push from any; take on the worker.
#pragma once

#include <atomic>
#include <cstddef>
#include <spate/coro/runtime.hpp>

namespace spate::server {

class Inbox {
 public:
  explicit Inbox(std::size_t most_posted) noexcept : most_posted_(most_posted) {}

  // Returns whether the worker has to be woken: the inbox was empty.
  bool push(coro::Job& job) noexcept {
    coro::Job* head = head_.load(std::memory_order_relaxed);
    do {
      job.next = head;
    } while (!head_.compare_exchange_weak(head, &job, std::memory_order_release,
                                          std::memory_order_relaxed));
    return head == nullptr;
  }
  // False when `most_posted` jobs wait or the worker has gone.
  bool try_reserve() noexcept {
    if (closed_.load(std::memory_order_acquire)) return false;
    // Several threads at once may exceed the limit by their number; taking nothing back keeps the
    // count sound while the worker resets it.
    if (posted_.load(std::memory_order_relaxed) >= most_posted_) return false;
    posted_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  void close() noexcept { closed_.store(true, std::memory_order_release); }
  bool is_empty() const noexcept { return head_.load(std::memory_order_relaxed) == nullptr; }

  // All jobs, oldest first, linked by `next`.
  coro::Job* take() noexcept {
    coro::Job* newest = head_.exchange(nullptr, std::memory_order_acquire);
    coro::Job* oldest = nullptr;
    while (newest != nullptr) {
      coro::Job* next = newest->next;
      newest->next = oldest;
      oldest = newest;
      newest = next;
    }
    posted_.store(0, std::memory_order_relaxed);
    return oldest;
  }

 private:
  std::size_t most_posted_;
  alignas(64) std::atomic<coro::Job*> head_{nullptr};
  std::atomic<std::size_t> posted_{0};
  std::atomic<bool> closed_{false};
};

}  // namespace spate::server
