// SPDX-License-Identifier: MIT
// The parts of a Context that the pipeline and the writers of answers steer, by name.
#pragma once

#include <optional>
#include <spate/app/context.hpp>

namespace spate::app {

struct ContextParts {
  static Error*& failure(Context& ctx) noexcept { return ctx.failure_; }
  static CancelReason& cancelled(Context& ctx) noexcept { return ctx.cancelled_; }
  static bool& out_of_memory(Context& ctx) noexcept { return ctx.out_of_memory_; }
  static bool& answered(Context& ctx) noexcept { return ctx.answered_; }
  static bool& after_done(Context& ctx) noexcept { return ctx.after_done_; }
  static bool& may_rewrite(Context& ctx) noexcept { return ctx.may_rewrite_; }
  static bool& writes_in_place(Context& ctx) noexcept { return ctx.writes_in_place_; }
  static bool& waits(Context& ctx) noexcept { return ctx.waits_; }
  static bool& runs_inline(Context& ctx) noexcept { return ctx.runs_inline_; }
  static bool& done_inline(Context& ctx) noexcept { return ctx.done_inline_; }
  static std::optional<Scope>*& scope(Context& ctx) noexcept { return ctx.scope_; }
  static const Pipeline& pipeline(Context& ctx) noexcept { return *ctx.pipeline_; }

  static bool has_failed(Context& ctx) noexcept {
    return ctx.failure_ != nullptr || ctx.out_of_memory_ || ctx.cancelled_ != CancelReason::none;
  }
};

}  // namespace spate::app
