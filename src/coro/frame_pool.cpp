// SPDX-License-Identifier: MIT
#include <cstdint>
#include <new>
#include <spate/coro/frame_pool.hpp>

namespace spate::coro {
namespace {

constinit thread_local std::ptrdiff_t live = 0;

#if !defined(SPATE_SANITIZE)

constexpr std::size_t class_step = 64;
constexpr std::size_t class_count = 64;                   // 64 bytes to 4 KiB
constexpr std::size_t kept_bytes_per_class = 256 * 1024;  // what a burst leaves behind is bounded

struct Block {
  Block* next;
};

struct Pool {
  Block* free[class_count];
  std::uint32_t count[class_count];
};

// Trivially destructible and constant-initialised, so that access is one TLS offset without a
// guard.
constinit thread_local Pool pool{};

// Gives the lists back when the thread ends. Touched on the slow path only.
struct PoolOwner {
  bool used = false;
  ~PoolOwner() { release_frame_pool(); }
};
thread_local PoolOwner owner;

#endif

}  // namespace

#if defined(SPATE_SANITIZE)

void* allocate_frame(std::size_t size) {
  void* block = ::operator new(size);
  ++live;
  return block;
}

void free_frame(void* block, std::size_t size) noexcept {
  --live;
  ::operator delete(block, size);
}

void release_frame_pool() noexcept {}

#else

void* allocate_frame(std::size_t size) {
  const std::size_t index = (size - 1) / class_step;
  if (index < class_count) [[likely]] {
    if (Block* block = pool.free[index]) [[likely]] {
      pool.free[index] = block->next;
      --pool.count[index];
      ++live;
      return block;
    }
    owner.used = true;
    void* block = ::operator new((index + 1) * class_step);
    ++live;
    return block;
  }
  void* block = ::operator new(size);
  ++live;
  return block;
}

void free_frame(void* block, std::size_t size) noexcept {
  --live;
  const std::size_t index = (size - 1) / class_step;
  if (index >= class_count ||
      pool.count[index] >= kept_bytes_per_class / ((index + 1) * class_step)) {
    ::operator delete(block);
    return;
  }
  Block* freed = static_cast<Block*>(block);
  freed->next = pool.free[index];
  pool.free[index] = freed;
  ++pool.count[index];
}

void release_frame_pool() noexcept {
  for (std::size_t index = 0; index < class_count; ++index) {
    while (Block* block = pool.free[index]) {
      pool.free[index] = block->next;
      ::operator delete(block);
    }
    pool.count[index] = 0;
  }
}

#endif

std::ptrdiff_t live_frames() noexcept { return live; }

}  // namespace spate::coro
