// SPDX-License-Identifier: MIT
// HTTP/1.1 on a connection: bytes to requests, requests to the service, answers to bytes. A
// connection is a state machine whose state is its slot and, while a request is under way, an
// ExchangeH1; this class has only what it reckoned from the limits. thread: one
// per worker.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "server/exchange_h1.hpp"
#include "server/worker.hpp"

namespace spate::server {

// Slot::state.
enum class SlotState : std::uint8_t {
  idle,     // between requests: no exchange
  active,   // Slot::session is an ExchangeH1
  linger,   // answered and closed for sending; received bytes are dropped until the peer closes
  closing,  // closed as soon as the backlog is empty
};

// Slot::flags.
inline constexpr std::uint32_t slot_peer_closed = 1;  // the peer has closed its sending side
inline constexpr std::uint32_t slot_broken = 2;       // nothing can be sent or received any more
inline constexpr std::uint32_t slot_seen_byte = 4;  // an idle connection whose next head has begun
inline constexpr std::uint32_t slot_paused = 8;     // nothing is received; see Worker::pause_read

// While draining, an idle connection is kept this long for a request that is on its way.
inline constexpr std::chrono::milliseconds drain_idle{1'000};

class ConnectionH1 {
 public:
  explicit ConnectionH1(Worker& worker) noexcept;

  void on_accept(io::Slot& slot);
  void on_data(io::Slot& slot, std::string_view bytes, bool last);
  void on_eof(io::Slot& slot, bool unread);
  void on_error(io::Slot& slot);
  void on_drained(io::Slot& slot);
  void on_deadline(io::Slot& slot);
  // The request of a pending exchange has ended.
  void on_finished(ExchangeH1& exchange);
  // The server's patience is over: ends everything but a handler that is still to unwind.
  void on_cut(io::Slot& slot);

 private:
  // Received bytes on their way through the request loop: views of the engine's buffer, or a buffer
  // that belonged to an exchange.
  struct Input {
    Input() = default;
    explicit Input(std::string_view view) noexcept : bytes(view) {}
    explicit Input(std::string text) noexcept : owned(std::move(text)), bytes(owned) {}
    // A short string keeps its text inside itself: moving it moves what `bytes` points at.
    Input(Input&& other) noexcept { *this = std::move(other); }
    Input& operator=(Input&& other) noexcept {
      const bool owns = !other.owned.empty();
      const std::size_t offset =
          owns ? static_cast<std::size_t>(other.bytes.data() - other.owned.data()) : 0;
      bytes = other.bytes;
      owned = std::move(other.owned);
      if (owns) bytes = std::string_view(owned).substr(offset, bytes.size());
      return *this;
    }

    std::string owned;
    std::string_view bytes;
  };

  void on_more_data(io::Slot& slot, std::string_view bytes);
  void serve(io::Slot& slot, Input& input);
  void await_head(io::Slot& slot, ExchangeH1& exchange, Input& input);
  void refuse_head(io::Slot& slot, ExchangeH1& exchange, h1::ParseError error);
  bool begin(io::Slot& slot, ExchangeH1& exchange, Input& input);
  bool take_body(io::Slot& slot, ExchangeH1& exchange, Input& input);
  bool complete(io::Slot& slot, ExchangeH1& exchange, Input& input);
  void skip_content(ExchangeH1& exchange, Input& input);
  bool next_request(io::Slot& slot, ExchangeH1& exchange, Input& input);
  bool after_answer(io::Slot& slot, ExchangeH1& exchange, Input& input);
  void refuse(io::Slot& slot, ExchangeH1& exchange, int status, std::string_view detail);
  static Input take_input(ExchangeH1& exchange);
  void cut(io::Slot& slot, ExchangeH1& exchange);
  void hold(io::Slot& slot, ExchangeH1& exchange, Input& input, ExchangeH1::Phase phase);
  void end(io::Slot& slot, bool may_have_unread);
  void be_idle(io::Slot& slot);
  bool lifetime_is_over(const io::Slot& slot) const noexcept;
  bool is_past_lifetime(const io::Slot& slot) const noexcept;
  void check_body_rate(io::Slot& slot, ExchangeH1& exchange);
  bool send_rate_is_too_low(io::Slot& slot, ExchangeH1& exchange);
  ExchangeH1& exchange_of(io::Slot& slot) noexcept {
    return *static_cast<ExchangeH1*>(slot.session);
  }
  void release(io::Slot& slot, ExchangeH1& exchange) noexcept {
    slot.session = nullptr;
    exchange.clear();
    worker_->give_exchange(exchange);
  }

  Worker* worker_;
  h1::HeadLimits head_limits_;
  io::Tick idle_ticks_;
  // A connection younger than this need not be looked at; see lifetime_is_over.
  io::Tick least_lifetime_;
};

}  // namespace spate::server
