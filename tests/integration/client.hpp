// SPDX-License-Identifier: MIT
// A small blocking client for tests on real sockets: it connects, sends what it is told, reads one
// answer at a time, and can vanish in two ways. Every wait has an end. lifetime: owns its socket.
// thread: one at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spate::integration {

inline constexpr std::chrono::milliseconds patience{20'000};

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
  bool has_field(std::string_view lower_case_line) const;
};

// How a connection stands after waiting for its end.
enum class Ending { open, closed, reset };

class Client {
 public:
  struct Options {
    int receive_buffer = 0;  // bytes; 0: the kernel's choice
    bool ipv6 = false;
  };

  Client() = default;
  explicit Client(std::uint16_t port) : Client(port, Options()) {}
  Client(std::uint16_t port, const Options& options);
  Client(Client&& other) noexcept;
  Client& operator=(Client&& other) noexcept;
  ~Client();

  bool is_connected() const noexcept { return fd_ >= 0; }
  int descriptor() const noexcept { return fd_; }

  // False when the connection broke.
  bool send(std::string_view bytes);
  // The next answer; nothing when the connection ended before it was complete or time was up.
  std::optional<Answer> read(std::chrono::milliseconds most = patience);
  std::optional<Answer> ask(std::string_view request) {
    if (!send(request)) return std::nullopt;
    return read();
  }
  // Bytes that are there within `most`; empty when none came or the connection has ended.
  std::string read_some(std::chrono::milliseconds most = patience);
  // Reads and drops everything until the connection ends.
  Ending wait_for_end(std::chrono::milliseconds most = patience);

  void close();
  // Ends the connection with a reset.
  void reset();

 private:
  bool fill(std::chrono::steady_clock::time_point end);

  int fd_ = -1;
  std::string buffer_;
  Ending ending_ = Ending::open;
};

// "GET /path HTTP/1.1" with a host and without a body.
std::string get(std::string_view path, std::string_view fields = {});

}  // namespace spate::integration
