// SPDX-License-Identifier: MIT
// An engine whose kernel is a few buffers in memory and whose clock moves when told: what a socket
// does, without sockets. It keeps to the contract of io::Engine as the epoll engine does: edges are
// told once, received bytes are lent until the callback returns (each lot is a heap block of its
// exact size, so that a sanitizer finds views that were kept), failures of a send are told in a
// later turn. Its knobs make the kernel behave badly. lifetime: a MemoryPipe may outlive its
// engine. thread: one; only wake() may be called from elsewhere.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/engine.hpp"

namespace spate::testing {

class MemoryEngine;

// The two ends of one connection and what is under way between them.
struct Wire {
  // From the client to the server.
  std::string to_server;
  std::size_t taken = 0;  // of to_server, by the server
  bool client_closed = false;
  bool client_reset = false;
  bool client_gone = false;  // closed for good: what the server sends is answered with a reset
  // From the server to the client.
  std::string to_client;
  std::size_t window = SIZE_MAX;  // to_client holds at most so much
  bool server_closed = false;
  bool server_reset = false;
  bool server_gone = false;
  // The server's end.
  MemoryEngine* engine = nullptr;
  io::Slot* slot = nullptr;
  std::uint16_t listener = 0;
  int error = 0;  // as SO_ERROR: told once
  bool has_edge = false;
  std::string peer;

  std::size_t unread() const noexcept { return to_server.size() - taken; }
  std::size_t room() const noexcept {
    return window > to_client.size() ? window - to_client.size() : 0;
  }
};

// The client's end. A value: copies are the same connection.
class MemoryPipe {
 public:
  explicit MemoryPipe(std::shared_ptr<Wire> wire) noexcept : wire_(std::move(wire)) {}

  void send(std::string_view bytes);
  // What has arrived and was not taken yet.
  std::string_view received() const noexcept { return wire_->to_client; }
  // Takes it, which opens the receive window again.
  std::string take_received();
  // Half close: FIN.
  void close_sending();
  // Closes both sides: a reset when bytes were not read, else FIN, and a reset for what comes
  // after.
  void close();
  void reset();
  // How many bytes that were not taken the client's side holds; the server's sends wait for room.
  void set_receive_window(std::size_t bytes);

  // The server has closed its sending side, or the whole connection.
  bool is_closed_by_server() const noexcept { return wire_->server_closed; }
  bool was_reset() const noexcept { return wire_->server_reset; }
  // The server has no slot for it any more.
  bool is_gone() const noexcept { return wire_->server_gone; }
  // Bytes sent that the server has not received.
  std::size_t unread_by_server() const noexcept { return wire_->unread(); }

 private:
  void edge() noexcept;
  void room_edge() noexcept;

  std::shared_ptr<Wire> wire_;
};

// How the kernel behaves. Zero and false: as a good one.
struct MemoryKnobs {
  std::size_t bytes_per_receive = 0;  // at most, 1: drip
  std::size_t bytes_per_send = 0;     // at most, in one turn of a connection
  std::uint64_t seed = 0;             // events of a turn come in an order shuffled from it
  bool spurious_events = false;       // some events have nothing behind them
};

class MemoryEngine final : public io::Engine {
 public:
  explicit MemoryEngine(const MemoryKnobs& knobs = {});
  ~MemoryEngine() override;

  // --- the outside ---

  // A client connects. A closed listener refuses: the pipe is reset.
  MemoryPipe connect(std::uint16_t listener = 0, std::string peer = {});
  // The next `count` accepts fail with that errno value.
  void fail_accepts(std::size_t count, int error) noexcept;
  // After `after` more sends, each of `count` sends fails with that errno value.
  void fail_sends(std::size_t after, std::size_t count, int error) noexcept;
  // Whether the next wait() returns at once.
  bool has_events() const noexcept;
  // Received and sent by the server so far.
  std::uint64_t bytes_moved() const noexcept { return bytes_moved_; }

  // --- the clock ---

  void advance_to(TimePoint time) noexcept;
  // wait() may move the clock as far as this when nothing happens (by its timeout).
  void let_wait_advance_to(TimePoint time) noexcept { advance_limit_ = time; }
  // When the engine itself wants a turn, whatever happens: to accept again after a failure.
  TimePoint next_retry() const noexcept {
    return accept_paused_by_error_ ? accept_retry_ : TimePoint::max();
  }
  // When that tick begins.
  TimePoint time_of(io::Tick tick) const noexcept;

  // --- io::Engine ---

  std::string_view name() const noexcept override { return "memory"; }
  io::SlotTable& slots() noexcept override { return slots_; }
  // Never blocks.
  void wait(Duration timeout) override;
  void dispatch(io::EngineClient& client) override;
  TimePoint now() const noexcept override { return now_; }
  io::Tick ticks() const noexcept override;
  std::int64_t unix_seconds() const noexcept override;
  void wake() noexcept override { woken_.store(true, std::memory_order_release); }

  // Descriptors do not exist here. errors: invalid, always.
  Result<> add_listener(int fd, std::uint16_t listener) override;
  Result<> adopt(int fd, std::uint16_t listener, io::EngineClient& client) override;
  Result<> watch(int fd, bool readable, bool writable, io::Watch& watch) override;
  void unwatch(int) noexcept override {}
  void close_listeners(io::EngineClient& client) override;
  void pause_accept() override { accept_paused_by_client_ = true; }
  void resume_accept() override { accept_paused_by_client_ = false; }

  void pause_read(io::Slot& slot) noexcept override;
  void resume_read(io::Slot& slot) override;
  bool is_read_paused(const io::Slot& slot) const noexcept override;
  bool has_unread(const io::Slot& slot) const noexcept override;

  std::span<char> send_space() noexcept override { return {send_buffer_.get(), send_space_size}; }
  void send(io::Slot& slot, std::span<const char> bytes) noexcept override;
  std::size_t backlog(const io::Slot& slot) const noexcept override;
  std::uint64_t drained(const io::Slot& slot) const noexcept override;
  void shutdown_send(io::Slot& slot) noexcept override;
  void close(io::Slot& slot) noexcept override;
  void abort(io::Slot& slot) noexcept override;
  std::string peer(const io::Slot& slot) const override;

 private:
  friend class MemoryPipe;

  // Slot::engine_flags, as the epoll engine uses them.
  enum Flag : std::uint8_t {
    registered = 1,
    paused = 2,
    unread = 4,
    wants_out = 8,
    broken = 16,
    queued = 32,
    peer_closed = 64,
    shutdown_due = 128,
  };
  struct Ready {
    bool in = false;
    bool out = false;
    bool peer_closed = false;
    bool error = false;
  };
  struct Ref {
    std::uint32_t index;
    std::uint16_t generation;
  };
  struct Event {
    enum class Kind : std::uint8_t { connection, accept, wake } kind;
    Ref ref{};
    Ready ready{};
  };
  // Taken, or -errno.
  struct Taken {
    std::size_t size = 0;
    int error = 0;
  };

  Wire& wire(const io::Slot& slot) const noexcept { return *wires_[slot.index]; }
  Ready state_of(const Wire& wire) const noexcept;
  void raise_edge(Wire& wire) noexcept;
  void arm(io::Slot& slot);
  void collect();
  void accept(io::EngineClient& client, std::size_t most);
  void start(std::shared_ptr<Wire> wire, io::EngineClient& client);
  void read(io::Slot& slot, io::EngineClient& client);
  void on_connection_event(const Event& event, io::EngineClient& client);
  void flush_backlog(io::Slot& slot, io::EngineClient& client);
  Taken put(Wire& wire, std::span<const char> bytes);
  void look_again(io::Slot& slot);
  void end_slot(io::Slot& slot, bool reset) noexcept;
  std::uint64_t random() noexcept;
  bool may_accept() const noexcept {
    return !accept_paused_by_client_ && !accept_paused_by_error_ && !listeners_closed_;
  }

  MemoryKnobs knobs_;
  std::unique_ptr<char[]> send_buffer_;
  io::SlotTable slots_;
  std::vector<std::shared_ptr<Wire>> wires_;  // by index of the slot
  std::deque<std::shared_ptr<Wire>> connecting_;
  std::vector<Ref> edges_;
  std::vector<Ref> again_;
  std::vector<Event> events_;
  std::atomic<bool> woken_{false};
  std::size_t failing_accepts_ = 0;
  int accept_error_ = 0;
  std::size_t sends_before_failure_ = 0;
  std::size_t failing_sends_ = 0;
  int send_error_ = 0;
  bool accept_paused_by_client_ = false;
  bool accept_paused_by_error_ = false;
  bool listeners_closed_ = false;
  TimePoint accept_retry_{};
  TimePoint start_;
  TimePoint now_;
  TimePoint advance_limit_;
  std::uint64_t random_state_;
  std::uint32_t connections_made_ = 0;
  std::uint64_t bytes_moved_ = 0;
};

}  // namespace spate::testing
