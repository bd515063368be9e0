// SPDX-License-Identifier: MIT
// An address to listen on, read from text: "127.0.0.1:8080", "[::1]:8080", ":8080" (every IPv4 and
// IPv6 address), "localhost:8080". Names other than localhost are not looked up.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <spate/base/error.hpp>
#include <string>
#include <string_view>

namespace spate::net {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  bool any_family = false;  // an IPv6 wildcard that takes IPv4 too

  std::uint16_t port() const noexcept;
  void set_port(std::uint16_t port) noexcept;
  // "127.0.0.1:8080", "[::1]:8080".
  std::string to_string() const;
};

// errors: configuration, naming the text and the forms that are understood.
Result<Address> parse_address(std::string_view text);

}  // namespace spate::net
