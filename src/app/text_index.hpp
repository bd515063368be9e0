// SPDX-License-Identifier: MIT
// A sealed map from (place, text) to a number: a perfect hash, made once, so that a look is one
// hash, one comparison and never a second slot, whatever a peer asks for. Keys are the program's
// own and are told apart by all their bytes. lifetime: owns its texts. thread: after seal() any
// number may read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_block.hpp"

namespace spate::app {

class TextIndex {
 public:
  // No two keys are equal; `value` is not 0. Before seal().
  void add(std::uint32_t place, std::string_view text, std::uint32_t value);
  // Afterwards the index can be read. cost: about linear in the number of keys.
  void seal();

  // The value of the key, 0 when there is none.
  std::uint32_t find(std::uint32_t place, std::string_view text) const noexcept {
    return text.size() <= max_short ? find_short(place, text) : find_long(place, text);
  }

  // The same for texts of known size, for those who count instructions.
  static constexpr std::size_t max_short = 16;
  [[gnu::always_inline]] std::uint32_t find_short(std::uint32_t place,
                                                  std::string_view text) const noexcept {
    // Most of what is not here has a size that no key has, not even by 64 more or less.
    if ((sizes_ >> (text.size() & 63) & 1) == 0) return 0;
    Key const key = key_of(place, text);
    std::uint64_t const hash = hash_of(seed_, key);
    Slot const& slot = slots_[slot_of(hash, shifts_[hash & shift_mask_])];
    return slot.key == key ? slot.value : 0;
  }
  std::uint32_t find_long(std::uint32_t place, std::string_view text) const noexcept;

 private:
  // What tells keys of up to 16 bytes apart, and longer ones but for the bytes in the middle.
  struct Key {
    std::uint64_t first;  // the first 8 bytes; all of a shorter text
    std::uint64_t last;   // the last 8, which may be partly the same; 0 for a shorter text
    std::uint64_t place_and_size;

    bool operator==(Key const& other) const noexcept {
      return first == other.first && last == other.last && place_and_size == other.place_and_size;
    }
  };

  struct Slot {
    Key key{};
    std::uint32_t value = 0;
    std::uint32_t text = 0;  // where it begins in texts_
  };

  static constexpr std::uint64_t one = 0x9ae16a3b2f90404fU;
  static constexpr std::uint64_t two = 0xc3a5c85c97cb3127U;

  static Key key_of(std::uint32_t place, std::string_view text) noexcept {
    std::size_t const size = text.size();
    std::uint64_t const place_and_size = std::uint64_t{place} << 32 | size;
    if (size < 8) return {base::load_short(text.data(), size), 0, place_and_size};
    return {base::load_word<std::uint64_t>(text.data()),
            base::load_word<std::uint64_t>(text.data() + size - 8), place_and_size};
  }

  // Multiplies to 128 bits and folds them. The factors above are odd numbers with about as many
  // ones as zeros; nothing else is asked of them.
  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using Wide = unsigned __int128;
    Wide const product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  static std::uint64_t hash_of(std::uint64_t mix, Key const& key) noexcept {
    return fold(key.first ^ mix, key.last ^ (key.place_and_size + 1) * one);
  }

  static std::uint64_t mix_middle(std::uint64_t mix, std::string_view text) noexcept {
    for (std::size_t i = 8; i + 8 < text.size(); i += 8) {
      mix = fold(base::load_word<std::uint64_t>(text.data() + i) ^ mix, two);
    }
    return mix;
  }

  std::size_t slot_of(std::uint64_t hash, std::uint32_t shift) const noexcept {
    return (static_cast<std::uint32_t>(hash >> 32) ^ shift) & slot_mask_;
  }

  bool try_seed(std::uint64_t seed);

  std::uint64_t seed_ = 0;
  std::uint64_t sizes_ = 0;  // a bit for each size of a key, modulo 64
  std::uint64_t shift_mask_ = 0;
  std::uint32_t slot_mask_ = 0;
  std::size_t longest_ = 0;
  std::vector<std::uint32_t> shifts_ = {
      0};  // by the lower half of a hash: where its upper half goes
  std::vector<Slot> slots_ = {Slot()};
  std::vector<Slot> keys_;  // until seal()
  std::string texts_;
};

}  // namespace spate::app
