// SPDX-License-Identifier: MIT
#include "app/text_index.hpp"

#include <algorithm>
#include <bit>

namespace spate::app {

void TextIndex::add(std::uint32_t place, std::string_view text, std::uint32_t value) {
  keys_.push_back({key_of(place, text), value, static_cast<std::uint32_t>(texts_.size())});
  texts_.append(text);
  longest_ = std::max(longest_, text.size());
  sizes_ |= std::uint64_t{1} << (text.size() & 63);
}

void TextIndex::seal() {
  // At most half full and two keys to a group: then about three of four seeds will do, and the
  // others fail at the first two keys of a group that fall together.
  slot_mask_ =
      static_cast<std::uint32_t>(std::bit_ceil(std::max<std::size_t>(keys_.size() * 2, 1)) - 1);
  shift_mask_ = std::bit_ceil(std::max<std::size_t>(keys_.size() / 2, 1)) - 1;
  for (std::uint64_t seed = 1; !try_seed(seed * 0x9e3779b97f4a7c15U); ++seed) {
    // More room helps where luck does not.
    if (seed % 64 == 0) slot_mask_ = slot_mask_ * 2 + 1;
  }
  keys_ = {};
}

// Hash and displace: groups of keys with the same lower half, the largest first, each moved by the
// first shift that finds all its slots free.
bool TextIndex::try_seed(std::uint64_t seed) {
  struct Hashed {
    std::uint64_t hash;
    std::size_t key;
  };
  std::vector<std::vector<Hashed>> groups(shift_mask_ + 1);
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    std::string_view const text(texts_.data() + keys_[i].text,
                                static_cast<std::uint32_t>(keys_[i].key.place_and_size));
    std::uint64_t const hash = hash_of(mix_middle(seed, text), keys_[i].key);
    groups[hash & shift_mask_].push_back({hash, i});
  }
  std::vector<std::size_t> order(groups.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&groups](std::size_t a, std::size_t b) {
    return groups[a].size() != groups[b].size() ? groups[a].size() > groups[b].size() : a < b;
  });

  seed_ = seed;
  slots_.assign(std::size_t{slot_mask_} + 1, Slot());
  shifts_.assign(groups.size(), 0);
  for (std::size_t const g : order) {
    bool placed = false;
    for (std::uint32_t shift = 0; !placed && shift <= slot_mask_; ++shift) {
      std::size_t done = 0;
      for (; done < groups[g].size(); ++done) {
        auto const [hash, key] = groups[g][done];
        Slot& slot = slots_[slot_of(hash, shift)];
        if (slot.value != 0) break;
        slot = keys_[key];
      }
      placed = done == groups[g].size();
      if (placed) {
        shifts_[g] = shift;
      } else {
        while (done != 0) {
          std::uint64_t const hash = groups[g][--done].hash;
          slots_[slot_of(hash, shift)] = Slot();
        }
      }
    }
    if (!placed) return false;
  }
  return true;
}

std::uint32_t TextIndex::find_long(std::uint32_t place, std::string_view text) const noexcept {
  // Nothing is hashed that is longer than every key, so the work has a bound.
  if (text.size() > longest_ || (sizes_ >> (text.size() & 63) & 1) == 0) return 0;
  Key const key = key_of(place, text);
  std::uint64_t const hash = hash_of(mix_middle(seed_, text), key);
  Slot const& slot = slots_[slot_of(hash, shifts_[hash & shift_mask_])];
  if (!(slot.key == key)) return 0;
  char const* const own = texts_.data() + slot.text;
  for (std::size_t i = 8; i + 8 < text.size(); i += 8) {
    if (base::load_word<std::uint64_t>(own + i) !=
        base::load_word<std::uint64_t>(text.data() + i)) {
      return 0;
    }
  }
  return slot.value;
}

}  // namespace spate::app
