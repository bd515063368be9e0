// expect: spate: the handler takes a Path<> as bool or enum where the route pattern says :int;
// SPDX-License-Identifier: MIT
#include <spate/app/app.hpp>

void register_route(spate::app::App& app) {
#ifdef SPATE_REPAIRED
  app.get<"/users/{id:int}">([](spate::Path<"id", long>) {});
#else
  app.get<"/users/{id:int}">([](spate::Path<"id", bool>) {});
#endif
}
