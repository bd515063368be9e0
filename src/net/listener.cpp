// SPDX-License-Identifier: MIT
#include "net/listener.hpp"

#include <linux/filter.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>

namespace spate::net {
namespace {

Error listen_error(int error, const Address& address) {
  std::string text = "cannot listen on " + address.to_string() + ": ";
  switch (error) {
    case EADDRINUSE:
      text +=
          "the port is in use; stop what listens there (ss -ltnp shows it) or choose another port";
      break;
    case EACCES:
      text +=
          "ports below 1024 need the right CAP_NET_BIND_SERVICE; choose a higher port or grant it";
      break;
    case EADDRNOTAVAIL:
      text += "no interface of this machine has that address";
      break;
    case EAFNOSUPPORT:
      text += "this machine has no such address family; is IPv6 disabled?";
      break;
    default:
      text += std::error_code(error, std::system_category()).message();
      break;
  }
  return Error(std::error_code(error, std::system_category()), std::move(text));
}

void set_option(int fd, int level, int name, int value) noexcept {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

Result<int> bound_socket(const Address& address, bool share) {
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::unexpected(listen_error(errno, address));
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (share) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (address.storage.ss_family == AF_INET6)
    set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, address.any_family ? 0 : 1);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0) {
    const int error = errno;
    ::close(fd);
    return std::unexpected(listen_error(error, address));
  }
  return fd;
}

// With SO_REUSEPORT a second server of the same user could bind the port unnoticed and take half of
// the connections. A bind and listen without it tells.
Result<> check_free(const Address& address) {
  Result<int> probe = bound_socket(address, false);
  if (!probe) return std::unexpected(probe.error());
  const int listening = ::listen(*probe, 1);
  const int error = errno;
  ::close(*probe);
  if (listening != 0) return std::unexpected(listen_error(error, address));
  return {};
}

}  // namespace

Result<std::vector<int>> listen(Address& address, unsigned count, const ListenOptions& options) {
  if (address.port() != 0) {
    if (Result<> free = check_free(address); !free) return std::unexpected(free.error());
  }
  std::vector<int> sockets;
  const auto fail = [&](Error error) {
    for (const int fd : sockets) ::close(fd);
    return std::unexpected(std::move(error));
  };
  for (unsigned i = 0; i < count; ++i) {
    Result<int> fd = bound_socket(address, true);
    if (!fd) return fail(std::move(fd.error()));
    sockets.push_back(*fd);
    // Accepted sockets inherit it on Linux, which spares a call per connection.
    set_option(*fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (options.defer_accept) set_option(*fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
    if (address.port() == 0) {
      Address bound = address;
      if (::getsockname(*fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) != 0) {
        return fail(listen_error(errno, address));
      }
      address.set_port(bound.port());
    }
  }
  // All are bound before the first listens, so that no connection lands on a half-made group.
  for (const int fd : sockets) {
    if (::listen(fd, options.backlog) != 0) return fail(listen_error(errno, address));
  }
  return sockets;
}

void refuse_new_handshakes(int fd) noexcept {
  set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0);
  // The filter sees the TCP header: byte 13 holds the flags. A SYN without ACK is dropped, not
  // answered: the client tries again in a second and then finds the port closed before it has sent
  // anything.
  sock_filter code[] = {
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, 13},    {BPF_ALU | BPF_AND | BPF_K, 0, 0, 0x12},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0x02}, {BPF_RET | BPF_K, 0, 0, 0},
      {BPF_RET | BPF_K, 0, 0, 0xffffffff},
  };
  const sock_fprog program{sizeof code / sizeof code[0], code};
  ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

}  // namespace spate::net
