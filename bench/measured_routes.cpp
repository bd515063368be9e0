// SPDX-License-Identifier: MIT
#include "measured_routes.hpp"

#include <chrono>
#include <spate/spate.hpp>
#include <string>

namespace measured {
namespace {

constexpr int shelves = 200;
constexpr std::chrono::milliseconds burning{20};

std::string_view burn() {
  const auto end = std::chrono::steady_clock::now() + burning;
  while (std::chrono::steady_clock::now() < end) {
  }
  return "burnt";
}

spate::Task<std::string_view> burn_elsewhere() { co_return co_await spate::offload(burn); }

}  // namespace

void add_shelves(spate::Server& server) {
  for (int i = 0; i < shelves; ++i) {
    const std::string number = std::to_string(1000 + i).substr(1);
    server.get("/shelf" + number + "/{id}",
               [](spate::Context& ctx) { return std::string(ctx.param("id")); });
  }
}

void add_burners(spate::Server& server) {
  server.get("/burn", burn);
  server.get("/burn-offload", burn_elsewhere);
  server.get("/worker", [] { return std::to_string(spate::worker_index()); });
}

}  // namespace measured
