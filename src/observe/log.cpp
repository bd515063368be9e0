// SPDX-License-Identifier: MIT
#include <spate/observe/log.hpp>

namespace spate {

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "info";
}

std::string escape_for_log(std::string_view text, std::size_t most) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string escaped;
  for (const char c : text) {
    if (escaped.size() >= most) {
      escaped += "...";
      break;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '"' || c == '\\') {
      escaped += "\\x";
      escaped += hex[byte >> 4];
      escaped += hex[byte & 15];
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace spate
