// SPDX-License-Identifier: MIT
// Bytes of one connection that the kernel has not taken yet. It exists only while there are some.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace spate::io {

struct Backlog {
  std::vector<char> bytes;
  std::size_t sent = 0;         // of `bytes`, from the front
  std::uint64_t drained = 0;    // taken by the kernel since the backlog came to be
  std::uint64_t in_kernel = 0;  // taken before and not acknowledged by the peer at that time

  std::size_t size() const noexcept { return bytes.size() - sent; }
};

// Bytes that were handed to the kernel and that the peer has not acknowledged. cost: a system call.
std::uint64_t unacknowledged(int fd) noexcept;

}  // namespace spate::io
