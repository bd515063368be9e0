// SPDX-License-Identifier: MIT
// A connection at rest: one cache line and a deadline, nothing else. Buffers, parsers and requests
// exist only while bytes are under way and hang on `session`. Slots live in a table that never
// moves them and reuses the latest freed first. A generation tells a slot's lives apart, so that a
// late event of an earlier one is dropped. thread: one table per worker.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace spate::io {

struct Backlog;

struct alignas(64) Slot {
  int fd;
  std::uint16_t generation;
  std::uint8_t state;         // the client's (server): what the connection is doing
  std::uint8_t engine_flags;  // the engine's: see each engine
  void* session;              // the client's: the exchange in progress, null when idle
  Backlog* backlog;           // the engine's: bytes that the kernel has not taken yet
  std::uint32_t index;
  std::uint32_t next;         // in the free list
  std::uint32_t requests;     // begun on this connection
  std::uint32_t born;         // ticks since the table was made
  std::uint32_t ledger;       // bytes charged to it: those dropped while it lingers
  std::uint16_t abuse;        // points of the abuse budget
  std::uint16_t listener;     // which listener accepted it
  void* user;                 // the client's: the application's own state
  std::uint16_t in_flight;    // the engine's: operations whose end is still to be reported
  std::uint16_t engine_more;  // the engine's: more flags
  std::uint32_t flags;        // the client's
};
static_assert(sizeof(Slot) == 64);

// Deadlines count in sixteenths of a second.
using Tick = std::uint32_t;
inline constexpr Tick ticks_per_second = 16;
inline constexpr std::uint32_t no_slot = UINT32_MAX;

class SlotTable {
 public:
  SlotTable() = default;
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;
  ~SlotTable();

  // A zeroed slot with its index and generation. throws: std::bad_alloc.
  Slot& allocate();
  void free(Slot& slot) noexcept {
    retire(slot);
    release(slot);
  }
  // free() in two steps, for an engine with operations under way: a retired slot is gone for all
  // but find_retired(), and is used again only after it was released.
  void retire(Slot& slot) noexcept;
  void release(Slot& slot) noexcept;
  // The slot if it still lives that life, else null.
  Slot* find(std::uint32_t index, std::uint16_t generation) noexcept {
    if (index >= used_ || generations_[index] != generation || !in_use_[index]) return nullptr;
    return &slot(index);
  }
  // The same, also while it is retired.
  Slot* find_retired(std::uint32_t index, std::uint16_t generation) noexcept {
    if (index >= used_ || generations_[index] != generation) return nullptr;
    return in_use_[index] || retired_[index] ? &slot(index) : nullptr;
  }

  // 0 is none. cost: one store.
  void set_deadline(const Slot& slot, Tick deadline) noexcept {
    blocks_[slot.index / block_slots]->deadlines[slot.index % block_slots] = deadline;
  }
  Tick deadline(const Slot& slot) const noexcept {
    return blocks_[slot.index / block_slots]->deadlines[slot.index % block_slots];
  }

  // Calls `expired(slot)` for each slot whose deadline is not after `now`, having cleared the
  // deadline.
  template <class F>
  void sweep(Tick now, F expired) {
    for (std::uint32_t b = 0; b < blocks_.size(); ++b) {
      const std::uint32_t used = std::min(used_ - b * block_slots, block_slots);
      for (std::uint32_t i = 0; i < used; ++i) {
        const Tick deadline = blocks_[b]->deadlines[i];
        if (deadline == 0 || deadline > now) [[likely]]
          continue;
        blocks_[b]->deadlines[i] = 0;
        expired(blocks_[b]->slots[i]);
      }
    }
  }
  // Calls `visit(slot)` for each slot in use; the slot may be freed by it.
  template <class F>
  void for_each(F visit) {
    for (std::uint32_t index = 0; index < used_; ++index) {
      if (in_use_[index]) visit(slot(index));
    }
  }

  template <class F>
  void for_each_retired(F visit) {
    for (std::uint32_t index = 0; index < used_; ++index) {
      if (retired_[index]) visit(slot(index));
    }
  }

  std::size_t size() const noexcept { return live_; }

 private:
  static constexpr std::uint32_t block_slots = 4096;
  struct Block {
    Slot slots[block_slots];
    Tick deadlines[block_slots];
  };
  struct BlockDeleter {
    void operator()(Block* block) const noexcept;
  };

  Slot& slot(std::uint32_t index) noexcept {
    return blocks_[index / block_slots]->slots[index % block_slots];
  }

  std::vector<std::unique_ptr<Block, BlockDeleter>> blocks_;
  std::vector<bool> in_use_;
  std::vector<bool> retired_;
  std::vector<std::uint16_t> generations_;
  std::uint32_t used_ = 0;
  std::uint32_t free_ = no_slot;
  std::size_t live_ = 0;
};

}  // namespace spate::io
