// SPDX-License-Identifier: MIT
// A worker's counters: plain numbers while it works, published once a turn for readers on other
// threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <spate/observe/snapshot.hpp>

namespace spate::server {

// The worker's own. `Snapshot` itself, counted up in place.
using Counters = Snapshot;

// What others may read. thread: written by the worker, read by any.
class alignas(64) WorkerStats {
 public:
  void publish(const Counters& counters) noexcept {
    const auto* from = reinterpret_cast<const std::uint64_t*>(&counters);
    for (std::size_t i = 0; i < words; ++i) values_[i].store(from[i], std::memory_order_relaxed);
  }
  void add_to(Snapshot& sum) const noexcept {
    auto* to = reinterpret_cast<std::uint64_t*>(&sum);
    for (std::size_t i = 0; i < words; ++i) to[i] += values_[i].load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::size_t words = sizeof(Snapshot) / sizeof(std::uint64_t);
  static_assert(sizeof(Snapshot) % sizeof(std::uint64_t) == 0);

  std::atomic<std::uint64_t> values_[words] = {};
};

}  // namespace spate::server
