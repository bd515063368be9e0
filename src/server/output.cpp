// SPDX-License-Identifier: MIT
#include "server/output.hpp"

#include <cstring>
#include <utility>

namespace spate::server {

bool Output::skip(std::size_t size) noexcept {
  if (used_ != begin_) return false;
  begin_ += size;
  used_ += size;
  return true;
}

void Output::append(io::Slot& slot, std::string_view bytes) {
  // A long piece is handed to the engine as it is: copying it through the send space gains nothing.
  if (bytes.size() > io::Engine::send_space_size / 4) {
    flush();
    bytes_sent_ += bytes.size();
    engine_->send(slot, {bytes.data(), bytes.size()});
    return;
  }
  std::memcpy(reserve(slot, bytes.size()), bytes.data(), bytes.size());
  commit(bytes.size());
}

void Output::flush() {
  if (owner_ == nullptr) return;
  io::Slot* slot = std::exchange(owner_, nullptr);
  const std::size_t size = used_ - begin_;
  const char* first = base_ + begin_;
  begin_ = used_ = 0;
  bytes_sent_ += size;
  if (size > 0) engine_->send(*slot, {first, size});
}

}  // namespace spate::server
