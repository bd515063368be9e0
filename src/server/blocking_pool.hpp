// SPDX-License-Identifier: MIT
// The threads that may block: they run offloaded functions, one each at a time, from one bounded
// queue. Threads are started when work comes, up to the maximum. thread: submit from any.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <spate/coro/runtime.hpp>
#include <thread>
#include <vector>

namespace spate::server {

class BlockingPool {
 public:
  BlockingPool(unsigned threads, std::size_t most_queued) noexcept
      : most_threads_(threads), most_queued_(most_queued) {}
  // Runs what is queued, then joins.
  ~BlockingPool();

  // False when the queue is full: the job was not taken.
  bool submit(coro::Job& job) noexcept;

 private:
  void run();

  unsigned most_threads_;
  std::size_t most_queued_;
  std::mutex mutex_;
  std::condition_variable wake_;
  coro::Job* first_ = nullptr;
  coro::Job* last_ = nullptr;
  std::size_t queued_ = 0;
  unsigned idle_ = 0;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace spate::server
