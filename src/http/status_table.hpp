// SPDX-License-Identifier: MIT
// The registered status codes with their reason phrases, as one constant table for everyone who
// derives something from it at compile time.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace spate::http {

struct StatusEntry {
  std::uint16_t code;
  std::string_view reason;
};

// 418 is left out: it is reserved and has no meaning (RFC 9110 15.5.19). In ascending order.
inline constexpr auto status_table = std::to_array<StatusEntry>({
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
});

// Index + 1 in status_table by code - 100; 0 for a code that is not there.
consteval std::array<std::uint8_t, 500> make_status_index() noexcept {
  std::array<std::uint8_t, 500> index{};
  for (std::size_t i = 0; i < status_table.size(); ++i) {
    index[status_table[i].code - 100U] = static_cast<std::uint8_t>(i + 1);
  }
  return index;
}

inline constexpr std::array<std::uint8_t, 500> status_index = make_status_index();

constexpr std::size_t find_status(int status) noexcept {
  return status >= 100 && status < 600 ? status_index[static_cast<std::size_t>(status) - 100] : 0;
}

}  // namespace spate::http
