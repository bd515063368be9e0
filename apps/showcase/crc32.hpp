// SPDX-License-Identifier: MIT
// CRC-32 as in zlib, gzip and PNG (RFC 1952 section 8): a checksum that
// everybody can compute to compare. A table of 256 entries, made while
// compiling. thread: a plain value.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace showcase {

class Crc32 {
 public:
  void add(std::string_view bytes) noexcept {
    for (const char c : bytes) {
      state_ = table[(state_ ^ static_cast<unsigned char>(c)) & 0xff] ^
               (state_ >> 8);
    }
  }
  std::uint32_t value() const noexcept { return ~state_; }

 private:
  static constexpr std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < made.size(); ++i) {
      std::uint32_t entry = i;
      for (int bit = 0; bit < 8; ++bit)
        entry = (entry >> 1) ^ (entry & 1 ? 0xedb88320u : 0u);
      made[i] = entry;
    }
    return made;
  }();

  std::uint32_t state_ = 0xffffffffu;
};

}  // namespace showcase
