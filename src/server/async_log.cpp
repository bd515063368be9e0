// SPDX-License-Identifier: MIT
#include "server/async_log.hpp"

#include <utility>

namespace spate::server {

AsyncLog::AsyncLog(std::unique_ptr<LogSink> sink) : sink_(std::move(sink)) {
  if (sink_) thread_ = std::thread([this] { run(); });
}

AsyncLog::~AsyncLog() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void AsyncLog::write(LogLevel level, std::string line) noexcept {
  if (!sink_) return;
  try {
    LogRecord record{level, std::chrono::system_clock::now(), std::move(line)};
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= most_queued) {
      ++dropped_;
      return;
    }
    queue_.push_back(std::move(record));
  } catch (...) {
    // Out of memory: the line is lost, the server goes on.
    return;
  }
  wake_.notify_one();
}

void AsyncLog::flush() {
  if (!sink_) return;
  std::unique_lock lock(mutex_);
  written_.wait(lock, [this] { return queue_.empty() && !busy_; });
}

void AsyncLog::run() {
  std::vector<LogRecord> batch;
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    if (queue_.empty()) return;
    batch.swap(queue_);
    const std::size_t dropped = std::exchange(dropped_, 0);
    busy_ = true;
    lock.unlock();
    for (const LogRecord& record : batch) {
      try {
        sink_->write(record);
      } catch (...) {
        // A sink that fails must not end the server.
      }
    }
    if (dropped > 0) {
      try {
        sink_->write({LogLevel::warning, std::chrono::system_clock::now(),
                      "log queue full lines_dropped=" + std::to_string(dropped)});
      } catch (...) {
      }
    }
    batch.clear();
    lock.lock();
    busy_ = false;
    if (queue_.empty()) written_.notify_all();
  }
}

}  // namespace spate::server
