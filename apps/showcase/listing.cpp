// SPDX-License-Identifier: MIT
// The server knows its routes, and where in the source each was registered.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "themes.hpp"

namespace showcase {
namespace {

// [routes]
struct Row {
  std::string_view method;
  std::string_view pattern;
  std::string where;
};

std::vector<Row> list(const spate::Server& server) {
  std::vector<Row> rows;
  for (const spate::RouteListing& route : server.routes()) {
    std::string_view file = route.where.file_name();
    file.remove_prefix(file.rfind('/') + 1);
    rows.push_back(
        {route.method, route.pattern,
         std::string(file) + ":" + std::to_string(route.where.line())});
  }
  return rows;
}
// [/routes]

}  // namespace

void add_listing(spate::Server& server) {
  // [routes]
  server.get("/routes", [&server] { return list(server); });
  // [/routes]
}

}  // namespace showcase
