// SPDX-License-Identifier: MIT
// The values that a route's parameters took from a path, in the order of the pattern, decoded.
// lifetime: names belong to the route, values point into the request's head or its arena.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace spate::http {

class PathParams {
 public:
  static constexpr std::size_t max_params = 16;

  std::size_t size() const noexcept { return names_.size(); }
  std::string_view name(std::size_t i) const noexcept { return names_[i]; }
  std::string_view value(std::size_t i) const noexcept { return values_[i]; }

  // The value of that name; nullopt when the route has no such parameter.
  std::optional<std::string_view> find(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == name) return values_[i];
    }
    return std::nullopt;
  }

  // --- for routers ---

  void clear() noexcept { names_ = {}; }
  void set_names(std::span<const std::string_view> names) noexcept { names_ = names; }
  void set_value(std::size_t i, std::string_view value) noexcept { values_[i] = value; }
  // The bytes [from, from + size) that values point into are now at `to`.
  void rebase(const char* from, std::size_t size, const char* to) noexcept {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const char* at = values_[i].data();
      if (at >= from && at <= from + size) values_[i] = {to + (at - from), values_[i].size()};
    }
  }

 private:
  std::span<const std::string_view> names_;
  std::array<std::string_view, max_params> values_;
};

}  // namespace spate::http
