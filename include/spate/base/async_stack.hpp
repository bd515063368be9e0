// SPDX-License-Identifier: MIT
// The chain of awaits as data: each coroutine frame knows who awaits it and where in the source it
// waits itself. Written by tasks, read by the profiler and by the report of a deadlock.
// thread: read only on the worker that runs the coroutine, or while that worker is stopped.
#pragma once

#include <source_location>

namespace spate {

struct AsyncFrame {
  AsyncFrame* awaited_by = nullptr;  // the frame that waits for this one; null at a root
  std::source_location where;        // the latest `co_await` that this frame reached
};

}  // namespace spate
