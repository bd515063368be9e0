// SPDX-License-Identifier: MIT
// The interface between a worker and the kernel. It is shaped by completion and by batch, so that
// epoll and io_uring fit alike: received bytes are lent until the callback returns, sent bytes are
// taken at once (sent, or kept in the slot's backlog), and everything of one turn is dispatched
// together. An Engine owns the slots' descriptors and backlogs; its client owns sessions and
// decides when to close. thread: one engine per worker; only wake() may be called from elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <spate/base/error.hpp>
#include <spate/coro/runtime.hpp>
#include <string>
#include <string_view>

#include "io/slot.hpp"

namespace spate::io {

// What an engine tells its client. During a callback the client may call any function of the
// engine, also close() on the slot in hand.
class EngineClient {
 public:
  // A connection was accepted. False: close it at once.
  virtual bool on_accept(Slot& slot) = 0;
  // Bytes arrived. `last`: the peer has closed its sending side and these are its last bytes;
  // on_eof follows if the slot is still open. lifetime: `bytes` until the callback returns.
  virtual void on_data(Slot& slot, std::span<char> bytes, bool last) = 0;
  // The peer has closed its sending side. Also told while reading is paused; `unread` then says
  // that bytes sent before have not been received yet.
  virtual void on_eof(Slot& slot, bool unread) = 0;
  // The connection is broken (`error` is an errno value); nothing more will be sent or received.
  virtual void on_error(Slot& slot, int error) = 0;
  // The backlog is empty again.
  virtual void on_drained(Slot& slot) = 0;
  // wake() was called, once or more often.
  virtual void on_wake() = 0;
  // Accepting was paused for want of descriptors or memory (`error`), or resumed (0).
  virtual void on_accept_paused(int error) = 0;

 protected:
  ~EngineClient() = default;
};

// A foreign descriptor that became ready; see Engine::watch.
class Watch {
 public:
  virtual void on_ready(bool readable, bool writable) = 0;

 protected:
  ~Watch() = default;
};

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  virtual std::string_view name() const noexcept = 0;
  virtual SlotTable& slots() noexcept = 0;
  // How many it has made so far; 0 where there is no kernel.
  virtual std::uint64_t system_calls() const noexcept { return 0; }

  // --- the turn ---

  // Waits for events, at most `timeout` (negative: without end), and takes the time.
  virtual void wait(Duration timeout) = 0;
  // Hands the events of this turn to the client.
  virtual void dispatch(EngineClient& client) = 0;
  // The time taken by the latest wait(); ticks count from the engine's start and are never 0.
  virtual TimePoint now() const noexcept = 0;
  virtual Tick ticks() const noexcept = 0;
  virtual std::int64_t unix_seconds() const noexcept = 0;
  // Ends wait() early. thread: any.
  virtual void wake() noexcept = 0;
  // The thread that turned it will not do so again: what was sent and closed reaches the kernel
  // now. Others may still turn it, to send and to close what is left.
  virtual void leave_thread() noexcept {}

  // --- connections ---

  // Accepts on a listening descriptor, which the engine owns from here on.
  virtual Result<> add_listener(int fd, std::uint16_t listener) = 0;
  // Accepts what is queued, then closes all listeners.
  virtual void close_listeners(EngineClient& client) = 0;
  // Stops and resumes accepting while there are too many connections.
  virtual void pause_accept() = 0;
  virtual void resume_accept() = 0;
  // Takes over a connected descriptor, as if it had been accepted.
  virtual Result<> adopt(int fd, std::uint16_t listener, EngineClient& client) = 0;
  // Tells when a foreign descriptor is readable or writable (level-triggered) until unwatch().
  // lifetime: `watch` outlives it.
  virtual Result<> watch(int fd, bool readable, bool writable, Watch& watch) = 0;
  virtual void unwatch(int fd) noexcept = 0;

  // Stops receiving, so that the peer is slowed down by TCP; on_eof and on_error are still told.
  virtual void pause_read(Slot& slot) noexcept = 0;
  virtual void resume_read(Slot& slot) = 0;
  virtual bool is_read_paused(const Slot& slot) const noexcept = 0;
  // Whether bytes are known to wait in the kernel.
  virtual bool has_unread(const Slot& slot) const noexcept = 0;

  // Memory for bytes to be sent, hot in the cache, at least `send_space_size` bytes. Valid until
  // the next send() or wait().
  static constexpr std::size_t send_space_size = 64 * 1024;
  virtual std::span<char> send_space() noexcept = 0;
  // Sends bytes, of send_space() or elsewhere; what the kernel does not take at once is copied to
  // the slot's backlog. A failure is told by on_error in a later turn.
  virtual void send(Slot& slot, std::span<const char> bytes) noexcept = 0;
  virtual std::size_t backlog(const Slot& slot) const noexcept = 0;
  // How far the peer has come since the backlog was last empty, in bytes.
  virtual std::uint64_t drained(const Slot& slot) const noexcept = 0;

  // Closes the sending side once the backlog is empty; receiving goes on.
  virtual void shutdown_send(Slot& slot) noexcept = 0;
  // Closes and frees the slot; the backlog is lost. Unreceived bytes make the kernel send a reset.
  virtual void close(Slot& slot) noexcept = 0;
  // As close, but always with a reset.
  virtual void abort(Slot& slot) noexcept = 0;
  // "127.0.0.1:51234", "[::1]:51234", or "".
  virtual std::string peer(const Slot& slot) const = 0;
};

}  // namespace spate::io
