// SPDX-License-Identifier: MIT
// The system calls of every request, without what the C library does around them so that a thread
// can be cancelled in the middle, which costs as much as the rest of the call. Sanitizers want to
// see them, so there they are the library's. Results and errno are those of the plain functions.
#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace spate::io {

#if defined(SPATE_SANITIZE)

inline ssize_t plain_recv(int fd, char* to, std::size_t size) noexcept {
  return ::recv(fd, to, size, 0);
}
inline ssize_t plain_send(int fd, const char* from, std::size_t size) noexcept {
  return ::send(fd, from, size, MSG_NOSIGNAL);
}
inline int plain_epoll_wait(int epoll, epoll_event* events, int most, int milliseconds) noexcept {
  return ::epoll_wait(epoll, events, most, milliseconds);
}

#else

inline ssize_t plain_recv(int fd, char* to, std::size_t size) noexcept {
  return ::syscall(SYS_recvfrom, fd, to, size, 0, nullptr, nullptr);
}
inline ssize_t plain_send(int fd, const char* from, std::size_t size) noexcept {
  return ::syscall(SYS_sendto, fd, from, size, MSG_NOSIGNAL, nullptr, 0);
}
inline int plain_epoll_wait(int epoll, epoll_event* events, int most, int milliseconds) noexcept {
  return static_cast<int>(
      ::syscall(SYS_epoll_pwait, epoll, events, most, milliseconds, nullptr, 0));
}

#endif

}  // namespace spate::io
