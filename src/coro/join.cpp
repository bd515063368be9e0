// SPDX-License-Identifier: MIT
#include <spate/coro/join.hpp>

namespace spate::coro {

void Join::branch_ended() noexcept {
  --running_;
  if (running_ == 0 && state() == State::waiting) complete();
}

void Join::branch_failed(std::exception_ptr error) noexcept {
  if (!failure_) {
    failure_ = std::move(error);
    branches_.cancel(CancelReason::sibling);
  }
}

}  // namespace spate::coro
