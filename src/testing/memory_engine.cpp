// SPDX-License-Identifier: MIT
#include "testing/memory_engine.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/backlog.hpp"

namespace spate::testing {
namespace {

constexpr std::size_t receive_size = 64 * 1024;
constexpr int reads_per_turn = 4;
constexpr std::size_t accepts_per_turn = 64;
constexpr Duration accept_retry_after = std::chrono::milliseconds(100);
constexpr Duration tick_length =
    std::chrono::nanoseconds(std::chrono::seconds(1)) / io::ticks_per_second;
// A date that never changes, so that answers are the same in every run.
constexpr std::int64_t unix_start = 1'700'000'000;

void clear_flag(io::Slot& slot, std::uint8_t flag) noexcept {
  slot.engine_flags &= static_cast<std::uint8_t>(~flag);
}

std::unexpected<Error> no_descriptors() {
  return std::unexpected(Error(Errc::invalid,
                               "the memory engine knows no descriptors; connect() to it, or test "
                               "this with an engine of the kernel"));
}

// Errors of send that mean "not now".
bool is_transient(int error) noexcept {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOBUFS;
}

}  // namespace

// --- the client's end ---

void MemoryPipe::edge() noexcept {
  if (wire_->engine != nullptr) wire_->engine->raise_edge(*wire_);
}

// Room is an event only for a server that waits for it.
void MemoryPipe::room_edge() noexcept {
  if (wire_->slot != nullptr && (wire_->slot->engine_flags & MemoryEngine::wants_out)) edge();
}

void MemoryPipe::send(std::string_view bytes) {
  if (wire_->client_closed || wire_->client_reset || bytes.empty()) return;
  if (wire_->server_gone) {
    // RFC 9293 3.10.7.1: what comes for a closed connection is answered with a reset.
    wire_->server_reset = true;
    return;
  }
  wire_->to_server.append(bytes);
  edge();
}

std::string MemoryPipe::take_received() {
  std::string bytes = std::exchange(wire_->to_client, {});
  if (!bytes.empty()) room_edge();
  return bytes;
}

void MemoryPipe::close_sending() {
  if (wire_->client_closed || wire_->client_reset) return;
  wire_->client_closed = true;
  edge();
}

void MemoryPipe::close() {
  if (!wire_->to_client.empty()) {
    reset();
    return;
  }
  wire_->client_gone = true;
  close_sending();
}

void MemoryPipe::reset() {
  if (wire_->client_reset || wire_->server_gone) return;
  wire_->error = wire_->client_closed ? EPIPE : ECONNRESET;
  wire_->client_reset = true;
  wire_->client_gone = true;
  edge();
}

void MemoryPipe::set_receive_window(std::size_t bytes) {
  wire_->window = bytes;
  room_edge();
}

// --- the outside ---

MemoryEngine::MemoryEngine(const MemoryKnobs& knobs)
    : knobs_(knobs),
      send_buffer_(new char[send_space_size]),
      // Well above zero, so that subtracting a duration stays a valid time.
      start_(std::chrono::hours(24)),
      now_(start_),
      advance_limit_(start_),
      random_state_(knobs.seed * 2 + 1) {}

MemoryEngine::~MemoryEngine() {
  slots_.for_each([this](io::Slot& slot) { end_slot(slot, false); });
  for (const std::shared_ptr<Wire>& wire : connecting_) {
    wire->engine = nullptr;
    wire->server_closed = wire->server_reset = wire->server_gone = true;
  }
}

MemoryPipe MemoryEngine::connect(std::uint16_t listener, std::string peer) {
  auto wire = std::make_shared<Wire>();
  wire->listener = listener;
  ++connections_made_;
  wire->peer = peer.empty() ? "127.0.0.1:" + std::to_string(40'000 + connections_made_ % 20'000)
                            : std::move(peer);
  if (listeners_closed_) {
    wire->server_closed = wire->server_reset = wire->server_gone = true;
  } else {
    wire->engine = this;
    connecting_.push_back(wire);
  }
  return MemoryPipe(std::move(wire));
}

void MemoryEngine::fail_accepts(std::size_t count, int error) noexcept {
  failing_accepts_ = count;
  accept_error_ = error;
}

void MemoryEngine::fail_sends(std::size_t after, std::size_t count, int error) noexcept {
  sends_before_failure_ = after;
  failing_sends_ = count;
  send_error_ = error;
}

bool MemoryEngine::has_events() const noexcept {
  return !again_.empty() || !edges_.empty() || !events_.empty() ||
         woken_.load(std::memory_order_acquire) || (may_accept() && !connecting_.empty()) ||
         (accept_paused_by_error_ && now_ >= accept_retry_);
}

void MemoryEngine::advance_to(TimePoint time) noexcept { now_ = std::max(now_, time); }

TimePoint MemoryEngine::time_of(io::Tick tick) const noexcept {
  return start_ + tick_length * (static_cast<std::int64_t>(tick) - 1);
}

io::Tick MemoryEngine::ticks() const noexcept {
  return static_cast<io::Tick>((now_ - start_) / tick_length) + 1;
}

std::int64_t MemoryEngine::unix_seconds() const noexcept {
  return unix_start + std::chrono::duration_cast<std::chrono::seconds>(now_ - start_).count();
}

std::uint64_t MemoryEngine::random() noexcept {
  random_state_ ^= random_state_ << 13;
  random_state_ ^= random_state_ >> 7;
  random_state_ ^= random_state_ << 17;
  return random_state_;
}

// --- the turn ---

MemoryEngine::Ready MemoryEngine::state_of(const Wire& wire) const noexcept {
  const bool ended = wire.client_closed || wire.client_reset;
  return {.in = wire.unread() > 0 || ended,
          .out = (wire.slot->engine_flags & wants_out) != 0 &&
                 (wire.room() > 0 || wire.client_reset || wire.client_gone),
          .peer_closed = ended,
          .error = wire.error != 0};
}

// Something happened to the connection. What it is, is looked up when the event is taken.
void MemoryEngine::raise_edge(Wire& wire) noexcept {
  if (wire.slot == nullptr || wire.has_edge || !(wire.slot->engine_flags & registered)) return;
  const Ready ready = state_of(wire);
  if (!ready.in && !ready.out && !ready.error) return;
  wire.has_edge = true;
  edges_.push_back({wire.slot->index, wire.slot->generation});
}

// From here on events are told; what is there already is one.
void MemoryEngine::arm(io::Slot& slot) {
  slot.engine_flags |= registered;
  raise_edge(wire(slot));
}

void MemoryEngine::wait(Duration timeout) {
  if (!has_events()) {
    TimePoint until = advance_limit_;
    if (timeout >= Duration::zero() && timeout < advance_limit_ - now_) until = now_ + timeout;
    if (accept_paused_by_error_) until = std::min(until, accept_retry_);
    advance_to(until);
  }
  collect();
}

void MemoryEngine::collect() {
  if (woken_.exchange(false, std::memory_order_acq_rel)) {
    events_.push_back({.kind = Event::Kind::wake});
  }
  if (may_accept() && !connecting_.empty()) events_.push_back({.kind = Event::Kind::accept});
  for (const Ref& ref : edges_) {
    io::Slot* slot = slots_.find(ref.index, ref.generation);
    if (slot == nullptr) continue;
    wire(*slot).has_edge = false;
    events_.push_back(
        {.kind = Event::Kind::connection, .ref = ref, .ready = state_of(wire(*slot))});
  }
  edges_.clear();
  if (knobs_.spurious_events) {
    slots_.for_each([this](io::Slot& slot) {
      if (!(slot.engine_flags & registered) || random() % 4 != 0) return;
      events_.push_back({.kind = Event::Kind::connection,
                         .ref = {slot.index, slot.generation},
                         .ready = {.in = true, .out = (slot.engine_flags & wants_out) != 0}});
    });
    if (random() % 4 == 0) events_.push_back({.kind = Event::Kind::wake});
  }
  if (knobs_.seed != 0) {
    for (std::size_t left = events_.size(); left > 1; --left) {
      std::swap(events_[left - 1], events_[random() % left]);
    }
  }
}

void MemoryEngine::dispatch(io::EngineClient& client) {
  const std::vector<Ref> looking = std::exchange(again_, {});
  const std::vector<Event> events = std::exchange(events_, {});
  for (const Ref& ref : looking) {
    io::Slot* slot = slots_.find(ref.index, ref.generation);
    if (slot == nullptr) continue;
    clear_flag(*slot, queued);
    if (slot->engine_flags & broken) {
      client.on_error(*slot, EPIPE);
    } else if ((slot->engine_flags & (paused | unread)) == unread) {
      read(*slot, client);
    }
  }
  for (const Event& event : events) {
    switch (event.kind) {
      case Event::Kind::connection:
        on_connection_event(event, client);
        break;
      case Event::Kind::accept:
        accept(client, accepts_per_turn);
        break;
      case Event::Kind::wake:
        client.on_wake();
        break;
    }
  }
  if (accept_paused_by_error_ && now_ >= accept_retry_) {
    accept_paused_by_error_ = false;
    client.on_accept_paused(0);
  }
}

void MemoryEngine::on_connection_event(const Event& event, io::EngineClient& client) {
  io::Slot* slot = slots_.find(event.ref.index, event.ref.generation);
  if (slot == nullptr) return;
  if (event.ready.error) {
    if (const int error = std::exchange(wire(*slot).error, 0)) {
      client.on_error(*slot, error);
      return;
    }
  }
  if (event.ready.out) {
    flush_backlog(*slot, client);
    slot = slots_.find(event.ref.index, event.ref.generation);
    if (slot == nullptr) return;
  }
  if (event.ready.peer_closed) slot->engine_flags |= peer_closed;
  if (!event.ready.in) return;
  slot->engine_flags |= unread;
  if (!(slot->engine_flags & paused)) {
    read(*slot, client);
  } else if (slot->engine_flags & peer_closed) {
    client.on_eof(*slot, wire(*slot).unread() > 0);
  }
}

// --- accepting ---

void MemoryEngine::accept(io::EngineClient& client, std::size_t most) {
  for (std::size_t i = 0; i < most && !connecting_.empty() && !accept_paused_by_client_; ++i) {
    if (failing_accepts_ > 0) {
      --failing_accepts_;
      switch (accept_error_) {
        case ECONNABORTED:
          // The connection in front is lost.
          connecting_.front()->engine = nullptr;
          connecting_.front()->server_closed = connecting_.front()->server_reset =
              connecting_.front()->server_gone = true;
          connecting_.pop_front();
          continue;
        case EINTR:
          continue;
        default:
          accept_paused_by_error_ = true;
          accept_retry_ = now_ + accept_retry_after;
          client.on_accept_paused(accept_error_);
          return;
      }
    }
    std::shared_ptr<Wire> wire = std::move(connecting_.front());
    connecting_.pop_front();
    start(std::move(wire), client);
  }
}

void MemoryEngine::start(std::shared_ptr<Wire> accepted, io::EngineClient& client) {
  io::Slot* slot = &slots_.allocate();
  slot->listener = accepted->listener;
  slot->born = ticks();
  slot->engine_flags = unread;
  accepted->slot = slot;
  if (wires_.size() <= slot->index) wires_.resize(slot->index + 1);
  wires_[slot->index] = std::move(accepted);
  const Ref ref{slot->index, slot->generation};
  if (!client.on_accept(*slot)) {
    slot = slots_.find(ref.index, ref.generation);
    if (slot != nullptr) end_slot(*slot, false);
    return;
  }
  slot = slots_.find(ref.index, ref.generation);
  if (slot == nullptr) return;
  read(*slot, client);
  slot = slots_.find(ref.index, ref.generation);
  if (slot != nullptr && !(slot->engine_flags & registered)) arm(*slot);
}

void MemoryEngine::close_listeners(io::EngineClient& client) {
  accept_paused_by_client_ = false;
  accept(client, SIZE_MAX);
  listeners_closed_ = true;
  accept_paused_by_error_ = false;
  for (const std::shared_ptr<Wire>& wire : connecting_) {
    wire->engine = nullptr;
    wire->server_closed = wire->server_reset = wire->server_gone = true;
  }
  connecting_.clear();
}

Result<> MemoryEngine::add_listener(int, std::uint16_t) { return no_descriptors(); }
Result<> MemoryEngine::adopt(int, std::uint16_t, io::EngineClient&) { return no_descriptors(); }
Result<> MemoryEngine::watch(int, bool, bool, io::Watch&) { return no_descriptors(); }

// --- receiving ---

void MemoryEngine::read(io::Slot& first, io::EngineClient& client) {
  io::Slot* slot = &first;
  const Ref ref{first.index, first.generation};
  const std::size_t most = knobs_.bytes_per_receive == 0
                               ? receive_size
                               : std::min(knobs_.bytes_per_receive, receive_size);
  for (int i = 0; i < reads_per_turn; ++i) {
    // The handle in the table may go while the callback runs.
    const std::shared_ptr<Wire> held = wires_[slot->index];
    Wire& wire = *held;
    const std::size_t size = std::min(wire.unread(), most);
    if (size == 0) {
      clear_flag(*slot, unread);
      if (const int error = std::exchange(wire.error, 0)) {
        client.on_error(*slot, error);
      } else if (wire.client_closed || wire.client_reset) {
        slot->engine_flags |= peer_closed;
        client.on_eof(*slot, false);
      }
      return;
    }
    const std::unique_ptr<char[]> lent(new char[size]);
    std::memcpy(lent.get(), wire.to_server.data() + wire.taken, size);
    wire.taken += size;
    bytes_moved_ += size;
    if (wire.unread() == 0) {
      wire.to_server.clear();
      wire.taken = 0;
    } else if (wire.taken > receive_size) {
      wire.to_server.erase(0, std::exchange(wire.taken, 0));
    }
    const bool full = size == receive_size;
    const bool last =
        !full && wire.unread() == 0 && (slot->engine_flags & peer_closed) != 0 && wire.error == 0;
    if (!full) {
      clear_flag(*slot, unread);
      // A short read has emptied the socket; the rest of a drip is a later arrival.
      if (wire.unread() > 0) raise_edge(wire);
    }
    client.on_data(*slot, {lent.get(), size}, last);
    slot = slots_.find(ref.index, ref.generation);
    if (slot == nullptr || (slot->engine_flags & broken)) return;
    if (last) {
      client.on_eof(*slot, false);
      return;
    }
    if (!full || (slot->engine_flags & paused)) return;
  }
  look_again(*slot);
}

void MemoryEngine::look_again(io::Slot& slot) {
  if (slot.engine_flags & queued) return;
  again_.push_back({slot.index, slot.generation});
  slot.engine_flags |= queued;
}

void MemoryEngine::pause_read(io::Slot& slot) noexcept { slot.engine_flags |= paused; }

void MemoryEngine::resume_read(io::Slot& slot) {
  if (!(slot.engine_flags & paused)) return;
  clear_flag(slot, paused);
  if (slot.engine_flags & unread) look_again(slot);
}

bool MemoryEngine::is_read_paused(const io::Slot& slot) const noexcept {
  return (slot.engine_flags & paused) != 0;
}

bool MemoryEngine::has_unread(const io::Slot& slot) const noexcept {
  return (slot.engine_flags & unread) != 0;
}

// --- sending ---

// What send(2) would do.
MemoryEngine::Taken MemoryEngine::put(Wire& wire, std::span<const char> bytes) {
  if (sends_before_failure_ > 0) {
    --sends_before_failure_;
  } else if (failing_sends_ > 0) {
    --failing_sends_;
    return {.error = send_error_};
  }
  if (wire.client_reset) {
    const int error = std::exchange(wire.error, 0);
    return {.error = error != 0 ? error : EPIPE};
  }
  if (wire.server_closed) return {.error = EPIPE};
  if (wire.client_gone) {
    // The client's kernel refuses what comes; the server hears of it a moment later.
    wire.client_reset = true;
    wire.error = EPIPE;
    raise_edge(wire);
    return {.size = bytes.size()};
  }
  std::size_t size = std::min(bytes.size(), wire.room());
  if (knobs_.bytes_per_send != 0) size = std::min(size, knobs_.bytes_per_send);
  if (size == 0) return {.error = EAGAIN};
  wire.to_client.append(bytes.data(), size);
  bytes_moved_ += size;
  return {.size = size};
}

void MemoryEngine::send(io::Slot& slot, std::span<const char> bytes) noexcept {
  if ((slot.engine_flags & broken) || bytes.empty()) return;
  if (slot.backlog == nullptr) {
    const Taken taken = put(wire(slot), bytes);
    if (taken.error != 0 && !is_transient(taken.error)) {
      slot.engine_flags |= broken;
      look_again(slot);
      return;
    }
    if (taken.size == bytes.size()) return;
    bytes = bytes.subspan(taken.size);
    slot.backlog = new io::Backlog;
    slot.engine_flags |= wants_out;
    arm(slot);
  }
  std::vector<char>& kept = slot.backlog->bytes;
  kept.erase(kept.begin(),
             kept.begin() + static_cast<std::ptrdiff_t>(std::exchange(slot.backlog->sent, 0)));
  kept.insert(kept.end(), bytes.begin(), bytes.end());
}

void MemoryEngine::flush_backlog(io::Slot& slot, io::EngineClient& client) {
  io::Backlog* backlog = slot.backlog;
  if (backlog == nullptr) return;
  while (backlog->size() > 0) {
    const Taken taken =
        put(wire(slot), std::span<const char>(backlog->bytes).subspan(backlog->sent));
    if (taken.error == EINTR) continue;
    if (taken.error != 0) {
      if (is_transient(taken.error)) {
        // A full window opens with an edge of its own; other refusals are tried again.
        if (wire(slot).room() > 0) raise_edge(wire(slot));
        return;
      }
      slot.engine_flags |= broken;
      client.on_error(slot, taken.error);
      return;
    }
    backlog->sent += taken.size;
    backlog->drained += taken.size;
    if (knobs_.bytes_per_send != 0 && backlog->size() > 0) {
      if (wire(slot).room() > 0) raise_edge(wire(slot));
      return;
    }
  }
  delete std::exchange(slot.backlog, nullptr);
  clear_flag(slot, wants_out);
  if (slot.engine_flags & shutdown_due) wire(slot).server_closed = true;
  arm(slot);
  client.on_drained(slot);
}

std::size_t MemoryEngine::backlog(const io::Slot& slot) const noexcept {
  return slot.backlog == nullptr ? 0 : slot.backlog->size();
}

std::uint64_t MemoryEngine::drained(const io::Slot& slot) const noexcept {
  return slot.backlog == nullptr ? 0 : slot.backlog->drained;
}

void MemoryEngine::shutdown_send(io::Slot& slot) noexcept {
  if (slot.backlog != nullptr) {
    slot.engine_flags |= shutdown_due;
  } else {
    wire(slot).server_closed = true;
  }
}

// --- the end ---

void MemoryEngine::end_slot(io::Slot& slot, bool reset) noexcept {
  delete slot.backlog;
  const std::shared_ptr<Wire> ended = std::move(wires_[slot.index]);
  // RFC 9293 3.6.1: closing with bytes that were not received is a reset.
  ended->server_reset = reset || ended->unread() > 0;
  ended->server_closed = ended->server_gone = true;
  ended->slot = nullptr;
  ended->engine = nullptr;
  slots_.free(slot);
}

void MemoryEngine::close(io::Slot& slot) noexcept { end_slot(slot, false); }
void MemoryEngine::abort(io::Slot& slot) noexcept { end_slot(slot, true); }

std::string MemoryEngine::peer(const io::Slot& slot) const { return wire(slot).peer; }

}  // namespace spate::testing
