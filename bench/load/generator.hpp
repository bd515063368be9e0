// SPDX-License-Identifier: MIT
// The loop that loads a server: connections on epoll, closed or open loop, or held idle. One
// thread; a request costs one send, its answer one receive, and neither an allocation. Requests of
// an open loop have the time at which they were due, whatever the connections do meanwhile: those
// that find none free wait in a queue, and their latency runs. thread: one owner.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "answer.hpp"
#include "options.hpp"
#include "random.hpp"
#include "requests.hpp"
#include "result.hpp"

namespace load {

// Where the server is, and the local addresses to come from.
struct Addresses {
  sockaddr_storage server{};
  socklen_t server_length = 0;
  std::vector<sockaddr_in> sources;  // empty: whatever the kernel takes
};
std::expected<Addresses, std::string> resolve(const Options& options);

class Generator {
 public:
  // All three outlive the generator.
  Generator(const Options& options, const Requests& requests, const Addresses& addresses,
            std::string expected_body);
  ~Generator();
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  // Blocks for the whole run. An error means that there was nothing to measure.
  std::expected<Result, std::string> run();

 private:
  using Nanoseconds = std::int64_t;
  enum class State : std::uint8_t { unopened, connecting, open, ending, lost };
  enum class Phase : std::uint8_t { opening, gate, warming, measuring, draining, done };
  enum class Kind : std::uint8_t { connect, reset, timeout, mismatch, status, cut };

  struct Flight {
    Nanoseconds begin;  // when it was due or sent
    std::uint32_t request;
    bool closing;
  };
  static constexpr std::uint32_t nowhere = UINT32_MAX;
  struct Connection {
    int fd = -1;
    std::uint32_t life = 0;  // tells events of an earlier life apart
    State state = State::unopened;
    bool last_begun = false;  // its closing request is under way
    bool is_warm = false;     // open for the first time, warm requests answered
    bool in_air = false;      // counted among those being opened
    std::uint32_t reconnect = 0;
    std::uint32_t begun = 0;  // requests of this life
    std::uint32_t warmed = 0;
    std::uint32_t head = 0;  // of the ring of flights
    std::uint32_t in_flight = 0;
    std::uint32_t place = nowhere;  // in the list of free ones
    Progress progress;
    Nanoseconds since = 0;              // the state's begin
    std::unique_ptr<std::string> rest;  // of an answer that may become a template
    std::string unsent;
  };

  std::expected<void, std::string> set_up();
  // What is due now; when it has to be called again at the latest.
  Nanoseconds advance();
  void turn(Nanoseconds wake);

  void begin_load();
  void begin_window();
  void end_window();
  Result finish();

  void open_more();
  void reopen_failed();
  void schedule();
  void sweep();
  void say_progress();
  void read_gate();

  void connect(std::uint32_t index);
  void connect_failed(std::uint32_t index, int error);
  void established(std::uint32_t index);
  void became_free(std::uint32_t index);
  void handle(std::uint32_t index, std::uint32_t events);
  void receive(std::uint32_t index, std::uint32_t events);
  bool take(std::uint32_t index, std::string_view data);
  bool learn(std::uint32_t index, std::string_view& data);
  void completed(std::uint32_t index);
  void ended(std::uint32_t index);

  void fill(std::uint32_t index);
  void push(std::uint32_t index, Nanoseconds begin);
  void flush(std::uint32_t index);
  void dispatch(Nanoseconds due);
  void add_free(std::uint32_t index);
  void remove_free(std::uint32_t index);
  bool is_lazy(const Connection& connection) const;
  bool is_warming(const Connection& connection) const;

  void close(std::uint32_t index);
  void restart(std::uint32_t index);
  // Ends the connection: the first request in flight failed by `kind`, the others by `behind`.
  void fail(std::uint32_t index, Kind kind, Kind behind, std::string detail);
  void count_error(Kind kind, Nanoseconds begin);
  bool is_counted(Nanoseconds begin) const;
  Window* window_at(Nanoseconds time);
  std::string name_of(const Flight& flight) const;

  Flight& front(std::uint32_t index) {
    return flights_[std::size_t{index} * options_.pipeline + connections_[index].head];
  }
  void note(std::string detail);

  const Options& options_;
  const Requests& requests_;
  const Addresses& addresses_;
  std::string expected_body_;

  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::vector<Flight> flights_;                       // rings, --pipeline for each connection
  std::vector<std::unique_ptr<Template>> templates_;  // two for each request: keeping, closing
  Matcher matcher_;
  std::vector<char> buffer_;
  std::vector<std::string_view> pieces_;  // pushed, not flushed
  std::string joined_;
  std::string spare_;
  Random random_;

  Phase phase_ = Phase::opening;
  Nanoseconds now_ = 0;
  Nanoseconds started_ = 0;
  Nanoseconds window_begin_ = INT64_MAX;
  Nanoseconds window_end_ = INT64_MAX;
  Nanoseconds stop_at_ = INT64_MAX;
  Nanoseconds first_reading_ = INT64_MAX;
  Nanoseconds second_reading_ = INT64_MAX;
  Nanoseconds timeout_ = 0;
  Nanoseconds next_sweep_ = 0;
  Nanoseconds next_progress_ = INT64_MAX;
  Nanoseconds last_opened_ = 0;
  Nanoseconds load_begin_ = 0;
  double due_offset_ = 0;  // from load_begin_ to the next request
  std::uint64_t due_count_ = 0;
  bool behind_ = false;

  std::uint32_t next_to_open_ = 0;
  std::uint32_t in_air_ = 0;
  std::uint32_t ready_ = 0;  // opened (and warmed) once
  bool ever_connected_ = false;
  bool reconnects_ = false;
  std::string failure_;  // ends the run

  struct Failed {
    Nanoseconds again_at;
    std::uint32_t index;
  };
  std::deque<Failed> failed_;
  std::vector<std::uint32_t> free_;
  std::deque<Nanoseconds> waiting_;  // due, but no connection was free
  std::uint64_t order_at_ = 0;

  std::uint64_t counted_ = 0;   // requests of the window
  std::uint64_t finished_ = 0;  // of these: answered or failed
  Usage own_before_;
  Usage watched_before_;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  Result result_;
};

}  // namespace load
