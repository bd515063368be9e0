// SPDX-License-Identifier: MIT
// A request's way through hooks and handler. Which functions run, and in which order, is settled at
// start: flat arrays per route. A chain of plain functions is a row of calls; a chain in which
// something waits is one coroutine, which owns itself and ends with Exchange::finish. Whatever user
// code throws becomes one answer here. thread: sealed, it serves all workers.
#pragma once

#include <array>
#include <cstdint>
#include <spate/app/endpoint.hpp>
#include <spate/coro/scope.hpp>
#include <spate/http/limits.hpp>
#include <string_view>
#include <vector>

#include "app/context_parts.hpp"
#include "app/router.hpp"
#include "http/exchange.hpp"
#include "http/service.hpp"

namespace spate::app {

struct Registry;
struct RegisteredRoute;

// Everything that runs around a handler, or around the answer to a request without a route.
struct Chain {
  const RegisteredRoute* route = nullptr;  // null: no route
  std::vector<const BeforeHook*> before;   // of groups, from the outside in
  std::vector<const AfterHook*> after;     // from the inside out
  std::vector<const ErrorHook*> on_error;  // from the inside out
  RouteLimits limits;
  http::Plan::Body body = http::Plan::Body::unwanted;
  bool is_plain = true;  // before, handler and after
  bool after_is_plain = true;
  // For the plan: hooks of the server may lead elsewhere, so these look beyond the chain.
  bool may_wait = false;
  http::Plan::Body planned_body = http::Plan::Body::unwanted;
};

// What a request's method and path lead to.
struct Target {
  MatchKind kind = MatchKind::not_found;
  PathFault fault = PathFault::none;
  std::string_view allow;
  const Chain* chain = nullptr;
};

class Pipeline final : public http::Service {
 public:
  explicit Pipeline(const Registry& registry) noexcept : registry_(&registry) {}

  // Builds the chains. `table` is sealed and its ids are positions in the registry's routes.
  void seal(RouteTable table, const Limits& limits);

  void plan(const http::RequestHead& head, Arena& arena, http::Plan& out) noexcept override;
  http::RunState run(http::Exchange& exchange) noexcept override;
  bool connected(Connection& connection) noexcept override;
  void disconnected(Connection& connection) noexcept override;
  bool watches_connections() const noexcept override;

  // For Context: another path for the request in hand. throws: std::bad_alloc.
  void reroute(Context& ctx, std::string_view path) const;
  // The `after` hooks before a stream's head; throws what they throw.
  Task<> run_after_hooks(Context& ctx) const;
  void* find_state(const void* tag) const noexcept;
  std::uint32_t background_limit() const noexcept { return background_limit_; }
  const std::vector<Chain>& chains() const noexcept { return chains_; }

 private:
  const Target& locate(const http::RequestHead& head, std::string_view path, Arena& arena,
                       http::PathParams& params) const;
  static void apply(const Target& target, http::Plan& out) noexcept;
  void plan_chain(Chain& chain) const noexcept;
  const Chain& chain_of(const http::Plan& plan) const noexcept;

  http::RunState run_plain(Context& ctx, bool goes_on) const noexcept;
  http::RunState run_waiting(Context& ctx, bool server_done, bool goes_on) const noexcept;
  static coro::Detached drive(const Pipeline& self, Context& ctx, bool server_done, bool goes_on);

  bool run_before_plain(Context& ctx, const std::vector<const BeforeHook*>& hooks) const noexcept;
  bool takes(Context& ctx, Verdict& verdict) const {
    return verdict.passes() || refuses(ctx, verdict);
  }
  bool refuses(Context& ctx, Verdict& verdict) const;
  void answer_without_route(Context& ctx, const Target& target) const;
  void end_handler(Context& ctx) const;
  void note_exception(Context& ctx) const noexcept;
  void settle(Context& ctx) const noexcept {
    if (ContextParts::has_failed(ctx)) settle_failure(ctx);
  }
  void settle_failure(Context& ctx) const noexcept;
  void answer_failure(Context& ctx, Error error, bool is_logged) const;
  void end_stream(Context& ctx) const noexcept;

  const Registry* registry_;
  RouteTable table_;
  std::vector<Chain> chains_;    // one for each route
  std::vector<Target> targets_;  // one for each route
  Chain no_route_;
  std::vector<const BeforeHook*> server_before_;
  std::array<Target, 9> bad_paths_;  // by PathFault
  Target not_found_;
  Target method_unknown_;
  Target out_of_memory_;
  std::uint32_t background_limit_ = 0;
  bool has_server_before_ = false;
  bool may_reroute_ = false;  // one of them may rewrite the path
  bool server_before_is_plain_ = true;
  bool any_waits_ = false;
  bool any_wants_body_ = false;
};

}  // namespace spate::app
