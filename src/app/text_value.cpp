// SPDX-License-Identifier: MIT
#include <charconv>
#include <cmath>
#include <spate/app/text_value.hpp>

namespace spate::app {
namespace {

template <class T>
bool parse_whole(std::string_view text, T& out) noexcept {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, out);
  return result.ec == std::errc() && result.ptr == end;
}

}  // namespace

bool parse_flag(std::string_view text, bool& out) noexcept {
  if (text == "true" || text == "1") {
    out = true;
  } else if (text == "false" || text == "0") {
    out = false;
  } else {
    return false;
  }
  return true;
}

bool parse_signed(std::string_view text, std::int64_t low, std::int64_t high,
                  std::int64_t& out) noexcept {
  return parse_whole(text, out) && out >= low && out <= high;
}

bool parse_unsigned(std::string_view text, std::uint64_t high, std::uint64_t& out) noexcept {
  return parse_whole(text, out) && out <= high;
}

bool parse_real(std::string_view text, double& out) noexcept {
  return parse_whole(text, out) && std::isfinite(out);
}

std::string describe_integer(std::int64_t low, std::uint64_t high) {
  return "an integer from " + std::to_string(low) + " to " + std::to_string(high);
}

std::string describe_names(std::string_view (*name)(std::size_t), std::size_t count) {
  std::string text = "one of ";
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) text += ", ";
    text += name(i);
  }
  return text;
}

Error text_missing(std::string_view kind, std::string_view name) {
  return Error(Errc::invalid,
               "the " + std::string(kind) + " \"" + std::string(name) + "\" is missing", 400);
}

Error text_refused(std::string_view kind, std::string_view name, std::string expected) {
  return Error(Errc::invalid,
               "the " + std::string(kind) + " \"" + std::string(name) + "\" must be " + expected,
               400);
}

}  // namespace spate::app
