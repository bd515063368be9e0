// SPDX-License-Identifier: MIT
// The known field names as tables: the perfect hash that finds the one name a text may be, and each
// name laid out so that a register of 32 bytes, or four words, compares with it in one step. Made
// by the compiler; constant data, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <spate/http/known_header.hpp>
#include <string_view>

namespace spate::http {

inline constexpr std::array<std::string_view, known_header_count> header_names = {
    "",
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "expect",
    "upgrade",
    "te",
    "trailer",
    "keep-alive",
    "content-type",
    "content-encoding",
    "content-disposition",
    "content-language",
    "content-location",
    "content-range",
    "accept",
    "accept-encoding",
    "accept-language",
    "accept-charset",
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "user-agent",
    "origin",
    "referer",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "if-range",
    "range",
    "cache-control",
    "pragma",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "via",
    "max-forwards",
    "x-request-id",
    "idempotency-key",
    "traceparent",
    "tracestate",
    "last-event-id",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "sec-websocket-accept",
    "sec-fetch-site",
    "access-control-request-method",
    "access-control-request-headers",
    "date",
    "etag",
    "last-modified",
    "location",
    "server",
    "vary",
    "allow",
    "retry-after",
    "http2-settings",
};

static_assert(static_cast<std::size_t>(KnownHeader::http2_settings) + 1 == known_header_count);
static_assert(known_header_count <= 64);

// Two characters as a number.
constexpr std::uint32_t pair_at(const char* p) noexcept {
  auto byte = [](char c) { return static_cast<std::uint32_t>(static_cast<unsigned char>(c)); };
  return byte(p[0]) | byte(p[1]) << 8;
}

// The slot of a name by its first two and last two characters, without case, and its size. They
// tell all our names apart. The multiplier was found by trying; the static_assert below tells when
// a new name needs another.
constexpr std::size_t header_slot(std::uint32_t first, std::uint32_t last,
                                  std::size_t size) noexcept {
  std::uint32_t const ends = (first | last << 16) | 0x20202020U;
  return static_cast<std::uint8_t>((ends * 0x02345A9DU >> 24) + size);
}

struct HeaderSlots {
  std::array<KnownHeader, 256> header{};
  bool collision = false;
};

consteval HeaderSlots make_header_slots() noexcept {
  HeaderSlots slots;
  for (std::size_t i = 1; i < header_names.size(); ++i) {
    std::string_view const name = header_names[i];
    auto& header = slots.header[header_slot(pair_at(name.data()),
                                            pair_at(name.data() + name.size() - 2), name.size())];
    if (header != KnownHeader::unknown) slots.collision = true;
    header = static_cast<KnownHeader>(i);
  }
  return slots;
}

inline constexpr HeaderSlots header_slots = make_header_slots();
static_assert(!header_slots.collision, "two known headers share a slot: choose another multiplier");

// A name with its colon behind it, and the bits in which a text must agree: all of a byte, but not
// the case bit of a letter; none behind the colon. So one comparison of 32 bytes says that a line
// begins with the name and that the name ends there. No line that has a colon in its first 32 bytes
// begins with the pattern of `unknown`.
struct alignas(64) HeaderPattern {
  std::array<std::uint8_t, 32> text{};
  std::array<std::uint8_t, 32> mask{};
};

consteval std::array<HeaderPattern, known_header_count> make_header_patterns() noexcept {
  std::array<HeaderPattern, known_header_count> patterns{};
  patterns[0].text.fill('x');
  patterns[0].mask.fill(0xFF);
  for (std::size_t i = 1; i < header_names.size(); ++i) {
    std::string_view const name = header_names[i];
    for (std::size_t at = 0; at < name.size(); ++at) {
      bool const letter = name[at] >= 'a' && name[at] <= 'z';
      patterns[i].text[at] = static_cast<std::uint8_t>(name[at]);
      patterns[i].mask[at] = letter ? 0xDF : 0xFF;
    }
    // A name of 32 characters would not compile here.
    patterns[i].text[name.size()] = ':';
    patterns[i].mask[name.size()] = 0xFF;
  }
  return patterns;
}

inline constexpr std::array<HeaderPattern, known_header_count> header_patterns =
    make_header_patterns();

}  // namespace spate::http
