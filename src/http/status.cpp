// SPDX-License-Identifier: MIT
#include <spate/http/status.hpp>

#include "http/status_table.hpp"

namespace spate {

std::string_view reason(int status) noexcept {
  std::size_t const entry = http::find_status(status);
  return entry == 0 ? std::string_view() : http::status_table[entry - 1].reason;
}

}  // namespace spate
