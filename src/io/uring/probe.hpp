// SPDX-License-Identifier: MIT
// Whether io_uring does here what UringEngine needs, found out by doing it: versions lie (vendors
// port features back, containers forbid calls). thread: any.
#pragma once

#include <string>

namespace spate::io::uring {

// Empty when all works; else the reason, for people: "io_uring is forbidden here (...)".
std::string why_not();

}  // namespace spate::io::uring
