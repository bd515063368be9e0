// SPDX-License-Identifier: MIT
#include <spate/coro/task_context.hpp>

namespace spate::coro {

constinit thread_local TaskContext* current_context = nullptr;

TaskContext& require_context(const std::source_location& where) {
  if (current_context == nullptr) {
    throw ErrorException(
        Error(Errc::configuration,
              "a wait was begun outside of any scope; wait inside a handler, a hook, "
              "background() or a test runtime",
              500, where));
  }
  return *current_context;
}

Waiter::~Waiter() {
  if (state_ == State::waiting) unlink();
  if (state_ == State::ready) context_->runtime().forget(*this);
}

bool Waiter::cancelled_before() noexcept {
  context_ = &require_context();
  cancelled_ = context_->is_cancelled();
  return cancelled_;
}

void Waiter::begin_waiting(std::coroutine_handle<> handle) noexcept {
  handle_ = handle;
  state_ = State::waiting;
  previous_ = nullptr;
  next_ = context_->waiters_;
  if (next_ != nullptr) next_->previous_ = this;
  context_->waiters_ = this;
}

void Waiter::unlink() noexcept {
  if (previous_ != nullptr) {
    previous_->next_ = next_;
  } else {
    context_->waiters_ = next_;
  }
  if (next_ != nullptr) next_->previous_ = previous_;
}

void Waiter::complete() noexcept {
  unlink();
  state_ = State::ready;
  context_->runtime().ready(*this);
}

void Waiter::end() noexcept {
  state_ = State::done;
  current_context = context_;
}

CancelReason Waiter::cancel_reason() const noexcept { return context_->reason(); }

Runtime& Waiter::runtime() const noexcept { return context_->runtime(); }

TaskContext::TaskContext(TaskContext& parent) noexcept
    : parent_(&parent),
      next_sibling_(parent.first_child_),
      runtime_(parent.runtime_),
      reason_(parent.reason_) {
  if (next_sibling_ != nullptr) next_sibling_->previous_sibling_ = this;
  parent.first_child_ = this;
}

TaskContext::~TaskContext() {
  if (parent_ == nullptr) return;
  if (previous_sibling_ != nullptr) {
    previous_sibling_->next_sibling_ = next_sibling_;
  } else {
    parent_->first_child_ = next_sibling_;
  }
  if (next_sibling_ != nullptr) next_sibling_->previous_sibling_ = previous_sibling_;
}

void TaskContext::cancel(CancelReason reason) noexcept {
  if (is_cancelled()) return;
  reason_ = reason;
  // Nothing is resumed here: the waits are queued, so that neither list changes under this walk
  // except by the unlinking of the waiter in hand.
  for (Waiter* waiter = waiters_; waiter != nullptr;) {
    Waiter* next = waiter->next_;
    if (waiter->withdraw()) {
      waiter->cancelled_ = true;
      waiter->complete();
    }
    waiter = next;
  }
  for (TaskContext* child = first_child_; child != nullptr; child = child->next_sibling_) {
    child->cancel(reason);
  }
}

}  // namespace spate::coro
