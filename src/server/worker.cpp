// SPDX-License-Identifier: MIT
#include "server/worker.hpp"

#include <algorithm>
#include <spate/coro/frame_pool.hpp>
#include <utility>

#include "server/connection_h1.hpp"
#include "server/exchange_h1.hpp"

namespace spate::server {
namespace {

constexpr std::size_t resumed_per_turn = 256;
constexpr std::uint32_t log_lines_per_second = 100;
// Deadlines are looked at so often while there are connections.
constexpr Duration sweep_interval = std::chrono::milliseconds(1000 / io::ticks_per_second);

std::uint64_t mix(std::uint64_t x) noexcept {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9ULL;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebULL;
  return x ^ x >> 31;
}

std::string describe(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

}  // namespace

Worker::Worker(std::unique_ptr<io::Engine> engine, http::Service& service,
               const WorkerOptions& options, Surroundings& surroundings)
    : options_(options),
      service_(&service),
      surroundings_(&surroundings),
      engine_(std::move(engine)),
      slots_(&engine_->slots()),
      ticks_(engine_->ticks()),
      unix_seconds_(engine_->unix_seconds()),
      inbox_(options.limits.posted_jobs),
      output_(*engine_),
      root_(*this),
      background_(root_),
      services_(root_),
      http1_(std::make_unique<ConnectionH1>(*this)),
      watches_connections_(service.watches_connections()) {
  set_now(engine_->now());
}

Worker::~Worker() {
  shut_down();
  delete spare_;
}

void Worker::shut_down() noexcept {
  Runtime* const before = Runtime::current();
  inbox_.close();
  for (coro::Job* job = inbox_.take(); job != nullptr;) {
    coro::Job* next = job->next;
    job->drop();
    job = next;
  }
  cut();
  end_services();
  for (int i = 0; i < 100 && (!is_drained() || has_services()); ++i) {
    if (i > 0) {
      slots_->for_each([this](io::Slot& slot) { http1_->on_cut(slot); });
    }
    turn(Duration::zero());
  }
  // The thread that ends the worker may have a runtime of its own.
  Runtime::set_current(before == this ? nullptr : before);
}

void Worker::turn(Duration most) {
  Runtime::set_current(this);
  coro::current_context = nullptr;
  if (has_work()) {
    most = Duration::zero();
  } else {
    if (const auto timer = next_timer()) {
      const Duration until = std::max<Duration>(*timer - now(), Duration::zero());
      most = most < Duration::zero() ? until : std::min(most, until);
    }
    if (slots_->size() > 0) {
      most = most < Duration::zero() ? sweep_interval : std::min<Duration>(most, sweep_interval);
    }
  }
  engine_->wait(most);
  set_now(engine_->now());
  ticks_ = engine_->ticks();
  unix_seconds_ = engine_->unix_seconds();
  engine_->dispatch(*this);
  if (!inbox_.is_empty()) run_jobs();
  run_timers();
  // What one wait ends may begin and end others; a bound leaves the network its turn.
  for (std::size_t resumed = 0; has_ready() && resumed < resumed_per_turn;) {
    resumed += run_ready(resumed_per_turn - resumed);
    answer_finished();
  }
  if (first_finished_ != nullptr) answer_finished();
  if (ticks_ != swept_) sweep();
  output_.flush();
  publish();
  coro::current_context = nullptr;
}

void Worker::run_jobs() {
  for (coro::Job* job = inbox_.take(); job != nullptr;) {
    coro::Job* next = job->next;
    coro::current_context = &root_;
    job->run();
    coro::current_context = nullptr;
    job = next;
  }
}

void Worker::answer_finished() {
  while (first_finished_ != nullptr) {
    ExchangeH1& exchange = *first_finished_;
    first_finished_ = exchange.next_finished;
    guarded(exchange.slot(), [&] { http1_->on_finished(exchange); });
  }
}

void Worker::sweep() {
  swept_ = ticks_;
  slots_->sweep(swept_,
                [this](io::Slot& slot) { guarded(slot, [&] { http1_->on_deadline(slot); }); });
}

void Worker::publish() noexcept {
  counters_.background_tasks = background_.running();
  counters_.live_frames = static_cast<std::uint64_t>(coro::live_frames());
  counters_.bytes_sent = output_.bytes_sent();
  counters_.system_calls = engine_->system_calls();
}

// --- drain ---

void Worker::begin_drain() {
  if (draining_) return;
  draining_ = true;
  slots_->for_each([this](io::Slot& slot) {
    if (static_cast<SlotState>(slot.state) == SlotState::idle) {
      set_deadline(slot, drain_idle);
    }
  });
}

void Worker::cut() {
  draining_ = true;
  if (std::exchange(cut_, true)) return;
  root_.cancel(CancelReason::drain);
  slots_->for_each([this](io::Slot& slot) { http1_->on_cut(slot); });
}

bool Worker::is_drained() const noexcept {
  return slots_->size() == 0 && background_.running() == 0 && !has_work();
}

// --- jobs and failures ---

void Worker::hand_back(coro::Job& job) noexcept {
  if (inbox_.push(job)) engine_->wake();
}

bool Worker::post(coro::Job& job) noexcept {
  if (!inbox_.try_reserve()) return false;
  hand_back(job);
  return true;
}

void Worker::unhandled(std::exception_ptr error) noexcept {
  try {
    log(LogLevel::error,
        "background work failed error=\"" + escape_for_log(describe(error)) + "\"");
  } catch (const std::bad_alloc&) {
    // No memory for the line.
  }
}

void Worker::log(LogLevel level, std::string line) noexcept {
  const io::Tick second = engine_->ticks() / io::ticks_per_second;
  if (second != log_second_) {
    log_second_ = second;
    logged_ = 0;
    if (const std::uint64_t suppressed = std::exchange(log_suppressed_, 0)) {
      try {
        surroundings_->log(LogLevel::warning,
                           "log lines suppressed count=" + std::to_string(suppressed));
      } catch (const std::bad_alloc&) {
        // No memory for the line.
      }
    }
  }
  if (++logged_ > log_lines_per_second) {
    ++log_suppressed_;
    return;
  }
  surroundings_->log(level, std::move(line));
}

void Worker::limit_hit(const io::Slot& slot, std::string_view what) noexcept {
  ++counters_.limit_hits;
  try {
    std::string line = "limit hit limit=\"";
    line.append(what).append("\" peer=").append(engine_->peer(slot));
    line.append(" requests=").append(std::to_string(slot.requests));
    log(LogLevel::warning, std::move(line));
  } catch (const std::bad_alloc&) {
    // No memory for the line.
  }
}

std::uint64_t Worker::next_id() noexcept {
  return mix(options_.seed + (++ids_ << 8 | options_.index % 256));
}

void Worker::cut_short(io::Slot& slot) noexcept {
  ++counters_.limit_hits;
  http1_->on_error(slot);
}

// --- exchanges and connections ---

void Worker::note_finished(ExchangeH1& exchange) noexcept {
  exchange.next_finished = nullptr;
  (first_finished_ == nullptr ? first_finished_ : last_finished_->next_finished) = &exchange;
  last_finished_ = &exchange;
}

ExchangeH1& Worker::take_pooled_exchange() {
  if (pool_.empty()) return *new ExchangeH1(*this);
  ExchangeH1* exchange = pool_.back().release();
  pool_.pop_back();
  return *exchange;
}

void Worker::pool_exchange(ExchangeH1& exchange) noexcept {
  std::unique_ptr<ExchangeH1> owned(&exchange);
#if !defined(SPATE_SANITIZE)
  constexpr std::size_t pooled_exchanges = 64;
  if (pool_.size() < pooled_exchanges) {
    try {
      pool_.push_back(std::move(owned));
    } catch (const std::bad_alloc&) {
      // Freed instead of kept.
    }
  }
#endif
}

void Worker::pause_read(io::Slot& slot) noexcept {
  if (slot.flags & slot_paused) return;
  slot.flags |= slot_paused;
  engine_->pause_read(slot);
}

void Worker::resume_read(io::Slot& slot) {
  if (!(slot.flags & slot_paused)) return;
  slot.flags &= ~slot_paused;
  engine_->resume_read(slot);
}

void Worker::close(io::Slot& slot, bool reset) noexcept {
  output_.forget(slot);
  if (watches_connections_) {
    SlotConnection connection(*this, slot, nullptr);
    service_->disconnected(connection);
  }
  delete static_cast<UserState*>(slot.user);
  slot.user = nullptr;
  --counters_.connections;
  if (reset) {
    engine_->abort(slot);
  } else {
    engine_->close(slot);
  }
  if (accept_paused_ && slots_->size() < options_.most_connections) {
    accept_paused_ = false;
    engine_->resume_accept();
  }
}

bool Worker::on_accept(io::Slot& slot) {
  ++counters_.accepted;
  if (watches_connections_) {
    SlotConnection connection(*this, slot, nullptr);
    if (!service_->connected(connection)) {
      delete static_cast<UserState*>(slot.user);
      slot.user = nullptr;
      return false;
    }
  }
  ++counters_.connections;
  if (slots_->size() >= options_.most_connections && !accept_paused_) {
    accept_paused_ = true;
    ++counters_.limit_hits;
    engine_->pause_accept();
    log(LogLevel::warning, "limit hit limit=\"connections\" accepting is paused until one closes");
  }
  http1_->on_accept(slot);
  return true;
}

void Worker::on_data(io::Slot& slot, std::span<char> bytes, bool last) {
  counters_.bytes_received += bytes.size();
  guarded(slot, [&] { http1_->on_data(slot, {bytes.data(), bytes.size()}, last); });
}

void Worker::on_eof(io::Slot& slot, bool unread) {
  guarded(slot, [&] { http1_->on_eof(slot, unread); });
}

void Worker::on_error(io::Slot& slot, int) { http1_->on_error(slot); }

void Worker::on_drained(io::Slot& slot) {
  guarded(slot, [&] { http1_->on_drained(slot); });
}

void Worker::on_accept_paused(int error) {
  if (error == 0) return;
  ++counters_.accept_pauses;
  log(LogLevel::warning, "accepting paused reason=\"" +
                             std::error_code(error, std::system_category()).message() +
                             "\" connections=" + std::to_string(slots_->size()));
}

}  // namespace spate::server
