// expect: spate: this parameter of the handler is nothing that a request can fill; take Context&,
// SPDX-License-Identifier: MIT
#include <spate/app/app.hpp>

#ifdef SPATE_REPAIRED
void register_route(spate::app::App& app) {
  app.get("/users/{id}", [](spate::Path<"id", int>) {});
}
#else
void register_route(spate::app::App& app) {
  app.get("/users/{id}", [](int) {});
}
#endif
