// SPDX-License-Identifier: MIT
// Marks recycled memory as forbidden in address-sanitizer builds, so that a view kept too long is
// found by the first test that uses it. Nothing in other builds.
#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SPATE_POISONS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SPATE_POISONS 1
#endif

#if defined(SPATE_POISONS)
#include <sanitizer/asan_interface.h>
#endif

namespace spate {

inline void poison([[maybe_unused]] const void* memory,
                   [[maybe_unused]] std::size_t size) noexcept {
#if defined(SPATE_POISONS)
  __asan_poison_memory_region(memory, size);
#endif
}

inline void unpoison([[maybe_unused]] const void* memory,
                     [[maybe_unused]] std::size_t size) noexcept {
#if defined(SPATE_POISONS)
  __asan_unpoison_memory_region(memory, size);
#endif
}

}  // namespace spate
