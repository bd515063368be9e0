// SPDX-License-Identifier: MIT
#include <spate/coro/remote_call.hpp>

namespace spate::coro {

void RemoteJob::run() noexcept {
  if (called_) {
    come_back();
    return;
  }
  called_ = true;
  try {
    invoke();
  } catch (...) {
    failure_ = std::current_exception();
  }
  origin_->hand_back(*this);
}

void RemoteJob::drop() noexcept {
  if (called_) {
    come_back();
    return;
  }
  called_ = true;
  refused_ = true;
  origin_->hand_back(*this);
}

void RemoteJob::come_back() noexcept {
  under_way_ = false;
  if (wait_ == nullptr) {
    delete this;
  } else {
    wait_->returned();
  }
}

bool RemoteJob::abandon() noexcept {
  wait_ = nullptr;
  return under_way_;
}

void RemoteWait::dispatch(RemoteJob& job, unsigned target) {
  Runtime& origin = runtime();
  const bool taken = target == pool                   ? origin.offload(job)
                     : target < origin.worker_count() ? origin.post_to(target, job)
                                                      : false;
  // A refused job takes the way back without having been called.
  if (!taken) job.drop();
}

void RemoteWait::finish(RemoteJob& job) {
  if (state() == State::idle) throw Cancelled(cancel_reason());
  end();
  if (job.was_refused()) {
    throw ErrorException(Error(Errc::busy, "the queue for work on other threads is full", 503));
  }
  if (auto failure = job.take_failure()) std::rethrow_exception(failure);
  // The function has run to its end, but whoever asked is gone.
  if (context()->is_cancelled()) throw Cancelled(context()->reason());
}

}  // namespace spate::coro
