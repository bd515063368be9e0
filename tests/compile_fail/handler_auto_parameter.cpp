// expect: spate: a handler or hook is a function or a lambda whose parameters have written types;
// SPDX-License-Identifier: MIT
#include <spate/app/app.hpp>

void register_route(spate::app::App& app) {
#ifdef SPATE_REPAIRED
  app.get("/", [](spate::Context& ctx) { ctx.respond(204); });
#else
  app.get("/", [](auto& ctx) { ctx.respond(204); });
#endif
}
