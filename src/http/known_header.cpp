// SPDX-License-Identifier: MIT
#include <array>
#include <cstring>
#include <spate/http/known_header.hpp>

namespace spate {
namespace {

constexpr std::array<std::string_view, known_header_count> names = {
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

// Two characters as a number, in lower case as far as letters go.
constexpr std::uint32_t pair_at(const char* p) noexcept {
  auto byte = [](char c) { return static_cast<std::uint32_t>(static_cast<unsigned char>(c)); };
  return (byte(p[0]) | byte(p[1]) << 8) | 0x2020U;
}

// Length, the first two and the last two characters tell all our names apart; the multipliers were
// found by trying, and the static_assert below tells when a new name needs others.
constexpr std::size_t slot_of(std::string_view name) noexcept {
  std::uint32_t const ends =
      pair_at(name.data()) * 62025U + pair_at(name.data() + name.size() - 2) * 49013U;
  return ((ends >> 8) + name.size()) & 255U;
}

struct Slots {
  std::array<KnownHeader, 256> header{};
  bool collision = false;
};

consteval Slots make_slots() noexcept {
  Slots slots;
  for (std::size_t i = 1; i < names.size(); ++i) {
    auto& header = slots.header[slot_of(names[i])];
    if (header != KnownHeader::unknown) slots.collision = true;
    header = static_cast<KnownHeader>(i);
  }
  return slots;
}

constexpr Slots slots = make_slots();
static_assert(!slots.collision, "two known headers share a slot: choose other multipliers");

std::uint64_t load8(const char* p) noexcept {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

std::uint32_t load4(const char* p) noexcept {
  std::uint32_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// Whether the bytes are equal but for the case bit of letters. `ref` holds a-z, 0-9 and '-', of
// which just the letters have bit 6 set: shifted right by one that is the case bit which may
// differ.
template <class Word>
bool same(Word text, Word ref) noexcept {
  constexpr Word bit6 = static_cast<Word>(0x4040404040404040ULL);
  return ((text ^ ref) & ~((ref & bit6) >> 1)) == 0;
}

// Sizes are equal. Whole words, the last one overlapping: no loop over bytes.
bool equals(const char* text, const char* ref, std::size_t size) noexcept {
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8) {
      if (!same(load8(text + i), load8(ref + i))) return false;
    }
    return same(load8(text + size - 8), load8(ref + size - 8));
  }
  if (size >= 4) {
    return same(load4(text), load4(ref)) && same(load4(text + size - 4), load4(ref + size - 4));
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (!same(static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])),
              static_cast<std::uint32_t>(static_cast<unsigned char>(ref[i])))) {
      return false;
    }
  }
  return true;
}

}  // namespace

KnownHeader known_header(std::string_view name) noexcept {
  if (name.size() < 2) return KnownHeader::unknown;
  KnownHeader const header = slots.header[slot_of(name)];
  std::string_view const ref = names[static_cast<std::size_t>(header)];
  if (ref.size() != name.size()) return KnownHeader::unknown;
  return equals(name.data(), ref.data(), ref.size()) ? header : KnownHeader::unknown;
}

std::string_view to_string(KnownHeader header) noexcept {
  auto const i = static_cast<std::size_t>(header);
  return i < names.size() ? names[i] : std::string_view();
}

}  // namespace spate
