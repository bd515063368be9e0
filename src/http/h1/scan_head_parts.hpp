// SPDX-License-Identifier: MIT
// What every variant of the head scan includes before it changes the compiler's target, and what
// scan_head_body.hpp uses without changing with the level.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <spate/http/known_header.hpp>
#include <spate/http/method.hpp>
#include <string_view>
#include <utility>

#include "http/ascii.hpp"
#include "http/authority.hpp"
#include "http/h1/request_parser.hpp"
#include "http/h1/scan_class.hpp"
#include "http/h1/scan_head.hpp"
#include "http/known_header_table.hpp"
#include "http/request_head.hpp"

namespace spate::h1 {

// RFC 9112 3: a longer one is answered as a method that is not implemented.
inline constexpr std::size_t max_method = 32;

// Bytes that one look at the head takes in.
inline constexpr std::size_t block_size = 32;

constexpr std::uint64_t bit_of(KnownHeader id) noexcept {
  return std::uint64_t{1} << static_cast<unsigned>(id);
}

template <class Word>
inline Word load_word(const char* p) noexcept {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// As load_word() reads it.
inline constexpr std::uint16_t end_of_line = std::bit_cast<std::uint16_t>(std::array{'\r', '\n'});

// Whether the bytes at p, of which there are enough, are those of the literal: one comparison for
// four or eight of them.
template <std::size_t N>
inline bool is_at(const char* p, const char (&literal)[N]) noexcept {
  return std::memcmp(p, literal, N - 1) == 0;
}

}  // namespace spate::h1
