// SPDX-License-Identifier: MIT
// The two queues shared with the kernel, over liburing's mappings: making them with the best flags
// the kernel takes, entries in, completions out, one system call for both. It knows nothing of
// connections. thread: made on one thread; enable() binds it to the thread that calls it, and from
// then on the kernel refuses all others.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>

namespace spate::io::uring {

class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { close(); }

  // Powers of two. Zero, or an errno value.
  int open(unsigned entries, unsigned completions) noexcept;
  // Zero, or an errno value. cost: two system calls.
  int enable() noexcept;
  // On the thread that enabled it, or after that thread has ended.
  void close() noexcept;
  bool is_open() const noexcept { return open_; }
  int descriptor() const noexcept { return ring_.ring_fd; }

  // An entry to be filled in; null when the queue is full.
  io_uring_sqe* next() noexcept { return io_uring_get_sqe(&ring_); }
  unsigned room() const noexcept { return ring_.sq.ring_entries - queued(); }
  // Entries that the kernel has not taken.
  unsigned queued() const noexcept { return ring_.sq.sqe_tail - *ring_.sq.khead; }
  // Of those, counted from the oldest.
  io_uring_sqe& queued_entry(unsigned i) noexcept {
    return ring_.sq.sqes[(*ring_.sq.khead + i) & ring_.sq.ring_mask];
  }
  const io_uring_sqe* latest() const noexcept {
    return &ring_.sq.sqes[(ring_.sq.sqe_tail - 1) & ring_.sq.ring_mask];
  }

  // Hands over what is queued; with `collect`, also runs what the kernel has put off and waits for
  // `wait_for` completions, at most `timeout` (null: without end). Negative: an errno value.
  int enter(unsigned wait_for, bool collect, const __kernel_timespec* timeout) noexcept;
  // Whether enter() with `collect` would find something without waiting.
  bool has_pending() const noexcept {
    return (flags() & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0 ||
           io_uring_cq_ready(&ring_) > 0;
  }
  // The completion queue was full: more wait in the kernel.
  bool has_overflown() const noexcept { return (flags() & IORING_SQ_CQ_OVERFLOW) != 0; }

  // Calls `taken(completion)` for each that is there, until it returns false.
  template <class F>
  void take(F taken) noexcept {
    const unsigned tail = io_uring_smp_load_acquire(ring_.cq.ktail);
    const unsigned first = *ring_.cq.khead;
    unsigned head = first;
    while (head != tail && taken(ring_.cq.cqes[head & ring_.cq.ring_mask])) ++head;
    if (head != first) io_uring_smp_store_release(ring_.cq.khead, head);
  }

 private:
  unsigned flags() const noexcept { return IO_URING_READ_ONCE(*ring_.sq.kflags); }

  io_uring ring_{};
  bool open_ = false;
  int registered_ = -1;  // index of the ring among this thread's registered descriptors
};

// A ring of buffers from which the kernel takes one when bytes arrive. The memory is mapped: pages
// that no byte has reached cost nothing. lifetime: until its Ring is closed.
class BufferGroup {
 public:
  BufferGroup() = default;
  BufferGroup(const BufferGroup&) = delete;
  BufferGroup& operator=(const BufferGroup&) = delete;
  ~BufferGroup();

  // `count` is a power of two. Zero, or an errno value.
  int open(Ring& ring, std::uint16_t id, unsigned count, std::size_t size) noexcept;
  std::uint16_t id() const noexcept { return id_; }
  std::size_t size() const noexcept { return size_; }
  char* buffer(unsigned number) const noexcept { return memory_ + number * stride_; }
  // Gives a buffer back to the kernel.
  void recycle(unsigned number) noexcept;

 private:
  io_uring_buf_ring* ring_ = nullptr;
  char* memory_ = nullptr;
  std::size_t ring_bytes_ = 0;
  std::size_t stride_ = 0;
  std::size_t size_ = 0;
  unsigned count_ = 0;
  std::uint16_t id_ = 0;
};

}  // namespace spate::io::uring
