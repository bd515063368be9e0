// SPDX-License-Identifier: MIT
#include <spate/app/context.hpp>
#include <spate/coro/sleep.hpp>
#include <spate/http/field_rules.hpp>

#include "app/context_parts.hpp"
#include "app/percent.hpp"
#include "app/registry.hpp"
#include "http/exchange.hpp"

namespace spate {
namespace app {
namespace {

// Destroys an attribute's value with the arena. Until the value is made there is nothing to do.
struct HeldAttribute {
  Attribute attribute;
  explicit HeldAttribute(const Attribute& a) noexcept : attribute(a) {}
  HeldAttribute(const HeldAttribute&) = delete;
  HeldAttribute& operator=(const HeldAttribute&) = delete;
  ~HeldAttribute() {
    if (attribute.destroy != nullptr) attribute.destroy(attribute.value);
  }
};

// A failure in the background must not end the others there, so it is caught here. The task begins
// before spawn returns, so `work` still lives then.
Task<> run_deferred(std::unique_ptr<AfterResponse>* work) {
  std::unique_ptr<AfterResponse> own = std::move(*work);
  try {
    co_await own->run();
  } catch (const Cancelled&) {
    // The server is stopping, or the work gave up by itself: no concern of the others.
  } catch (...) {
    if (auto* runtime = coro::Runtime::current()) runtime->unhandled(std::current_exception());
  }
}

struct HeldWork final : http::Deferred {
  explicit HeldWork(std::unique_ptr<AfterResponse> w) noexcept : work(std::move(w)) {}
  ~HeldWork() = default;
  void start(Scope& background) override { background.spawn(run_deferred, &work); }
  std::unique_ptr<AfterResponse> work;
};

}  // namespace

Task<> completed() { co_return; }

}  // namespace app

Context::Context(http::Exchange& exchange, const app::Pipeline& pipeline) noexcept
    : exchange_(&exchange),
      pipeline_(&pipeline),
      request_(exchange.head),
      body_(exchange),
      path_(exchange.head.path()) {}

std::optional<std::string_view> Context::query(std::string_view name) {
  const std::string_view raw = request_.query_string();
  if (raw.empty()) return std::nullopt;
  std::span<char> scratch;
  if (raw.find_first_of("%+") != raw.npos) {
    scratch = {static_cast<char*>(exchange_->arena.allocate(raw.size(), 1)), raw.size()};
  }
  Result<std::optional<std::string_view>> value = app::QueryView(raw).find(name, scratch);
  if (!value) throw ErrorException(std::move(value.error()));
  return *value;
}

std::string_view Context::param(std::string_view name) const {
  if (const auto value = exchange_->plan.params.find(name)) return *value;
  std::string message = "this route has no parameter \"" + std::string(name) + "\"; it has: ";
  const http::PathParams& params = exchange_->plan.params;
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (i != 0) message += ", ";
    message += params.name(i);
  }
  if (params.size() == 0) message += "none";
  const auto& target = *static_cast<const app::Target*>(exchange_->plan.route);
  if (target.chain->route != nullptr) message = target.chain->route->pattern + ": " + message;
  throw ErrorException(Error(Errc::configuration, std::move(message), 500,
                             target.chain->route != nullptr ? target.chain->route->where
                                                            : std::source_location::current()));
}

std::string_view Context::request_id() const noexcept { return exchange_->request_id(); }

Reply Context::respond(int status) {
  if (exchange_->has_begun_stream()) {
    throw ErrorException(Error(Errc::configuration, "the answer to this request has begun"));
  }
  exchange_->response.clear_content();
  exchange_->response.status(status);
  answered_ = true;
  return Reply(*this);
}

Response& Context::response() noexcept { return exchange_->response; }

void Context::early_hints(std::initializer_list<HeaderView> fields) {
  Response checked;
  for (const HeaderView& field : fields) checked.add_header(field.name, field.value);
  exchange_->send_informational(103, checked.rendered_fields());
}

Connection& Context::connection() noexcept { return exchange_->connection(); }

Scope& Context::scope() {
  if (scope_ == nullptr) {
    throw ErrorException(Error(Errc::configuration,
                               "ctx.scope() needs a handler that can wait for it; return a Task"));
  }
  if (!*scope_) scope_->emplace(exchange_->context());
  return **scope_;
}

bool Context::add_after_response(std::unique_ptr<app::AfterResponse> work) {
  if (exchange_->background().running() >= pipeline_->background_limit()) return false;
  exchange_->defer(exchange_->arena.make<app::HeldWork>(std::move(work)));
  return true;
}

void Context::rewrite(std::string_view path) {
  if (!may_rewrite_) {
    throw ErrorException(Error(Errc::configuration,
                               "rewrite() works in a `before` hook of the server only: later the "
                               "route is settled"));
  }
  if (!path.starts_with('/') || path.find_first_of("?#") != path.npos) {
    throw ErrorException(
        Error(Errc::configuration, "rewrite() takes a path that begins with '/', without a query"));
  }
  path_ = exchange_->arena.copy(path);
  pipeline_->reroute(*this, path_);
}

bool Context::server_is_ready() const noexcept { return exchange_->server_is_ready(); }
bool Context::shows_details() const noexcept { return exchange_->shows_details; }

void Context::fail(Error error) { failure_ = &exchange_->arena.make<Error>(std::move(error)); }

app::Attribute& Context::attribute_slot(const void* type, std::size_t size, std::size_t alignment) {
  for (app::Attribute* at = attributes_; at != nullptr; at = at->next) {
    if (at->type != type) continue;
    if (auto* destroy = std::exchange(at->destroy, nullptr)) destroy(at->value);
    return *at;
  }
  void* place = exchange_->arena.allocate(size, alignment);
  app::Attribute& made =
      exchange_->arena.make<app::HeldAttribute>(app::Attribute{type, place, nullptr, attributes_})
          .attribute;
  attributes_ = &made;
  return made;
}

void* Context::find_attribute(const void* type) const noexcept {
  for (app::Attribute* at = attributes_; at != nullptr; at = at->next) {
    if (at->type == type) return at->destroy != nullptr ? at->value : nullptr;
  }
  return nullptr;
}

void Context::refuse_attribute(std::string_view type) {
  throw ErrorException(
      Error(Errc::configuration, "no hook of this route attached a " + std::string(type) +
                                     "; call ctx.set(...) before, or ask with ctx.find<>()"));
}

void* Context::find_state(const void* type, std::string_view name) const {
  if (void* object = pipeline_->find_state(type)) return object;
  throw ErrorException(Error(Errc::configuration, "the server was given no state of type " +
                                                      std::string(name) +
                                                      "; call state(...) before the start"));
}

Reply& Reply::type(std::string_view media_type) {
  ctx_->response().type(media_type);
  return *this;
}

Reply& Reply::header(std::string_view name, std::string_view value) {
  ctx_->response().header(name, value);
  return *this;
}

Reply& Reply::add_header(std::string_view name, std::string_view value) {
  ctx_->response().add_header(name, value);
  return *this;
}

Reply& Reply::cookie(const SetCookie& cookie) {
  ctx_->response().add_header("set-cookie", cookie.to_string());
  return *this;
}

Reply& Reply::body(std::string content) {
  const bool has_type = !ctx_->response().type().empty();
  if (has_type) {
    ctx_->response().body(std::move(content));
  } else {
    app::answer_text(*ctx_, std::move(content));
  }
  return *this;
}

Reply& Reply::html(Html content) {
  std::move(content).answer_to(*ctx_);
  return *this;
}

Reply& Reply::json_text(std::string text) {
  if (ctx_->response().type().empty()) ctx_->response().fixed_type("application/json");
  ctx_->response().body(std::move(text));
  return *this;
}

Task<ResponseStream> Reply::stream() {
  Context& ctx = *ctx_;
  const std::optional<std::uint64_t> length =
      has_length_ ? std::optional<std::uint64_t>(length_) : std::nullopt;
  http::Exchange& exchange = ctx.exchange();
  if (exchange.has_begun_stream()) {
    throw ErrorException(Error(Errc::configuration, "this answer is being streamed already"));
  }
  co_await app::ContextParts::pipeline(ctx).run_after_hooks(ctx);
  if (!exchange.begin_stream(length)) throw Cancelled(CancelReason::head_only);
  co_return ResponseStream(exchange);
}

// --- streams ---

namespace {

void refuse_second_reader(const http::Exchange& exchange) {
  if (exchange.body_event == nullptr) return;
  throw ErrorException(Error(Errc::configuration, "two tasks read one body; let one of them read"));
}

}  // namespace

Task<std::optional<std::string_view>> BodyStream::read() {
  http::Exchange& exchange = *exchange_;
  for (;;) {
    std::string_view piece;
    switch (exchange.read_body(piece)) {
      case http::BodyState::data:
        if (piece.empty()) continue;
        co_return piece;
      case http::BodyState::end:
        co_return std::nullopt;
      case http::BodyState::failed:
        throw ErrorException(exchange.body_error());
      case http::BodyState::wait:
        refuse_second_reader(exchange);
        break;
    }
    http::EventWait wait(exchange.body_event);
    co_await wait;
  }
}

Task<std::string_view> BodyStream::text() {
  http::Exchange& exchange = *exchange_;
  for (;;) {
    const http::BodyState state = exchange.buffer_body();
    if (state == http::BodyState::end) co_return exchange.whole_body();
    if (state == http::BodyState::failed) throw ErrorException(exchange.body_error());
    refuse_second_reader(exchange);
    http::EventWait wait(exchange.body_event);
    co_await wait;
  }
}

std::string_view BodyStream::whole() const {
  if (!exchange_->has_whole_body() || exchange_->plan.body == http::Plan::Body::streamed) {
    throw ErrorException(Error(Errc::configuration,
                               "the body of this route is streamed; use `co_await "
                               "ctx.body().text()`, or take a Body parameter"));
  }
  return exchange_->whole_body();
}

Task<> ResponseStream::write(std::string_view piece) {
  http::Exchange& exchange = *exchange_;
  if (exchange.context().is_cancelled()) throw Cancelled(exchange.context().reason());
  if (ended_) throw ErrorException(Error(Errc::closed, "the stream was finished before"));
  if (exchange.write_event != nullptr) {
    throw ErrorException(
        Error(Errc::configuration, "two tasks write to one stream; let one of them write"));
  }
  if (piece.empty()) co_return;
  if (!exchange.write_stream(piece)) {
    http::EventWait wait(exchange.write_event);
    co_await wait;
  } else if (exchange.takes_too_long(piece.size())) {
    co_await yield();
  }
}

void ResponseStream::finish() {
  if (std::exchange(ended_, true)) return;
  exchange_->end_stream();
}

}  // namespace spate
