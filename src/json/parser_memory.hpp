// SPDX-License-Identifier: MIT
// What the calling thread's JSON parser keeps between texts, for tests of its bound.
#pragma once

#include <cstddef>

namespace spate::json {

// The longest text that is parsed without allocating; memory is about 15 times as much.
std::size_t kept_parser_capacity();

}  // namespace spate::json
