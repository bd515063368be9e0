// SPDX-License-Identifier: MIT
// Memory of one request: taken by moving a pointer, given back all at once. Blocks are kept between
// requests as far as the first one, so that a steady state allocates nothing.
// In sanitizer builds what was given back is poisoned, and the blocks are fresh for every request.
// lifetime: everything ends at reset(). thread: its worker only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>

namespace spate {

class Arena {
 public:
  static constexpr std::size_t first_block = 4 * 1024;
  static constexpr std::size_t later_block = 16 * 1024;

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  // throws: std::bad_alloc.
  void* allocate(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) {
    const auto at = reinterpret_cast<std::uintptr_t>(position_);
    const std::uintptr_t aligned = (at + alignment - 1) & ~(alignment - 1);
    const std::size_t needed = static_cast<std::size_t>(aligned - at) + size;
    if (needed > static_cast<std::size_t>(end_ - position_)) [[unlikely]] {
      return allocate_slowly(size, alignment);
    }
    char* result = position_ + (aligned - at);
    position_ += needed;
    return result;
  }

  // An object that is destroyed at reset(), last made first.
  template <class T, class... A>
  T& make(A&&... args) {
    if constexpr (std::is_trivially_destructible_v<T>) {
      return *::new (allocate(sizeof(T), alignof(T))) T(std::forward<A>(args)...);
    } else {
      struct Owned : Cleanup {
        explicit Owned(A&&... a) : value(std::forward<A>(a)...) {}
        T value;
      };
      auto* owned = ::new (allocate(sizeof(Owned), alignof(Owned))) Owned(std::forward<A>(args)...);
      owned->next = cleanups_;
      owned->destroy = [](Cleanup* c) noexcept { static_cast<Owned*>(c)->~Owned(); };
      cleanups_ = owned;
      return owned->value;
    }
  }

  std::string_view copy(std::string_view text) {
    char* to = static_cast<char*>(allocate(text.size(), 1));
    // memcpy of a null pointer is undefined even for no bytes.
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }

  void reset() noexcept {
#if !defined(SPATE_SANITIZE)
    // The usual request has used no more than the first block, and owns nothing in it.
    if (cleanups_ == nullptr &&
        (blocks_ == nullptr || (blocks_->next == nullptr && blocks_->size <= first_block)))
        [[likely]] {
      position_ = blocks_ == nullptr ? nullptr : reinterpret_cast<char*>(blocks_ + 1);
      return;
    }
#endif
    reset_slowly();
  }
  // Gives the kept block back too.
  void release() noexcept;
  std::size_t bytes_held() const noexcept { return held_; }

 private:
  struct Block {
    Block* next;
    std::size_t size;
  };
  struct Cleanup {
    Cleanup* next = nullptr;
    void (*destroy)(Cleanup*) noexcept = nullptr;
  };

  void* allocate_slowly(std::size_t size, std::size_t alignment);
  void reset_slowly() noexcept;

  char* position_ = nullptr;
  char* end_ = nullptr;
  Block* blocks_ = nullptr;  // newest first
  Cleanup* cleanups_ = nullptr;
  std::size_t held_ = 0;
};

}  // namespace spate
