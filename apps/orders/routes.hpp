// SPDX-License-Identifier: MIT
// The service: all routes on a Store. Reading is open to all, writing needs the
// bearer token.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "store.hpp"

namespace orders {

struct Settings {
  std::string token;  // must not be empty
  std::chrono::milliseconds roll_up_every{5'000};
};

void add_routes(spate::Server& server, std::shared_ptr<Store> store, const Settings& settings);

}  // namespace orders
