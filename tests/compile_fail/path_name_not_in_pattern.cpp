// expect: spate: the handler takes a Path<> whose name is not in the route pattern;
// SPDX-License-Identifier: MIT
#include <spate/app/app.hpp>
#include <string>

spate::Task<std::string> greet(spate::Path<"name"> name) { co_return std::string(*name); }

void register_route(spate::app::App& app) {
#ifdef SPATE_REPAIRED
  app.get<"/hello/{name}">(greet);
#else
  app.get<"/hello/{nmae}">(greet);
#endif
}
