// SPDX-License-Identifier: MIT
// An exchange without a server, for tests: a head from text, a body that arrives in pieces when the
// test says so, an answer that is looked at afterwards. Only tests include it.
#pragma once

#include <spate/coro/coro.hpp>
#include <string>
#include <vector>

#include "http/exchange.hpp"
#include "http/h1/request_parser.hpp"

namespace spate::app {

class FakeConnection final : public Connection {
 public:
  std::uint64_t id() const noexcept override { return 7; }
  std::string peer() const override { return "127.0.0.1:5000"; }
  std::string_view protocol() const noexcept override { return "HTTP/1.1"; }
  Duration age() const noexcept override { return std::chrono::seconds(3); }
  std::uint64_t requests() const noexcept override { return 1; }
  bool keep_alive() const noexcept override { return !closed; }
  void close() noexcept override { closed = true; }
  void abort() noexcept override { aborted = true; }
  bool is_peer_gone() const noexcept override { return false; }

  bool closed = false;
  bool aborted = false;

 private:
  std::unique_ptr<State>& state_slot() override { return state_; }
  std::unique_ptr<State> state_;
};

class FakeExchange final : public http::Exchange {
 public:
  FakeExchange(coro::TaskContext& parent, Scope& background)
      : context_(parent), background_(&background) {}
  // The arena's values may point into the members here.
  ~FakeExchange() { arena.reset(); }

  // Parses "GET /path HTTP/1.1\r\n..."; what follows the head is the body as far as it came.
  bool parse(std::string text) {
    input_ = std::move(text);
    h1::RequestParser parser;
    head.begin(input_.data());
    const auto parsed = parser.parse(head, input_, h1::HeadLimits());
    if (parsed.status != h1::ParseStatus::done) return false;
    body_ = input_.substr(parsed.consumed);
    complete_ = !head.has_body() || (head.content_length && body_.size() >= *head.content_length);
    return true;
  }

  // --- the network ---

  void receive(std::string_view more, bool is_end) {
    body_.append(more);
    complete_ = is_end;
    http::EventWait::wake(body_event);
  }
  void fail_body(Error error) {
    failure_ = std::move(error);
    http::EventWait::wake(body_event);
  }
  void drain() {
    backlog_full = false;
    http::EventWait::wake(write_event);
  }
  void cancel(CancelReason reason) { context_.cancel(reason); }
  void start_deferred() {
    for (http::Deferred* work = first_deferred_; work != nullptr; work = work->next) {
      work->start(*background_);
    }
  }

  // --- http::Exchange ---

  Connection& connection() noexcept override { return link; }
  coro::TaskContext& context() noexcept override { return context_; }
  Scope& background() noexcept override { return *background_; }
  std::string_view request_id() noexcept override { return "r-1"; }
  bool has_whole_body() const noexcept override { return complete_; }
  std::string_view whole_body() const noexcept override { return body_; }
  http::BodyState buffer_body() noexcept override {
    if (failure_) return http::BodyState::failed;
    return complete_ ? http::BodyState::end : http::BodyState::wait;
  }
  http::BodyState read_body(std::string_view& piece) noexcept override {
    if (failure_) return http::BodyState::failed;
    if (taken_ < body_.size()) {
      piece_ = body_.substr(taken_);
      piece = piece_;
      taken_ = body_.size();
      return http::BodyState::data;
    }
    return complete_ ? http::BodyState::end : http::BodyState::wait;
  }
  const Error& body_error() const noexcept override { return *failure_; }
  std::optional<BodySpace> body_space() noexcept override {
    if (space_size == 0) return std::nullopt;
    space_.resize(space_size);
    return BodySpace{space_.data(), space_.data() + space_.size()};
  }
  void use_body_space(std::size_t size) noexcept override {
    used_space = true;
    response.body_view({space_.data(), size});
  }
  bool begin_stream(std::optional<std::uint64_t> length) override {
    stream_begun_ = true;
    stream_length = length;
    fields_at_stream = response.rendered_fields();
    return head.method() != Method::head;
  }
  bool write_stream(std::string_view piece) override {
    streamed.append(piece);
    return !backlog_full;
  }
  void end_stream() noexcept override { ++stream_ends; }
  void send_informational(int status, std::string_view fields) noexcept override {
    informational = std::to_string(status) + " " + std::string(fields);
  }
  bool server_is_ready() const noexcept override { return true; }
  void finish() noexcept override { ++finished; }
  void log_failure(std::string_view what) noexcept override { log.emplace_back(what); }

  FakeConnection link;
  std::size_t space_size = 0;
  bool used_space = false;
  bool backlog_full = false;
  std::string streamed;
  std::string fields_at_stream;
  std::optional<std::uint64_t> stream_length;
  std::string informational;
  int stream_ends = 0;
  int finished = 0;
  std::vector<std::string> log;

 private:
  coro::TaskContext context_;
  Scope* background_;
  std::string input_;
  std::string body_;
  std::string piece_;
  std::string space_;
  std::size_t taken_ = 0;
  bool complete_ = true;
  std::optional<Error> failure_;
};

}  // namespace spate::app
