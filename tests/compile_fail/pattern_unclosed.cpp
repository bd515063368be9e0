// expect: spate: a '{' in a route pattern is not closed;
// SPDX-License-Identifier: MIT
#include <spate/app/app.hpp>

void register_route(spate::app::App& app) {
#ifdef SPATE_REPAIRED
  app.get<"/users/{id}">([] {});
#else
  app.get<"/users/{id">([] {});
#endif
}
