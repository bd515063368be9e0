// SPDX-License-Identifier: MIT
// The other end of a connected socket as text.
#pragma once

#include <string>

namespace spate::io {

// "127.0.0.1:51234", "[::1]:51234"; "" for other families and for sockets that are not connected.
std::string peer_address(int fd);

}  // namespace spate::io
