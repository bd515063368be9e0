// SPDX-License-Identifier: MIT
// Listening sockets: one per worker and address with SO_REUSEPORT, so that the kernel spreads the
// connections and no worker waits for another.
#pragma once

#include <spate/base/error.hpp>
#include <vector>

#include "net/address.hpp"

namespace spate::net {

struct ListenOptions {
  // Wakes the server when the first bytes are there instead of when the connection is: it spares a
  // short connection a turn. Off for those who want to see silent clients.
  bool defer_accept = true;
  int backlog = 4096;  // cut by net.core.somaxconn
};

// `count` sockets bound to the same address. Port 0 takes a free one; `address` then says which.
// errors: system, naming the address and what to do.
Result<std::vector<int>> listen(Address& address, unsigned count, const ListenOptions& options);

// From here on no new handshake begins on this socket, while those under way and the connections in
// the queue go on: what a server does before it closes a listener, so that no client is reset which
// has already sent its request.
void refuse_new_handshakes(int fd) noexcept;

}  // namespace spate::net
