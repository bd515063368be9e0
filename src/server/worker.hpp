// SPDX-License-Identifier: MIT
// One worker: an engine, the connections it accepted, and the tasks of their requests, all on one
// thread. It is the runtime of those tasks and the client of that engine. A turn is: wait, take
// what happened, fire timers, resume what is ready, answer, send once for each connection. thread:
// everything but `post`, `hand_back`, `wake` and `stats` belongs to the worker's thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <spate/coro/scope.hpp>
#include <spate/http/limits.hpp>
#include <spate/observe/log.hpp>
#include <string>
#include <utility>
#include <vector>

#include "http/h1/response_writer.hpp"
#include "http/service.hpp"
#include "io/engine.hpp"
#include "server/inbox.hpp"
#include "server/output.hpp"
#include "server/stats.hpp"

namespace spate::server {

class ExchangeH1;
class ConnectionH1;

// What a worker needs of the server around it. thread: any.
class Surroundings {
 public:
  virtual bool offload(coro::Job& job) noexcept = 0;
  virtual bool post_to(unsigned worker, coro::Job& job) noexcept = 0;
  virtual void log(LogLevel level, std::string line) noexcept = 0;
  virtual bool is_ready() const noexcept { return true; }

 protected:
  ~Surroundings() = default;
};

struct WorkerOptions {
  unsigned index = 0;
  unsigned count = 1;
  Limits limits;
  std::uint32_t most_connections = UINT32_MAX;
  bool shows_details = false;
  std::uint64_t seed = 0;  // of request ids and of the jitter of lifetimes
};

class Worker final : public coro::Runtime, public io::EngineClient {
 public:
  Worker(std::unique_ptr<io::Engine> engine, http::Service& service, const WorkerOptions& options,
         Surroundings& surroundings);
  ~Worker() override;

  // Ends what is left: waits are cancelled and unwind, jobs are handed back unrun, connections are
  // cut. Of several workers each is told, more than once, before the first is destroyed: they hold
  // each other's jobs.
  void shut_down() noexcept;

  // One turn; waits at most `most` for something to happen (negative: without end).
  void turn(Duration most);
  // Whether a turn has something to do without waiting.
  bool has_work() const noexcept {
    return has_ready() || !inbox_.is_empty() || first_finished_ != nullptr;
  }

  // Stops keeping connections: answers say `Connection: close`, idle ones end after a moment.
  void begin_drain();
  // The patience is over: what still runs is cancelled, connections are cut a moment later.
  void cut();
  bool is_draining() const noexcept { return draining_; }
  bool is_cut() const noexcept { return cut_; }
  bool is_ready() const noexcept { return !draining_ && surroundings_->is_ready(); }
  // No connection, request or background task is left; services may still run.
  bool is_drained() const noexcept;
  // Cancels the services. They have ended when has_services() says no.
  void end_services() noexcept { services_.cancel(CancelReason::drain); }
  bool has_services() const noexcept { return services_.running() > 0; }

  io::Engine& engine() noexcept { return *engine_; }
  // thread: any.
  const Counters& stats() const noexcept { return counters_; }
  coro::TaskContext& root() noexcept { return root_; }
  Scope& background() noexcept { return background_; }
  // Tasks that run as long as the server: cancelled when its last request has ended, then joined.
  Scope& services() noexcept { return services_; }
  bool offload(coro::Job& job) noexcept override { return surroundings_->offload(job); }
  bool post_to(unsigned index, coro::Job& job) noexcept override {
    return surroundings_->post_to(index, job);
  }
  void hand_back(coro::Job& job) noexcept override;
  void unhandled(std::exception_ptr error) noexcept override;
  unsigned worker_index() const noexcept override { return options_.index; }
  unsigned worker_count() const noexcept override { return options_.count; }
  // A job posted by another thread. False when the queue is full.
  bool post(coro::Job& job) noexcept;
  // From here on posts are refused.
  void close_inbox() noexcept { inbox_.close(); }

  // --- for connections and exchanges ---

  const Limits& limits() const noexcept { return options_.limits; }
  bool shows_details() const noexcept { return options_.shows_details; }
  http::Service& service() noexcept { return *service_; }
  Output& output() noexcept { return output_; }
  Counters& counters() noexcept { return counters_; }
  std::string_view date() noexcept { return date_.at(unix_seconds_); }
  h1::HeadCache& heads() noexcept { return heads_; }
  std::int64_t unix_seconds() const noexcept { return unix_seconds_; }
  io::SlotTable& slots() noexcept { return *slots_; }
  // Of the latest wait; see Engine::ticks.
  io::Tick ticks() const noexcept { return ticks_; }
  // One line to the log; at most a hundred a second, the rest is counted.
  void log(LogLevel level, std::string line) noexcept;
  // The client broke a limit: counted, and logged with the connection's peer.
  void limit_hit(const io::Slot& slot, std::string_view what) noexcept;
  std::uint64_t next_id() noexcept;
  std::uint64_t seed() const noexcept { return options_.seed; }

  // A cleared exchange, from the pool when one is there. throws: std::bad_alloc.
  ExchangeH1& take_exchange() {
    // The spare one is that of requests which are answered in their turn.
    if (spare_ != nullptr) [[likely]]
      return *std::exchange(spare_, nullptr);
    return take_pooled_exchange();
  }
  // A cleared exchange is given back.
  void give_exchange(ExchangeH1& exchange) noexcept {
#if !defined(SPATE_SANITIZE)
    if (spare_ == nullptr) [[likely]] {
      spare_ = &exchange;
      return;
    }
#endif
    pool_exchange(exchange);
  }
  // The exchange's request has ended in a task; its answer is sent later in this turn.
  void note_finished(ExchangeH1& exchange) noexcept;
  // Sets the slot's deadline `wait` from now.
  void set_deadline(io::Slot& slot, std::chrono::milliseconds wait) noexcept {
    set_deadline_ticks(slot, ticks_to(wait));
  }
  void set_deadline_ticks(io::Slot& slot, io::Tick ticks) noexcept {
    slots_->set_deadline(slot, ticks_ + ticks);
  }
  // One tick more than asked for: the current one has begun already.
  static io::Tick ticks_to(std::chrono::milliseconds wait) noexcept {
    return static_cast<io::Tick>(wait.count() * io::ticks_per_second / 1000) + 1;
  }
  void clear_deadline(io::Slot& slot) noexcept { slots_->set_deadline(slot, 0); }
  // Receiving stops and goes on; cheap where nothing changes.
  void pause_read(io::Slot& slot) noexcept;
  void resume_read(io::Slot& slot);
  // Closes the slot and tells the service.
  void close(io::Slot& slot, bool reset) noexcept;

 private:
  bool on_accept(io::Slot& slot) override;
  void on_data(io::Slot& slot, std::span<char> bytes, bool last) override;
  void on_eof(io::Slot& slot, bool unread) override;
  void on_error(io::Slot& slot, int error) override;
  void on_drained(io::Slot& slot) override;
  void on_wake() override {}
  void on_accept_paused(int error) override;

  // Out of memory costs the connection that needed it, nothing else.
  template <class F>
  void guarded(io::Slot& slot, F handle) {
    const std::uint32_t index = slot.index;
    const std::uint16_t generation = slot.generation;
    try {
      handle();
    } catch (const std::bad_alloc&) {
      if (io::Slot* same = engine_->slots().find(index, generation)) cut_short(*same);
    }
  }
  ExchangeH1& take_pooled_exchange();
  void pool_exchange(ExchangeH1& exchange) noexcept;
  void cut_short(io::Slot& slot) noexcept;
  void run_jobs();
  void answer_finished();
  void sweep();
  void publish() noexcept;

  WorkerOptions options_;
  http::Service* service_;
  Surroundings* surroundings_;
  std::unique_ptr<io::Engine> engine_;
  io::SlotTable* slots_;
  io::Tick ticks_;
  std::int64_t unix_seconds_;
  Inbox inbox_;
  Output output_;
  h1::DateCache date_;
  h1::HeadCache heads_;
  coro::TaskContext root_;
  Scope background_;
  Scope services_;
  std::unique_ptr<ConnectionH1> http1_;
  ExchangeH1* spare_ = nullptr;
  std::vector<std::unique_ptr<ExchangeH1>> pool_;
  ExchangeH1* first_finished_ = nullptr;  // linked through the exchanges
  ExchangeH1* last_finished_ = nullptr;
  Counters counters_;
  bool watches_connections_;
  bool draining_ = false;
  bool cut_ = false;
  bool accept_paused_ = false;
  io::Tick swept_ = 0;
  io::Tick log_second_ = 0;
  std::uint32_t logged_ = 0;
  std::uint64_t log_suppressed_ = 0;
  std::uint64_t ids_ = 0;
};

}  // namespace spate::server
