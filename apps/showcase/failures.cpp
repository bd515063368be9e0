// SPDX-License-Identifier: MIT
// Failures are answers: what a handler throws or returns becomes one problem
// document (RFC 9457) with a request id; details of a fault of the program go
// to the log alone.
#include <stdexcept>
#include <string>

#include "themes.hpp"

namespace showcase {
namespace {

// [fail]
std::string fail() { throw std::runtime_error("the cellar is under water"); }
// [/fail]

// [coffee]
spate::Result<std::string> brew() {
  return spate::problem(409, "the pot is empty");
}
// [/coffee]

}  // namespace

void add_failures(spate::Server& server) {
  // [fail]
  server.get("/fail", fail);
  // [/fail]
  // [coffee]
  server.get("/coffee", brew);
  // [/coffee]
}

}  // namespace showcase
