// SPDX-License-Identifier: MIT
#include "net/address.hpp"

#include <arpa/inet.h>

#include <charconv>

namespace spate::net {
namespace {

Error bad(std::string_view text, std::string_view why) {
  return Error(Errc::configuration,
               "\"" + std::string(text) + "\" is no address to listen on: " + std::string(why) +
                   "; write 127.0.0.1:8080, [::1]:8080, or :8080 for every address");
}

}  // namespace

std::uint16_t Address::port() const noexcept {
  return storage.ss_family == AF_INET6
             ? ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port)
             : ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
}

void Address::set_port(std::uint16_t port) noexcept {
  if (storage.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(storage).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(storage).sin_port = htons(port);
  }
}

std::string Address::to_string() const {
  char text[INET6_ADDRSTRLEN];
  if (storage.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, text,
                sizeof text);
    return '[' + std::string(text) + "]:" + std::to_string(port());
  }
  ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text, sizeof text);
  return std::string(text) + ':' + std::to_string(port());
}

Result<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos) return std::unexpected(bad(text, "the port is missing"));
  std::string host(text.substr(0, colon));
  const std::string_view port_text = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc() || end != port_text.data() + port_text.size() || port_text.empty()) {
    return std::unexpected(bad(text, "the port is no number from 0 to 65535"));
  }
  Address address;
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (host.empty() || bracketed) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    v6.sin6_family = AF_INET6;
    address.size = sizeof v6;
    if (host.empty()) {
      address.any_family = true;
    } else if (::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6.sin6_addr) != 1) {
      return std::unexpected(bad(text, "the brackets hold no IPv6 address"));
    }
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
    v4.sin_family = AF_INET;
    address.size = sizeof v4;
    if (host == "localhost") host = "127.0.0.1";
    if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) != 1) {
      return std::unexpected(
          bad(text, host.find(':') != host.npos
                        ? "an IPv6 address stands in brackets"
                        : "the host is no IPv4 address, no [IPv6] and not localhost"));
    }
  }
  address.set_port(port);
  return address;
}

}  // namespace spate::net
