// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>
#include <new>
#include <spate/coro/frame_pool.hpp>

namespace spate::coro {

#if defined(SPATE_SANITIZE)

namespace {
constinit thread_local std::ptrdiff_t live = 0;
}

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

std::ptrdiff_t live_frames() noexcept { return live; }

#else

namespace {

constexpr std::size_t class_step = 64;
constexpr std::size_t class_count = 64;                   // 64 bytes to 4 KiB
constexpr std::size_t kept_bytes_per_class = 256 * 1024;  // what a burst leaves behind is bounded

struct Block {
  Block* next;
};

struct SizeClass {
  Block* free;
  std::uint32_t room;  // how many more are kept
};

struct Pool {
  std::array<SizeClass, class_count> classes;
  std::ptrdiff_t live;
};

constexpr std::uint32_t most_kept(std::size_t index) noexcept {
  return static_cast<std::uint32_t>(kept_bytes_per_class / ((index + 1) * class_step));
}

constexpr Pool empty_pool() noexcept {
  Pool pool{};
  for (std::size_t index = 0; index < class_count; ++index) {
    pool.classes[index].room = most_kept(index);
  }
  return pool;
}

// Trivially destructible and constant-initialised, so that access is one TLS offset without a
// guard.
constinit thread_local Pool pool = empty_pool();

// Gives the lists back when the thread ends. Touched on the slow path only.
struct PoolOwner {
  bool used = false;
  ~PoolOwner() { release_frame_pool(); }
};
thread_local PoolOwner owner;

[[gnu::noinline]] void* allocate_anew(Pool& mine, std::size_t size) {
  const std::size_t index = (size - 1) / class_step;
  owner.used = true;
  void* block = ::operator new(index < class_count ? (index + 1) * class_step : size);
  ++mine.live;
  return block;
}

}  // namespace

void* allocate_frame(std::size_t size) {
  Pool& mine = pool;
  const std::size_t index = (size - 1) / class_step;
  if (index >= class_count || mine.classes[index].free == nullptr) [[unlikely]] {
    return allocate_anew(mine, size);
  }
  SizeClass& of_size = mine.classes[index];
  Block* block = of_size.free;
  of_size.free = block->next;
  ++of_size.room;
  ++mine.live;
  return block;
}

void free_frame(void* block, std::size_t size) noexcept {
  Pool& mine = pool;
  --mine.live;
  const std::size_t index = (size - 1) / class_step;
  if (index >= class_count || mine.classes[index].room == 0) [[unlikely]] {
    ::operator delete(block);
    return;
  }
  SizeClass& of_size = mine.classes[index];
  Block* freed = static_cast<Block*>(block);
  freed->next = of_size.free;
  of_size.free = freed;
  --of_size.room;
}

void release_frame_pool() noexcept {
  for (std::size_t index = 0; index < class_count; ++index) {
    SizeClass& of_size = pool.classes[index];
    while (Block* block = of_size.free) {
      of_size.free = block->next;
      ::operator delete(block);
    }
    of_size.room = most_kept(index);
  }
}

std::ptrdiff_t live_frames() noexcept { return pool.live; }

#endif

}  // namespace spate::coro
