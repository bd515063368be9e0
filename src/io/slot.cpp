// SPDX-License-Identifier: MIT
#include "io/slot.hpp"

#include <sys/mman.h>

#include <cstring>
#include <new>

#include "base/poison.hpp"

namespace spate::io {

SlotTable::~SlotTable() {
  for (auto& block : blocks_) unpoison(block.get(), sizeof(Block));
}

void SlotTable::BlockDeleter::operator()(Block* block) const noexcept {
  ::munmap(block, sizeof(Block));
}

Slot& SlotTable::allocate() {
  std::uint32_t index;
  if (free_ != no_slot) {
    index = free_;
    unpoison(&slot(index), sizeof(Slot));
    free_ = slot(index).next;
  } else {
    if (used_ % block_slots == 0) {
      in_use_.resize(used_ + block_slots);
      retired_.resize(used_ + block_slots);
      generations_.resize(used_ + block_slots);
      // Mapped, not allocated: pages that no connection has used yet cost nothing.
      void* memory = ::mmap(nullptr, sizeof(Block), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) throw std::bad_alloc();
      blocks_.emplace_back(static_cast<Block*>(memory));
    }
    index = used_++;
  }
  Slot& taken = slot(index);
  std::memset(&taken, 0, sizeof(Slot));
  taken.index = index;
  taken.fd = -1;
  taken.next = no_slot;
  taken.generation = generations_[index];
  in_use_[index] = true;
  ++live_;
  return taken;
}

void SlotTable::retire(Slot& slot) noexcept {
  set_deadline(slot, 0);
  in_use_[slot.index] = false;
  retired_[slot.index] = true;
  --live_;
}

void SlotTable::release(Slot& slot) noexcept {
  retired_[slot.index] = false;
  ++generations_[slot.index];
  slot.next = free_;
  free_ = slot.index;
  poison(&slot, sizeof(Slot));
}

}  // namespace spate::io
