// SPDX-License-Identifier: MIT
// What a TestClient runs: one worker of the server on a MemoryEngine, and the surroundings that a
// server would give it. It decides when the clock moves: only when nothing can run. Tests of the
// socket half use it without a Server, around any http::Service.
// lifetime: the service outlives it; links do not. thread: one.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <spate/http/limits.hpp>
#include <spate/testing/test_client.hpp>
#include <string>
#include <vector>

#include "server/worker.hpp"
#include "testing/memory_engine.hpp"
#include "testing/response_parser.hpp"

namespace spate::testing {

class Link;

class Session final : private server::Surroundings {
 public:
  Session(http::Service& service, const Limits& limits, bool shows_details,
          const TestOptions& options);
  ~Session();

  // One turn if there is anything to do now.
  bool step();
  // Steps until nothing can run. throws: ErrorException (Errc::timeout) when that never happens.
  void run();
  // Moves the clock to the next timer or deadline, at most to `latest`, and takes that turn. False:
  // there is none, and the clock stays.
  bool move_clock(TimePoint latest);
  void advance(Duration duration);
  // Steps, moving the clock when nothing can run, until `done()`.
  template <class Done>
  Result<> run_until(Done done) {
    const TimePoint latest = now() + options_.max_virtual_time;
    std::size_t steps = 0;
    for (std::uint64_t before = progress(); !done();) {
      const bool stepped = step();
      if (!stepped && !move_clock(latest)) return std::unexpected(stuck());
      if (const std::uint64_t after = progress(); !stepped || after != before) {
        before = after;
        steps = 0;
      }
      if (++steps > most_steps) return std::unexpected(endless());
    }
    return {};
  }

  std::unique_ptr<Link> connect();
  // Sends a request of that method and reads its answer, on the kept connection.
  Result<TestResponse> exchange(std::string_view rendered, bool is_head);

  TimePoint now() const noexcept { return engine_->now(); }
  server::Worker& worker() noexcept { return *worker_; }
  const server::Worker& worker() const noexcept { return *worker_; }
  MemoryEngine& engine() noexcept { return *engine_; }
  const TestOptions& options() const noexcept { return options_; }
  const std::vector<std::string>& log_lines() const noexcept { return log_lines_; }
  std::ptrdiff_t live_frames() const noexcept;
  std::size_t pending_tasks() const noexcept;
  std::string describe_waits() const;
  void hold_offload(bool hold);
  void refuse_offload(bool refuse) noexcept { refuses_ = refuse; }

  // After so many turns in which neither the clock nor a byte moves, a program is taken to run in
  // circles.
  static constexpr std::size_t most_steps = 5'000;

 private:
  bool offload(coro::Job& job) noexcept override;
  bool post_to(unsigned worker, coro::Job& job) noexcept override;
  void log(LogLevel level, std::string line) noexcept override;

  bool run_offloaded();
  std::optional<TimePoint> next_event() const;
  Error endless() const;
  Error stuck() const;
  // Grows with every byte that moves and every offloaded function.
  std::uint64_t progress() const noexcept { return engine_->bytes_moved() + jobs_run_; }

  TestOptions options_;
  std::vector<std::string> log_lines_;
  coro::Job* first_job_ = nullptr;
  coro::Job* last_job_ = nullptr;
  std::uint64_t jobs_run_ = 0;
  bool holds_ = false;
  bool refuses_ = false;
  std::ptrdiff_t frames_before_;
  MemoryEngine* engine_ = nullptr;  // the worker's
  std::unique_ptr<server::Worker> worker_;
  std::unique_ptr<Link> kept_;
};

// One connection of the client's side: the pipe, what was received, and the reader of answers.
class Link {
 public:
  Link(Session& of, MemoryPipe end) noexcept : session(of), pipe(std::move(end)) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link();

  // Takes what has arrived, unless the client has stopped reading.
  void pull();
  bool is_at_end() const noexcept;
  // Reads of the current answer what is there.
  Result<> parse();
  // Waits for the head, for content, or for the end of the current answer.
  Result<> wait_for_head();
  Result<> wait_for_content();
  Result<> wait_for_end();
  // The answer, when it is complete; `closed` is set.
  Result<TestResponse> take_response();

  Session& session;
  MemoryPipe pipe;
  std::string input;
  ResponseParser parser;
  bool is_reading = true;
};

// How much of an answer the network holds for a client that does not take it.
inline constexpr std::size_t network_window = 256 * 1024;

}  // namespace spate::testing
