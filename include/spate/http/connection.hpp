// SPDX-License-Identifier: MIT
// The connection that carries an exchange, as applications see and steer it. The server implements
// it. lifetime: valid inside hooks and handlers of its requests. thread: the connection's worker.
#pragma once

#include <cstdint>
#include <memory>
#include <spate/coro/runtime.hpp>
#include <string>
#include <string_view>

namespace spate {

class Connection {
 public:
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Unique among the connections of a server, for days.
  virtual std::uint64_t id() const noexcept = 0;
  // "127.0.0.1:51234" or "[::1]:51234"; "" when the address cannot be told. cost: a system call at
  // the first use in a request.
  virtual std::string peer() const = 0;
  // "HTTP/1.1" or "HTTP/1.0" of the current request.
  virtual std::string_view protocol() const noexcept = 0;
  virtual bool is_secure() const noexcept { return false; }
  // Time since it was accepted.
  virtual Duration age() const noexcept = 0;
  // Requests begun on it, the current one included.
  virtual std::uint64_t requests() const noexcept = 0;

  // Whether it will be kept for another request after this answer (RFC 9112 section 9.3).
  virtual bool keep_alive() const noexcept = 0;
  // Answers this request, then closes; the answer says `Connection: close`.
  virtual void close() noexcept = 0;
  // Cuts the connection now, with a reset and without an answer. Waits in its requests end as
  // cancelled.
  virtual void abort() noexcept = 0;
  // The client has gone; what is written from here on reaches nobody.
  virtual bool is_peer_gone() const noexcept = 0;

  // The application's own state of this connection: made at first use, destroyed when it closes.
  // One type per connection; asking for another throws ErrorException (Errc::configuration).
  template <class T>
  T& state() {
    std::unique_ptr<State>& slot = state_slot();
    if (!slot) slot = std::make_unique<Held<T>>();
    if (slot->type != &type_tag<T>) refuse_state();
    return static_cast<Held<T>&>(*slot).value;
  }

 protected:
  struct State {
    explicit State(const void* t) noexcept : type(t) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    virtual ~State() = default;
    const void* type;
  };

  Connection() = default;
  ~Connection() = default;

 private:
  template <class T>
  static constexpr char type_tag = 0;
  template <class T>
  struct Held final : State {
    Held() : State(&type_tag<T>) {}
    T value{};
  };

  virtual std::unique_ptr<State>& state_slot() = 0;
  [[noreturn]] static void refuse_state();
};

}  // namespace spate
