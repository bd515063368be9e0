// SPDX-License-Identifier: MIT
// What `with(...)` takes: limits and names of routes, `.with(timeout(2s), body_limit(64_KiB))`.
// Defaults are those of RouteLimits. thread: plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <spate/coro/runtime.hpp>
#include <spate/http/limits.hpp>
#include <string>
#include <string_view>

namespace spate {

namespace app {

// What a route, group or server says itself; what it leaves open comes from around it.
struct RouteSettings {
  std::optional<std::chrono::milliseconds> handler;
  std::optional<std::size_t> body;
  std::optional<std::uint32_t> body_rate;
  std::optional<std::uint32_t> write_rate;
  std::optional<bool> half_close;
  std::string name;

  void apply_to(RouteLimits& limits) const noexcept;
};

}  // namespace app

class RouteOption {
 public:
  void apply_to(app::RouteSettings& settings) const;

 private:
  enum class Kind : std::uint8_t { timeout, body_limit, body_rate, write_rate, half_close, name };
  RouteOption(Kind kind, std::uint64_t number, std::string_view text = {}) noexcept
      : kind_(kind), number_(number), text_(text) {}

  friend RouteOption timeout(Duration patience);
  friend RouteOption body_limit(std::size_t bytes) noexcept;
  friend RouteOption body_rate(std::uint32_t bytes_per_second) noexcept;
  friend RouteOption write_rate(std::uint32_t bytes_per_second) noexcept;
  friend RouteOption half_close(bool allow) noexcept;
  friend RouteOption name(std::string_view text) noexcept;

  Kind kind_;
  std::uint64_t number_;
  std::string_view text_;
};

// From the head to the end of the handler -> 503. throws: ErrorException (Errc::configuration)
// below one millisecond.
RouteOption timeout(Duration patience);
// Content of a request, buffered or streamed -> 413.
RouteOption body_limit(std::size_t bytes) noexcept;
// Least rate of a body, counted while we wait for it -> 408; 0 for none.
RouteOption body_rate(std::uint32_t bytes_per_second) noexcept;
// Least rate at which the client takes the answer -> closed; 0 for none.
RouteOption write_rate(std::uint32_t bytes_per_second) noexcept;
// Whether a client that closed its sending side is still answered.
RouteOption half_close(bool allow = true) noexcept;
// What listings and logs call the route. lifetime: copied by with().
RouteOption name(std::string_view text) noexcept;

}  // namespace spate
