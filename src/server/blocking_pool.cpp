// SPDX-License-Identifier: MIT
#include "server/blocking_pool.hpp"

#include <utility>

namespace spate::server {

BlockingPool::~BlockingPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool BlockingPool::submit(coro::Job& job) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (stop_ || queued_ >= most_queued_) return false;
    if (idle_ <= queued_ && threads_.size() < most_threads_) {
      threads_.emplace_back([this] { run(); });
    }
    job.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &job;
    last_ = &job;
    ++queued_;
  } catch (...) {
    // No thread could be started. Without any, nothing would ever run the job.
    return false;
  }
  wake_.notify_one();
  return true;
}

void BlockingPool::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return stop_ || first_ != nullptr; });
    --idle_;
    if (first_ == nullptr) return;
    coro::Job& job = *first_;
    first_ = job.next;
    if (first_ == nullptr) last_ = nullptr;
    --queued_;
    lock.unlock();
    job.run();
    lock.lock();
  }
}

}  // namespace spate::server
