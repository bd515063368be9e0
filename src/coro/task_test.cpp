// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <spate/testing/fake_runtime.hpp>
#include <string>

namespace spate {
namespace {

using namespace std::chrono_literals;

struct Coro : ::testing::Test {
  testing::FakeRuntime runtime;
};

struct Guard {
  int& live;
  explicit Guard(int& n) : live(n) { ++live; }
  Guard(const Guard& o) : live(o.live) { ++live; }
  ~Guard() { --live; }
};

Task<int> ready_value(int n) { co_return n; }
Task<int> later(int n) {
  co_await sleep(1ms);
  co_return n;
}

TEST_F(Coro, a_task_that_never_waits_is_done_when_made) {
  auto task = ready_value(7);
  EXPECT_TRUE(task.is_done());
}

TEST_F(Coro, a_million_awaits_of_ready_tasks_do_not_grow_the_stack) {
  const long sum = runtime.wait_for([]() -> Task<long> {
    long total = 0;
    for (int i = 0; i < 1'000'000; ++i) total += co_await ready_value(1);
    co_return total;
  });
  EXPECT_EQ(sum, 1'000'000);
}

TEST_F(Coro, a_hundred_thousand_tasks_that_each_wait_once_do_not_grow_the_stack) {
  const long sum = runtime.wait_for([]() -> Task<long> {
    long total = 0;
    for (int i = 0; i < 100'000; ++i) total += co_await later(1);
    co_return total;
  });
  EXPECT_EQ(sum, 100'000);
}

TEST_F(Coro, an_exception_is_rethrown_where_the_task_is_awaited) {
  auto fails = []() -> Task<> {
    co_await sleep(1ms);
    throw std::runtime_error("gone");
  };
  EXPECT_THROW(runtime.wait_for([&]() -> Task<> { co_await fails(); }), std::runtime_error);
}

TEST_F(Coro, sleeping_takes_virtual_time) {
  const TimePoint start = runtime.now();
  runtime.wait_for([]() -> Task<> { co_await sleep(3s); });
  EXPECT_EQ(runtime.now() - start, 3s);
}

TEST_F(Coro, timers_fire_in_order_of_time_then_of_scheduling) {
  std::string order;
  runtime.wait_for([&]() -> Task<> {
    auto note = [&order](Duration wait, char name) -> Task<> {
      co_await sleep(wait);
      order += name;
    };
    co_await with_scope([&](Scope& scope) -> Task<> {
      scope.spawn(note, 3ms, 'c');
      scope.spawn(note, 1ms, 'a');
      scope.spawn(note, 3ms, 'd');
      scope.spawn(note, 2ms, 'b');
      co_return;
    });
  });
  EXPECT_EQ(order, "abcd");
}

TEST_F(Coro, a_deadline_ends_the_wait_and_guards_are_destroyed) {
  int live = 0;
  auto slow = [](int& count) -> Task<int> {
    Guard guard(count);
    co_await sleep(1h);
    co_return 1;
  };
  const TimePoint start = runtime.now();
  EXPECT_THROW(runtime.wait_for([&]() -> Task<> {
    (void)co_await with_deadline(2s, [&] { return slow(live); });
  }),
               Timeout);
  EXPECT_EQ(live, 0);
  EXPECT_EQ(runtime.now() - start, 2s);
  EXPECT_FALSE(runtime.next_timer().has_value());
}

TEST_F(Coro, a_result_in_time_passes_the_deadline_and_leaves_no_timer) {
  const int value =
      runtime.wait_for([]() -> Task<int> { co_return co_await with_deadline(2s, later, 5); });
  EXPECT_EQ(value, 5);
  EXPECT_FALSE(runtime.next_timer().has_value());
}

TEST_F(Coro, the_scope_after_a_deadline_is_the_outer_one) {
  runtime.wait_for([&]() -> Task<> {
    EXPECT_EQ(coro::current_context, &runtime.root());
    (void)co_await with_deadline(2s, later, 5);
    EXPECT_EQ(coro::current_context, &runtime.root());
    const auto result = co_await try_with_deadline(1us, later, 5);
    EXPECT_FALSE(result.has_value());
    EXPECT_EQ(coro::current_context, &runtime.root());
  });
}

TEST_F(Coro, after_cancellation_every_later_wait_throws_again) {
  int thrown = 0;
  auto stubborn = [&]() -> Task<> {
    for (int i = 0; i < 3; ++i) {
      try {
        co_await sleep(1h);
      } catch (const Cancelled& cancelled) {
        EXPECT_EQ(cancelled.reason(), CancelReason::peer_gone);
        ++thrown;
      }
    }
    throw Cancelled(CancelReason::peer_gone);
  };
  coro::TaskContext context(runtime.root());
  {
    coro::EnterContext enter(context);
    auto task = stubborn();
    context.cancel(CancelReason::peer_gone);
    runtime.run();
    EXPECT_TRUE(task.is_done());
  }
  EXPECT_EQ(thrown, 3);
}

TEST_F(Coro, when_all_returns_results_in_order) {
  const int joined = runtime.wait_for([]() -> Task<int> {
    auto both = co_await when_all([] { return later(4); }, [] { return ready_value(2); });
    co_return std::get<0>(both) * 10 + std::get<1>(both);
  });
  EXPECT_EQ(joined, 42);
}

TEST_F(Coro, when_all_cancels_the_others_when_one_fails_and_waits_for_them) {
  int live = 0;
  auto slow = [&]() -> Task<> {
    Guard guard(live);
    co_await sleep(1h);
  };
  auto fails = []() -> Task<int> {
    co_await sleep(1ms);
    throw std::runtime_error("gone");
  };
  EXPECT_THROW(runtime.wait_for([&]() -> Task<> {
    (void)co_await when_all([&] { return slow(); }, [&] { return fails(); });
  }),
               std::runtime_error);
  EXPECT_EQ(live, 0);
}

TEST_F(Coro, when_any_keeps_the_first_and_ends_the_others) {
  int live = 0;
  auto slow = [&]() -> Task<std::string> {
    Guard guard(live);
    co_await sleep(1h);
    co_return "slow";
  };
  const TimePoint start = runtime.now();
  runtime.wait_for([&]() -> Task<> {
    auto winner = co_await when_any([&] { return slow(); }, [] { return later(9); });
    EXPECT_EQ(winner.index(), 1u);
    EXPECT_EQ(std::get<1>(winner), 9);
  });
  EXPECT_EQ(live, 0);
  EXPECT_EQ(runtime.now() - start, 1ms);
}

TEST_F(Coro, a_scope_waits_for_what_it_spawned_and_rethrows_its_failure) {
  int ended = 0;
  auto work = [](int& n, bool fail) -> Task<> {
    co_await sleep(1ms);
    ++n;
    if (fail) throw std::runtime_error("gone");
  };
  EXPECT_THROW(runtime.wait_for([&]() -> Task<> {
    co_await with_scope([&](Scope& scope) -> Task<> {
      for (int i = 0; i < 10; ++i) scope.spawn([&](bool f) { return work(ended, f); }, i == 9);
      co_return;
    });
  }),
               std::runtime_error);
  EXPECT_EQ(ended, 10);
}

TEST_F(Coro, offload_runs_the_function_and_brings_its_result_back) {
  const int length = runtime.wait_for([]() -> Task<int> {
    co_return co_await offload([](const std::string& s) { return static_cast<int>(s.size()); },
                               std::string("flood"));
  });
  EXPECT_EQ(length, 5);
  EXPECT_THROW(runtime.wait_for(
                   []() -> Task<> { co_await offload([] { throw std::runtime_error("disk"); }); }),
               std::runtime_error);
}

TEST_F(Coro, a_full_pool_is_an_error_and_the_function_is_not_called) {
  runtime.refuse_jobs(true);
  bool called = false;
  try {
    runtime.wait_for([&]() -> Task<> { co_await offload([&] { called = true; }); });
    FAIL() << "expected an exception";
  } catch (const ErrorException& e) {
    EXPECT_TRUE(e.error().is(Errc::busy));
    EXPECT_EQ(e.error().status, 503);
  }
  EXPECT_FALSE(called);
}

TEST_F(Coro, a_task_destroyed_in_mid_wait_withdraws_its_timer_and_its_job) {
  {
    auto asleep = later(1);
    auto blocked = []() -> Task<> { co_await offload([] {}); }();
    EXPECT_FALSE(asleep.is_done());
    EXPECT_FALSE(blocked.is_done());
  }
  EXPECT_FALSE(runtime.next_timer().has_value());
  EXPECT_FALSE(runtime.root().has_waits());
  runtime.run();
}

TEST_F(Coro, a_deadlock_names_the_chain_of_awaits) {
  coro::Join never;
  never.branch_started();
  auto inner = [&]() -> Task<> { co_await never; };
  try {
    runtime.wait_for([&]() -> Task<> { co_await inner(); });
    FAIL() << "expected an exception";
  } catch (const ErrorException& e) {
    EXPECT_NE(e.error().detail.find("deadlock"), std::string::npos);
    EXPECT_NE(e.error().detail.find("waits in"), std::string::npos);
    EXPECT_NE(e.error().detail.find("awaited by"), std::string::npos);
    EXPECT_NE(e.error().detail.find("task_test.cpp"), std::string::npos);
  }
}

TEST_F(Coro, all_frames_are_gone_when_the_work_is_done) {
  const auto before = coro::live_frames();
  runtime.wait_for([]() -> Task<> {
    for (int i = 0; i < 100; ++i) (void)co_await later(i);
    co_await with_scope([](Scope& scope) -> Task<> {
      for (int i = 0; i < 100; ++i) {
        scope.spawn([](int n) -> Task<> { (void)co_await later(n); }, i);
      }
      co_return;
    });
  });
  EXPECT_EQ(coro::live_frames(), before);
}

}  // namespace
}  // namespace spate
