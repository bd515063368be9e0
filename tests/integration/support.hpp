// SPDX-License-Identifier: MIT
// What the tests on real sockets share: a server on a free port, waiting for a condition with an
// end, and looking at this process from outside. thread: the test's.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <spate/server.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client.hpp"

namespace spate::integration {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Sanitizers make everything ten times slower: their budgets are ten times as long and their
// crowds a fifth.
#if defined(SPATE_SANITIZE)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif
inline constexpr int slowness = is_sanitized ? 10 : 1;
inline constexpr int crowd = is_sanitized ? 200 : 1000;

// Polls until it holds; false when it did not within `most`.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds most = patience) {
  // A machine that stands still for a while stands still for the server too: of each nap, what goes
  // far beyond its length does not count.
  Clock::duration waited{};
  for (auto before = Clock::now(); !condition();) {
    if (waited >= most) return condition();
    std::this_thread::sleep_for(1ms);
    const auto now = Clock::now();
    waited += std::min<Clock::duration>(now - before, 4ms);
    before = now;
  }
  return true;
}

// Counts the frames of handlers that are alive.
class Guard {
 public:
  explicit Guard(std::atomic<int>& count) noexcept : count_(&count) { ++*count_; }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { --*count_; }

 private:
  std::atomic<int>* count_;
};

// Keeps lines for the test to read.
class KeepLines final : public LogSink {
 public:
  struct Lines {
    std::mutex mutex;
    std::vector<std::string> list;
    bool contains(std::string_view text);
  };
  explicit KeepLines(std::shared_ptr<Lines> lines) : lines_(std::move(lines)) {}
  void write(const LogRecord& record) override;

 private:
  std::shared_ptr<Lines> lines_;
};

// One worker on a free port of 127.0.0.1, with short times for the end of connections.
ServerOptions quick_options(unsigned workers = 1);

// A started server. A start that fails is the test's failure.
class Running {
 public:
  explicit Running(Server server);
  ServerControl& operator*() noexcept { return control_; }
  ServerControl* operator->() noexcept { return &control_; }
  std::uint16_t port() const noexcept { return port_; }
  Client client() const { return Client(port_); }

 private:
  Server server_;
  ServerControl control_;
  std::uint16_t port_;
};

std::uint16_t port_of(std::string_view address);
// A port of 127.0.0.1 on which nobody listens.
std::uint16_t free_port();
// Of this process.
std::size_t open_descriptors();
std::size_t threads();
// Memory of this process that it alone holds, in bytes.
std::size_t private_memory();

}  // namespace spate::integration
