// SPDX-License-Identifier: MIT
// Sizes in bytes as literals: `64_KiB`, `1_MiB`. Times are std::chrono literals.
#pragma once

#include <chrono>
#include <cstddef>

namespace spate {

inline namespace literals {
using namespace std::chrono_literals;

constexpr std::size_t operator""_KiB(unsigned long long n) {
  return static_cast<std::size_t>(n) << 10;
}
constexpr std::size_t operator""_MiB(unsigned long long n) {
  return static_cast<std::size_t>(n) << 20;
}
constexpr std::size_t operator""_GiB(unsigned long long n) {
  return static_cast<std::size_t>(n) << 30;
}
}  // namespace literals

}  // namespace spate
