// SPDX-License-Identifier: MIT
#include "app/registry.hpp"

#include <string>

#include "app/router.hpp"
#include "http/service.hpp"

namespace spate {
namespace app {
namespace {

std::string place(const std::source_location& where) {
  return std::string(where.file_name()) + ":" + std::to_string(where.line());
}

std::string_view method_of(const RegisteredRoute& route) {
  return route.method == Method::other ? std::string_view(route.method_text)
                                       : to_string(route.method);
}

std::string title(const RegisteredRoute& route) {
  return std::string(method_of(route)) + " " + route.pattern + " (" + place(route.where) + ")";
}

std::string parameters_of(std::string_view pattern) {
  std::string names;
  for (std::size_t at = 1; at <= pattern.size();) {
    const detail::PatternSegment segment = detail::read_pattern_segment(pattern, at);
    if (segment.kind != PatternKind::literal) {
      if (!names.empty()) names += ", ";
      names += segment.text;
    }
    at = segment.end + 1;
  }
  return names.empty() ? "none" : names;
}

void add_fault(std::string& faults, std::string_view fault) {
  if (!faults.empty()) faults += '\n';
  faults += fault;
}

void check_route(const Registry& registry, const RegisteredRoute& route, std::string& faults) {
  if (check_pattern(route.pattern).fault == PatternFault::none) {
    for (const PathNeed& need : route.endpoint.paths) {
      if (need.name.empty()) continue;
      const PatternKind kind = pattern_param(route.pattern, need.name);
      if (kind == PatternKind::none) {
        add_fault(faults, title(route) + ": the handler takes Path<\"" + std::string(need.name) +
                              "\">, which the pattern does not have; its parameters are: " +
                              parameters_of(route.pattern));
      } else if (kind == PatternKind::integer && !need.takes_integer) {
        add_fault(faults, title(route) + ": the handler takes Path<\"" + std::string(need.name) +
                              "\"> as bool or enum where the pattern says :int; leave out :int or "
                              "take an integer");
      }
    }
  }
  for (const StateNeed& need : route.endpoint.states) {
    if (need.tag == nullptr || registry.pipeline.find_state(need.tag) != nullptr) continue;
    add_fault(faults, title(route) + ": the handler takes State<" + std::string(need.type) +
                          ">, which the server was not given; call state(...) before the start");
  }
}

void check_scopes(const Registry& registry, std::string& faults) {
  for (std::size_t i = 1; i < registry.scopes.size(); ++i) {
    const RegisteredScope& scope = *registry.scopes[i];
    const std::string_view own =
        std::string_view(scope.prefix).substr(registry.scopes[scope.parent]->prefix.size());
    if (own.empty() || (own.starts_with('/') && !own.ends_with('/'))) continue;
    add_fault(faults,
              "group \"" + std::string(own) + "\" (" + place(scope.where) +
                  "): a prefix begins with '/' and does not end with one, as in \"/v1\"; \"\" "
                  "makes a group for hooks alone");
  }
}

void check_states(const Registry& registry, std::string& faults) {
  for (std::size_t i = 0; i < registry.states.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      const RegisteredState& first = registry.states[k];
      const RegisteredState& second = registry.states[i];
      if (first.tag != second.tag) continue;
      add_fault(faults, "state of type " + std::string(second.type) +
                            " was given twice: " + place(first.where) + " and " +
                            place(second.where) + "; keep one, or wrap them in types of their own");
    }
  }
}

void require_open(const Registry& registry, std::string_view what,
                  const std::source_location& where = std::source_location::current()) {
  if (!registry.sealed) return;
  throw ErrorException(Error(
      Errc::configuration,
      "the server has started; " + std::string(what) + " are registered before that", 500, where));
}

}  // namespace

Result<> Registry::seal(const Limits& limits) {
  require_open(*this, "routes and hooks");
  std::string faults;
  check_scopes(*this, faults);
  check_states(*this, faults);
  RouteTable table;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const RegisteredRoute& route = *routes[i];
    table.add(route.method, route.method_text, route.pattern, static_cast<RouteId>(i), route.where);
    check_route(*this, route, faults);
  }
  if (Result<> sealed_table = table.seal(); !sealed_table) {
    add_fault(faults, sealed_table.error().detail);
  }
  if (!faults.empty()) return std::unexpected(Error(Errc::configuration, std::move(faults)));
  pipeline.seal(std::move(table), limits);
  sealed = true;
  return {};
}

void Registrar::add_route(Method method, std::string_view method_text, std::string_view pattern,
                          Endpoint endpoint, const std::source_location& where) {
  require_open(*registry_, "routes", where);
  RegisteredScope& scope = *registry_->scopes[scope_];
  scope.last_route = registry_->routes.size();
  registry_->routes.push_back(
      std::make_unique<RegisteredRoute>(RegisteredRoute{method,
                                                        std::string(method_text),
                                                        scope.prefix + std::string(pattern),
                                                        std::move(endpoint),
                                                        scope_,
                                                        {},
                                                        where}));
}

void Registrar::add_before(BeforeHook hook) {
  require_open(*registry_, "hooks");
  registry_->scopes[scope_]->before.push_back(std::move(hook));
}

void Registrar::add_after(AfterHook hook) {
  require_open(*registry_, "hooks");
  registry_->scopes[scope_]->after.push_back(std::move(hook));
}

void Registrar::add_on_error(ErrorHook hook) {
  require_open(*registry_, "hooks");
  registry_->scopes[scope_]->on_error.push_back(std::move(hook));
}

void Registrar::add_on_connect(ConnectHook hook) {
  require_open(*registry_, "hooks");
  registry_->on_connect.push_back(std::move(hook));
}

void Registrar::add_on_close(CloseHook hook) {
  require_open(*registry_, "hooks");
  registry_->on_close.push_back(std::move(hook));
}

void Registrar::add_state(const void* tag, std::string_view type, std::shared_ptr<void> object,
                          const std::source_location& where) {
  require_open(*registry_, "states", where);
  if (object == nullptr) {
    throw ErrorException(Error(
        Errc::configuration,
        "state of type " + std::string(type) + " is a null pointer; give an object", 500, where));
  }
  registry_->states.push_back({tag, type, std::move(object), where});
}

void Registrar::set_options(const RouteOption* options, std::size_t count) {
  require_open(*registry_, "options");
  RegisteredScope& scope = *registry_->scopes[scope_];
  RouteSettings& settings =
      scope.last_route ? registry_->routes[*scope.last_route]->settings : scope.settings;
  for (std::size_t i = 0; i < count; ++i) options[i].apply_to(settings);
}

Registrar Registrar::add_group(std::string_view prefix, const std::source_location& where) {
  require_open(*registry_, "groups", where);
  auto scope = std::make_unique<RegisteredScope>();
  scope->parent = scope_;
  scope->prefix = registry_->scopes[scope_]->prefix + std::string(prefix);
  scope->where = where;
  registry_->scopes.push_back(std::move(scope));
  return Registrar(*registry_, static_cast<std::uint32_t>(registry_->scopes.size() - 1));
}

App::App() : registry_(std::make_unique<Registry>()) {}
App::App(App&& other) noexcept = default;
App& App::operator=(App&& other) noexcept = default;
App::~App() = default;

Registrar App::registrar() noexcept { return Registrar(*registry_, 0); }

Result<> App::seal(const Limits& limits) { return registry_->seal(limits); }

http::Service& App::service() noexcept { return registry_->pipeline; }

std::vector<RouteListing> App::routes() const {
  std::vector<RouteListing> list;
  const std::vector<Chain>& chains = registry_->pipeline.chains();
  for (std::size_t i = 0; i < registry_->routes.size(); ++i) {
    const RegisteredRoute& route = *registry_->routes[i];
    RouteListing& entry = list.emplace_back();
    entry.method = method_of(route);
    entry.pattern = route.pattern;
    entry.name = route.settings.name;
    entry.where = route.where;
    if (i < chains.size()) {
      entry.may_wait = chains[i].may_wait;
      entry.limits = chains[i].limits;
    }
  }
  return list;
}

}  // namespace app

void RouteOption::apply_to(app::RouteSettings& settings) const {
  switch (kind_) {
    case Kind::timeout:
      settings.handler = std::chrono::milliseconds(number_);
      break;
    case Kind::body_limit:
      settings.body = static_cast<std::size_t>(number_);
      break;
    case Kind::body_rate:
      settings.body_rate = static_cast<std::uint32_t>(number_);
      break;
    case Kind::write_rate:
      settings.write_rate = static_cast<std::uint32_t>(number_);
      break;
    case Kind::half_close:
      settings.half_close = number_ != 0;
      break;
    case Kind::name:
      settings.name = text_;
      break;
  }
}

void app::RouteSettings::apply_to(RouteLimits& limits) const noexcept {
  if (handler) limits.handler = *handler;
  if (body) limits.body = limits.streamed_body = *body;
  if (body_rate) limits.body_rate = *body_rate;
  if (write_rate) limits.write_rate = *write_rate;
  if (half_close) limits.half_close = *half_close;
}

RouteOption timeout(Duration patience) {
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(patience);
  if (whole.count() < 1) {
    throw ErrorException(
        Error(Errc::configuration, "timeout() takes one millisecond or more, as in timeout(2s)"));
  }
  return {RouteOption::Kind::timeout, static_cast<std::uint64_t>(whole.count())};
}
RouteOption body_limit(std::size_t bytes) noexcept {
  return {RouteOption::Kind::body_limit, bytes};
}
RouteOption body_rate(std::uint32_t bytes_per_second) noexcept {
  return {RouteOption::Kind::body_rate, bytes_per_second};
}
RouteOption write_rate(std::uint32_t bytes_per_second) noexcept {
  return {RouteOption::Kind::write_rate, bytes_per_second};
}
RouteOption half_close(bool allow) noexcept {
  return {RouteOption::Kind::half_close, allow ? 1u : 0u};
}
RouteOption name(std::string_view text) noexcept { return {RouteOption::Kind::name, 0, text}; }

}  // namespace spate
