// SPDX-License-Identifier: MIT
#include "io/uring/ring.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "base/poison.hpp"
#include "io/uring/kernel_flags.hpp"

namespace spate::io::uring {
namespace {

// Vector loads of a parser may read behind the last byte of a buffer.
constexpr std::size_t buffer_slack = 64;

// liburing 2.3 itself would write the array that NO_SQARRAY leaves out, so the set-up is done here
// and only the mapping by it.
int open_with(io_uring& ring, unsigned flags, unsigned entries, unsigned completions) noexcept {
  io_uring_params parameters{};
  parameters.flags = flags | IORING_SETUP_CQSIZE;
  parameters.cq_entries = completions;
  const int fd = io_uring_setup(entries, &parameters);
  if (fd < 0) return -fd;
  if (const int failed = io_uring_queue_mmap(fd, &parameters, &ring); failed < 0) {
    ::close(fd);
    return -failed;
  }
  ring.features = parameters.features;
  if ((flags & setup_no_sqarray) == 0) {
    for (unsigned i = 0; i < parameters.sq_entries; ++i) ring.sq.array[i] = i;
  }
  return 0;
}

}  // namespace

int Ring::open(unsigned entries, unsigned completions) noexcept {
  constexpr unsigned always = IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL;
  constexpr unsigned deferred =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
  constexpr unsigned ladder[] = {
      always | deferred | setup_no_sqarray,                            // 6.6
      always | deferred,                                               // 6.1
      always | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,  // 5.19
  };
  int error = EINVAL;
  for (const unsigned flags : ladder) {
    error = open_with(ring_, flags, entries, completions);
    if (error != EINVAL) break;
  }
  open_ = error == 0;
  if (open_ && (ring_.features & IORING_FEAT_EXT_ARG) == 0) {
    close();
    return EINVAL;
  }
  return error;
}

int Ring::enable() noexcept {
  const auto fd = static_cast<unsigned>(ring_.ring_fd);
  // Declared by liburing 2.3 under a name of its own, but not exported.
  if (const int failed = io_uring_register(fd, IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
      failed < 0) {
    return -failed;
  }
  // Saves looking up the descriptor at each call; without it all works as well.
  io_uring_rsrc_update update{};
  update.offset = -1U;
  update.data = fd;
  const int registered = io_uring_register(fd, IORING_REGISTER_RING_FDS, &update, 1);
  if (registered == 1) registered_ = static_cast<int>(update.offset);
  return 0;
}

void Ring::close() noexcept {
  if (!open_) return;
  open_ = false;
  if (registered_ >= 0) {
    // Another thread than the one that registered it is refused: there the kernel has done so.
    io_uring_rsrc_update update{};
    update.offset = static_cast<unsigned>(registered_);
    io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_UNREGISTER_RING_FDS, &update, 1);
    registered_ = -1;
  }
  io_uring_queue_exit(&ring_);
}

int Ring::enter(unsigned wait_for, bool collect, const __kernel_timespec* timeout) noexcept {
  const unsigned tail = ring_.sq.sqe_tail;
  ring_.sq.sqe_head = tail;
  io_uring_smp_store_release(ring_.sq.ktail, tail);
  io_uring_getevents_arg argument{};
  argument.ts = reinterpret_cast<std::uintptr_t>(timeout);
  unsigned flags = IORING_ENTER_EXT_ARG;
  if (collect) flags |= IORING_ENTER_GETEVENTS;
  auto fd = static_cast<unsigned>(ring_.ring_fd);
  if (registered_ >= 0) {
    fd = static_cast<unsigned>(registered_);
    flags |= IORING_ENTER_REGISTERED_RING;
  }
  return io_uring_enter2(fd, queued(), wait_for, flags, reinterpret_cast<sigset_t*>(&argument),
                         sizeof argument);
}

int BufferGroup::open(Ring& ring, std::uint16_t id, unsigned count, std::size_t size) noexcept {
  const auto map = [](std::size_t bytes) {
    void* memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : memory;
  };
  id_ = id;
  count_ = count;
  size_ = size;
  stride_ = (size + buffer_slack + 63) / 64 * 64;
  ring_bytes_ = count * sizeof(io_uring_buf);
  ring_ = static_cast<io_uring_buf_ring*>(map(ring_bytes_));
  memory_ = static_cast<char*>(map(count * stride_));
  if (ring_ == nullptr || memory_ == nullptr) return ENOMEM;
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(ring_);
  registration.ring_entries = count;
  registration.bgid = id;
  const int failed = io_uring_register(static_cast<unsigned>(ring.descriptor()),
                                       IORING_REGISTER_PBUF_RING, &registration, 1);
  if (failed < 0) return -failed;
  poison(memory_, count * stride_);
  for (unsigned i = 0; i < count; ++i) recycle(i);
  return 0;
}

void BufferGroup::recycle(unsigned number) noexcept {
  io_uring_buf_ring_add(ring_, buffer(number), static_cast<unsigned>(size_),
                        static_cast<unsigned short>(number), static_cast<int>(count_ - 1), 0);
  io_uring_buf_ring_advance(ring_, 1);
}

BufferGroup::~BufferGroup() {
  if (memory_ != nullptr) {
    unpoison(memory_, count_ * stride_);
    ::munmap(memory_, count_ * stride_);
  }
  if (ring_ != nullptr) ::munmap(ring_, ring_bytes_);
}

}  // namespace spate::io::uring
