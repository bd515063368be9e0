// SPDX-License-Identifier: MIT
// Request methods (RFC 9110 section 9, PATCH from RFC 5789). Methods are case-sensitive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spate {

// `other` is any method without a name here; its text is kept beside it (Request::method_text()).
enum class Method : std::uint8_t {
  get,
  head,
  post,
  put,
  delete_,
  patch,
  options,
  trace,
  connect,
  other
};

inline constexpr std::size_t method_count = 10;

// "GET" for get, and so on; "" for other.
std::string_view to_string(Method method) noexcept;

// The method of that exact text, or `other`.
Method parse_method(std::string_view text) noexcept;

}  // namespace spate
