// SPDX-License-Identifier: MIT
// Text of a request as a typed value: path parameters, query fields, headers, cookies. A text is
// taken whole: no blanks around it, no '+', no rest behind a number.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <spate/base/error.hpp>
#include <spate/json/shape.hpp>
#include <string>
#include <string_view>
#include <type_traits>

namespace spate {

// What Path, Query, Header and Cookie can hold: text, integers, bool ("true", "false", "1", "0"),
// floating point, and enums by name.
template <class T>
concept TextValue =
    std::is_same_v<T, std::string_view> || std::is_same_v<T, std::string> ||
    std::is_same_v<T, bool> || json::Integer<T> || json::Floating<T> || json::NamedEnum<T>;

namespace app {

bool parse_flag(std::string_view text, bool& out) noexcept;
bool parse_signed(std::string_view text, std::int64_t low, std::int64_t high,
                  std::int64_t& out) noexcept;
bool parse_unsigned(std::string_view text, std::uint64_t high, std::uint64_t& out) noexcept;
// Finite numbers only.
bool parse_real(std::string_view text, double& out) noexcept;

// "an integer from -128 to 127"
std::string describe_integer(std::int64_t low, std::uint64_t high);
// "one of red, green"
std::string describe_names(std::string_view (*name)(std::size_t), std::size_t count);

template <class T>
std::optional<T> parse_text(std::string_view text) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return text;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return std::string(text);
  } else if constexpr (std::is_same_v<T, bool>) {
    bool value = false;
    if (!parse_flag(text, value)) return std::nullopt;
    return value;
  } else if constexpr (json::Integer<T> && std::is_signed_v<T>) {
    std::int64_t value = 0;
    using Limits = std::numeric_limits<T>;
    if (!parse_signed(text, Limits::min(), Limits::max(), value)) return std::nullopt;
    return static_cast<T>(value);
  } else if constexpr (json::Integer<T>) {
    std::uint64_t value = 0;
    if (!parse_unsigned(text, std::numeric_limits<T>::max(), value)) return std::nullopt;
    return static_cast<T>(value);
  } else if constexpr (json::Floating<T>) {
    double value = 0;
    if (!parse_real(text, value)) return std::nullopt;
    return static_cast<T>(value);
  } else if constexpr (json::NamedEnum<T>) {
    return parse_enum<T>(text);
  } else {
    return std::nullopt;  // check_text_value has said why
  }
}

// What parse_text<T> would have taken.
template <class T>
std::string describe_text() {
  if constexpr (std::is_same_v<T, bool>) {
    return "true or false";
  } else if constexpr (json::Integer<T>) {
    using Limits = std::numeric_limits<T>;
    return describe_integer(static_cast<std::int64_t>(Limits::min()),
                            static_cast<std::uint64_t>(Limits::max()));
  } else if constexpr (json::Floating<T>) {
    return "a number";
  } else if constexpr (json::NamedEnum<T>) {
    return describe_names([](std::size_t i) { return json::enum_table<T>.name(i); },
                          json::enum_table<T>.kCount);
  } else {
    return "text";
  }
}

// status 400: `the query parameter "page" must be an integer from 0 to 255`.
Error text_missing(std::string_view kind, std::string_view name);
Error text_refused(std::string_view kind, std::string_view name, std::string expected);

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

// `kind` is what the client is told: "query parameter", "header", ...
template <class T>
Result<T> read_text(std::string_view kind, std::string_view name,
                    std::optional<std::string_view> text) {
  if constexpr (is_optional<T>) {
    if (!text) return T();
    if (auto value = parse_text<typename T::value_type>(*text)) return T(std::move(*value));
    return std::unexpected(text_refused(kind, name, describe_text<typename T::value_type>()));
  } else {
    if (!text) return std::unexpected(text_missing(kind, name));
    if (auto value = parse_text<T>(*text)) return std::move(*value);
    return std::unexpected(text_refused(kind, name, describe_text<T>()));
  }
}

template <class T>
consteval void check_text_value() {
  if constexpr (is_optional<T>) {
    check_text_value<typename T::value_type>();
  } else {
    static_assert(TextValue<T>,
                  "spate: Path, Query, Header and Cookie hold std::string_view, std::string, an "
                  "integer, bool, a floating-point number, or an enum with a fixed underlying "
                  "type");
  }
}

}  // namespace app
}  // namespace spate
