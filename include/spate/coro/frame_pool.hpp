// SPDX-License-Identifier: MIT
// Memory of coroutine frames and other short-lived objects of a worker: free lists by size class,
// one set per thread, so that a request costs no call of the general allocator in its steady state.
// In sanitizer builds every block is plain malloc, so that a use after free is found.
// thread: a block may be freed on another thread than the one that took it; it joins that thread's
// list.
#pragma once

#include <cstddef>

namespace spate::coro {

// throws: std::bad_alloc.
void* allocate_frame(std::size_t size);
void free_frame(void* block, std::size_t size) noexcept;

// Blocks taken and not yet freed by this thread; negative when it freed more than it took.
std::ptrdiff_t live_frames() noexcept;

// Gives the calling thread's free lists back to the general allocator.
void release_frame_pool() noexcept;

// Base of objects that live in the pool.
struct Pooled {
  static void* operator new(std::size_t size) { return allocate_frame(size); }
  static void operator delete(void* block, std::size_t size) noexcept { free_frame(block, size); }
};

}  // namespace spate::coro
