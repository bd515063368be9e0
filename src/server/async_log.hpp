// SPDX-License-Identifier: MIT
// A bounded queue of log lines between the workers and a sink on its own thread. A full queue drops
// lines and says later how many; a worker never waits for the sink. thread: write() from any; the
// sink is called on the log's thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <spate/observe/log.hpp>
#include <string>
#include <thread>
#include <vector>

namespace spate::server {

class AsyncLog {
 public:
  static constexpr std::size_t most_queued = 4096;

  // No sink: lines are dropped, no thread is started.
  explicit AsyncLog(std::unique_ptr<LogSink> sink);
  ~AsyncLog();

  void write(LogLevel level, std::string line) noexcept;
  // Waits until everything written so far has reached the sink.
  void flush();

 private:
  void run();

  std::unique_ptr<LogSink> sink_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable written_;
  std::vector<LogRecord> queue_;
  std::size_t dropped_ = 0;
  bool busy_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace spate::server
