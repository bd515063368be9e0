// SPDX-License-Identifier: MIT
#include "server/connection_h1.hpp"

#include <algorithm>
#include <utility>

#include "http/problem.hpp"
#include "server/worker.hpp"

namespace spate::server {
namespace {

// What the kernel is offered of a large body at a time; the rest stays where it is.
constexpr std::size_t piece_size = 64 * 1024;

SlotState state_of(const io::Slot& slot) noexcept { return static_cast<SlotState>(slot.state); }
std::uint64_t ticks_of(std::chrono::milliseconds time) noexcept {
  return static_cast<std::uint64_t>(time.count()) * io::ticks_per_second / 1000;
}
void set_state(io::Slot& slot, SlotState state) noexcept {
  slot.state = static_cast<std::uint8_t>(state);
}

}  // namespace

ConnectionH1::ConnectionH1(Worker& worker) noexcept
    : worker_(&worker),
      head_limits_{worker.limits().request_line, worker.limits().header_bytes,
                   worker.limits().header_fields},
      idle_ticks_(Worker::ticks_to(worker.limits().idle)) {
  const auto lifetime = ticks_of(worker.limits().lifetime);
  least_lifetime_ =
      lifetime == 0
          ? UINT32_MAX
          : static_cast<io::Tick>(std::min<std::uint64_t>(lifetime - lifetime / 10, UINT32_MAX));
}

// --- the request loop ---

void ConnectionH1::on_accept(io::Slot& slot) {
  set_state(slot, SlotState::idle);
  // A connection that never says a word ends like one whose head never ends.
  worker_->set_deadline(slot, worker_->limits().header_time);
}

void ConnectionH1::on_data(io::Slot& slot, std::string_view bytes, bool last) {
  if (last) slot.flags |= slot_peer_closed;
  if (state_of(slot) != SlotState::idle) [[unlikely]] {
    on_more_data(slot, bytes);
    return;
  }
  Input input(bytes);
  serve(slot, input);
}

void ConnectionH1::on_more_data(io::Slot& slot, std::string_view bytes) {
  switch (state_of(slot)) {
    case SlotState::linger:
      slot.ledger += static_cast<std::uint32_t>(bytes.size());
      if (slot.ledger > worker_->limits().unread_body) worker_->close(slot, false);
      return;
    case SlotState::closing:
    case SlotState::idle:
      return;
    case SlotState::active:
      break;
  }
  ExchangeH1& exchange = exchange_of(slot);
  switch (exchange.phase) {
    case ExchangeH1::Phase::head: {
      exchange.input.append(bytes);
      Input input(std::move(exchange.input));
      exchange.input.clear();
      serve(slot, input);
      return;
    }
    case ExchangeH1::Phase::running: {
      std::size_t used = 0;
      if (exchange.pending_input().empty() && exchange.body_buffered) used = exchange.feed(bytes);
      if (exchange.input_offset > 0) {
        exchange.input.erase(0, exchange.input_offset);
        exchange.input_offset = 0;
      }
      exchange.input.append(bytes.substr(used));
      if (!exchange.body_buffered && exchange.waits_for_body()) {
        http::EventWait::wake(exchange.body_event);
      }
      exchange.update_reading();
      return;
    }
    case ExchangeH1::Phase::discarding: {
      const std::size_t used = exchange.discard(bytes);
      if (exchange.close_after || exchange.discarded > worker_->limits().unread_body) {
        release(slot, exchange);
        end(slot, true);
        return;
      }
      if (!exchange.body_complete) return;
      Input input(bytes.substr(used));
      release(slot, exchange);
      if (input.bytes.empty()) {
        be_idle(slot);
      } else {
        serve(slot, input);
      }
      return;
    }
    case ExchangeH1::Phase::sending:
      exchange.input.append(bytes);
      return;
  }
}

// While there are complete requests: answer them. What is left waits in an exchange.
void ConnectionH1::serve(io::Slot& slot, Input& input) {
  while (!input.bytes.empty()) {
    ExchangeH1* exchange = static_cast<ExchangeH1*>(slot.session);
    if (exchange == nullptr) {
      exchange = &worker_->take_exchange();
      exchange->attach(slot);
      slot.session = exchange;
      set_state(slot, SlotState::active);
      slot.flags &= ~slot_seen_byte;
    }
    const h1::ParseResult parsed =
        exchange->parser.parse(exchange->head, input.bytes, head_limits_);
    if (parsed.status == h1::ParseStatus::need_more) [[unlikely]] {
      await_head(slot, *exchange, input);
      return;
    }
    if (parsed.status == h1::ParseStatus::error) [[unlikely]] {
      refuse_head(slot, *exchange, parsed.error);
      return;
    }
    if (!begin(slot, *exchange, input)) return;
  }
}

void ConnectionH1::await_head(io::Slot& slot, ExchangeH1& exchange, Input& input) {
  if (!(slot.flags & slot_seen_byte)) {
    // RFC 9112 9.5 leaves the time to us: it runs from the first byte, not from the latest.
    slot.flags |= slot_seen_byte;
    worker_->set_deadline(slot, worker_->limits().header_time);
  }
  hold(slot, exchange, input, ExchangeH1::Phase::head);
  worker_->resume_read(slot);
}

void ConnectionH1::refuse_head(io::Slot& slot, ExchangeH1& exchange, h1::ParseError error) {
  const int status = h1::status_of(error);
  if (status == 414) worker_->limit_hit(slot, "request_line");
  if (status == 431) {
    const bool count = error == h1::ParseError::too_many_fields;
    worker_->limit_hit(slot, count ? "header_fields" : "header_bytes");
  }
  refuse(slot, exchange, status, h1::describe(error));
}

// A request whose head is there. True: it is answered, and the connection goes on with `input`.
[[gnu::always_inline]] inline bool ConnectionH1::begin(io::Slot& slot, ExchangeH1& exchange,
                                                       Input& input) {
  ++slot.requests;
  Counters& counters = worker_->counters();
  ++counters.requests;
  ++counters.active_requests;
  exchange.is_counted = true;
  exchange.phase = ExchangeH1::Phase::running;
  exchange.plan.limits = &worker_->limits().route;
  worker_->service().plan(exchange.head, exchange.arena, exchange.plan);
  input.bytes.remove_prefix(exchange.head.size());
  if (exchange.head.has_body() && !take_body(slot, exchange, input)) return false;
  const http::Plan& plan = exchange.plan;
  if (plan.may_wait || !exchange.body_complete) {
    exchange.keep_head();
    worker_->clear_deadline(slot);
  }
  if (!exchange.body_complete && plan.body != http::Plan::Body::unwanted) {
    // The rest of the body is looked for here when the handler asks for it.
    exchange.input.assign(input.bytes);
    input = {};
  }

  exchange.in_turn = true;
  const http::RunState state = worker_->service().run(exchange);
  exchange.in_turn = false;
  if (state == http::RunState::pending) [[unlikely]] {
    exchange.is_pending = true;
    if (!exchange.has_begun_stream()) exchange.start_handler_timer();
    hold(slot, exchange, input, ExchangeH1::Phase::running);
    exchange.update_reading();
    return false;
  }
  return complete(slot, exchange, input);
}

// Looks at the content that the head announces. False: refused.
bool ConnectionH1::take_body(io::Slot& slot, ExchangeH1& exchange, Input& input) {
  const http::Plan& plan = exchange.plan;
  exchange.expect_body();
  if (!exchange.body_complete) {
    const bool buffered = plan.body == http::Plan::Body::buffered;
    const std::size_t most = buffered ? plan.limits->body : plan.limits->streamed_body;
    if (plan.body != http::Plan::Body::unwanted && exchange.body_left > most) {
      worker_->limit_hit(slot, "body");
      --worker_->counters().active_requests;
      exchange.is_counted = false;
      refuse(slot, exchange, 413,
             "the content is longer than the limit of " + std::to_string(most) + " bytes");
      return false;
    }
    // Content that came whole with its head is lent to a handler that does not wait.
    if (!exchange.body_is_chunked && exchange.body_left <= input.bytes.size()) {
      const auto size = static_cast<std::size_t>(exchange.body_left);
      exchange.whole = input.bytes.substr(0, size);
      if (plan.may_wait && plan.body != http::Plan::Body::unwanted) {
        exchange.whole = exchange.arena.copy(exchange.whole);
      }
      exchange.body_received = size;
      exchange.body_left = 0;
      exchange.body_complete = true;
      exchange.continue_due = false;
      input.bytes.remove_prefix(size);
    }
  }
  return true;
}

void ConnectionH1::on_finished(ExchangeH1& exchange) {
  io::Slot& slot = exchange.slot();
  Input input;
  if (complete(slot, exchange, input)) serve(slot, input);
}

// What was received and not consumed: with the exchange while its handler ran.
ConnectionH1::Input ConnectionH1::take_input(ExchangeH1& exchange) {
  Input input(std::move(exchange.input));
  input.bytes.remove_prefix(exchange.input_offset);
  exchange.input.clear();
  exchange.input_offset = 0;
  return input;
}

// The application is done with the request. True: answered, and the connection goes on with
// `input`.
[[gnu::always_inline]] inline bool ConnectionH1::complete(io::Slot& slot, ExchangeH1& exchange,
                                                          Input& input) {
  exchange.is_pending = false;
  exchange.stop_handler_timer();
  if (!exchange.input.empty()) [[unlikely]]
    input = take_input(exchange);
  Counters& counters = worker_->counters();
  --counters.active_requests;
  exchange.is_counted = false;
  const bool peer_gone =
      (slot.flags & slot_broken) != 0 ||
      (exchange.is_cancelled() && exchange.context().reason() == CancelReason::peer_gone);
  if (exchange.abort_now || peer_gone) [[unlikely]] {
    ++counters.cancelled;
    cut(slot, exchange);
    return false;
  }
  if (!exchange.body_complete) [[unlikely]]
    skip_content(exchange, input);
  const bool close = exchange.close_after || !exchange.head.keep_alive || worker_->is_draining() ||
                     lifetime_is_over(slot);
  if (!exchange.has_begun_stream()) [[likely]] {
    exchange.write_answer(close);
  } else {
    exchange.end_stream();
    if (exchange.abort_now) {
      cut(slot, exchange);
      return false;
    }
  }
  exchange.close_after = close || exchange.close_told;
  ++counters.responses;
  // Without a backlog of its own a slot has at most what the engine sends at the end of this turn.
  if (exchange.close_after || !exchange.sending.empty() || !exchange.body_complete ||
      slot.backlog != nullptr) [[unlikely]] {
    return after_answer(slot, exchange, input);
  }
  exchange.start_deferred();
  return next_request(slot, exchange, input);
}

[[gnu::always_inline]] inline bool ConnectionH1::next_request(io::Slot& slot, ExchangeH1& exchange,
                                                              Input& input) {
  release(slot, exchange);
  if (!input.bytes.empty()) return true;
  be_idle(slot);
  return false;
}

// Content that nobody asked for is in the way of the next request.
void ConnectionH1::skip_content(ExchangeH1& exchange, Input& input) {
  input.bytes.remove_prefix(exchange.discard(input.bytes));
  const bool small = !exchange.body_is_chunked &&
                     exchange.body_left + exchange.discarded <= worker_->limits().unread_body;
  // RFC 9110 10.1.1: a client that still waits for 100 may never send its content.
  if (!exchange.body_complete && (!small || exchange.continue_due || exchange.failure)) {
    exchange.close_after = true;
  }
}

// Ends the connection with a reset: an answer that is not whole must not look like one.
void ConnectionH1::cut(io::Slot& slot, ExchangeH1& exchange) {
  worker_->output().forget(slot);
  exchange.start_deferred();
  release(slot, exchange);
  worker_->close(slot, true);
}

// All of the answer that is in memory has been handed over, except for what `exchange.sending`
// holds.
bool ConnectionH1::after_answer(io::Slot& slot, ExchangeH1& exchange, Input& input) {
  io::Engine& engine = worker_->engine();
  while (!exchange.sending.empty() && engine.backlog(slot) == 0) {
    const std::string_view piece = exchange.sending.substr(0, piece_size);
    exchange.sending.remove_prefix(piece.size());
    worker_->output().append(slot, piece);
    worker_->output().flush();
  }
  // An answer that ends the connection is watched until its last byte is taken.
  if (exchange.close_after) worker_->output().flush();
  const std::size_t most = exchange.close_after ? 0 : worker_->limits().send_backlog;
  if (!exchange.sending.empty() || engine.backlog(slot) > most) {
    hold(slot, exchange, input, ExchangeH1::Phase::sending);
    worker_->pause_read(slot);
    exchange.write_began = 0;
    worker_->set_deadline_ticks(slot, io::ticks_per_second);
    return false;
  }
  exchange.start_deferred();
  if (exchange.close_after) {
    // Whether the client may still send something that nobody will read.
    const bool asked = !exchange.head.keep_alive && exchange.body_complete && input.bytes.empty();
    release(slot, exchange);
    end(slot, !asked);
    return false;
  }
  if (!exchange.body_complete) {
    hold(slot, exchange, input, ExchangeH1::Phase::discarding);
    worker_->resume_read(slot);
    worker_->set_deadline(slot, worker_->limits().linger);
    return false;
  }
  return next_request(slot, exchange, input);
}

// Answers a request that the application never sees, and ends the connection.
void ConnectionH1::refuse(io::Slot& slot, ExchangeH1& exchange, int status,
                          std::string_view detail) {
  exchange.has_more = true;
  http::render_problem(exchange.response, status, detail, exchange.request_id());
  exchange.write_answer(true);
  ++worker_->counters().responses;
  release(slot, exchange);
  end(slot, true);
}

// --- states between turns ---

// Keeps the exchange on the connection, with what was received and not consumed.
void ConnectionH1::hold(io::Slot& slot, ExchangeH1& exchange, Input& input,
                        ExchangeH1::Phase phase) {
  exchange.phase = phase;
  exchange.has_more = true;
  slot.session = &exchange;
  set_state(slot, SlotState::active);
  // What a plain handler answers with may lie in the receive buffer. It is copied once, not again
  // whenever the kernel has taken a part.
  if (phase == ExchangeH1::Phase::sending && !exchange.sending.empty() &&
      !exchange.response.owns_body() && !exchange.keeps_answer) {
    exchange.sending = exchange.arena.copy(exchange.sending);
    exchange.keeps_answer = true;
  }
  if (input.bytes.empty()) return;
  if (!input.owned.empty()) {
    const auto offset = static_cast<std::size_t>(input.bytes.data() - input.owned.data());
    exchange.input = std::move(input.owned);
    exchange.input_offset = offset;
  } else {
    exchange.input.assign(input.bytes);
    exchange.input_offset = 0;
  }
  // An unfinished head has to begin the buffer: the parser counts from its first byte.
  if (phase == ExchangeH1::Phase::head && exchange.input_offset > 0) {
    exchange.input.erase(0, exchange.input_offset);
    exchange.input_offset = 0;
  }
  if (phase == ExchangeH1::Phase::head) exchange.head.rebase(exchange.input.data());
}

[[gnu::always_inline]] inline void ConnectionH1::be_idle(io::Slot& slot) {
  if ((slot.flags & slot_peer_closed) && !worker_->engine().has_unread(slot)) {
    end(slot, false);
    return;
  }
  set_state(slot, SlotState::idle);
  worker_->resume_read(slot);
  worker_->set_deadline_ticks(slot,
                              worker_->is_draining() ? Worker::ticks_to(drain_idle) : idle_ticks_);
}

// Closes for sending now, for good as soon as the peer has had the chance to read the answer.
void ConnectionH1::end(io::Slot& slot, bool may_have_unread) {
  io::Engine& engine = worker_->engine();
  worker_->output().flush();
  // The patience is over: nobody is waited for any more.
  if (worker_->is_cut()) {
    worker_->close(slot, false);
    return;
  }
  const bool peer_closed = (slot.flags & slot_peer_closed) != 0;
  if (engine.backlog(slot) > 0) {
    set_state(slot, SlotState::closing);
    engine.shutdown_send(slot);
    worker_->pause_read(slot);
    worker_->set_deadline(slot, worker_->limits().write_idle);
    return;
  }
  if ((peer_closed || !may_have_unread) && !engine.has_unread(slot)) {
    worker_->close(slot, false);
    return;
  }
  // RFC 9112 9.6: closing at once would reset the connection and could take the answer with it.
  set_state(slot, SlotState::linger);
  slot.ledger = 0;
  engine.shutdown_send(slot);
  worker_->resume_read(slot);
  worker_->set_deadline(slot, worker_->limits().linger);
}

void ConnectionH1::on_cut(io::Slot& slot) {
  if (slot.session == nullptr) {
    worker_->close(slot, false);
    return;
  }
  ExchangeH1& exchange = exchange_of(slot);
  if (exchange.is_pending) return;
  exchange.start_deferred();
  release(slot, exchange);
  worker_->close(slot, true);
}

bool ConnectionH1::lifetime_is_over(const io::Slot& slot) const noexcept {
  return worker_->ticks() - slot.born > least_lifetime_ && is_past_lifetime(slot);
}

bool ConnectionH1::is_past_lifetime(const io::Slot& slot) const noexcept {
  const auto lifetime = worker_->limits().lifetime;
  // Up to a tenth earlier, by slot: connections that began together must not end together.
  const std::uint64_t most = ticks_of(lifetime);
  const std::uint64_t mixed = (slot.index * 0x9e3779b97f4a7c15ULL ^ worker_->seed()) >> 40;
  const std::uint64_t jitter = most / 10 * (mixed & 1023) / 1024;
  return worker_->ticks() - slot.born > most - jitter;
}

// --- events ---

void ConnectionH1::on_eof(io::Slot& slot, bool unread) {
  const bool known = (slot.flags & slot_peer_closed) != 0;
  slot.flags |= slot_peer_closed;
  switch (state_of(slot)) {
    case SlotState::idle:
      // Answers of this turn may not have been sent yet.
      end(slot, false);
      return;
    case SlotState::linger:
      worker_->close(slot, false);
      return;
    case SlotState::closing:
      return;
    case SlotState::active:
      break;
  }
  ExchangeH1& exchange = exchange_of(slot);
  switch (exchange.phase) {
    case ExchangeH1::Phase::head:
    case ExchangeH1::Phase::discarding:
      release(slot, exchange);
      end(slot, false);
      return;
    case ExchangeH1::Phase::sending:
      return;
    case ExchangeH1::Phase::running:
      break;
  }
  if (!exchange.body_complete && !unread) {
    // An upload that ends before its announced end: whoever reads it gets an error, never an end.
    exchange.input_ended = true;
    if (exchange.waits_for_body()) {
      http::EventWait::wake(exchange.body_event);
      return;
    }
  }
  // Requests that were completely received before are answered.
  if (known || unread || exchange.plan.limits->half_close || !exchange.pending_input().empty())
    return;
  exchange.cancel(CancelReason::peer_gone);
}

void ConnectionH1::on_error(io::Slot& slot) {
  slot.flags |= slot_broken | slot_peer_closed;
  worker_->output().forget(slot);
  if (slot.session != nullptr) {
    ExchangeH1& exchange = exchange_of(slot);
    if (exchange.is_pending) {
      exchange.fail_body(Errc::closed, "the connection broke before the content was complete", 400);
      exchange.cancel(CancelReason::peer_gone);
      return;
    }
    // In the middle of a request only where memory was wanting.
    if (exchange.is_counted) --worker_->counters().active_requests;
    exchange.start_deferred();
    release(slot, exchange);
  }
  worker_->close(slot, false);
}

void ConnectionH1::on_drained(io::Slot& slot) {
  if (state_of(slot) == SlotState::closing) {
    set_state(slot, SlotState::idle);
    end(slot, true);
    return;
  }
  if (state_of(slot) != SlotState::active) return;
  ExchangeH1& exchange = exchange_of(slot);
  if (exchange.phase == ExchangeH1::Phase::running) {
    exchange.write_began = 0;
    http::EventWait::wake(exchange.write_event);
    return;
  }
  if (exchange.phase != ExchangeH1::Phase::sending) return;
  worker_->clear_deadline(slot);
  Input input = take_input(exchange);
  if (after_answer(slot, exchange, input)) serve(slot, input);
}

void ConnectionH1::on_deadline(io::Slot& slot) {
  switch (state_of(slot)) {
    case SlotState::idle:
      end(slot, true);
      return;
    case SlotState::linger:
      worker_->close(slot, false);
      return;
    case SlotState::closing:
      worker_->limit_hit(slot, "write_idle");
      worker_->close(slot, true);
      return;
    case SlotState::active:
      break;
  }
  ExchangeH1& exchange = exchange_of(slot);
  switch (exchange.phase) {
    case ExchangeH1::Phase::head:
      worker_->limit_hit(slot, "header_time");
      refuse(slot, exchange, 408, "the request's head did not arrive in time");
      return;
    case ExchangeH1::Phase::discarding:
      release(slot, exchange);
      end(slot, true);
      return;
    case ExchangeH1::Phase::sending:
      if (!send_rate_is_too_low(slot, exchange)) return;
      worker_->limit_hit(slot, "write_rate");
      exchange.start_deferred();
      release(slot, exchange);
      worker_->close(slot, true);
      return;
    case ExchangeH1::Phase::running:
      break;
  }
  if (exchange.waits_for_body()) check_body_rate(slot, exchange);
  if (exchange.write_event != nullptr && send_rate_is_too_low(slot, exchange)) {
    worker_->limit_hit(slot, "write_rate");
    exchange.abort_now = true;
    exchange.cancel(CancelReason::peer_gone);
  }
}

void ConnectionH1::check_body_rate(io::Slot& slot, ExchangeH1& exchange) {
  const Limits& limits = worker_->limits();
  const io::Tick now = worker_->ticks();
  Duration waited = exchange.body_waited;
  if (exchange.body_wait_began) waited += worker_->now() - *exchange.body_wait_began;
  const bool stalled = now - exchange.last_body_byte > ticks_of(limits.body_idle);
  const double counted = std::chrono::duration<double>(waited - limits.rate_grace).count();
  const bool slow =
      static_cast<double>(exchange.body_received) < counted * exchange.plan.limits->body_rate;
  if (stalled || slow) {
    worker_->limit_hit(slot, stalled ? "body_idle" : "body_rate");
    exchange.fail_body(Errc::timeout, "the request's content did not arrive in time", 408);
    return;
  }
  worker_->set_deadline_ticks(slot, io::ticks_per_second);
}

bool ConnectionH1::send_rate_is_too_low(io::Slot& slot, ExchangeH1& exchange) {
  const Limits& limits = worker_->limits();
  io::Engine& engine = worker_->engine();
  const io::Tick now = worker_->ticks();
  const std::uint64_t drained = engine.drained(slot);
  if (exchange.write_began == 0) {
    exchange.write_began = exchange.last_drain = now;
    exchange.drained_before = drained;
  } else if (drained != exchange.drained_before) {
    exchange.drained_before = drained;
    exchange.last_drain = now;
  }
  const std::uint64_t waited = now - exchange.write_began;
  const std::uint64_t grace = ticks_of(limits.rate_grace);
  const std::uint32_t rate =
      exchange.plan.limits != nullptr ? exchange.plan.limits->write_rate : limits.route.write_rate;
  const bool stalled = now - exchange.last_drain > ticks_of(limits.write_idle);
  const bool slow = waited > grace && drained * io::ticks_per_second < (waited - grace) * rate;
  if (stalled || slow) return true;
  worker_->set_deadline_ticks(slot, io::ticks_per_second);
  return false;
}

}  // namespace spate::server
