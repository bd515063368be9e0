// SPDX-License-Identifier: MIT
// What a run found, as plain values: counts, histograms in nanoseconds, and the verdict. Filled by
// the generator, said by the report. thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "histogram.hpp"
#include "process.hpp"

namespace load {

enum class Verdict { valid, errors, generator_bound };

// Each request that was sent ends as one answer or one error, whose kind is the first that holds.
struct Errors {
  std::uint64_t connect = 0;   // no connection
  std::uint64_t reset = 0;     // the connection ended before the answer did
  std::uint64_t timeout = 0;   // no whole answer in time; or not closed in time
  std::uint64_t mismatch = 0;  // not the bytes of the template
  std::uint64_t status = 0;    // another status than was expected
  std::uint64_t cut = 0;       // was behind one of these on its connection, which ends with it
  std::uint64_t sum() const { return connect + reset + timeout + mismatch + status + cut; }
};

struct Window {
  std::uint64_t responses = 0;
  std::uint64_t errors = 0;
  Histogram latency;
};

struct Hold {
  std::uint64_t asked = 0;   // --connections, or --grow-to
  std::uint64_t opened = 0;  // and warmed
  std::uint64_t alive = 0;   // at the end
  std::uint64_t lost = 0;
  double open_seconds = 0;  // until --connections of them were open
};

struct Result {
  std::uint64_t requests = 0;     // in the measured window
  std::uint64_t responses = 0;    // of these
  std::uint64_t answered = 0;     // between the two readings of processor time
  std::uint64_t idle_closes = 0;  // by the server, between requests: no error outside --hold
  Errors errors;                  // of the whole run
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  double offered_per_s = 0;  // 0 in a closed loop
  double achieved_per_s = 0;
  Histogram latency;
  Histogram connect;
  Histogram lag;  // open loop: from when a request was due to when the generator took it up
  std::uint64_t window_ns = 0;
  Usage own;
  std::optional<Usage> watched;
  bool generator_busy = false;  // closed loop: it may have been the bottleneck
  Verdict verdict = Verdict::valid;
  std::vector<std::string> details;  // the first errors, in words
  std::vector<Window> windows;
  std::optional<Hold> hold;

  double own_share() const {
    return window_ns == 0 ? 0.0 : static_cast<double>(own.cpu_ns) / static_cast<double>(window_ns);
  }
};

}  // namespace load
