// SPDX-License-Identifier: MIT
#include "server/server_core.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "io/choose_engine.hpp"
#include "io/descriptors.hpp"
#include "net/listener.hpp"

namespace spate::server {
namespace {

// Between the last new handshake and the end of a listener: the time for what is on its way.
constexpr std::chrono::milliseconds handshake_grace{100};
// After the cut: the time for handlers to unwind.
constexpr std::chrono::milliseconds unwind_grace{2'000};

io::EngineWish wish_of(EngineKind kind) noexcept {
  switch (kind) {
    case EngineKind::epoll:
      return io::EngineWish::epoll;
    case EngineKind::uring:
      return io::EngineWish::uring;
    case EngineKind::automatic:
      break;
  }
  return io::EngineWish::automatic;
}

// Every fault of the options, in one message.
Result<> check(const ServerOptions& options) {
  std::string faults;
  const auto fault = [&faults](std::string_view text) { faults.append("\n  ").append(text); };
  const Limits& limits = options.limits;
  if (options.listen.empty())
    fault("listen: at least one address is needed, such as 127.0.0.1:8080");
  if (options.workers > 1024) fault("workers: at most 1024; one per core is usual");
  if (limits.request_line < 64) fault("limits.request_line: at least 64 bytes");
  if (limits.header_bytes < 256) fault("limits.header_bytes: at least 256 bytes");
  if (limits.request_line + limits.header_bytes > http::max_head_bytes) {
    fault("limits.request_line + limits.header_bytes: at most 65535 bytes together");
  }
  if (limits.header_fields < 1 || limits.header_fields > http::RequestHead::max_fields) {
    fault("limits.header_fields: from 1 to " + std::to_string(http::RequestHead::max_fields));
  }
  if (limits.header_time.count() <= 0) fault("limits.header_time: more than 0 ms");
  if (limits.idle.count() <= 0) fault("limits.idle: more than 0 ms");
  if (limits.body_window == 0) fault("limits.body_window: more than 0 bytes");
  if (limits.send_backlog == 0) fault("limits.send_backlog: more than 0 bytes");
  if (options.offload_threads == 0) fault("offload_threads: at least 1");
  if (faults.empty()) return {};
  return std::unexpected(Error(Errc::configuration, "the server's options are wrong:" + faults));
}

}  // namespace

struct ServerCore::WorkerThread {
  std::unique_ptr<Worker> worker;
  std::vector<int> listeners;
  ServiceStarter* starter = nullptr;
  std::thread thread;
  std::atomic<bool> drained{false};
};

ServerCore::ServerCore(const ServerOptions& options, std::unique_ptr<LogSink> sink)
    : options_(options), log_(std::move(sink)) {}

Result<std::unique_ptr<ServerCore>> ServerCore::start(const ServerOptions& options,
                                                      std::unique_ptr<LogSink> sink,
                                                      http::Service& service,
                                                      ServiceStarter* starter) {
  if (Result<> checked = check(options); !checked) return std::unexpected(checked.error());
  const unsigned count =
      options.workers > 0 ? options.workers : std::max(1U, std::thread::hardware_concurrency());

  // All addresses first: a fault in one must leave nothing listening.
  std::vector<net::Address> addresses;
  for (const std::string& text : options.listen) {
    Result<net::Address> address = net::parse_address(text);
    if (!address) return std::unexpected(std::move(address.error()));
    addresses.push_back(*address);
  }
  Result<io::Engines> engines = io::make_engines(wish_of(options.engine), count);
  if (!engines) return std::unexpected(std::move(engines.error()));
  net::ListenOptions listen;
  // Who wants to see connections before their first byte needs silent ones too.
  listen.defer_accept = options.defer_accept && !service.watches_connections();
  std::unique_ptr<ServerCore> core(new ServerCore(options, std::move(sink)));
  core->engine_name_ = engines->list.front()->name();
  core->engine_reason_ = std::move(engines->reason);
  core->pool_ =
      std::make_unique<BlockingPool>(options.offload_threads, options.limits.offload_queue);

  const std::uint32_t descriptors = io::descriptor_limit();
  io::grow_descriptor_table(descriptors);
  std::uint32_t connections = options.limits.connections;
  if (connections == 0)
    connections = descriptors > 1024 ? descriptors / 10 * 9 - 64 : descriptors / 2;

  WorkerOptions worker_options;
  worker_options.count = count;
  worker_options.limits = options.limits;
  worker_options.most_connections = std::max(1U, connections / count);
  worker_options.shows_details = options.show_details;
  std::random_device random;
  for (unsigned i = 0; i < count; ++i) {
    auto worker = std::make_unique<WorkerThread>();
    worker_options.index = i;
    worker_options.seed = static_cast<std::uint64_t>(random()) << 32 | random();
    worker->worker =
        std::make_unique<Worker>(std::move(engines->list[i]), service, worker_options, *core);
    if (i == 0) worker->starter = starter;
    core->workers_.push_back(std::move(worker));
  }
  for (net::Address& address : addresses) {
    Result<std::vector<int>> sockets = net::listen(address, count, listen);
    if (!sockets) return std::unexpected(std::move(sockets.error()));
    const auto number = static_cast<std::uint16_t>(core->addresses_.size());
    for (unsigned i = 0; i < count; ++i) {
      WorkerThread& worker = *core->workers_[i];
      if (Result<> added = worker.worker->engine().add_listener((*sockets)[i], number); !added) {
        return std::unexpected(std::move(added.error()));
      }
      worker.listeners.push_back((*sockets)[i]);
    }
    core->addresses_.push_back(address.to_string());
  }
  core->running_ = count;
  for (auto& worker : core->workers_) {
    worker->thread = std::thread([&core = *core, &worker = *worker] { core.run(worker); });
  }
  core->ready_.store(true, std::memory_order_release);
  return core;
}

ServerCore::~ServerCore() {
  drain();
  cut();
  for (auto& worker : workers_) {
    if (worker->thread.joinable()) worker->thread.join();
  }
  // Functions that still block end here; their outcomes find workers to come back to. What a worker
  // drops goes back to the one that asked, so all are told again before the first is destroyed.
  pool_.reset();
  for (int round = 0; round < 3; ++round) {
    for (auto& worker : workers_) worker->worker->shut_down();
  }
  workers_.clear();
}

void ServerCore::run(WorkerThread& thread) {
  using Clock = std::chrono::steady_clock;
  Worker& worker = *thread.worker;
  if (thread.starter != nullptr) {
    coro::Runtime::set_current(&worker);
    thread.starter->start(worker.services());
  }
  while (!drain_.load(std::memory_order_acquire)) worker.turn(Duration(-1));

  // Handshakes end first, so that whoever has sent a request finds a listener; then the listeners.
  const auto turn_until = [&](Clock::time_point end, const std::atomic<bool>* gives_up, auto done) {
    while (!done() && (gives_up == nullptr || !gives_up->load(std::memory_order_acquire))) {
      const auto left = end - Clock::now();
      if (left <= Clock::duration::zero()) break;
      worker.turn(std::min<Duration>(left, std::chrono::milliseconds(50)));
    }
  };
  const auto never = [] { return false; };
  // A worker that has nothing left still runs what the others hand to it.
  const auto all_drained = [&] {
    const bool drained = worker.is_drained();
    if (thread.drained.exchange(drained, std::memory_order_acq_rel) != drained) wake_all();
    return drained && std::ranges::all_of(workers_, [](const auto& other) {
             return other->drained.load(std::memory_order_acquire);
           });
  };
  turn_until(Clock::now() + options_.drain_delay, &cut_, never);
  const auto deadline = Clock::now() + options_.drain_timeout;
  worker.begin_drain();
  for (const int listener : thread.listeners) net::refuse_new_handshakes(listener);
  turn_until(Clock::now() + handshake_grace, &cut_, never);
  worker.engine().close_listeners(worker);
  turn_until(deadline, &cut_, all_drained);
  if (!all_drained()) {
    worker.cut();
    turn_until(Clock::now() + unwind_grace, nullptr, all_drained);
  }
  // Nobody can ask the services for anything any more.
  worker.end_services();
  turn_until(Clock::now() + unwind_grace, nullptr, [&] { return !worker.has_services(); });
  worker.close_inbox();
  worker.engine().leave_thread();
  {
    const std::lock_guard lock(mutex_);
    --running_;
  }
  ended_.notify_all();
}

Snapshot ServerCore::snapshot() const noexcept {
  Snapshot sum;
  for (const auto& worker : workers_) worker->worker->stats().add_to(sum);
  return sum;
}

void ServerCore::wake_all() noexcept {
  for (auto& worker : workers_) worker->worker->engine().wake();
}

void ServerCore::drain() {
  ready_.store(false, std::memory_order_release);
  drain_.store(true, std::memory_order_release);
  wake_all();
}

void ServerCore::cut() {
  cut_.store(true, std::memory_order_release);
  drain();
}

void ServerCore::wait() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return running_ == 0; });
}

bool ServerCore::wait_for(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, most, [this] { return running_ == 0; });
}

bool ServerCore::offload(coro::Job& job) noexcept { return pool_->submit(job); }

bool ServerCore::post_to(unsigned worker, coro::Job& job) noexcept {
  return worker < workers_.size() && workers_[worker]->worker->post(job);
}

void ServerCore::log(LogLevel level, std::string line) noexcept {
  log_.write(level, std::move(line));
}

}  // namespace spate::server
