// SPDX-License-Identifier: MIT
// The web half of a server: routes, hooks and state, sealed into a service that answers requests.
// `Server` holds one; programs use that. lifetime: outlives every request; moving it keeps groups
// and the service valid. thread: built by one thread; sealed, it serves all workers.
#pragma once

#include <memory>
#include <source_location>
#include <spate/app/route_methods.hpp>
#include <spate/base/error.hpp>
#include <spate/http/limits.hpp>
#include <string_view>
#include <vector>

namespace spate {

namespace http {
class Service;
}

// A route, for listings. lifetime: views live as long as the server.
struct RouteListing {
  std::string_view method;
  std::string_view pattern;
  std::string_view name;  // as given by with(name("...")), or ""
  std::source_location where;
  bool may_wait = false;  // a Task is in the chain: heads are copied before the first hook
  RouteLimits limits;
};

namespace app {

class App : public ServerMethods<App> {
 public:
  static constexpr bool has_prefix = false;

  App();
  App(App&& other) noexcept;
  App& operator=(App&& other) noexcept;
  ~App();

  Registrar registrar() noexcept;

  // Checks everything and makes the service ready. errors: configuration, one message with every
  // bad pattern, conflict of routes, unknown Path<> name and missing State<>, each with its places.
  Result<> seal(const Limits& limits = {});
  http::Service& service() noexcept;
  // In the order of registration. Complete after seal().
  std::vector<RouteListing> routes() const;

 private:
  std::unique_ptr<Registry> registry_;
};

}  // namespace app
}  // namespace spate
