// SPDX-License-Identifier: MIT
#include <cstring>
#include <spate/http/known_header.hpp>

#include "http/known_header_table.hpp"

namespace spate {
namespace {

template <class Word>
Word load(const void* p) noexcept {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

// Whether the words at `at` of text and pattern agree.
template <class Word>
bool agree(const char* text, const http::HeaderPattern& pattern, std::size_t at) noexcept {
  Word const difference = load<Word>(text + at) ^ load<Word>(pattern.text.data() + at);
  return (difference & load<Word>(pattern.mask.data() + at)) == 0;
}

// Whole words, the last one overlapping: no loop over bytes, and none read outside the text.
bool equals(const char* text, const http::HeaderPattern& pattern, std::size_t size) noexcept {
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8) {
      if (!agree<std::uint64_t>(text, pattern, i)) return false;
    }
    return agree<std::uint64_t>(text, pattern, size - 8);
  }
  if (size >= 4) {
    return agree<std::uint32_t>(text, pattern, 0) && agree<std::uint32_t>(text, pattern, size - 4);
  }
  for (std::size_t i = 0; i < size; ++i) {
    if (!agree<std::uint8_t>(text, pattern, i)) return false;
  }
  return true;
}

}  // namespace

KnownHeader known_header(std::string_view name) noexcept {
  if (name.size() < 2) return KnownHeader::unknown;
  const char* const text = name.data();
  std::size_t const slot = http::header_slot(
      load<std::uint16_t>(text), load<std::uint16_t>(text + name.size() - 2), name.size());
  KnownHeader const header = http::header_slots.header[slot];
  auto const i = static_cast<std::size_t>(header);
  if (http::header_names[i].size() != name.size()) return KnownHeader::unknown;
  return equals(text, http::header_patterns[i], name.size()) ? header : KnownHeader::unknown;
}

std::string_view to_string(KnownHeader header) noexcept {
  auto const i = static_cast<std::size_t>(header);
  return i < http::header_names.size() ? http::header_names[i] : std::string_view();
}

}  // namespace spate
