// SPDX-License-Identifier: MIT
// The engine on io_uring. One system call a turn hands over what was queued and waits; accepting
// and receiving stay armed; bytes arrive in buffers that the kernel picks, so that an idle
// connection has none. Small sends are queued out of one arena and end inside the call that hands
// them over: only what the kernel did not take is ever reported. thread: made anywhere; the first
// wait() binds it to its thread. Turned by another thread after that one has ended, it goes on
// without a ring: plain calls, nothing is received, everything can be sent and closed.
#pragma once

#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "io/engine.hpp"
#include "io/slot_queue.hpp"
#include "io/turn_clock.hpp"
#include "io/uring/ring.hpp"

namespace spate::io {

class UringEngine final : public Engine {
 public:
  // Sizes are powers of two. Tests make them small.
  struct Options {
    unsigned entries = 1024;
    unsigned completions = 8192;
    unsigned buffers = 128;
    std::size_t buffer_size = 2048;
    unsigned large_buffers = 8;
    std::size_t large_buffer_size = 64 * 1024;
    bool short_io = false;  // no send is taken whole
  };
  // errors: system, when the kernel refuses a ring, its buffers or a descriptor.
  static Result<std::unique_ptr<Engine>> make(const Options& options);
  static Result<std::unique_ptr<Engine>> make() { return make(Options()); }
  ~UringEngine() override;

  std::string_view name() const noexcept override { return "io_uring"; }
  SlotTable& slots() noexcept override { return slots_; }
  std::uint64_t system_calls() const noexcept override { return calls_; }

  void wait(Duration timeout) override;
  void dispatch(EngineClient& client) override;
  TimePoint now() const noexcept override { return clock_.now(); }
  Tick ticks() const noexcept override { return clock_.ticks(); }
  std::int64_t unix_seconds() const noexcept override { return clock_.unix_seconds(); }
  void wake() noexcept override;
  void leave_thread() noexcept override;

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

  std::span<char> send_space() noexcept override;
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
    paused = 1,         // the client wants no bytes
    unread = 2,         // bytes may wait in the kernel
    kept = 4,           // bytes that came while it was paused wait in kept_
    broken = 8,         // a send failed; on_error is due
    queued = 16,        // in the list of slots to look at again
    peer_closed = 32,   // the peer has closed its sending side
    ended = 64,         // and all bytes before that were received
    shutdown_due = 128  // close the sending side when the backlog is empty
  };
  // Slot::engine_more.
  enum More : std::uint16_t {
    receiving = 1,       // a receive is armed
    cancelling = 2,      // and its cancellation is queued
    polling = 4,         // a poll for the peer's end is armed
    hung_up = 8,         // both sides are closed; polling again would tell it for ever
    sending = 16,        // the backlog's bytes are with the kernel
    in_batch = 32,       // a send is queued that the kernel has not seen
    known = 64,          // its first bytes have come: from here on receiving stays armed
    large = 128,         // receives into large buffers
    leaving = 256,       // closed by the client
    orphaned = 512,      // closed with bytes on their way: the backlog is still finished
    full_reads = 0x7000  // how many full buffers came in a row
  };
  struct Listener {
    int fd;
    std::uint16_t number;
    bool armed = false;
    bool stays = true;  // armed once for all connections
  };
  struct Watched {
    int fd;
    std::uint32_t id;
    unsigned events;
    Watch* watch;
    bool armed;
  };
  struct Completion {
    std::uint64_t data;
    std::int32_t result;
    std::uint32_t flags;
  };
  // A send of this batch.
  struct Sent {
    std::uint32_t index;
    std::uint16_t generation;
    bool closes;  // its descriptor is closed right behind it, if it was taken whole
    std::uint32_t offset;
    std::uint32_t size;
    io_uring_sqe* entry;
  };
  struct Accepted {
    int fd;
    std::uint16_t listener;
  };
  struct RingBacklog;

  explicit UringEngine(const Options& options);
  Result<> open();

  // --- the ring ---
  void bind() noexcept;
  bool owns_ring() noexcept;
  io_uring_sqe* entry() noexcept;
  void submit() noexcept;
  void enter(unsigned wait_for, bool collect, const __kernel_timespec* timeout) noexcept;
  void take_completions() noexcept;
  void finish_batch() noexcept;
  void do_queued_plainly(bool all) noexcept;
  void detach() noexcept;
  void wait_detached(Duration timeout) noexcept;
  void dispatch_detached(EngineClient& client);
  void cancel(std::uint64_t data) noexcept;
  void cancel_receive(Slot& slot) noexcept;

  // --- events ---
  void handle(const Completion& completion, EngineClient& client);
  void look(Slot& slot, EngineClient& client);
  void on_accepted(const Completion& completion, EngineClient& client);
  void on_received(const Completion& completion, uring::BufferGroup& group, EngineClient& client);
  void on_polled(const Completion& completion, EngineClient& client);
  void on_backlog_sent(const Completion& completion, EngineClient& client);
  void on_watched(const Completion& completion);
  void on_end(Slot& slot, EngineClient& client);
  void deliver_kept(Slot& slot, EngineClient& client);
  void start(int fd, std::uint16_t listener, EngineClient& client);
  void start_waiting(EngineClient& client);
  void arm_listeners() noexcept;
  bool has_spare_descriptor() noexcept;
  void arm_watches() noexcept;

  // --- connections ---
  void keep_armed(Slot& slot) noexcept;
  void arm_receive(Slot& slot) noexcept;
  void arm_poll(Slot& slot) noexcept;
  void arm_backlog(Slot& slot) noexcept;
  void keep_received(Slot& slot, std::span<const char> bytes) noexcept;
  void send_now(Slot& slot, std::span<const char> bytes) noexcept;
  void keep_unsent(Slot& slot, std::span<const char> bytes) noexcept;
  void note_backlog_sent(Slot& slot, std::int32_t result) noexcept;
  void on_residue(std::uint64_t data, std::int32_t result) noexcept;
  void break_off(Slot& slot) noexcept;
  void look_again(Slot& slot) noexcept;
  void leave(Slot& slot) noexcept;
  void queue_close(Slot& slot) noexcept;
  void release_when_done(Slot& slot) noexcept;
  void drop_backlog(Slot& slot) noexcept;
  bool is_at_end(const Slot& slot) noexcept;
  static RingBacklog& backlog_of(const Slot& slot) noexcept;

  Options options_;
  uring::Ring ring_;
  uring::BufferGroup small_;
  uring::BufferGroup large_group_;
  int event_ = -1;
  std::uint64_t event_count_ = 0;  // the kernel reads the eventfd into it
  bool event_armed_ = false;
  enum class State : std::uint8_t { unbound, bound, detached };
  State state_ = State::unbound;
  std::thread::id owner_;
  std::unique_ptr<char[]> arena_;
  std::size_t arena_used_ = 0;
  std::vector<Sent> batch_;
  std::vector<Sent> finished_;
  std::int64_t batch_began_ = 0;
  bool closes_wait_ = false;  // a slot of the batch was closed whose descriptor is not
  std::vector<Completion> completions_;
  std::size_t next_ = 0;  // of completions_
  SlotTable slots_;
  std::vector<Listener> listeners_;
  std::uint16_t listener_life_ = 0;  // tells accepts of closed listeners from those of new ones
  bool listeners_changed_ = false;
  std::vector<Accepted> accepted_;  // while accepting is paused
  std::vector<Watched> watches_;
  bool watches_changed_ = false;
  std::uint32_t watch_ids_ = 0;
  SlotQueue again_;                                      // slots to look at in the next turn
  std::unordered_map<std::uint32_t, std::string> kept_;  // by slot: bytes that came while paused
  bool accept_paused_by_client_ = false;
  bool accept_paused_by_error_ = false;
  TimePoint accept_retry_{};
  TurnClock clock_;
  mutable std::uint64_t calls_ = 0;
};

}  // namespace spate::io
