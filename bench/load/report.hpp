// SPDX-License-Identifier: MIT
// A result in words for people and in JSON (version 1) for scripts; bench/load/README.md describes
// the members. Pure. thread: any.
#pragma once

#include <string>

#include "options.hpp"
#include "result.hpp"

namespace load {

std::string to_text(const Options& options, const Result& result);
std::string to_json(const Options& options, const Result& result);

}  // namespace load
