// SPDX-License-Identifier: MIT
#include "testing/session.hpp"

#include <algorithm>
#include <spate/coro/frame_pool.hpp>
#include <spate/testing/fake_runtime.hpp>
#include <utility>

namespace spate::testing {
namespace {

// The client's end of the work: what a destructor waits for, in virtual time.
constexpr Duration drain_patience = std::chrono::minutes(1);

std::size_t count_waits(const coro::TaskContext& context) noexcept {
  std::size_t count = 0;
  for (const coro::Waiter* wait = context.first_waiter(); wait != nullptr;
       wait = wait->next_waiting()) {
    ++count;
  }
  for (const coro::TaskContext* child = context.first_child(); child != nullptr;
       child = child->next_sibling()) {
    count += count_waits(*child);
  }
  return count;
}

}  // namespace

Session::Session(http::Service& service, const Limits& limits, bool shows_details,
                 const TestOptions& options)
    : options_(options), frames_before_(coro::live_frames()) {
  auto engine =
      std::make_unique<MemoryEngine>(MemoryKnobs{.bytes_per_receive = options.bytes_per_receive,
                                                 .bytes_per_send = options.bytes_per_send,
                                                 .seed = options.seed,
                                                 .spurious_events = options.spurious_events});
  engine_ = engine.get();
  server::WorkerOptions worker;
  worker.limits = limits;
  if (limits.connections != 0) worker.most_connections = limits.connections;
  worker.shows_details = shows_details;
  worker.seed = options.seed + 1;
  server::Surroundings& surroundings = *this;
  worker_ = std::make_unique<server::Worker>(std::move(engine), service, worker, surroundings);
  coro::Runtime::set_current(worker_.get());
}

Session::~Session() {
  kept_.reset();
  holds_ = false;
  worker_->begin_drain();
  const TimePoint latest = now() + drain_patience;
  for (std::size_t steps = 0; !worker_->is_drained() && steps < most_steps; ++steps) {
    if (!step() && !move_clock(latest)) break;
  }
  worker_->end_services();
  worker_->cut();
  for (std::size_t steps = 0; steps < most_steps && step(); ++steps) {
  }
  const coro::Runtime* ended = worker_.get();
  worker_.reset();
  if (coro::Runtime::current() == ended) coro::Runtime::set_current(nullptr);
}

// --- turns and the clock ---

bool Session::step() {
  const bool offloaded = run_offloaded();
  const auto timer = worker_->next_timer();
  const bool due = timer && *timer <= now();
  if (!offloaded && !due && !worker_->has_work() && !engine_->has_events()) return false;
  worker_->turn(Duration::zero());
  return true;
}

void Session::run() {
  std::size_t steps = 0;
  for (std::uint64_t before = progress(); step();) {
    if (const std::uint64_t after = progress(); after != before) {
      before = after;
      steps = 0;
    }
    if (++steps > most_steps) throw ErrorException(endless());
  }
}

std::optional<TimePoint> Session::next_event() const {
  TimePoint next = engine_->next_retry();
  if (const auto timer = worker_->next_timer()) next = std::min(next, *timer);
  io::SlotTable& slots = engine_->slots();
  io::Tick tick = UINT32_MAX;
  slots.for_each([&](io::Slot& slot) {
    if (const io::Tick deadline = slots.deadline(slot)) tick = std::min(tick, deadline);
  });
  if (tick != UINT32_MAX) next = std::min(next, engine_->time_of(tick));
  if (next == TimePoint::max()) return std::nullopt;
  // What is due and was not taken in the turns before is looked at once a tick.
  return next > now() ? next : engine_->time_of(engine_->ticks() + 1);
}

bool Session::move_clock(TimePoint latest) {
  const auto next = next_event();
  if (!next || *next > latest) return false;
  engine_->advance_to(*next);
  worker_->turn(Duration::zero());
  return true;
}

void Session::advance(Duration duration) {
  const TimePoint target = now() + duration;
  run();
  while (move_clock(target)) run();
  engine_->advance_to(target);
  worker_->turn(Duration::zero());
  run();
}

Error Session::endless() const {
  return Error(Errc::timeout,
               "tasks run in circles: the server is busy and time stands still; "
               "something polls with yield() instead of waiting\n" +
                   describe_waits());
}

Error Session::stuck() const {
  if (next_event()) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(options_.max_virtual_time).count();
    return Error(Errc::timeout, "no answer within TestOptions::max_virtual_time, " +
                                    std::to_string(seconds) + " s of virtual time\n" +
                                    describe_waits());
  }
  return Error(Errc::timeout, "deadlock: nothing can wake these waits\n" + describe_waits());
}

// --- the surroundings of the worker ---

bool Session::offload(coro::Job& job) noexcept {
  if (refuses_) return false;
  job.next = nullptr;
  (last_job_ == nullptr ? first_job_ : last_job_->next) = &job;
  last_job_ = &job;
  return true;
}

bool Session::post_to(unsigned index, coro::Job& job) noexcept {
  return index == 0 && worker_->post(job);
}

bool Session::run_offloaded() {
  if (holds_ || first_job_ == nullptr) return false;
  // As on a thread of the pool: no runtime, no scope.
  coro::Runtime* const runtime = coro::Runtime::current();
  coro::Runtime::set_current(nullptr);
  coro::TaskContext* const context = std::exchange(coro::current_context, nullptr);
  while (coro::Job* job = first_job_) {
    first_job_ = job->next;
    if (first_job_ == nullptr) last_job_ = nullptr;
    ++jobs_run_;
    job->run();
  }
  coro::current_context = context;
  coro::Runtime::set_current(runtime);
  return true;
}

void Session::hold_offload(bool hold) {
  holds_ = hold;
  if (!hold) run();
}

void Session::log(LogLevel level, std::string line) noexcept {
  try {
    // Logged before the handler is cancelled: what it waited for can still be told.
    const bool was_stuck = line.find("limit=\"handler\"") != line.npos;
    log_lines_.push_back(std::string(to_string(level)).append(": ").append(line));
    if (was_stuck) log_lines_.back().append("\n").append(describe_waits());
  } catch (const std::bad_alloc&) {
    // A line less.
  }
}

std::ptrdiff_t Session::live_frames() const noexcept {
  return coro::live_frames() - frames_before_;
}
std::size_t Session::pending_tasks() const noexcept { return count_waits(worker_->root()); }
std::string Session::describe_waits() const { return testing::describe_waits(worker_->root()); }

// --- connections ---

std::unique_ptr<Link> Session::connect() {
  MemoryPipe pipe = engine_->connect();
  pipe.set_receive_window(network_window);
  return std::make_unique<Link>(*this, std::move(pipe));
}

Result<TestResponse> Session::exchange(std::string_view rendered, bool is_head) {
  run();
  if (kept_ != nullptr) {
    kept_->pull();
    if (!kept_->input.empty()) {
      const std::string stray = std::exchange(kept_->input, {}).substr(0, 80);
      kept_.reset();
      return std::unexpected(
          Error(Errc::malformed, "the server sent bytes that answer nothing: \"" + stray + "\""));
    }
    if (kept_->is_at_end()) kept_.reset();
  }
  if (kept_ == nullptr) kept_ = connect();
  kept_->parser.begin(is_head);
  kept_->pipe.send(rendered);
  Result<> ended = kept_->wait_for_end();
  if (!ended) {
    kept_->pipe.reset();
    kept_.reset();
    try {
      run();
    } catch (const ErrorException&) {
      // It still runs in circles; `ended` says so.
    }
    return std::unexpected(std::move(ended).error());
  }
  Result<TestResponse> response = kept_->take_response();
  if (!response || response->closed) kept_.reset();
  return response;
}

Link::~Link() { pipe.close(); }

void Link::pull() {
  if (is_reading) input += pipe.take_received();
}

bool Link::is_at_end() const noexcept {
  return pipe.is_closed_by_server() && pipe.received().empty();
}

Result<> Link::parse() {
  pull();
  return parser.parse(input, is_at_end(), session.options().max_answer);
}

Result<> Link::wait_for_head() {
  Result<> failure;
  Result<> waited = session.run_until([&] {
    failure = parse();
    return !failure || parser.has_head();
  });
  // An answer that is cut after its head has a head all the same.
  if (!waited) return waited;
  return parser.has_head() ? Result<>() : failure;
}

Result<> Link::wait_for_content() {
  Result<> failure;
  Result<> waited = session.run_until([&] {
    failure = parse();
    return !failure || parser.is_complete() || !parser.response().body.empty();
  });
  if (!waited) return waited;
  // What came before a cut is told before the cut is.
  return parser.response().body.empty() ? failure : Result<>();
}

Result<> Link::wait_for_end() {
  Result<> failure;
  Result<> waited = session.run_until([&] {
    failure = parse();
    return !failure || parser.is_complete();
  });
  return waited ? failure : waited;
}

Result<TestResponse> Link::take_response() {
  session.run();
  pull();
  TestResponse response = std::move(parser.response());
  response.closed = pipe.is_closed_by_server();
  return response;
}

}  // namespace spate::testing
