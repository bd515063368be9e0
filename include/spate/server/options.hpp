// SPDX-License-Identifier: MIT
// How a server is set up besides its routes: addresses, workers, engine, limits, the way it stops.
#pragma once

#include <chrono>
#include <cstdint>
#include <spate/http/limits.hpp>
#include <string>
#include <vector>

namespace spate {

// What talks to the kernel. `automatic` takes the best that works on this machine, which it tries
// out; `uring` (Linux 6.0) refuses to start where it does not work.
enum class EngineKind : std::uint8_t { automatic, epoll, uring };

struct ServerOptions {
  // "127.0.0.1:8080", "[::1]:8080", ":8080" for every address; port 0 takes a free one.
  std::vector<std::string> listen = {"127.0.0.1:8080"};
  unsigned workers = 0;  // threads that serve; 0: one per core
  EngineKind engine = EngineKind::automatic;
  Limits limits;
  unsigned offload_threads = 8;                     // at most so many, started as needed
  std::chrono::milliseconds drain_delay{0};         // from "not ready" to the end of accepting
  std::chrono::milliseconds drain_timeout{30'000};  // then what is under way is cancelled
  bool defer_accept = true;   // wake for a connection when its first bytes are there
  bool show_details = false;  // development: failures tell clients what went wrong
};

}  // namespace spate
