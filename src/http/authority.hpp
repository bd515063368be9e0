// SPDX-License-Identifier: MIT
// Host and port as Host, :authority and request targets carry them (RFC 3986 3.2.2, RFC 9110 7.2).
// Narrower than RFC 3986 on purpose: no user information, no comma (proxies join two Host fields
// with one), no empty host, no IPvFuture. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace spate::http {

enum class Port : std::uint8_t { optional, required };

// Whether `text` is a host, and behind a ':' a port from 0 to 65535. With Port::optional the port,
// and its digits too, may be missing.
bool is_authority(std::string_view text, Port port) noexcept;

}  // namespace spate::http
