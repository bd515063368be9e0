// SPDX-License-Identifier: MIT
// Gathers what one connection sends in a turn, so that it leaves in one send: answers of pipelined
// requests, the pieces of a stream. It writes into the engine's send space, which stays hot in the
// cache. thread: one per worker.
#pragma once

#include <cstddef>
#include <string_view>

#include "io/engine.hpp"

namespace spate::server {

class Output {
 public:
  explicit Output(io::Engine& engine) noexcept : engine_(&engine) {}

  // Room for `size` bytes (at most io::Engine::send_space_size) behind what `slot` has gathered.
  // Another connection's bytes are sent first. lifetime: until the next call of anything here.
  char* reserve(io::Slot& slot, std::size_t size) {
    if (owner_ != &slot || used_ + size > io::Engine::send_space_size) {
      flush();
      owner_ = &slot;
      base_ = engine_->send_space().data();
    }
    return base_ + used_;
  }
  // The first `size` bytes of what reserve() gave belong to the connection now.
  void commit(std::size_t size) noexcept { used_ += size; }
  // Nothing is gathered: the bytes before `skip` of the reserved room are not to be sent.
  bool skip(std::size_t size) noexcept;
  void append(io::Slot& slot, std::string_view bytes);
  void flush();
  // The connection is gone or is cut: what it gathered is lost.
  void forget(const io::Slot& slot) noexcept {
    if (owner_ == &slot) {
      owner_ = nullptr;
      begin_ = used_ = 0;
    }
  }
  std::uint64_t bytes_sent() const noexcept { return bytes_sent_; }

 private:
  io::Engine* engine_;
  io::Slot* owner_ = nullptr;
  char* base_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t used_ = 0;
  std::uint64_t bytes_sent_ = 0;
};

}  // namespace spate::server
