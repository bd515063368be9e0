// SPDX-License-Identifier: MIT
// Random numbers that are the same for the same seed (xoshiro256**, seeded by splitmix64): cheap
// enough to draw one for each request. Not for secrets. thread: one owner.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace load {

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept {
    for (std::uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = z ^ (z >> 31);
    }
  }

  std::uint64_t next() noexcept {
    const std::uint64_t made = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return made;
  }

  // From 0 to bound - 1; bound is more than 0 and small against 2^32, so the bias is nothing.
  std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
  }

  // The time between two arrivals of a Poisson process with that mean.
  double exponential(double mean) noexcept {
    constexpr double unit = 0x1p-53;
    return -mean * std::log((static_cast<double>(next() >> 11) + 1) * unit);
  }

 private:
  std::uint64_t state_[4];
};

}  // namespace load
