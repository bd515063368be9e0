// SPDX-License-Identifier: MIT
// Which vector instructions this machine has, as the levels that code here is written for. Whoever
// has variants asks once, when the program starts, and keeps a pointer to its own. thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace spate::base {

// Each level has what the one before it has. There is a variant only for what was tested on a
// machine of that kind.
enum class SimdLevel : std::uint8_t {
  scalar,  // whole words of 8 bytes; any processor
  sse42,   // what the build expects of x86-64 (x86-64-v2)
  avx2,    // with BMI1 and BMI2
};

inline constexpr std::array simd_levels = {SimdLevel::scalar, SimdLevel::sse42, SimdLevel::avx2};

std::string_view to_string(SimdLevel level) noexcept;

// The best level of this machine and build.
SimdLevel best_simd_level() noexcept;

}  // namespace spate::base
