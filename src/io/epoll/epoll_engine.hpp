// SPDX-License-Identifier: MIT
// The engine on epoll: edge-triggered, one receive buffer and one send buffer for the whole worker.
// A connection is registered only when its first bytes were not there at once, so that a short one
// costs accept4, recv, send, close. A short read means that the socket is empty; no second recv is
// made.
#pragma once

#include <memory>
#include <vector>

#include "io/engine.hpp"
#include "io/slot_queue.hpp"
#include "io/turn_clock.hpp"

namespace spate::io {

class EpollEngine final : public Engine {
 public:
  struct Options {
    bool short_io = false;  // for tests: no receive and no send is as long as it could be
  };
  // errors: system, when the kernel refuses a descriptor.
  static Result<std::unique_ptr<Engine>> make(const Options& options);
  static Result<std::unique_ptr<Engine>> make() { return make(Options()); }
  ~EpollEngine() override;

  std::string_view name() const noexcept override { return "epoll"; }
  SlotTable& slots() noexcept override { return slots_; }
  std::uint64_t system_calls() const noexcept override { return calls_; }

  void wait(Duration timeout) override;
  void dispatch(EngineClient& client) override;
  TimePoint now() const noexcept override { return clock_.now(); }
  Tick ticks() const noexcept override { return clock_.ticks(); }
  std::int64_t unix_seconds() const noexcept override { return clock_.unix_seconds(); }
  void wake() noexcept override;

  Result<> add_listener(int fd, std::uint16_t listener) override;
  void close_listeners(EngineClient& client) override;
  void pause_accept() override;
  void resume_accept() override;
  Result<> adopt(int fd, std::uint16_t listener, EngineClient& client) override;
  Result<> watch(int fd, bool readable, bool writable, Watch& watch) override;
  void unwatch(int fd) noexcept override;

  void pause_read(Slot& slot) noexcept override;
  void resume_read(Slot& slot) override;
  bool is_read_paused(const Slot& slot) const noexcept override;
  bool has_unread(const Slot& slot) const noexcept override;

  std::span<char> send_space() noexcept override { return {send_buffer_.get(), send_space_size}; }
  void send(Slot& slot, std::span<const char> bytes) noexcept override;
  std::size_t backlog(const Slot& slot) const noexcept override;
  std::uint64_t drained(const Slot& slot) const noexcept override;

  void shutdown_send(Slot& slot) noexcept override;
  void close(Slot& slot) noexcept override;
  void abort(Slot& slot) noexcept override;
  std::string peer(const Slot& slot) const override;

 private:
  // Slot::engine_flags.
  enum Flag : std::uint8_t {
    registered = 1,      // known to epoll
    paused = 2,          // the client wants no bytes
    unread = 4,          // bytes may wait in the kernel
    wants_out = 8,       // registered for EPOLLOUT too
    broken = 16,         // a send failed; on_error is due
    queued = 32,         // in the list of slots to look at again
    peer_closed = 64,    // the peer has closed its sending side
    shutdown_due = 128,  // close the sending side when the backlog is empty
  };
  struct Listener {
    int fd;
    std::uint16_t number;
  };
  struct Watched {
    int fd;
    Watch* watch;
  };

  EpollEngine(int epoll, int event, const Options& options);

  void look_at_those_queued(EngineClient& client);
  void on_connection_event(std::uint32_t index, std::uint16_t generation, std::uint32_t ready,
                           EngineClient& client);
  void accept_from(Listener listener, EngineClient& client, int most);
  void start(int fd, std::uint16_t listener, EngineClient& client);
  void read(Slot& slot, EngineClient& client);
  void flush_backlog(Slot& slot, EngineClient& client);
  void keep(Slot& slot, std::span<const char> bytes);
  void look_again(Slot& slot);
  void free_slot(Slot& slot) noexcept;
  void set_accepting(bool on) noexcept;
  void set_interest(Slot& slot);

  int epoll_;
  int event_;
  std::size_t receive_size_;
  std::size_t send_size_;
  std::unique_ptr<char[]> receive_buffer_;
  std::unique_ptr<char[]> send_buffer_;
  SlotTable slots_;
  std::vector<Listener> listeners_;
  std::vector<Watched> watches_;
  SlotQueue again_;  // slots to look at in the next turn
  bool accept_paused_by_client_ = false;
  bool accept_paused_by_error_ = false;
  TimePoint accept_retry_{};
  int event_count_ = 0;
  struct Events;
  std::unique_ptr<Events> events_;
  TurnClock clock_;
  mutable std::uint64_t calls_ = 0;
};

}  // namespace spate::io
