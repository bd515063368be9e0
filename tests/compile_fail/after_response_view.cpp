// expect: spate: after_response was given a view, which dies with the request;
// SPDX-License-Identifier: MIT
#include <spate/app/context.hpp>

void notify(std::string_view) {}

bool later(spate::Context& ctx, std::string_view name) {
#ifdef SPATE_REPAIRED
  return ctx.after_response(notify, std::string(name));
#else
  return ctx.after_response(notify, name);
#endif
}
