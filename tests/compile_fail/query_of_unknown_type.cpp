// expect: spate: Path, Query, Header and Cookie hold std::string_view, std::string, an integer,
// bool, SPDX-License-Identifier: MIT
#include <spate/app/app.hpp>
#include <vector>

void register_route(spate::app::App& app) {
#ifdef SPATE_REPAIRED
  app.get("/", [](spate::Query<"ids", std::optional<int>>) {});
#else
  app.get("/", [](spate::Query<"ids", std::vector<int>>) {});
#endif
}
