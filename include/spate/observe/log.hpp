// SPDX-License-Identifier: MIT
// Where a server's own messages go: failures of handlers, limits that were hit, the life of the
// process. A server hands lines to a sink on a thread of its own, so that a slow sink never holds
// up a worker.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace spate {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

std::string_view to_string(LogLevel level) noexcept;

struct LogRecord {
  LogLevel level = LogLevel::info;
  std::chrono::system_clock::time_point time;
  // One line without its end: lower-case, "key=value" pairs behind a short sentence, control
  // characters escaped.
  std::string line;
};

class LogSink {
 public:
  LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  virtual ~LogSink() = default;
  // thread: the server's log thread, one call at a time.
  virtual void write(const LogRecord& record) = 0;
};

// `text` with control characters, quotes and backslashes as \xHH, cut to `most` bytes: what came
// from outside must not forge lines or steer a terminal.
std::string escape_for_log(std::string_view text, std::size_t most = 256);

}  // namespace spate
