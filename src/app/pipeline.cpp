// SPDX-License-Identifier: MIT
#include "app/pipeline.hpp"

#include <optional>
#include <string>

#include "app/context_parts.hpp"
#include "app/registry.hpp"
#include "http/problem.hpp"

namespace spate::app {
namespace {

using Parts = ContextParts;

void add_allow(Response& response, std::string_view allow) { response.header("allow", allow); }

// Waits until the content is complete. throws: ErrorException, Cancelled.
Task<> buffer_body(http::Exchange& exchange) {
  for (;;) {
    switch (exchange.buffer_body()) {
      case http::BodyState::end:
        co_return;
      case http::BodyState::failed:
        throw ErrorException(exchange.body_error());
      case http::BodyState::data:
      case http::BodyState::wait:
        break;
    }
    http::EventWait wait(exchange.body_event);
    co_await wait;
  }
}

// The answer when not even an answer can be made.
void answer_out_of_memory(http::Exchange& exchange) noexcept {
  exchange.response.clear();
  try {
    http::render_problem(exchange.response, 503, "out of memory", exchange.request_id());
  } catch (...) {
    exchange.response.clear();
    exchange.response.status(503);
  }
}

}  // namespace

void Pipeline::plan(const http::RequestHead& head, Arena& arena, http::Plan& out) noexcept {
  const Match match = table_.match_short(head.method(), head.path(), out.params);
  if (match.kind == MatchKind::found) [[likely]] {
    apply(targets_[match.route], out);
    return;
  }
  const Target* target = &out_of_memory_;
  try {
    target = &locate(head, head.path(), arena, out.params);
  } catch (...) {
    out.params.clear();
  }
  apply(*target, out);
}

const Target& Pipeline::locate(const http::RequestHead& head, std::string_view path, Arena& arena,
                               http::PathParams& params) const {
  params.clear();
  if (path == "*" && head.method() == Method::options) {
    return arena.make<Target>(
        Target{MatchKind::options, PathFault::none, table_.allow_all(), &no_route_});
  }
  std::span<char> scratch;
  if (path.find('%') != path.npos) {
    scratch = {static_cast<char*>(arena.allocate(path.size(), 1)), path.size()};
  }
  const Match match = table_.match(head.method(), head.method_text(), path, params, scratch);
  switch (match.kind) {
    case MatchKind::found:
      return targets_[match.route];
    case MatchKind::options:
    case MatchKind::method_not_allowed:
      return arena.make<Target>(Target{match.kind, PathFault::none, match.allow, &no_route_});
    case MatchKind::method_unknown:
      return method_unknown_;
    case MatchKind::bad_path:
      return bad_paths_[static_cast<std::size_t>(match.fault)];
    case MatchKind::not_found:
      break;
  }
  return not_found_;
}

void Pipeline::apply(const Target& target, http::Plan& out) noexcept {
  const Chain& chain = *target.chain;
  out.route = &target;
  out.limits = &chain.limits;
  out.body = chain.planned_body;
  out.may_wait = chain.may_wait;
}

const Chain& Pipeline::chain_of(const http::Plan& plan) const noexcept {
  return *static_cast<const Target*>(plan.route)->chain;
}

void Pipeline::reroute(Context& ctx, std::string_view path) const {
  http::Exchange& exchange = ctx.exchange();
  const bool may_wait = exchange.plan.may_wait;
  apply(locate(exchange.head, path, exchange.arena, exchange.plan.params), exchange.plan);
  // What has been copied stays copied.
  exchange.plan.may_wait = may_wait;
}

http::RunState Pipeline::run(http::Exchange& exchange) noexcept {
  Context* ctx = nullptr;
  try {
    ctx = &exchange.arena.make<Context>(exchange, *this);
  } catch (...) {
    answer_out_of_memory(exchange);
    return http::RunState::done;
  }
  bool goes_on = true;
  if (has_server_before_ && server_before_is_plain_) {
    Parts::may_rewrite(*ctx) = true;
    goes_on = run_before_plain(*ctx, server_before_);
    Parts::may_rewrite(*ctx) = false;
  }
  const Chain& chain = chain_of(exchange.plan);
  const bool is_plain = server_before_is_plain_ &&
                        (goes_on ? chain.is_plain && (chain.body != http::Plan::Body::buffered ||
                                                      exchange.has_whole_body())
                                 : chain.after_is_plain);
  return is_plain ? run_plain(*ctx, goes_on) : run_waiting(*ctx, server_before_is_plain_, goes_on);
}

http::RunState Pipeline::run_plain(Context& ctx, bool goes_on) const noexcept {
  const auto& target = *static_cast<const Target*>(ctx.exchange().plan.route);
  const Chain& chain = *target.chain;
  if (goes_on) goes_on = chain.before.empty() || run_before_plain(ctx, chain.before);
  if (goes_on) {
    try {
      if (chain.route == nullptr) {
        answer_without_route(ctx, target);
      } else {
        // Nothing runs after the handler that could want its answer changed.
        Parts::writes_in_place(ctx) = chain.after.empty();
        chain.route->endpoint.plain(ctx);
        end_handler(ctx);
      }
    } catch (...) {
      note_exception(ctx);
    }
  }
  Parts::writes_in_place(ctx) = false;
  settle(ctx);
  if (!chain.after.empty()) {
    Parts::after_done(ctx) = true;
    for (const AfterHook* hook : chain.after) {
      try {
        hook->plain(ctx);
      } catch (...) {
        note_exception(ctx);
      }
    }
    settle(ctx);
  }
  return http::RunState::done;
}

http::RunState Pipeline::run_waiting(Context& ctx, bool server_done, bool goes_on) const noexcept {
  try {
    coro::EnterContext enter(ctx.exchange().context());
    drive(*this, ctx, server_done, goes_on);
  } catch (...) {
    // Only the coroutine's frame can fail before the coroutine begins.
    answer_out_of_memory(ctx.exchange());
    return http::RunState::done;
  }
  if (Parts::done_inline(ctx)) return http::RunState::done;
  Parts::runs_inline(ctx) = false;
  return http::RunState::pending;
}

coro::Detached Pipeline::drive(const Pipeline& self, Context& ctx, bool server_done, bool goes_on) {
  http::Exchange& exchange = ctx.exchange();
  {
    std::optional<Scope> scope;
    Parts::scope(ctx) = &scope;
    Parts::waits(ctx) = true;
    try {
      if (!server_done) {
        Parts::may_rewrite(ctx) = true;
        for (const BeforeHook* hook : self.server_before_) {
          if (hook->task) {
            Verdict verdict = co_await hook->task(ctx);
            goes_on = self.takes(ctx, verdict);
          } else {
            Verdict verdict = hook->plain(ctx);
            goes_on = self.takes(ctx, verdict);
          }
          if (!goes_on) break;
        }
        Parts::may_rewrite(ctx) = false;
      }
      const auto& target = *static_cast<const Target*>(exchange.plan.route);
      const Chain& chain = *target.chain;
      if (goes_on) {
        for (const BeforeHook* hook : chain.before) {
          if (hook->task) {
            Verdict verdict = co_await hook->task(ctx);
            goes_on = self.takes(ctx, verdict);
          } else {
            Verdict verdict = hook->plain(ctx);
            goes_on = self.takes(ctx, verdict);
          }
          if (!goes_on) break;
        }
      }
      if (goes_on && chain.route == nullptr) {
        self.answer_without_route(ctx, target);
      } else if (goes_on) {
        // After the hooks: whoever is refused is not read from.
        if (chain.body == http::Plan::Body::buffered && !exchange.has_whole_body()) {
          co_await buffer_body(exchange);
        }
        const Endpoint& endpoint = chain.route->endpoint;
        if (endpoint.task) {
          co_await endpoint.task(ctx);
        } else {
          endpoint.plain(ctx);
        }
        self.end_handler(ctx);
      }
    } catch (...) {
      self.note_exception(ctx);
    }
    Parts::may_rewrite(ctx) = false;

    if (scope) {
      if (Parts::has_failed(ctx)) scope->cancel(CancelReason::sibling);
      try {
        co_await scope->join();
      } catch (...) {
        self.note_exception(ctx);
      }
    }

    self.settle(ctx);
    if (!Parts::after_done(ctx)) {
      Parts::after_done(ctx) = true;
      for (const AfterHook* hook : self.chain_of(exchange.plan).after) {
        try {
          if (hook->task) {
            co_await hook->task(ctx);
          } else {
            hook->plain(ctx);
          }
        } catch (const Cancelled&) {
          // Who waits in a cancelled scope learns it here; the answer that says so is made.
          if (!exchange.context().is_cancelled()) self.note_exception(ctx);
        } catch (...) {
          self.note_exception(ctx);
        }
      }
      self.settle(ctx);
    }
    if (exchange.has_begun_stream()) self.end_stream(ctx);
    Parts::scope(ctx) = nullptr;
  }
  if (Parts::runs_inline(ctx)) {
    Parts::done_inline(ctx) = true;
  } else {
    exchange.finish();
  }
}

bool Pipeline::run_before_plain(Context& ctx,
                                const std::vector<const BeforeHook*>& hooks) const noexcept {
  try {
    for (const BeforeHook* hook : hooks) {
      Verdict verdict = hook->plain(ctx);
      if (!takes(ctx, verdict)) return false;
    }
    return true;
  } catch (...) {
    note_exception(ctx);
    return false;
  }
}

bool Pipeline::refuses(Context& ctx, Verdict& verdict) const {
  if (verdict.response() != nullptr) {
    answer_response(ctx, std::move(*verdict.response()));
  } else {
    ctx.fail(std::move(*verdict.error()));
  }
  return false;
}

void Pipeline::answer_without_route(Context& ctx, const Target& target) const {
  Response& response = ctx.exchange().response;
  switch (target.kind) {
    case MatchKind::options:
      response.clear_content();
      response.status(204);
      add_allow(response, target.allow);
      Parts::answered(ctx) = true;
      return;
    case MatchKind::method_not_allowed:
      add_allow(response, target.allow);
      ctx.fail(Error(
          Errc::invalid,
          "this resource does not take that method; it takes " + std::string(target.allow), 405));
      return;
    case MatchKind::method_unknown:
      ctx.fail(Error(Errc::invalid, "this server does not know that method", 501));
      return;
    case MatchKind::bad_path:
      ctx.fail(Error(Errc::malformed, std::string(describe(target.fault)), 400));
      return;
    case MatchKind::found:  // the target of a plan that could not be made
      Parts::out_of_memory(ctx) = true;
      return;
    case MatchKind::not_found:
      break;
  }
  ctx.fail(Error(Errc::not_found, "there is nothing at this path", 404));
}

void Pipeline::end_handler(Context& ctx) const {
  if (Parts::has_failed(ctx) || Parts::answered(ctx)) return;
  Response& response = ctx.exchange().response;
  if (ctx.exchange().has_begun_stream()) return;
  if (response.status() == 200 && response.body().empty()) response.status(204);
}

// Called inside a catch.
void Pipeline::note_exception(Context& ctx) const noexcept {
  if (Parts::has_failed(ctx) && Parts::cancelled(ctx) == CancelReason::none) return;
  const Chain& chain = chain_of(ctx.exchange().plan);
  const std::source_location where =
      chain.route != nullptr ? chain.route->where : std::source_location::current();
  try {
    try {
      throw;
    } catch (const Cancelled& cancelled) {
      if (Parts::cancelled(ctx) == CancelReason::none) Parts::cancelled(ctx) = cancelled.reason();
    } catch (const ErrorException& thrown) {
      ctx.fail(thrown.error());
    } catch (const std::bad_alloc&) {
      Parts::out_of_memory(ctx) = true;
    } catch (const std::exception& thrown) {
      ctx.fail(
          Error(Errc::internal, std::string("uncaught exception: ") + thrown.what(), 500, where));
    } catch (...) {
      ctx.fail(Error(Errc::internal, "uncaught exception that is no std::exception", 500, where));
    }
  } catch (...) {
    Parts::out_of_memory(ctx) = true;
  }
}

// Makes the answer for what has failed so far.
void Pipeline::settle_failure(Context& ctx) const noexcept {
  http::Exchange& exchange = ctx.exchange();
  if (exchange.has_begun_stream()) return;  // see end_stream
  Error* const failure = std::exchange(Parts::failure(ctx), nullptr);
  const CancelReason reason = std::exchange(Parts::cancelled(ctx), CancelReason::none);
  const bool out_of_memory = std::exchange(Parts::out_of_memory(ctx), false);
  try {
    if (out_of_memory) {
      exchange.log_failure("out of memory");
      answer_out_of_memory(exchange);
    } else if (failure != nullptr) {
      answer_failure(ctx, std::move(*failure), failure->status >= 500 && failure->status != 501);
    } else {
      // Cancelled is no failure of the program, so it is not logged. Where the peer is gone or the
      // connection was cut nobody reads this.
      if (reason == CancelReason::drain) exchange.connection().close();
      answer_failure(
          ctx,
          Error(Errc::cancelled,
                reason == CancelReason::deadline ? "the request took longer than the server allows"
                                                 : "the server stopped working on this request",
                503),
          false);
    }
  } catch (...) {
    answer_out_of_memory(exchange);
  }
}

void Pipeline::answer_failure(Context& ctx, Error error, bool is_logged) const {
  http::Exchange& exchange = ctx.exchange();
  if (is_logged) exchange.log_failure(error.describe());
  for (const ErrorHook* hook : chain_of(exchange.plan).on_error) {
    try {
      Verdict verdict = (*hook)(ctx, error);
      if (verdict.response() != nullptr) {
        exchange.response.clear_content();
        answer_response(ctx, std::move(*verdict.response()));
        return;
      }
      if (verdict.error() != nullptr) {
        error = std::move(*verdict.error());
        break;
      }
    } catch (const std::exception& thrown) {
      exchange.log_failure(std::string("an on_error hook threw: ") + thrown.what());
      error = Error(Errc::internal, "an on_error hook threw", 500);
      break;
    } catch (...) {
      exchange.log_failure("an on_error hook threw");
      error = Error(Errc::internal, "an on_error hook threw", 500);
      break;
    }
  }
  const int status = error.status >= 400 && error.status <= 599 ? error.status : 500;
  const bool is_shown = status < 500 || !is_logged || exchange.shows_details;
  http::render_problem(exchange.response, status,
                       is_shown ? std::string_view(error.detail)
                                : "the server's log says more under this request id",
                       exchange.request_id(), is_shown ? error.pointer : std::string());
  Parts::answered(ctx) = true;
}

void Pipeline::end_stream(Context& ctx) const noexcept {
  http::Exchange& exchange = ctx.exchange();
  if (!Parts::has_failed(ctx) ||
      (Parts::failure(ctx) == nullptr && Parts::cancelled(ctx) == CancelReason::head_only)) {
    exchange.end_stream();
    return;
  }
  // A truncated answer must not look complete.
  try {
    // A client that left is no failure of the program.
    if (Parts::failure(ctx) != nullptr && !Parts::failure(ctx)->is(Errc::closed)) {
      exchange.log_failure("the answer was cut: " + Parts::failure(ctx)->describe());
    } else if (Parts::out_of_memory(ctx)) {
      exchange.log_failure("the answer was cut: out of memory");
    }
  } catch (...) {
    // There is no memory for the line.
  }
  exchange.connection().abort();
}

Task<> Pipeline::run_after_hooks(Context& ctx) const {
  if (std::exchange(Parts::after_done(ctx), true)) co_return;
  for (const AfterHook* hook : chain_of(ctx.exchange().plan).after) {
    if (hook->task) {
      co_await hook->task(ctx);
    } else {
      hook->plain(ctx);
    }
  }
}

bool Pipeline::connected(Connection& connection) noexcept {
  try {
    for (const ConnectHook& hook : registry_->on_connect) {
      if (!hook(connection)) return false;
    }
    return true;
  } catch (...) {
    if (auto* runtime = coro::Runtime::current()) runtime->unhandled(std::current_exception());
    return false;
  }
}

void Pipeline::disconnected(Connection& connection) noexcept {
  for (const CloseHook& hook : registry_->on_close) {
    try {
      hook(connection);
    } catch (...) {
      if (auto* runtime = coro::Runtime::current()) runtime->unhandled(std::current_exception());
    }
  }
}

bool Pipeline::watches_connections() const noexcept {
  return !registry_->on_connect.empty() || !registry_->on_close.empty();
}

void* Pipeline::find_state(const void* tag) const noexcept {
  for (const RegisteredState& state : registry_->states) {
    if (state.tag == tag) return state.object.get();
  }
  return nullptr;
}

void Pipeline::seal(RouteTable table, const Limits& limits) {
  table_ = std::move(table);
  background_limit_ = limits.background_tasks;
  const RegisteredScope& server = *registry_->scopes[0];
  for (const BeforeHook& hook : server.before) {
    server_before_.push_back(&hook);
    if (hook.task) server_before_is_plain_ = false;
    if (!hook.only_looks) may_reroute_ = true;
  }
  has_server_before_ = !server_before_.empty();

  const auto add_scope = [](Chain& chain, const RegisteredScope& scope) {
    for (const AfterHook& hook : scope.after) {
      chain.after.push_back(&hook);
      if (hook.task) chain.is_plain = chain.after_is_plain = false;
    }
    for (const ErrorHook& hook : scope.on_error) chain.on_error.push_back(&hook);
  };

  no_route_.limits = limits.route;
  server.settings.apply_to(no_route_.limits);
  add_scope(no_route_, server);

  chains_.reserve(registry_->routes.size());
  targets_.reserve(registry_->routes.size());
  for (const auto& route : registry_->routes) {
    Chain& chain = chains_.emplace_back();
    chain.route = route.get();
    std::vector<const RegisteredScope*> scopes;  // from the inside out
    for (std::uint32_t at = route->scope;; at = registry_->scopes[at]->parent) {
      scopes.push_back(registry_->scopes[at].get());
      if (at == 0) break;
    }
    chain.limits = limits.route;
    for (std::size_t i = scopes.size(); i-- > 0;) {
      const RegisteredScope& scope = *scopes[i];
      scope.settings.apply_to(chain.limits);
      if (&scope == &server) continue;
      for (const BeforeHook& hook : scope.before) {
        chain.before.push_back(&hook);
        if (hook.task) chain.is_plain = false;
      }
    }
    route->settings.apply_to(chain.limits);
    for (const RegisteredScope* scope : scopes) add_scope(chain, *scope);
    if (route->endpoint.task) chain.is_plain = false;
    switch (route->endpoint.body) {
      case BodyUse::unwanted:
        break;
      case BodyUse::buffered:
        chain.body = http::Plan::Body::buffered;
        break;
      case BodyUse::streamed:
        chain.body = http::Plan::Body::streamed;
        break;
    }
    any_waits_ = any_waits_ || !chain.is_plain;
    any_wants_body_ = any_wants_body_ || chain.body != http::Plan::Body::unwanted;
    targets_.push_back({MatchKind::found, PathFault::none, {}, &chain});
  }

  for (Chain& chain : chains_) plan_chain(chain);
  plan_chain(no_route_);

  not_found_ = {MatchKind::not_found, PathFault::none, {}, &no_route_};
  method_unknown_ = {MatchKind::method_unknown, PathFault::none, {}, &no_route_};
  out_of_memory_ = {MatchKind::found, PathFault::none, {}, &no_route_};
  for (std::size_t i = 0; i < bad_paths_.size(); ++i) {
    bad_paths_[i] = {MatchKind::bad_path, static_cast<PathFault>(i), {}, &no_route_};
  }
}

// What the socket half is told of a chain before anything of the request runs.
void Pipeline::plan_chain(Chain& chain) const noexcept {
  chain.may_wait = !chain.is_plain || !server_before_is_plain_ || (may_reroute_ && any_waits_);
  chain.planned_body = chain.body;
  // A hook may still lead the request to a route that wants the body: it is kept within reach.
  if (chain.body == http::Plan::Body::unwanted && may_reroute_ && any_wants_body_) {
    chain.planned_body = http::Plan::Body::streamed;
  }
}

}  // namespace spate::app
