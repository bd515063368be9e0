// SPDX-License-Identifier: MIT
// The seam between waiting code and the worker that runs it: the clock, timers, the queue of waits
// that are over, the pool for blocking calls, and the way to other workers. A server's worker is
// one runtime; tests use another with virtual time (spate/testing/fake_runtime.hpp). thread: a
// runtime belongs to one thread; only `post_to` reaches another, through that one's queue.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>

namespace spate {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::nanoseconds;

// `from + wait`, or the end of time where that is later than can be said.
constexpr TimePoint later(TimePoint from, Duration wait) noexcept {
  return wait > TimePoint::max() - from ? TimePoint::max() : from + wait;
}

namespace coro {

class Waiter;
class TimerQueue;

// Work that crosses threads: run once, elsewhere. Owned by whoever made it until `run` has begun;
// `run` disposes of the job or hands it back.
class Job {
 public:
  virtual void run() noexcept = 0;
  // Called instead of `run` when the queue is torn down before the job's turn.
  virtual void drop() noexcept = 0;
  Job* next = nullptr;

 protected:
  ~Job() = default;
};

// An entry of the timer queue, embedded in what waits. `fire` is called once, unlinked.
class Timer {
 public:
  virtual void fire() noexcept = 0;
  TimePoint when{};
  // The queue's own: its place there, and the count of timers scheduled before it.
  Timer* lane_previous = nullptr;
  Timer* lane_next = nullptr;
  std::uint64_t order = 0;
  std::uint32_t position = unscheduled;

  static constexpr std::uint32_t unscheduled = UINT32_MAX;
  bool is_scheduled() const noexcept { return position != unscheduled; }

 protected:
  ~Timer() = default;
};

class Runtime {
 public:
  Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;
  virtual ~Runtime();

  // The time of the current turn; it does not advance while tasks run.
  TimePoint now() const noexcept { return now_; }
  void set_now(TimePoint now) noexcept { now_ = now; }

  // Timers. cost: O(1) for waits of few different lengths, else O(log n); no allocation once the
  // queue has grown to its peak.
  void schedule(Timer& timer, TimePoint when);
  void unschedule(Timer& timer) noexcept;
  std::optional<TimePoint> next_timer() const noexcept;
  // Fires every timer that is due at now().
  void run_timers();

  // Resumes `waiter` later in this turn, in order of arrival.
  void ready(Waiter& waiter) noexcept;
  void forget(Waiter& waiter) noexcept;
  bool has_ready() const noexcept { return ready_head_ != nullptr; }
  // Resumes what is ready, at most `most` waits. Returns how many were resumed.
  std::size_t run_ready(std::size_t most = SIZE_MAX);

  // Runs the job on a thread that may block. False when the pool's queue is full: the job was not
  // taken.
  virtual bool offload(Job& job) noexcept = 0;
  // Runs the job on worker `index` of the same server. False when its queue is full or it is gone.
  virtual bool post_to(unsigned index, Job& job) noexcept = 0;
  // Runs the job on this runtime. Never refused: it brings back the outcome of work that was taken.
  // thread: any.
  virtual void hand_back(Job& job) noexcept = 0;
  // An exception that nobody awaits: of posted or background work. Logged by a server.
  virtual void unhandled(std::exception_ptr error) noexcept = 0;
  virtual unsigned worker_index() const noexcept { return 0; }
  virtual unsigned worker_count() const noexcept { return 1; }

  // The runtime of the calling thread, or null.
  static Runtime* current() noexcept;
  static void set_current(Runtime* runtime) noexcept;

 private:
  TimePoint now_{};
  Waiter* ready_head_ = nullptr;
  Waiter* ready_tail_ = nullptr;
  std::unique_ptr<TimerQueue> timers_;
};

}  // namespace coro
}  // namespace spate
