// expect: spate: this result of the handler is no answer; return text, a struct, list or map
// (JSON), SPDX-License-Identifier: MIT
#include <spate/app/app.hpp>

void register_route(spate::app::App& app) {
#ifdef SPATE_REPAIRED
  app.get("/", [] { return spate::Json{7}; });
#else
  app.get("/", [] { return 7; });
#endif
}
