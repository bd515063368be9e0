// expect: spate: a `before` hook returns a Verdict: `pass`, a Response, problem(...), a Redirect or
// Html; SPDX-License-Identifier: MIT
#include <spate/app/app.hpp>

void add_hook(spate::app::App& app) {
#ifdef SPATE_REPAIRED
  app.before([](spate::Context&) -> spate::Verdict { return spate::pass; });
#else
  app.before([](spate::Context&) { return true; });
#endif
}
