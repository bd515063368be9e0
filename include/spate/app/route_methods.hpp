// SPDX-License-Identifier: MIT
// The calls that register routes and hooks, shared by Server and Group, each chainable:
//
//     server.get("/", index).get<"/users/{id:int}">(show_user).with(timeout(2s));
//     auto api = server.group("/v1").before(require_token);
//
// Nothing is checked before the server starts except what the compiler checks; then all faults are
// reported at once, with their places. Order matters only among hooks of one kind in one scope.
// thread: before the start, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <spate/app/endpoint.hpp>
#include <spate/app/route_option.hpp>
#include <spate/http/method.hpp>
#include <string_view>
#include <type_traits>
#include <utility>

namespace spate {

class Group;

namespace app {

struct Registry;

// A scope of a registry: the server itself, or a group. A handle. lifetime: that of the App.
class Registrar {
 public:
  Registrar(Registry& registry, std::uint32_t scope) noexcept
      : registry_(&registry), scope_(scope) {}

  // `method_text` is read for Method::other only. throws, all of these: ErrorException
  // (Errc::configuration) once the server has started.
  void add_route(Method method, std::string_view method_text, std::string_view pattern,
                 Endpoint endpoint, const std::source_location& where);
  void add_before(BeforeHook hook);
  void add_after(AfterHook hook);
  void add_on_error(ErrorHook hook);
  void add_on_connect(ConnectHook hook);
  void add_on_close(CloseHook hook);
  void add_state(const void* tag, std::string_view type, std::shared_ptr<void> object,
                 const std::source_location& where);
  void set_options(const RouteOption* options, std::size_t count);
  Registrar add_group(std::string_view prefix, const std::source_location& where);

 private:
  Registry* registry_;
  std::uint32_t scope_;
};

}  // namespace app

// Base of Server and Group. `Derived` has `app::Registrar registrar()` and `static constexpr bool
// has_prefix`.
template <class Derived>
class RouteMethods {
 public:
  // A route whose pattern is known when the program runs. See <spate/app/fixed_pattern.hpp> for
  // patterns, <spate/app/extract.hpp> for what handlers take, <spate/app/answer.hpp> for what they
  // return. Parameter names are checked when the server starts.
  template <class F>
  Derived& get(std::string_view pattern, F handler,
               std::source_location where = std::source_location::current()) {
    return add(Method::get, pattern, std::move(handler), where);
  }
  template <class F>
  Derived& post(std::string_view pattern, F handler,
                std::source_location where = std::source_location::current()) {
    return add(Method::post, pattern, std::move(handler), where);
  }
  template <class F>
  Derived& put(std::string_view pattern, F handler,
               std::source_location where = std::source_location::current()) {
    return add(Method::put, pattern, std::move(handler), where);
  }
  template <class F>
  Derived& delete_(std::string_view pattern, F handler,
                   std::source_location where = std::source_location::current()) {
    return add(Method::delete_, pattern, std::move(handler), where);
  }
  template <class F>
  Derived& patch(std::string_view pattern, F handler,
                 std::source_location where = std::source_location::current()) {
    return add(Method::patch, pattern, std::move(handler), where);
  }
  // Without a route of its own, HEAD is answered by GET's and OPTIONS with the list of methods.
  template <class F>
  Derived& head(std::string_view pattern, F handler,
                std::source_location where = std::source_location::current()) {
    return add(Method::head, pattern, std::move(handler), where);
  }
  template <class F>
  Derived& options(std::string_view pattern, F handler,
                   std::source_location where = std::source_location::current()) {
    return add(Method::options, pattern, std::move(handler), where);
  }
  // Any method by its name: `route("PROPFIND", "/files/{path...}", list)`.
  template <class F>
  Derived& route(std::string_view method, std::string_view pattern, F handler,
                 std::source_location where = std::source_location::current()) {
    if constexpr (app::check_handler<F>()) {
      registrar().add_route(parse_method(method), method, pattern,
                            app::make_endpoint(std::move(handler)), where);
    }
    return self();
  }

  // The same with the pattern as a template argument: pattern, and names of Path<> parameters, are
  // checked by the compiler. (In a group names may come from its prefix and are checked at start.)
  template <FixedString pattern, class F>
  Derived& get(F handler, std::source_location where = std::source_location::current()) {
    return add_fixed<pattern>(Method::get, std::move(handler), where);
  }
  template <FixedString pattern, class F>
  Derived& post(F handler, std::source_location where = std::source_location::current()) {
    return add_fixed<pattern>(Method::post, std::move(handler), where);
  }
  template <FixedString pattern, class F>
  Derived& put(F handler, std::source_location where = std::source_location::current()) {
    return add_fixed<pattern>(Method::put, std::move(handler), where);
  }
  template <FixedString pattern, class F>
  Derived& delete_(F handler, std::source_location where = std::source_location::current()) {
    return add_fixed<pattern>(Method::delete_, std::move(handler), where);
  }
  template <FixedString pattern, class F>
  Derived& patch(F handler, std::source_location where = std::source_location::current()) {
    return add_fixed<pattern>(Method::patch, std::move(handler), where);
  }
  template <FixedString pattern, class F>
  Derived& head(F handler, std::source_location where = std::source_location::current()) {
    return add_fixed<pattern>(Method::head, std::move(handler), where);
  }
  template <FixedString pattern, class F>
  Derived& options(F handler, std::source_location where = std::source_location::current()) {
    return add_fixed<pattern>(Method::options, std::move(handler), where);
  }

  // Options of the route that this object registered last; before its first route, of the whole
  // scope, groups inside included. A route's own options win over its group's, those over the
  // server's.
  template <class... O>
  Derived& with(O... options) {
    static_assert((std::is_same_v<O, RouteOption> && ...),
                  "spate: with() takes timeout(), body_limit(), body_rate(), write_rate(), "
                  "half_close() and name()");
    const RouteOption list[] = {options...};
    registrar().set_options(list, sizeof...(O));
    return self();
  }

  // `Verdict f(Context&)` or a Task of one, run before the handler: the server's for every request,
  // before it is known whether a route exists; then those of groups from the outside in. The first
  // refusal ends the request. One of the server that takes `const Context&` cannot rewrite the
  // path, which spares plain routes a copy of the head where others wait.
  template <class F>
  Derived& before(F hook) {
    registrar().add_before(app::make_before(std::move(hook)));
    return self();
  }
  // `void f(Context&)` or a Task, run once when the answer is known and before any of it is sent,
  // also for refusals and failures: those of the innermost group first, the server's last.
  template <class F>
  Derived& after(F hook) {
    registrar().add_after(app::make_after(std::move(hook)));
    return self();
  }
  // `Verdict f(Context&, const Error&)`, plain: makes the answer for a failure (also 404 and 405,
  // on the server). `pass` leaves it to the next one outside; the last resort is problem+json.
  template <class F>
  Derived& on_error(F hook) {
    registrar().add_on_error(app::make_on_error(std::move(hook)));
    return self();
  }

  // A scope for routes below `prefix` ("/v1", "/orgs/{org}", or "" for hooks and options alone):
  // its hooks and options end at its edge. Groups nest. lifetime: a handle, valid as long as the
  // server.
  Group group(std::string_view prefix,
              std::source_location where = std::source_location::current());

 protected:
  ~RouteMethods() = default;

  Derived& self() noexcept { return static_cast<Derived&>(*this); }
  app::Registrar registrar() { return self().registrar(); }

 private:
  template <class F>
  Derived& add(Method method, std::string_view pattern, F handler,
               const std::source_location& where) {
    if constexpr (app::check_handler<F>()) {
      registrar().add_route(method, {}, pattern, app::make_endpoint(std::move(handler)), where);
    }
    return self();
  }
  template <FixedString pattern, class F>
  Derived& add_fixed(Method method, F handler, const std::source_location& where) {
    if constexpr (Derived::has_prefix) {
      static_assert(require_pattern<pattern>());
    } else {
      app::check_handler_of_pattern<pattern, F>();
    }
    return add(method, pattern.view(), std::move(handler), where);
  }
};

// What is the server's alone.
template <class Derived>
class ServerMethods : public RouteMethods<Derived> {
 public:
  // `bool f(const Connection&)`, plain: runs before a connection's first byte; false closes it.
  template <class F>
  Derived& on_connect(F hook) {
    constexpr bool fits = std::is_invocable_r_v<bool, const F&, Connection&>;
    static_assert(fits,
                  "spate: an `on_connect` hook is a plain function of const Connection& that "
                  "returns bool: false closes the connection");
    if constexpr (fits) {
      this->registrar().add_on_connect(app::ConnectHook(std::move(hook), app::CallDirectly{}));
    }
    return this->self();
  }
  // `void f(const Connection&)`: runs when a connection has closed.
  template <class F>
  Derived& on_close(F hook) {
    constexpr bool fits = std::is_invocable_v<const F&, const Connection&>;
    static_assert(fits, "spate: an `on_close` hook is a plain function of const Connection&");
    if constexpr (fits) {
      this->registrar().add_on_close(app::CloseHook(std::move(hook), app::CallDirectly{}));
    }
    return this->self();
  }
  // An object for State<T> and ctx.state<T>(), one of each type. thread: all workers share it.
  template <class T>
  Derived& state(T object, std::source_location where = std::source_location::current()) {
    return state(std::make_shared<T>(std::move(object)), where);
  }
  template <class T>
  Derived& state(std::shared_ptr<T> object,
                 std::source_location where = std::source_location::current()) {
    this->registrar().add_state(&app::type_tag<T>, app::type_name<T>(), std::move(object), where);
    return this->self();
  }

 protected:
  ~ServerMethods() = default;
};

// See RouteMethods::group. thread: as RouteMethods.
class Group : public RouteMethods<Group> {
 public:
  static constexpr bool has_prefix = true;

  explicit Group(app::Registrar registrar) noexcept : registrar_(registrar) {}
  app::Registrar registrar() const noexcept { return registrar_; }

 private:
  app::Registrar registrar_;
};

template <class Derived>
Group RouteMethods<Derived>::group(std::string_view prefix, std::source_location where) {
  return Group(registrar().add_group(prefix, where));
}

}  // namespace spate
