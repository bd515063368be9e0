// SPDX-License-Identifier: MIT
#include "client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace spate::integration {
namespace {

using Clock = std::chrono::steady_clock;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

std::optional<std::size_t> content_length(const std::string& lower_head) {
  const std::size_t at = lower_head.find("\r\ncontent-length:");
  if (at == std::string::npos) return std::nullopt;
  return std::strtoull(lower_head.c_str() + at + 17, nullptr, 10);
}

// The content of a chunked body at the start of `bytes` and where it ends; nothing while it is not
// whole.
std::optional<std::pair<std::string, std::size_t>> chunked_body(std::string_view bytes) {
  std::string body;
  std::size_t at = 0;
  for (;;) {
    const std::size_t line = bytes.find("\r\n", at);
    if (line == bytes.npos) return std::nullopt;
    const std::size_t size =
        std::strtoull(std::string(bytes.substr(at, line - at)).c_str(), nullptr, 16);
    at = line + 2;
    if (bytes.size() < at + size + 2) return std::nullopt;
    body.append(bytes.substr(at, size));
    at += size + 2;
    if (size == 0) return std::pair(std::move(body), at);
  }
}

bool wait_readable(int fd, Clock::time_point end) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return false;
    pollfd watched{fd, POLLIN, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace

bool Answer::has_field(std::string_view lower_case_line) const {
  return lower(head).find("\r\n" + std::string(lower_case_line) + "\r\n") != std::string::npos;
}

Client::Client(std::uint16_t port, const Options& options) {
  fd_ = ::socket(options.ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return;
  if (options.receive_buffer > 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer, sizeof(int));
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  v6.sin6_addr = in6addr_loopback;
  // Single bytes leave at once.
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int failed = options.ipv6
                         ? ::connect(fd_, reinterpret_cast<const sockaddr*>(&v6), sizeof v6)
                         : ::connect(fd_, reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  if (failed != 0) close();
}

Client::Client(Client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)),
      ending_(other.ending_) {}

Client& Client::operator=(Client&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(buffer_, other.buffer_);
  std::swap(ending_, other.ending_);
  return *this;
}

Client::~Client() { close(); }

bool Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Client::fill(Clock::time_point end) {
  if (fd_ < 0 || ending_ != Ending::open || !wait_readable(fd_, end)) return false;
  char bytes[16 * 1024];
  const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
  if (got > 0) {
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  ending_ = got == 0 ? Ending::closed : Ending::reset;
  return false;
}

std::optional<Answer> Client::read(std::chrono::milliseconds most) {
  const auto end = Clock::now() + most;
  for (;;) {
    const std::size_t blank = buffer_.find("\r\n\r\n");
    if (blank != std::string::npos) {
      Answer answer;
      answer.head = buffer_.substr(0, blank + 2);
      if (answer.head.size() > 12) answer.status = std::atoi(answer.head.c_str() + 9);
      const std::string head = lower(answer.head);
      const std::string_view rest = std::string_view(buffer_).substr(blank + 4);
      const auto length = content_length(head);
      if (head.find("\r\ntransfer-encoding: chunked\r\n") != std::string::npos) {
        if (auto body = chunked_body(rest)) {
          answer.body = std::move(body->first);
          buffer_.erase(0, blank + 4 + body->second);
          return answer;
        }
      } else if (length) {
        if (rest.size() >= *length) {
          answer.body = rest.substr(0, *length);
          buffer_.erase(0, blank + 4 + *length);
          return answer;
        }
      } else if (answer.status == 204 || answer.status == 304 || answer.status < 200) {
        buffer_.erase(0, blank + 4);
        return answer;
      } else if (ending_ == Ending::closed) {
        answer.body = rest;
        buffer_.clear();
        return answer;
      }
    }
    if (!fill(end) && ending_ != Ending::closed) return std::nullopt;
    if (ending_ == Ending::closed && buffer_.find("\r\n\r\n") == std::string::npos) {
      return std::nullopt;
    }
    if (ending_ == Ending::closed && blank != std::string::npos) {
      const std::string head = lower(buffer_.substr(0, blank + 2));
      if (content_length(head) || head.find("chunked") != std::string::npos) return std::nullopt;
    }
  }
}

std::string Client::read_some(std::chrono::milliseconds most) {
  if (buffer_.empty()) fill(Clock::now() + most);
  return std::exchange(buffer_, {});
}

Ending Client::wait_for_end(std::chrono::milliseconds most) {
  const auto end = Clock::now() + most;
  while (fill(end)) buffer_.clear();
  return ending_;
}

void Client::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Client::reset() {
  if (fd_ < 0) return;
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

std::string get(std::string_view path, std::string_view fields) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(fields) + "\r\n";
}

}  // namespace spate::integration
