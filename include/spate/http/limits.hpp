// SPDX-License-Identifier: MIT
// Every limit of a server in one place, with its unit, its default and what exceeding it costs the
// client. No default is "unlimited" but the one that says so. Sizes are bytes, rates bytes a
// second.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <spate/base/units.hpp>

namespace spate {

// Limits that a route or group may set for itself: `.with(body_limit(64_KiB), timeout(2s))`.
struct RouteLimits {
  std::size_t body = 1_MiB;           // content of a request that is buffered -> 413
  std::size_t streamed_body = 1_GiB;  // content of a request that is streamed -> 413
  std::uint32_t body_rate = 500;      // least rate of a body after the grace -> 408
  std::uint32_t write_rate = 500;     // least rate of an answer after the grace -> closed
  std::chrono::milliseconds handler{
      30'000};              // from the head to the end of the handler, 0: none -> 503
  bool half_close = false;  // answer clients that closed their sending side
};

struct Limits {
  std::size_t request_line = 8_KiB;   // method, target, version -> 414
  std::size_t header_bytes = 32_KiB;  // all field lines of a head -> 431
  std::uint16_t header_fields = 100;  // -> 431
  std::chrono::milliseconds header_time{
      10'000};                                   // from the first byte of a head to its last -> 408
  std::chrono::milliseconds idle{75'000};        // between requests -> closed
  std::chrono::milliseconds body_idle{30'000};   // without a byte of a body that is awaited -> 408
  std::chrono::milliseconds write_idle{30'000};  // without progress of an answer -> closed
  std::chrono::milliseconds rate_grace{5'000};   // before the least rates count
  std::chrono::milliseconds lifetime{
      3'600'000};                    // of a connection, less up to a tenth -> told to close
  std::size_t unread_body = 64_KiB;  // read and dropped to keep a connection -> closed
  std::chrono::milliseconds linger{
      2'000};                         // after an answer that closes, for the client to read it
  std::size_t send_backlog = 64_KiB;  // unsent bytes before a writer has to wait
  std::size_t body_window = 64_KiB;   // received bytes of a streamed body not yet taken
  std::uint32_t connections = 0;      // 0: 0.9 of the descriptor limit less 64 -> not accepted
  std::uint32_t background_tasks =
      10'000;                           // a worker's after_response and background work -> refused
  std::uint32_t posted_jobs = 65'536;   // a worker's queue of posted functions -> refused
  std::uint32_t offload_queue = 1'024;  // functions that wait for a pool thread -> refused
  RouteLimits route;                    // defaults for routes
};

}  // namespace spate
