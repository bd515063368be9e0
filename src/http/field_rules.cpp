// SPDX-License-Identifier: MIT
#include <spate/http/field_rules.hpp>

#include "http/ascii.hpp"

namespace spate {

bool is_token(std::string_view text) noexcept {
  for (char c : text) {
    if (!http::is_token_char(c)) return false;
  }
  return !text.empty();
}

bool is_field_name(std::string_view text) noexcept { return is_token(text); }

bool is_field_value(std::string_view text) noexcept {
  for (char c : text) {
    if (!http::is_value_char(c)) return false;
  }
  return true;
}

}  // namespace spate
