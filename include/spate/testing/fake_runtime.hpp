// SPDX-License-Identifier: MIT
// A runtime with virtual time and no threads, to test waiting code: time moves only when the test
// says so or when nothing else can run, and offloaded functions run inline. thread: one thread;
// while the object lives it is that thread's runtime and scope.
#pragma once

#include <spate/coro/coro.hpp>

namespace spate::testing {

class FakeRuntime final : public coro::Runtime {
 public:
  FakeRuntime();
  ~FakeRuntime() override;

  // The scope that code outside of any task belongs to.
  coro::TaskContext& root() noexcept { return root_; }

  // Runs what is ready; the clock stays.
  void run();
  // Moves the clock by `duration`, firing timers in order and running what they wake.
  void advance(Duration duration);
  // Runs until nothing is ready and no timer is left, moving the clock as needed.
  void run_until_idle();

  // Runs `fn(args...)`, a Task, to its end and returns its result. throws: what it throws;
  // ErrorException (Errc::timeout) naming the place of each wait when nothing can wake it any more.
  template <class F, class... A>
  coro::task_value<F, A&...> wait_for(F fn, A... args) {
    auto task = fn(args...);
    drive(
        +[](const void* t) noexcept { return static_cast<const decltype(task)*>(t)->is_done(); },
        &task);
    return std::move(task).operator co_await().await_resume();
  }

  // How many functions were offloaded or posted so far.
  std::size_t jobs_run() const noexcept { return jobs_run_; }
  // Makes `offload` and `post_to` refuse, as a full pool does.
  void refuse_jobs(bool refuse) noexcept { refuse_ = refuse; }

  bool offload(coro::Job& job) noexcept override;
  bool post_to(unsigned index, coro::Job& job) noexcept override;
  void hand_back(coro::Job& job) noexcept override;
  void unhandled(std::exception_ptr error) noexcept override { unhandled_ = std::move(error); }
  std::exception_ptr take_unhandled() noexcept { return std::exchange(unhandled_, nullptr); }

 private:
  void drive(bool (*done)(const void*) noexcept, const void* task);
  bool run_jobs();

  coro::TaskContext root_;
  coro::Job* first_job_ = nullptr;
  coro::Job* last_job_ = nullptr;
  std::size_t jobs_run_ = 0;
  bool refuse_ = false;
  std::exception_ptr unhandled_;
};

// Every pending wait below `context`, one line each: the chain of awaits with file and line,
// innermost first.
std::string describe_waits(const coro::TaskContext& context);

}  // namespace spate::testing
