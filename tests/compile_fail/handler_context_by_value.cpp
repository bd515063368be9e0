// expect: spate: this parameter of the handler is nothing that a request can fill
// SPDX-License-Identifier: MIT
#include <spate/app/app.hpp>

#ifdef SPATE_REPAIRED
spate::Task<> handle(spate::Context&) { co_return; }
#else
struct Session {};
spate::Task<> handle(Session&) { co_return; }
#endif

void register_route(spate::app::App& app) { app.get("/", handle); }
