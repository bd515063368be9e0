// SPDX-License-Identifier: MIT
// The connection behind a request: what it knows, and how a handler steers it.
#include <chrono>
#include <cstdint>
#include <string>

#include "themes.hpp"

namespace showcase {
namespace {

// [connection]
struct About {
  std::string peer;
  std::string protocol;
  std::int64_t age_ms = 0;
  std::uint64_t requests = 0;
  bool keep_alive = false;
};

About about(spate::Connection& connection) {
  const auto age =
      std::chrono::duration_cast<std::chrono::milliseconds>(connection.age());
  return {connection.peer(), std::string(connection.protocol()), age.count(),
          connection.requests(), connection.keep_alive()};
}
// [/connection]

// [close]
std::string close(spate::Connection& connection) {
  connection.close();  // after this answer, which says so
  return "goodbye\n";
}
// [/close]

}  // namespace

void add_connection(spate::Server& server) {
  // [connection]
  server.get("/connection", about);
  // [/connection]
  // [close]
  server.post("/connection/close", close);
  // [/close]
}

}  // namespace showcase
