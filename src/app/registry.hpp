// SPDX-License-Identifier: MIT
// What a program registered, as it said it: scopes, routes, hooks, state. Written while the server
// is set up, read by App::seal and then by the pipeline. Scope 0 is the server. lifetime: of the
// App. thread: one until it is sealed, then read-only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <spate/app/app.hpp>
#include <string>
#include <vector>

#include "app/pipeline.hpp"

namespace spate::app {

struct RegisteredScope {
  std::uint32_t parent = 0;
  std::string prefix;  // with those of the scopes around
  std::vector<BeforeHook> before;
  std::vector<AfterHook> after;
  std::vector<ErrorHook> on_error;
  RouteSettings settings;
  std::optional<std::size_t> last_route;
  std::source_location where;
};

struct RegisteredRoute {
  Method method;
  std::string method_text;
  std::string pattern;
  Endpoint endpoint;
  std::uint32_t scope;
  RouteSettings settings;
  std::source_location where;
};

struct RegisteredState {
  const void* tag;
  std::string_view type;
  std::shared_ptr<void> object;
  std::source_location where;
};

struct Registry {
  std::vector<std::unique_ptr<RegisteredScope>> scopes;
  std::vector<std::unique_ptr<RegisteredRoute>> routes;
  std::vector<RegisteredState> states;
  std::vector<ConnectHook> on_connect;
  std::vector<CloseHook> on_close;
  Pipeline pipeline;
  bool sealed = false;

  Registry() : pipeline(*this) { scopes.push_back(std::make_unique<RegisteredScope>()); }
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Result<> seal(const Limits& limits);
};

}  // namespace spate::app
