// SPDX-License-Identifier: MIT
#include <spate/base/error.hpp>
#include <spate/http/connection.hpp>

namespace spate {

void Connection::refuse_state() {
  throw ErrorException(
      Error(Errc::configuration,
            "the state of this connection has another type; keep one type per server"));
}

}  // namespace spate
