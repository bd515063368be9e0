// SPDX-License-Identifier: MIT
// The service: a Server with all routes on a Store. Reading is open to all, writing needs the
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

spate::Server make_server(std::shared_ptr<Store> store, Settings settings);

}  // namespace orders
