// SPDX-License-Identifier: MIT
// What a server knows about itself at a moment: counters summed over its workers. Workers publish
// their own once a turn; reading them costs the workers nothing.
#pragma once

#include <cstdint>

namespace spate {

struct Snapshot {
  std::uint64_t connections = 0;       // open now
  std::uint64_t accepted = 0;          // since the start
  std::uint64_t requests = 0;          // heads completely received
  std::uint64_t responses = 0;         // answers completely handed to the connection
  std::uint64_t server_errors = 0;     // answers with a status of 500 and above
  std::uint64_t client_errors = 0;     // answers with a status of 400 to 499
  std::uint64_t cancelled = 0;         // requests that ended without an answer
  std::uint64_t active_requests = 0;   // begun and not ended
  std::uint64_t background_tasks = 0;  // running beside requests
  std::int64_t live_frames = 0;        // coroutine frames and jobs not yet freed
  std::uint64_t limit_hits = 0;        // connections or requests refused for a limit
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t accept_pauses = 0;
  std::uint64_t system_calls = 0;  // made for connections and waiting
};

}  // namespace spate
