// SPDX-License-Identifier: MIT
// Several workers of one server: jobs between them, work that outlives its request, and the order
// in which all of it ends. These tests are the ones that ThreadSanitizer has to see.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <spate/app/per_worker.hpp>

#include "support.hpp"

namespace spate::integration {
namespace {

// A connection that the kernel gave to that worker; the server says which at /worker.
Client client_of_worker(const Running& running, unsigned worker) {
  for (int i = 0; i < 200; ++i) {
    Client client = running.client();
    const auto answer = client.ask(get("/worker"));
    if (answer && answer->body == std::to_string(worker)) return client;
  }
  return {};
}

TEST(Workers, PostReachesEveryWorkerFromEveryWorker) {
  constexpr unsigned count = 4;
  std::array<std::atomic<int>, count> reached{};
  std::atomic<int> wrong{0};
  std::atomic<int> refused{0};
  Server server(quick_options(count));
  server.get("/", [&](Context& ctx) {
    for (unsigned target = 0; target < worker_count(); ++target) {
      const bool taken = post(
          target,
          [](std::atomic<int>* at, std::atomic<int>* bad, unsigned expected) {
            ++*at;
            if (worker_index() != expected) ++*bad;
          },
          &reached[target], &wrong, target);
      if (!taken) ++refused;
    }
    ctx.respond(200).body("sent");
  });
  Running running(std::move(server));
  const int requests = 400;
  std::vector<std::thread> askers;
  for (int t = 0; t < 4; ++t) {
    askers.emplace_back([&] {
      for (int i = 0; i < requests / 4; ++i) {
        // A new connection each: the kernel spreads them over the workers.
        if (!running.client().ask(get("/"))) ++wrong;
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  for (std::atomic<int>& at : reached) {
    EXPECT_TRUE(eventually([&] { return at + refused >= requests; })) << at;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(refused, 0);
}

TEST(Workers, RunOnGivesTheResultBackOnTheWorkerThatAsked) {
  constexpr unsigned count = 4;
  std::atomic<int> wrong{0};
  Server server(quick_options(count));
  server.get("/", [&](Context& ctx) -> Task<> {
    const unsigned home = worker_index();
    std::string seen;
    for (unsigned target = 0; target < worker_count(); ++target) {
      const unsigned there = co_await run_on(target, [] { return worker_index(); });
      if (there != target || worker_index() != home) ++wrong;
      seen += std::to_string(there);
    }
    co_await sleep(1ms);
    if (worker_index() != home) ++wrong;
    co_await offload([] {});
    if (worker_index() != home) ++wrong;
    ctx.respond(200).body(seen);
  });
  Running running(std::move(server));
  std::vector<std::thread> askers;
  for (int t = 0; t < 4; ++t) {
    askers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        if (running.client().ask(get("/")).value_or(Answer()).body != "0123") ++wrong;
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(eventually([&] { return running->snapshot().live_frames == 0; }))
      << running->snapshot().live_frames;
}

TEST(Workers, WhatARemoteFunctionThrowsArrivesWhereItIsAwaited) {
  Server server(quick_options(2));
  server.get("/", [](Context& ctx) -> Task<> {
    std::string seen;
    try {
      co_await run_on(1 - worker_index(), [] { throw std::runtime_error("far away"); });
    } catch (const std::runtime_error& error) {
      seen += error.what();
    }
    try {
      co_await offload([] { throw std::runtime_error(", and in the pool"); });
    } catch (const std::runtime_error& error) {
      seen += error.what();
    }
    ctx.respond(200).body(seen);
  });
  Running running(std::move(server));
  EXPECT_EQ(running.client().ask(get("/")).value_or(Answer()).body, "far away, and in the pool");
}

TEST(Workers, AFullOffloadQueueRefusesInsteadOfGrowing) {
  std::atomic<bool> go{false};
  std::atomic<int> refused{0};
  std::atomic<int> done{0};
  ServerOptions options = quick_options();
  options.offload_threads = 1;
  options.limits.offload_queue = 2;
  Server server(options);
  server.get("/", [&](Context& ctx) -> Task<> {
    try {
      co_await offload(
          [](std::atomic<bool>* when) {
            while (!*when) std::this_thread::sleep_for(1ms);
          },
          &go);
      ++done;
    } catch (const ErrorException& error) {
      if (error.error().is(Errc::busy)) ++refused;
    }
    ctx.respond(200).body("ended");
  });
  Running running(std::move(server));
  std::vector<Client> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(running.client());
    ASSERT_TRUE(clients.back().send(get("/")));
  }
  // One runs, two wait.
  EXPECT_TRUE(eventually([&] { return refused >= 7; })) << refused;
  go = true;
  for (Client& client : clients) EXPECT_TRUE(client.read());
  EXPECT_EQ(done + refused, 10);
  EXPECT_LE(refused, 8);
}

TEST(Workers, PostFromOutsideRunsOnThatWorkerAndIsFreed) {
  std::atomic<int> ran{0};
  Server server(quick_options(2));
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  const std::int64_t frames = running->snapshot().live_frames;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(running->post(1, [](std::atomic<int>* at) { *at += worker_index() == 1; }, &ran));
  }
  EXPECT_TRUE(eventually([&] { return ran == 100; })) << ran;
  EXPECT_FALSE(running->post(2, [] {})) << "there is no worker 2";
  EXPECT_TRUE(eventually([&] { return running->snapshot().live_frames == frames; }, 1s))
      << running->snapshot().live_frames << " frames, at first " << frames;
}

TEST(Workers, APostAfterTheEndIsRefused) {
  Server server(quick_options(2));
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  running->stop();
  running->wait();
  EXPECT_FALSE(running->post(0, [] {}));
  EXPECT_FALSE(running->post(1, [] {}));
}

TEST(Workers, StateIsSharedByAll) {
  struct Shared {
    std::atomic<int> hits{0};
  };
  Server server(quick_options(4));
  auto shared = std::make_shared<Shared>();
  server.state(shared);
  server.get("/", [](State<Shared> state) {
    ++state->hits;
    return "counted";
  });
  Running running(std::move(server));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(running.client().ask(get("/")));
  EXPECT_EQ(shared->hits, 100);
}

TEST(Workers, HaveStateOfTheirOwn) {
  struct Counter {
    int hits = 0;
  };
  constexpr unsigned count = 4;
  Server server(quick_options(count));
  server.state(per_worker<Counter>([] { return Counter(); }));
  server.get("/", [](State<PerWorker<Counter>> counter) {
    return std::to_string(worker_index()) + " " + std::to_string(++counter->local().hits);
  });
  Running running(std::move(server));
  std::mutex mutex;
  std::array<int, count> hits{};
  std::array<int, count> highest{};
  std::vector<std::thread> askers;
  for (int t = 0; t < 4; ++t) {
    askers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const std::string body = running.client().ask(get("/")).value_or(Answer()).body;
        if (body.size() < 3) continue;
        const auto worker = static_cast<std::size_t>(body[0] - '0');
        const std::lock_guard lock(mutex);
        ++hits[worker];
        highest[worker] = std::max(highest[worker], std::atoi(body.c_str() + 2));
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(hits[0] + hits[1] + hits[2] + hits[3], 200);
  EXPECT_EQ(hits, highest) << "a counter was shared";
}

TEST(Background, IsCancelledAndJoinedAfterTheLastRequest) {
  std::atomic<int> turns{0};
  std::atomic<int> alive{0};
  std::atomic<bool> saw_drain{false};
  std::atomic<bool> was_early{false};
  std::atomic<int> requests{0};
  Server server(quick_options(2));
  server.background([&]() -> Task<> {
    const Guard guard(alive);
    try {
      for (;;) {
        co_await sleep(5ms);
        ++turns;
      }
    } catch (const Cancelled& cancelled) {
      saw_drain = cancelled.reason() == CancelReason::drain;
      throw;
    }
  });
  server.get("/worker", [] { return std::to_string(worker_index()); });
  server.get("/", [&](Context& ctx) -> Task<> {
    const Guard guard(requests);
    co_await sleep(300ms);
    if (alive == 0) was_early = true;
    ctx.respond(200).body("whole");
  });
  Running running(std::move(server));
  ASSERT_TRUE(eventually([&] { return turns > 3; }));
  // The background runs on the first worker, this request on the other.
  Client client = client_of_worker(running, 1);
  ASSERT_TRUE(client.is_connected());
  ASSERT_TRUE(client.send(get("/")));
  ASSERT_TRUE(eventually([&] { return requests == 1; }));
  running->drain();
  const auto answer = client.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "whole");
  running->wait();
  EXPECT_EQ(alive, 0);
  EXPECT_TRUE(saw_drain);
  EXPECT_FALSE(was_early) << "the background ended while a request was running";
}

TEST(AfterResponse, RunsBehindTheAnswerAndIsJoinedAtTheDrain) {
  std::atomic<int> done{0};
  std::atomic<int> begun{0};
  Server server(quick_options(2));
  server.get("/", [&](Context& ctx) {
    const bool taken = ctx.after_response(
        [](std::atomic<int>* b, std::atomic<int>* d) -> Task<> {
          ++*b;
          co_await sleep(300ms);
          ++*d;
        },
        &begun, &done);
    return taken ? "taken" : "refused";
  });
  Running running(std::move(server));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(running.client().ask(get("/")).value_or(Answer()).body, "taken");
  }
  EXPECT_TRUE(eventually([&] { return begun == 20; }));
  EXPECT_LT(done, 20) << "the answers waited for the work behind them";
  running->drain();
  running->wait();
  EXPECT_EQ(done, 20);
}

TEST(AfterResponse, IsRefusedBeyondItsLimit) {
  ServerOptions options = quick_options();
  options.limits.background_tasks = 2;
  Server server(options);
  server.get("/", [](Context& ctx) {
    return ctx.after_response([]() -> Task<> { co_await sleep(1h); }) ? "taken" : "refused";
  });
  Running running(std::move(server));
  Client client = running.client();
  EXPECT_EQ(client.ask(get("/")).value_or(Answer()).body, "taken");
  EXPECT_EQ(client.ask(get("/")).value_or(Answer()).body, "taken");
  EXPECT_EQ(client.ask(get("/")).value_or(Answer()).body, "refused");
  running->stop();
}

TEST(AfterResponse, DrainCutsWorkThatDoesNotEnd) {
  std::atomic<int> alive{0};
  ServerOptions options = quick_options();
  options.drain_timeout = 300ms;
  Server server(options);
  server.get("/", [&](Context& ctx) {
    (void)ctx.after_response(
        [](std::atomic<int>* at) -> Task<> {
          const Guard guard(*at);
          co_await sleep(1h);
        },
        &alive);
    return "hello";
  });
  Running running(std::move(server));
  ASSERT_TRUE(running.client().ask(get("/")));
  ASSERT_TRUE(eventually([&] { return alive == 1; }));
  running->drain();
  EXPECT_TRUE(running->wait_for(2s * slowness));
  EXPECT_EQ(alive, 0);
}

// Worker 1 has nothing to do and ends at once; a request on the other still wants it.
TEST(Drain, AWorkerServesTheOthersUntilAllHaveEnded) {
  std::atomic<int> guards{0};
  Server server(quick_options(2));
  server.get("/", [&](Context& ctx) -> Task<> {
    const Guard guard(guards);
    const unsigned other = 1 - worker_index();
    co_await sleep(600ms);
    const unsigned there = co_await run_on(other, [] { return worker_index(); });
    ctx.respond(200).body(there == other ? "reached" : "lost");
  });
  Running running(std::move(server));
  Client client = running.client();
  ASSERT_TRUE(client.send(get("/")));
  ASSERT_TRUE(eventually([&] { return guards == 1; }));
  running->drain();
  const auto answer = client.read(10s);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "reached");
  EXPECT_TRUE(running->wait_for(5s));
}

TEST(Offload, OutlivesTheServersPatienceAndHarmsNobody) {
  std::atomic<bool> go{false};
  std::atomic<int> guards{0};
  std::thread release;
  {
    ServerOptions options = quick_options();
    options.drain_timeout = 0ms;
    Server server(options);
    server.get("/", [&](Context&) -> Task<> {
      const Guard guard(guards);
      co_await offload(
          [](std::atomic<bool>* when) {
            while (!*when) std::this_thread::sleep_for(1ms);
          },
          &go);
    });
    Running running(std::move(server));
    Client client = running.client();
    ASSERT_TRUE(client.send(get("/")));
    ASSERT_TRUE(eventually([&] { return guards == 1; }));
    running->stop();
    // Longer than handlers are given to unwind.
    running->wait();
    EXPECT_EQ(guards, 1);
    release = std::thread([&] { go = true; });
  }
  release.join();
  EXPECT_EQ(guards, 0) << "the handler was never unwound";
}

}  // namespace
}  // namespace spate::integration
