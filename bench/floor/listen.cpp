// SPDX-License-Identifier: MIT
// The listening socket of the floor. The four-call form has the options that src/net/listener.cpp
// sets, or the difference in cost would be theirs; the naive form has none.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "floor.hpp"

namespace spate_floor {
namespace {

constexpr int backlog = 4096;

void set_option(int fd, int level, int name) {
  const int on = 1;
  if (::setsockopt(fd, level, name, &on, sizeof on) != 0) give_up("setsockopt", errno);
}

}  // namespace

void give_up(const char* what, int error) {
  std::fprintf(stderr, "spate-floor: %s failed: %s\n", what, std::strerror(error));
  std::exit(1);
}

int listen_on(std::uint16_t port, bool options_of_spate) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up("socket", errno);
  set_option(fd, SOL_SOCKET, SO_REUSEADDR);
  if (options_of_spate) {
    set_option(fd, SOL_SOCKET, SO_REUSEPORT);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY);
    set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd, generic, size) != 0) give_up("bind", errno);
  if (::listen(fd, backlog) != 0) give_up("listen", errno);
  if (::getsockname(fd, generic, &size) != 0) give_up("getsockname", errno);
  std::printf("listening on http://127.0.0.1:%u\n", static_cast<unsigned>(ntohs(address.sin_port)));
  std::fflush(stdout);
  return fd;
}

}  // namespace spate_floor
