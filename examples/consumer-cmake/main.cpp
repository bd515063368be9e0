// SPDX-License-Identifier: MIT
// A program outside Spate's tree: it compiles and links against what is installed, and nothing
// else.
#include <cstdio>
#include <spate/base/error.hpp>

int main() {
  const spate::Error error(spate::Errc::not_found, "nothing is there", 404);
  std::puts(error.describe().c_str());
  return error.is(spate::Errc::not_found) ? 0 : 1;
}
