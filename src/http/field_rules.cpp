// SPDX-License-Identifier: MIT
#include <spate/http/field_rules.hpp>

#include "http/ascii.hpp"

namespace spate {

namespace {

// Good texts are the rule, so no character is worth a way out.
bool all_in(std::string_view text, std::uint8_t bits) noexcept {
  std::uint8_t common = bits;
  for (const char c : text) common &= http::char_table[static_cast<unsigned char>(c)];
  return common == bits;
}

}  // namespace

bool is_token(std::string_view text) noexcept {
  return !text.empty() && all_in(text, http::char_class::token);
}

bool is_field_name(std::string_view text) noexcept { return is_token(text); }

bool is_field_value(std::string_view text) noexcept {
  return all_in(text, http::char_class::value);
}

}  // namespace spate
