// SPDX-License-Identifier: MIT
// One request and its answer, as the two halves of a server share it: the head, the arena, the
// answer in the making, and what only the socket half can do: read the body, stream the answer, say
// how the connection fares. lifetime: from the head to the answer's last byte. thread: the
// connection's worker.
#pragma once

#include <cstdint>
#include <optional>
#include <spate/base/error.hpp>
#include <spate/coro/scope.hpp>
#include <spate/coro/task_context.hpp>
#include <spate/http/connection.hpp>
#include <spate/http/response.hpp>
#include <string_view>

#include "base/arena.hpp"
#include "http/request_head.hpp"
#include "http/service.hpp"

namespace spate::http {

// A wait for the next event of one kind: `co_await EventWait(exchange.body_event)`. One waiter per
// kind. throws: Cancelled.
class EventWait final : public coro::Waiter {
 public:
  explicit EventWait(EventWait*& place) noexcept : place_(&place) {}
  ~EventWait() override {
    if (*place_ == this) *place_ = nullptr;
  }

  bool await_ready() noexcept { return cancelled_before(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    *place_ = this;
    begin(handle);
  }
  void await_resume() {
    if (state() != State::idle) end();
    throw_if_cancelled();
  }

  // The event is there: ends the wait registered at `place`, if any.
  static void wake(EventWait*& place) noexcept {
    if (EventWait* wait = std::exchange(place, nullptr)) wait->complete();
  }

 private:
  bool withdraw() noexcept override {
    *place_ = nullptr;
    return true;
  }

  EventWait** place_;
};

enum class BodyState : std::uint8_t {
  data,    // there is some
  end,     // the content is complete
  wait,    // more has to come: wait for body_event, then ask again
  failed,  // it will never be complete: see body_error()
};

// Work for after the answer's last byte, kept in the arena until then.
struct Deferred {
  Deferred* next = nullptr;
  virtual void start(Scope& background) = 0;

 protected:
  ~Deferred() = default;
};

class Exchange {
 public:
  RequestHead head;
  Plan plan;
  Arena arena;
  Response response;
  EventWait* body_event = nullptr;
  EventWait* write_event = nullptr;

  virtual Connection& connection() noexcept = 0;
  // The scope of this request: cancelled when the peer is gone, the handler's deadline passes or
  // the server's patience ends. Only for exchanges that may wait.
  virtual coro::TaskContext& context() noexcept = 0;
  // Worker-wide work that outlives requests and is joined at drain.
  virtual Scope& background() noexcept = 0;
  // From the client's X-Request-Id when that is 1 to 64 visible characters, else made here.
  virtual std::string_view request_id() noexcept = 0;

  // Whether all content has been received (or there is none); then whole_body() is it.
  virtual bool has_whole_body() const noexcept = 0;
  virtual std::string_view whole_body() const noexcept = 0;
  // Asks for the whole content: `end` when it is there, else `wait` or `failed`.
  virtual BodyState buffer_body() noexcept = 0;
  // Takes what is there of the content. The piece is valid until the next call.
  virtual BodyState read_body(std::string_view& piece) noexcept = 0;
  virtual const Error& body_error() const noexcept = 0;

  // Where a body can be written directly behind the head-to-be, without a copy; null when this
  // answer has to be made in response.body_buffer(). See BodySpace.
  struct BodySpace {
    char* begin;
    char* end;
  };
  virtual std::optional<BodySpace> body_space() noexcept = 0;
  // The body is the first `size` bytes of body_space().
  virtual void use_body_space(std::size_t size) noexcept = 0;

  // Streams the answer: sends the head from `response`, with Content-Length when `length` is given,
  // else chunked (or until close, for HTTP/1.0). Returns false when the head is the whole answer
  // (HEAD).
  virtual bool begin_stream(std::optional<std::uint64_t> length) = 0;
  // Sends a piece. False: the backlog is full; wait for write_event before the next.
  virtual bool write_stream(std::string_view piece) = 0;
  // Whether the writer has had its share of this turn: others, and news of the peer, come first.
  bool takes_too_long(std::size_t written) noexcept {
    written_in_turn_ += written;
    if (written_in_turn_ < share_of_turn) return false;
    written_in_turn_ = 0;
    return true;
  }
  virtual void end_stream() noexcept = 0;
  bool has_begun_stream() const noexcept { return stream_begun_; }
  // An informational answer before the final one (RFC 9110 section 15.2): 103 with its fields
  // rendered as "name: value\r\n". Ignored for HTTP/1.0.
  virtual void send_informational(int status, std::string_view rendered_fields) noexcept = 0;

  // False once the server has been told to stop.
  virtual bool server_is_ready() const noexcept = 0;

  // After RunState::pending: hooks and handler are done.
  virtual void finish() noexcept = 0;

  // Log line about this request: one line, never blocking. `what` for people.
  virtual void log_failure(std::string_view what) noexcept = 0;

  // Server's development mode: details of failures go to the client.
  bool shows_details = false;

  void defer(Deferred& work) noexcept {
    work.next = nullptr;
    (last_deferred_ == nullptr ? first_deferred_ : last_deferred_->next) = &work;
    last_deferred_ = &work;
  }

 protected:
  ~Exchange() = default;

  // Ready for another request.
  void forget_events() noexcept {
    stream_begun_ = false;
    written_in_turn_ = 0;
    first_deferred_ = last_deferred_ = nullptr;
    body_event = write_event = nullptr;
  }

  static constexpr std::size_t share_of_turn = 256 * 1024;

  bool stream_begun_ = false;
  std::size_t written_in_turn_ = 0;
  Deferred* first_deferred_ = nullptr;
  Deferred* last_deferred_ = nullptr;
};

}  // namespace spate::http
