// SPDX-License-Identifier: MIT
// The command line of spate-load as values. Every fault is found here, before a connection is
// opened, and is one line that says what was given and what would have been right. Pure: no files
// are read and nothing is resolved. thread: any.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

namespace load {

enum class Mode { closed, constant, poisson };

struct Options {
  // Where to.
  std::string host;
  std::uint16_t port = 80;
  std::string authority;  // as Host says it
  std::string target = "/";

  // How much.
  Mode mode = Mode::closed;
  std::uint32_t connections = 64;
  std::uint32_t pipeline = 1;
  double duration = 5;
  double warmup = 0.2;
  double rate = 0;
  std::uint32_t reconnect = 0;
  double short_share = 0;
  bool client_closes = false;
  double timeout = 5;
  double window = 0;
  std::uint64_t seed = 1;

  // What.
  std::string method;  // empty: GET, or POST when there is a body
  std::vector<std::string> headers;
  std::uint64_t body_size = 0;
  std::string body_file;
  std::string content_type;
  std::string requests_file;
  std::uint32_t numbers = 1000;

  // What is right.
  int expect_status = 200;
  std::string expect_body_file;
  std::vector<std::string> vary;  // names in lower case

  // Holding connections.
  double hold = -1;  // negative: not that kind of run
  double open_rate = 0;
  std::uint32_t warm_requests = 1;
  std::string warm_file;
  std::uint32_t grow_to = 0;
  bool gate = false;
  std::string source_first;
  std::string source_last;

  // This process and the one that it watches.
  int pin = -1;
  std::vector<int> watch_pids;

  // Saying it.
  std::string json_file;
  bool histograms = false;
  bool quiet = false;
  bool help = false;

  bool holds() const noexcept { return hold >= 0; }
  bool is_open_loop() const noexcept { return mode != Mode::closed; }
  std::uint32_t most_connections() const noexcept {
    return grow_to > connections ? grow_to : connections;
  }
};

std::expected<Options, std::string> parse_options(std::span<const char* const> arguments);

// What --help prints.
std::string usage();

}  // namespace load
