// SPDX-License-Identifier: MIT
// One HTTP/1.1 request and its answer. It hangs on a connection's slot only while bytes of them are
// under way; a request that is answered in the turn in which it came uses the worker's spare
// exchange. lifetime: pooled by the worker. thread: its worker.
#pragma once

#include <cstdint>
#include <optional>
#include <spate/coro/task_context.hpp>
#include <string>

#include "http/exchange.hpp"
#include "http/h1/chunked.hpp"
#include "http/h1/request_parser.hpp"
#include "http/h1/response_writer.hpp"
#include "io/engine.hpp"

namespace spate::server {

class Worker;

// The connection as the application sees it.
class SlotConnection final : public Connection {
 public:
  SlotConnection(Worker& worker, io::Slot& slot, class ExchangeH1* exchange) noexcept
      : worker_(&worker), slot_(&slot), exchange_(exchange) {}

  std::uint64_t id() const noexcept override;
  std::string peer() const override;
  std::string_view protocol() const noexcept override;
  Duration age() const noexcept override;
  std::uint64_t requests() const noexcept override { return slot_->requests; }
  bool keep_alive() const noexcept override;
  void close() noexcept override;
  void abort() noexcept override;
  bool is_peer_gone() const noexcept override;

  using State = Connection::State;

 private:
  std::unique_ptr<State>& state_slot() override;

  Worker* worker_;
  io::Slot* slot_;
  class ExchangeH1* exchange_;
};

// What hangs on Slot::user.
struct UserState {
  std::unique_ptr<SlotConnection::State> state;
};

// What a request changes in its exchange, apart from what owns memory. The usual request is
// answered in the turn in which it came and changes only the first few.
struct ExchangeStateH1 {
  enum class Phase : std::uint8_t {
    head,        // bytes of the head are arriving
    running,     // hooks and handler
    discarding,  // answered; the rest of the body is read and dropped
    sending,     // answered; bytes of it have not been taken by the kernel yet
  };

  Phase phase = Phase::head;
  bool is_counted = false;  // as an active request
  bool keeps_head = false;
  bool in_turn = false;      // run() is on the stack: body_space() may be used
  bool close_after = false;  // the application or a rule wants the connection to end
  bool abort_now = false;
  bool close_told = false;  // the answer's head says `Connection: close`
  // Something below was changed, or parser, buffers, failure or events of the exchange: whoever
  // does that says so here, and clear() puts it all back.
  bool has_more = false;

  h1::ChunkedDecoder decoder;
  std::size_t input_offset = 0;
  std::string_view whole;
  std::string_view sending;  // of the answer's body, not yet handed to the engine
  std::uint64_t body_left = 0;
  std::uint64_t body_received = 0;
  std::uint64_t discarded = 0;
  std::uint64_t drained_before = 0;
  std::uint64_t stream_left = 0;
  // Pieces may come faster than ticks, so waits are summed up in finer time.
  std::optional<TimePoint> body_wait_began;
  Duration body_waited{};  // in former waits
  io::Tick last_body_byte = 0;
  io::Tick write_began = 0;  // waiting for the backlog
  io::Tick last_drain = 0;
  std::uint32_t space_size = 0;
  bool body_is_chunked = false;
  bool body_complete = true;
  bool body_wanted = false;
  bool body_awaited = false;   // somebody waits for more of it
  bool body_buffered = false;  // wanted whole
  bool input_ended = false;  // the peer has closed its sending side before the content was complete
  bool continue_due = false;  // the client waits for 100 (Continue)
  bool keeps_answer = false;  // `sending` lies in the arena
  bool is_pending = false;    // a task of the application will call finish()
  bool stream_chunked = false;
  bool stream_ended = false;
  bool stream_has_length = false;
};

class ExchangeH1 final : public http::Exchange, public ExchangeStateH1, private coro::Timer {
 public:
  explicit ExchangeH1(Worker& worker) noexcept;
  ~ExchangeH1();

  // Ready for another request; buffers of usual size are kept.
  void clear() noexcept {
    stop_handler_timer();
    context_.reset();
    connection_.reset();
    arena.reset();
    response.clear();
    plan.clear();
    request_id_ = {};
    slot_ = nullptr;
    if (has_more) [[unlikely]] {
      clear_more();
    } else {
      phase = Phase::head;
      is_counted = keeps_head = in_turn = close_after = abort_now = close_told = false;
      first_deferred_ = nullptr;
    }
  }

  // --- http::Exchange ---

  Connection& connection() noexcept override { return *connection_; }
  coro::TaskContext& context() noexcept override;
  Scope& background() noexcept override;
  std::string_view request_id() noexcept override;
  bool has_whole_body() const noexcept override {
    return body_complete && body_received <= plan.limits->body;
  }
  std::string_view whole_body() const noexcept override { return whole; }
  http::BodyState buffer_body() noexcept override;
  http::BodyState read_body(std::string_view& piece) noexcept override;
  const Error& body_error() const noexcept override { return *failure; }
  std::optional<BodySpace> body_space() noexcept override;
  void use_body_space(std::size_t size) noexcept override;
  bool begin_stream(std::optional<std::uint64_t> length) override;
  bool write_stream(std::string_view piece) override;
  void end_stream() noexcept override;
  void send_informational(int status, std::string_view rendered_fields) noexcept override;
  bool server_is_ready() const noexcept override;
  void finish() noexcept override;
  void log_failure(std::string_view what) noexcept override;

  // --- for ConnectionH1 ---

  ExchangeH1* next_finished = nullptr;  // see Worker::note_finished
  Worker& worker() noexcept { return *worker_; }
  io::Slot& slot() noexcept { return *slot_; }
  void attach(io::Slot& slot) noexcept;

  // What the head says about the body, set before anything is read of it.
  void expect_body() noexcept;
  // Takes bytes of the body as far as they are wanted, returns how many.
  std::size_t feed(std::string_view bytes) noexcept;
  // As feed, but the content is dropped. Counts it against the limit for unread bodies.
  std::size_t discard(std::string_view bytes) noexcept;
  // Takes what is wanted of `input`.
  void feed_input() noexcept;
  std::string_view pending_input() const noexcept {
    return std::string_view(input).substr(input_offset);
  }
  void drop_input(std::size_t size) noexcept;
  void fail_body(Errc code, std::string_view text, int status) noexcept {
    if (!body_complete && !failure) fail_unfinished_body(make_error(code, text, status));
  }
  bool wants_body() const noexcept { return body_wanted && !body_complete && !failure; }
  bool waits_for_body() const noexcept { return body_awaited && wants_body(); }
  // Copies the head to the arena: its bytes are about to go.
  void keep_head();
  void start_handler_timer();
  void stop_handler_timer() noexcept {
    if (is_scheduled()) unschedule_timer();
  }
  void cancel(CancelReason reason) noexcept {
    if (context_) context_->cancel(reason);
  }
  bool is_cancelled() const noexcept { return context_ && context_->is_cancelled(); }
  // Writes the head of the answer, and the body as far as it goes in one piece. `close`: the
  // connection ends after it.
  void write_answer(bool close);
  void write_head(h1::Framing framing, std::uint64_t length, bool close);
  void start_deferred() noexcept {
    if (first_deferred_ != nullptr) start_deferred_slowly();
  }
  // Receiving goes on exactly as far as somebody wants the bytes.
  void update_reading();

  h1::RequestParser parser;
  std::string input;  // received, not yet consumed
  std::string body;   // content received for the application
  std::optional<Error> failure;

 private:
  void fire() noexcept override;
  void start_deferred_slowly() noexcept;
  void clear_more() noexcept;
  // Without memory for its text an error says less.
  static Error make_error(Errc code, std::string_view text, int status) noexcept;
  static Error too_long(std::size_t limit) noexcept;
  void fail_unfinished_body(Error error) noexcept;
  void unschedule_timer() noexcept;
  h1::ResponseHeadSpec head_spec(h1::Framing framing, std::uint64_t length,
                                 bool close) const noexcept;
  void count_head(bool close) noexcept;
  void send_continue();
  void check_rate_soon() noexcept;
  bool write_usual_answer(bool close);
  bool write_around_space(bool close);
  http::BodyState await_body() noexcept;
  std::size_t feed_chunked(std::string_view bytes) noexcept;

  static constexpr std::size_t head_room = 1024;

  Worker* worker_;
  io::Slot* slot_ = nullptr;
  std::optional<SlotConnection> connection_;
  std::optional<coro::TaskContext> context_;
  std::string_view request_id_;
  char* space_ = nullptr;
};

}  // namespace spate::server
