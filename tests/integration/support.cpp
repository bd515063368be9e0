// SPDX-License-Identifier: MIT
#include "support.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "io/uring/probe.hpp"

namespace spate::integration {
namespace {

std::size_t entries(const char* folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    (void)entry;
    ++count;
  }
  return count;
}

ServerControl start_or_throw(Server& server) {
  Result<ServerControl> control = server.start();
  if (!control) throw std::runtime_error(control.error().describe());
  return std::move(*control);
}

bool is_asked_for(std::string_view name) {
  const char* engine = std::getenv("SPATE_TEST_ENGINE");
  return engine != nullptr && engine == name;
}

// Where the machine forbids io_uring there is nothing to be tested on it, and that is said.
class EngineOfTests final : public ::testing::Environment {
 public:
  void SetUp() override {
    if (!is_asked_for("uring")) return;
    if (const std::string reason = io::uring::why_not(); !reason.empty()) GTEST_SKIP() << reason;
  }
};

[[maybe_unused]] const auto* const engine_of_tests =
    ::testing::AddGlobalTestEnvironment(new EngineOfTests);

}  // namespace

bool KeepLines::Lines::contains(std::string_view text) {
  const std::lock_guard lock(mutex);
  for (const std::string& line : list) {
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

void KeepLines::write(const LogRecord& record) {
  const std::lock_guard lock(lines_->mutex);
  lines_->list.push_back(record.line);
}

ServerOptions quick_options(unsigned workers) {
  ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.workers = workers;
  options.limits.linger = 500ms;
  options.drain_timeout = 5s;
  // All of these tests run once on each engine; see CMakeLists.txt.
  if (is_asked_for("epoll")) options.engine = EngineKind::epoll;
  if (is_asked_for("uring")) options.engine = EngineKind::uring;
  return options;
}

Running::Running(Server server)
    : server_(std::move(server)),
      control_(start_or_throw(server_)),
      port_(port_of(control_.addresses().front())) {}

std::uint16_t port_of(std::string_view address) {
  return static_cast<std::uint16_t>(
      std::atoi(std::string(address.substr(address.rfind(':') + 1)).c_str()));
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    throw std::runtime_error("no port is free");
  }
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

// One of them is the folder's own.
std::size_t open_descriptors() { return entries("/proc/self/fd") - 1; }

std::size_t threads() { return entries("/proc/self/task"); }

std::size_t private_memory() {
  std::ifstream file("/proc/self/smaps_rollup");
  std::size_t sum = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Private_Dirty:")) {
      sum += std::strtoull(line.c_str() + 14, nullptr, 10) * 1024;
    }
  }
  return sum;
}

}  // namespace spate::integration
