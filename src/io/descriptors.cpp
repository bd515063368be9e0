// SPDX-License-Identifier: MIT
#include "io/descriptors.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace spate::io {

std::uint32_t descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return static_cast<std::uint32_t>(std::min<rlim_t>(limit.rlim_cur, 1U << 30));
}

void grow_descriptor_table(std::uint32_t size) noexcept {
  // The lowest free descriptor at or above the last one: the table has to reach it.
  if (size == 0) return;
  const int source = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (source < 0) return;
  const int last = ::fcntl(source, F_DUPFD_CLOEXEC, static_cast<int>(std::min(size, 1U << 20)) - 1);
  if (last >= 0) ::close(last);
  ::close(source);
}

}  // namespace spate::io
