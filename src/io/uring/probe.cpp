// SPDX-License-Identifier: MIT
#include "io/uring/probe.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <thread>

#include "io/uring/ring.hpp"

namespace spate::io::uring {
namespace {

constexpr const char* needed = "Linux 6.0 or newer is needed, 6.1 recommended";

std::string forbidden(int error) {
  std::string setting;
  std::ifstream("/proc/sys/kernel/io_uring_disabled") >> setting;
  if (setting == "1" || setting == "2") {
    return "io_uring is forbidden here (sysctl kernel.io_uring_disabled=" + setting + ")";
  }
  return "io_uring is forbidden here (seccomp or container policy: " +
         std::string(error == EPERM ? "EPERM" : "EACCES") + " at io_uring_setup)";
}

std::string no_ring(int error) {
  switch (error) {
    case EPERM:
    case EACCES:
      return forbidden(error);
    case ENOSYS:
      return "io_uring is not in this kernel, or hidden by seccomp (ENOSYS at io_uring_setup)";
    case EINVAL:
      return std::string("io_uring of this kernel is too old (EINVAL at io_uring_setup); ") +
             needed;
    case ENOMEM:
      return "io_uring gets no memory (ENOMEM at io_uring_setup; see ulimit -l)";
    default:
      return "io_uring cannot be set up (" + std::system_category().message(error) + ")";
  }
}

// Two connected sockets, one of which takes few bytes.
struct Sockets {
  int ends[2] = {-1, -1};
  Sockets() {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
    const int small = 4096;
    ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  }
  ~Sockets() {
    for (const int end : ends) {
      if (end >= 0) ::close(end);
    }
  }
};

// Hands over what is queued and expects exactly that completion next; each wait has an end.
bool completes(Ring& ring, std::uint64_t data, io_uring_cqe& out) {
  const __kernel_timespec most{1, 0};
  bool found = false;
  for (int tries = 0; tries < 3 && !found; ++tries) {
    ring.enter(1, true, &most);
    ring.take([&](const io_uring_cqe& completion) {
      std::memcpy(&out, &completion, sizeof out);
      found = completion.user_data == data;
      return !found;
    });
  }
  return found;
}

std::string failing_part() {
  Ring ring;
  if (const int error = ring.open(16, 64); error != 0) return no_ring(error);
  // lifetime: the kernel knows the buffers until the ring is closed.
  BufferGroup buffers;
  const int failed = buffers.open(ring, 0, 4, 256);
  const auto lacking = [&ring](const char* part) {
    ring.close();
    return std::string("io_uring of this kernel lacks ") + part + "; " + needed;
  };
  if (failed != 0) return lacking("rings of buffers");
  if (const int error = ring.enable(); error != 0) return no_ring(error);
  io_uring_cqe completion{};
  io_uring_sqe* entry = ring.next();
  io_uring_prep_nop(entry);
  entry->user_data = 1;
  if (!completes(ring, 1, completion)) return lacking("calls that wait with an end");

  Sockets sockets;
  if (sockets.ends[1] < 0) {
    ring.close();
    return "io_uring could not be tried: no socket can be opened";
  }
  entry = ring.next();
  io_uring_prep_recv_multishot(entry, sockets.ends[1], nullptr, 0, 0);
  entry->flags |= IOSQE_BUFFER_SELECT;
  entry->buf_group = 0;
  entry->user_data = 2;
  entry = ring.next();
  io_uring_prep_send(entry, sockets.ends[0], "probe", 5, MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  entry->user_data = 3;
  constexpr unsigned expected = IORING_CQE_F_BUFFER | IORING_CQE_F_MORE;
  if (!completes(ring, 2, completion) || completion.res != 5 ||
      (completion.flags & expected) != expected) {
    return lacking("receiving that stays armed");
  }
  entry = ring.next();
  io_uring_prep_cancel64(entry, 2, 0);
  entry->user_data = 4;
  completes(ring, 4, completion);

  // A send that is not taken whole must say so, and must not wait.
  const std::string much(256 * 1024, 'x');
  entry = ring.next();
  io_uring_prep_send(entry, sockets.ends[0], much.data(), much.size(),
                     MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  entry->user_data = 5;
  if (!completes(ring, 5, completion) || completion.res == static_cast<int>(much.size()) ||
      (completion.res < 0 && completion.res != -EAGAIN)) {
    return lacking("sends that end at once");
  }
  ring.close();
  return {};
}

}  // namespace

std::string why_not() {
  // On a thread of its own: the end of a ring interrupts a later wait of the thread that used it.
  std::string reason;
  try {
    std::thread([&reason] { reason = failing_part(); }).join();
  } catch (const std::system_error&) {
    return "io_uring could not be tried: no thread can be started";
  }
  return reason;
}

}  // namespace spate::io::uring
