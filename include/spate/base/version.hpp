// SPDX-License-Identifier: MIT
// The version of these headers, kept by semantic versioning.
#pragma once

#include <string_view>

namespace spate {

inline constexpr std::string_view version = "0.1.0";

}  // namespace spate
