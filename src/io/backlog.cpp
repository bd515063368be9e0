// SPDX-License-Identifier: MIT
#include "io/backlog.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>

namespace spate::io {

std::uint64_t unacknowledged(int fd) noexcept {
  int bytes = 0;
  return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

}  // namespace spate::io
