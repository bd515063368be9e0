// SPDX-License-Identifier: MIT
// A Server's parts for those who run them without sockets: the test client.
#pragma once

#include <spate/coro/scope.hpp>
#include <spate/server.hpp>

namespace spate {

struct ServerInternals {
  http::Service* service = nullptr;
  Limits limits;
  bool shows_details = false;
  Server* server = nullptr;

  // Seals the routes. errors: configuration.
  static Result<ServerInternals> open(Server& server);
  // Starts the server's background tasks in `services`.
  void start_background(Scope& services) const;
};

}  // namespace spate
