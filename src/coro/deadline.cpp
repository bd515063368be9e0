// SPDX-License-Identifier: MIT
#include <spate/coro/deadline.hpp>

namespace spate::coro {

DeadlineContext::DeadlineContext(Duration patience) : context_(require_context()) {
  Runtime& runtime = context_.runtime();
  runtime.schedule(*this, later(runtime.now(), patience));
}

DeadlineContext::~DeadlineContext() { context_.runtime().unschedule(*this); }

void DeadlineContext::fire() noexcept {
  // A scope that was cancelled from outside keeps that reason.
  expired_ = !context_.is_cancelled();
  context_.cancel(CancelReason::deadline);
}

}  // namespace spate::coro
