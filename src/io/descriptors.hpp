// SPDX-License-Identifier: MIT
// How many descriptors this process may open, and making room for them before threads start.
#pragma once

#include <cstdint>

namespace spate::io {

// The soft limit, raised to the hard one.
std::uint32_t descriptor_limit() noexcept;

// Grows the kernel's table to that size now. Growing it later, while several threads use it, stalls
// all of them for milliseconds.
void grow_descriptor_table(std::uint32_t size) noexcept;

}  // namespace spate::io
