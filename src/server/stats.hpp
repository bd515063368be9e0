// SPDX-License-Identifier: MIT
// A worker's counters. Most are counted where things happen, some are set once a turn, all by the
// worker alone; they are read from any thread, and cost the worker no more than plain numbers.
#pragma once

#include <atomic>
#include <cstdint>
#include <spate/observe/snapshot.hpp>

namespace spate::server {

// A number with one writer. thread: written by its worker, read by any.
class Counter {
 public:
  Counter& operator++() noexcept { return *this += 1; }
  Counter& operator--() noexcept { return *this += UINT64_MAX; }
  Counter& operator+=(std::uint64_t n) noexcept {
    // One writer: a load and a store, no locked instruction.
    value_.store(read() + n, std::memory_order_relaxed);
    return *this;
  }
  Counter& operator=(std::uint64_t n) noexcept {
    value_.store(n, std::memory_order_relaxed);
    return *this;
  }
  std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// What a Snapshot says of one worker; see there.
struct alignas(64) Counters {
  Counter connections;
  Counter accepted;
  Counter requests;
  Counter responses;
  Counter server_errors;
  Counter client_errors;
  Counter cancelled;
  Counter active_requests;
  Counter background_tasks;
  Counter live_frames;
  Counter limit_hits;
  Counter bytes_received;
  Counter bytes_sent;
  Counter accept_pauses;
  Counter system_calls;

  void add_to(Snapshot& sum) const noexcept {
    static_assert(sizeof(Snapshot) == 15 * sizeof(Counter), "a field is missing here");
    sum.connections += connections.read();
    sum.accepted += accepted.read();
    sum.requests += requests.read();
    sum.responses += responses.read();
    sum.server_errors += server_errors.read();
    sum.client_errors += client_errors.read();
    sum.cancelled += cancelled.read();
    sum.active_requests += active_requests.read();
    sum.background_tasks += background_tasks.read();
    // Frames may be freed by another worker than the one that made them.
    sum.live_frames += static_cast<std::int64_t>(live_frames.read());
    sum.limit_hits += limit_hits.read();
    sum.bytes_received += bytes_received.read();
    sum.bytes_sent += bytes_sent.read();
    sum.accept_pauses += accept_pauses.read();
    sum.system_calls += system_calls.read();
  }
};

}  // namespace spate::server
