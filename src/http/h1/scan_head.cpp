// SPDX-License-Identifier: MIT
#include "http/h1/scan_head.hpp"

namespace spate::h1 {
namespace {

#if defined(__x86_64__) && defined(__SSE4_2__)
constexpr ScanHead without_asking = scan_head_sse42;
#else
constexpr ScanHead without_asking = scan_head_scalar;
#endif

[[maybe_unused]] bool const asked = force_scan_head(base::best_simd_level());

}  // namespace

// Set before any constructor runs, so that a parser in one works too, if not at its best.
constinit std::atomic<ScanHead> chosen_scan_head = without_asking;

ScanHead scan_head_of(base::SimdLevel level) noexcept {
  if (level > base::best_simd_level()) return nullptr;
  switch (level) {
    case base::SimdLevel::scalar:
      return scan_head_scalar;
#if defined(__x86_64__) && defined(__SSE4_2__)
    case base::SimdLevel::sse42:
      return scan_head_sse42;
    case base::SimdLevel::avx2:
      return scan_head_avx2;
#endif
    default:
      return nullptr;
  }
}

bool force_scan_head(base::SimdLevel level) noexcept {
  ScanHead const scan = scan_head_of(level);
  if (scan == nullptr) return false;
  chosen_scan_head.store(scan, std::memory_order_relaxed);
  return true;
}

}  // namespace spate::h1
