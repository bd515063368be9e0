// SPDX-License-Identifier: MIT
// Plain functions that run on another thread: `offload` on the bounded pool of threads that may
// block, `run_on` and `post` on another worker of the same server.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <spate/coro/call.hpp>
#include <tuple>
#include <variant>

namespace spate {

namespace coro {

class RemoteWait;

// The function, its arguments and its outcome. It travels to the other thread and back; between the
// two the awaiting frame may be destroyed without harm.
class RemoteJob : public Job, public Pooled {
 public:
  explicit RemoteJob(Runtime& origin) noexcept : origin_(&origin) {}
  virtual ~RemoteJob() = default;

  void run() noexcept final;   // first there, then back here
  void drop() noexcept final;  // as run, without calling the function
  void expect(RemoteWait& wait) noexcept { wait_ = &wait; }
  // The awaiting side does not want the outcome any more. Returns true when the job is still on its
  // way and will delete itself.
  bool abandon() noexcept;
  bool was_refused() const noexcept { return refused_; }
  std::exception_ptr take_failure() noexcept { return std::exchange(failure_, nullptr); }

 protected:
  virtual void invoke() = 0;

 private:
  void come_back() noexcept;

  Runtime* origin_;
  RemoteWait* wait_ = nullptr;
  std::exception_ptr failure_;
  bool called_ = false;
  bool refused_ = false;
  bool under_way_ = true;
};

class RemoteWait : public Waiter {
 public:
  bool await_ready() noexcept { return cancelled_before(); }
  // A function that runs elsewhere cannot be stopped: a cancelled wait ends when it returns.
  void returned() noexcept { complete(); }

 protected:
  // Where to: `pool`, or the index of a worker.
  static constexpr unsigned pool = ~0u;
  void dispatch(RemoteJob& job, unsigned target);
  // Rethrows what the call threw; throws Cancelled when the scope was cancelled meanwhile.
  void finish(RemoteJob& job);

 private:
  bool withdraw() noexcept override { return false; }
};

template <class R, class F, class... A>
class RemoteCall final : public RemoteJob {
 public:
  RemoteCall(Runtime& origin, F fn, A... args)
      : RemoteJob(origin), fn_(std::move(fn)), args_(std::move(args)...) {}
  R take() {
    if constexpr (!std::is_void_v<R>) return std::move(*result_);
  }

 private:
  void invoke() override {
    if constexpr (std::is_void_v<R>) {
      std::apply(fn_, std::move(args_));
    } else {
      result_.emplace(std::apply(fn_, std::move(args_)));
    }
  }

  F fn_;
  std::tuple<A...> args_;
  std::optional<std::conditional_t<std::is_void_v<R>, std::monostate, R>> result_;
};

template <class R, class F, class... A>
class RemoteAwaiter final : public RemoteWait {
 public:
  RemoteAwaiter(unsigned target, F fn, A... args)
      : target_(target),
        job_(new RemoteCall<R, F, A...>(require_context().runtime(), std::move(fn),
                                        std::move(args)...)) {}
  ~RemoteAwaiter() override {
    if (job_ != nullptr && dispatched_ && job_->abandon()) job_.release();
  }

  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) {
    job_->expect(*this);
    begin(handle);
    dispatch(*job_, target_);
    dispatched_ = true;
  }
  R await_resume() {
    finish(*job_);
    return job_->take();
  }

 private:
  unsigned target_;
  bool dispatched_ = false;
  std::unique_ptr<RemoteCall<R, F, A...>> job_;
};

// Not of a worker's pool: any thread may post, and the job is freed on another.
template <class F, class... A>
class PostedCall final : public Job {
 public:
  explicit PostedCall(F fn, A... args) : fn_(std::move(fn)), args_(std::move(args)...) {}
  virtual ~PostedCall() = default;
  void run() noexcept override {
    std::unique_ptr<PostedCall> self(this);
    try {
      std::apply(fn_, std::move(args_));
    } catch (...) {
      if (Runtime* runtime = Runtime::current()) runtime->unhandled(std::current_exception());
    }
  }
  void drop() noexcept override { delete this; }

 private:
  F fn_;
  std::tuple<A...> args_;
};

template <class F, class... A>
consteval void check_remote_call() {
  check_callable<F>();
  static_assert(std::is_invocable_v<F&, A...>,
                "spate: the function cannot be called with these arguments; it is given copies, so "
                "take them by value or by const reference");
  if constexpr (std::is_invocable_v<F&, A...>) {
    static_assert(!is_task<std::invoke_result_t<F&, A...>>,
                  "spate: a plain function runs on the other thread; a Task stays on its worker");
  }
}

}  // namespace coro

// Runs the blocking function `fn(args...)` on the server's bounded pool and returns what it
// returns. lifetime: function and arguments are copied or moved. errors: a full pool throws
// ErrorException (Errc::busy, status 503); what fn throws is rethrown. throws: Cancelled, once fn
// has returned. thread: fn runs on a pool thread and must not touch the Context.
template <class F, class... A>
auto offload(F fn, A... args) {
  coro::check_remote_call<F, A...>();
  using R = std::invoke_result_t<F&, A...>;
  return coro::RemoteAwaiter<R, F, A...>(~0u, std::move(fn), std::move(args)...);
}

// Runs the plain function on worker `index` and returns what it returns. As offload otherwise.
template <class F, class... A>
auto run_on(unsigned index, F fn, A... args) {
  coro::check_remote_call<F, A...>();
  using R = std::invoke_result_t<F&, A...>;
  return coro::RemoteAwaiter<R, F, A...>(index, std::move(fn), std::move(args)...);
}

// Hands the plain function to worker `index` without waiting. False when that worker's queue is
// full, the index is none, or the calling thread is no worker. An exception of fn is logged.
template <class F, class... A>
bool post(unsigned index, F fn, A... args) {
  coro::Runtime* runtime = coro::Runtime::current();
  if (runtime == nullptr || index >= runtime->worker_count()) return false;
  auto job = std::make_unique<coro::PostedCall<F, A...>>(std::move(fn), std::move(args)...);
  if (!runtime->post_to(index, *job)) return false;
  job.release();
  return true;
}

// The index of the worker that runs this code, and how many the server has.
inline unsigned worker_index() noexcept {
  const coro::Runtime* runtime = coro::Runtime::current();
  return runtime != nullptr ? runtime->worker_index() : 0;
}
inline unsigned worker_count() noexcept {
  const coro::Runtime* runtime = coro::Runtime::current();
  return runtime != nullptr ? runtime->worker_count() : 1;
}

}  // namespace spate
