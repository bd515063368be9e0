// expect: spate: a handler or hook is shared by all workers, so it cannot be `mutable`;
// SPDX-License-Identifier: MIT
#include <spate/app/app.hpp>
#include <string>

void register_route(spate::app::App& app) {
  int count = 0;
#ifdef SPATE_REPAIRED
  app.get("/", [count] { return std::to_string(count); });
#else
  app.get("/", [count]() mutable { return std::to_string(++count); });
#endif
}
