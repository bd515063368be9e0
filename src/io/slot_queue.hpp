// SPDX-License-Identifier: MIT
// Slots to be looked at in the next turn, in the order in which they were queued. Each live slot
// stands in it once at most; those that were freed since are told by their generation. thread: the
// engine's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "io/slot.hpp"

namespace spate::io {

class SlotQueue {
 public:
  bool is_empty() const noexcept { return entries_.empty(); }
  // Room for every one of so many slots, so that push() does not fail. throws: std::bad_alloc.
  void reserve(std::size_t slots) {
    if (entries_.capacity() < slots) entries_.reserve(slots + slots / 4 + 64);
  }
  void push(const Slot& slot) noexcept {
    if (entries_.size() == entries_.capacity()) forget_taken();
    entries_.push_back({slot.index, slot.generation});
  }
  // Gives each that is queued now to `look(index, generation)`. What is queued meanwhile stays for
  // the next call.
  template <class F>
  void take(F look) {
    for (std::size_t left = entries_.size(); left > 0; --left) {
      const Entry entry = entries_[taken_++];
      look(entry.index, entry.generation);
    }
    forget_taken();
  }
  // The same without taking them.
  template <class F>
  void for_each(F look) const {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      look(entries_[i].index, entries_[i].generation);
    }
  }

 private:
  struct Entry {
    std::uint32_t index;
    std::uint16_t generation;
  };

  void forget_taken() noexcept {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
  }

  std::vector<Entry> entries_;
  std::size_t taken_ = 0;  // of them, while take() runs
};

}  // namespace spate::io
