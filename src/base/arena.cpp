// SPDX-License-Identifier: MIT
#include "base/arena.hpp"

namespace spate {

Arena::~Arena() { release(); }

void* Arena::allocate_slowly(std::size_t size, std::size_t alignment) {
  const std::size_t usual = (blocks_ == nullptr ? first_block : later_block) - sizeof(Block);
  const std::size_t wanted = size + alignment;
  const std::size_t room = wanted > usual ? wanted : usual;
  auto* block = static_cast<Block*>(::operator new(sizeof(Block) + room));
  block->next = blocks_;
  block->size = sizeof(Block) + room;
  held_ += block->size;
  blocks_ = block;
  position_ = reinterpret_cast<char*>(block + 1);
  end_ = position_ + room;
  return allocate(size, alignment);
}

void Arena::reset_slowly() noexcept {
  for (Cleanup* cleanup = cleanups_; cleanup != nullptr;) {
    Cleanup* next = cleanup->next;
    cleanup->destroy(cleanup);
    cleanup = next;
  }
  cleanups_ = nullptr;
#if defined(SPATE_SANITIZE)
  // Fresh blocks for every request: the sanitizer finds whoever kept a pointer.
  constexpr bool keep_first = false;
#else
  constexpr bool keep_first = true;
#endif
  while (blocks_ != nullptr &&
         (blocks_->next != nullptr || !keep_first || blocks_->size > first_block)) {
    Block* next = blocks_->next;
    held_ -= blocks_->size;
    ::operator delete(blocks_);
    blocks_ = next;
  }
  position_ = blocks_ == nullptr ? nullptr : reinterpret_cast<char*>(blocks_ + 1);
  end_ = blocks_ == nullptr ? nullptr : reinterpret_cast<char*>(blocks_) + blocks_->size;
}

void Arena::release() noexcept {
  reset();
  if (blocks_ != nullptr) {
    ::operator delete(blocks_);
    blocks_ = nullptr;
    position_ = end_ = nullptr;
    held_ = 0;
  }
}

}  // namespace spate
