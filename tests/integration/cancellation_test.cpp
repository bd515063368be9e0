// SPDX-License-Identifier: MIT
// A handler that waits is told within 100 ms that nobody waits for it any more, whatever it waits
// for and whyever: the client is gone, the server stops, its deadline has passed. Its objects are
// destroyed, its frames given back, its connection closed.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <condition_variable>
#include <ostream>

#include "support.hpp"

namespace spate::integration {
namespace {

enum class Wait { sleep, body_read, stream_write, offload, when_any };

void PrintTo(Wait wait, std::ostream* out) {
  constexpr const char* names[] = {"sleep", "body_read", "stream_write", "offload", "when_any"};
  *out << names[static_cast<int>(wait)];
}

// Holds the blocking functions until the test lets them go.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    open_.wait(lock, [this] { return is_open_; });
  }
  void open() {
    {
      const std::lock_guard lock(mutex_);
      is_open_ = true;
    }
    open_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable open_;
  bool is_open_ = false;
};

struct Observed {
  std::atomic<int> guards{0};
  std::atomic<std::uint64_t> writes{0};
  std::atomic<int> returned{0};  // blocking functions
  std::array<std::atomic<int>, 8> reasons{};
  std::atomic<bool> give_up{false};  // ends a writer that nothing else ends
  Gate gate;

  int count(CancelReason reason) const { return reasons[static_cast<std::size_t>(reason)].load(); }
};

Task<> nap(Duration duration) { co_await sleep(duration); }

Task<> wait_in(Wait wait, Context& ctx, Observed& seen) {
  switch (wait) {
    case Wait::sleep:
      co_await sleep(1h);
      break;
    case Wait::body_read:
      while (co_await ctx.body().read()) {
      }
      break;
    case Wait::stream_write: {
      const std::string piece(32 * 1024, 'x');
      ResponseStream stream = co_await ctx.respond(200).stream();
      while (!seen.give_up) {
        co_await stream.write(piece);
        ++seen.writes;
      }
      break;
    }
    case Wait::offload:
      co_await offload(
          [](Observed* to) {
            to->gate.wait();
            std::this_thread::sleep_for(200ms);
            ++to->returned;
          },
          &seen);
      break;
    case Wait::when_any:
      co_await when_any([] { return nap(1h); }, [] { return nap(2h); });
      break;
  }
}

Server waiting_server(Wait wait, Observed& seen, ServerOptions options) {
  // So many run at once that all are through in four rounds.
  options.offload_threads = crowd / 4;
  Server server(std::move(options));
  const auto handler = [wait, &seen](Context& ctx) -> Task<> {
    const Guard guard(seen.guards);
    try {
      co_await wait_in(wait, ctx, seen);
    } catch (const Cancelled& cancelled) {
      ++seen.reasons[static_cast<std::size_t>(cancelled.reason())];
      throw;
    }
    ctx.respond(200).body("done");
  };
  server.post("/wait", handler);
  server.get("/ready", [] { return "ready"; });
  return server;
}

std::string request_for(Wait wait) {
  return wait == Wait::body_read
             ? "POST /wait HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nonly a part"
             : "POST /wait HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n";
}

std::vector<Client> bring_into_wait(Running& server, Wait wait, Observed& seen, int count) {
  std::vector<Client> clients;
  clients.reserve(static_cast<std::size_t>(count));
  const std::string request = request_for(wait);
  for (int i = 0; i < count; ++i) {
    // A small window, so that a thousand streams fit into the kernel's memory.
    Client client(server.port(), {.receive_buffer = wait == Wait::stream_write ? 4096 : 0});
    if (!client.is_connected() || !client.send(request)) return {};
    clients.push_back(std::move(client));
  }
  if (!eventually([&] { return seen.guards == count; })) return {};
  if (wait == Wait::stream_write) {
    // All of them are stuck when nothing has been written for a while.
    std::uint64_t before = 0;
    auto since = Clock::now();
    const bool stuck = eventually([&] {
      if (seen.writes != before) {
        before = seen.writes;
        since = Clock::now();
      }
      return Clock::now() - since > 100ms * slowness;
    });
    if (!stuck) return {};
  }
  return clients;
}

class Cancellation : public ::testing::TestWithParam<Wait> {};

TEST_P(Cancellation, HandlersOfAThousandClientsThatVanishEndWithin100Milliseconds) {
  const Wait wait = GetParam();
  Observed seen;
  Running server(waiting_server(wait, seen, quick_options(2)));
  ASSERT_EQ(server.client().ask(get("/ready")).value_or(Answer()).body, "ready");
  ASSERT_TRUE(eventually([&] { return server->snapshot().connections == 0; }));
  const std::int64_t frames = server->snapshot().live_frames;

  std::vector<Client> clients = bring_into_wait(server, wait, seen, crowd);
  ASSERT_EQ(clients.size(), static_cast<std::size_t>(crowd)) << "guards: " << seen.guards;
  EXPECT_GE(server->snapshot().live_frames, crowd) << "the handlers have no frames";
  for (int i = 0; i < crowd; ++i) {
    if (i % 2 == 0) {
      clients[static_cast<std::size_t>(i)].close();
    } else {
      clients[static_cast<std::size_t>(i)].reset();
    }
  }
  if (wait == Wait::offload) {
    EXPECT_EQ(seen.guards, crowd) << "a handler ended while its function was running";
    seen.gate.open();
    ASSERT_TRUE(eventually([&] { return seen.returned == crowd; }));
  }
  EXPECT_TRUE(eventually([&] { return seen.guards == 0; }, 100ms * slowness))
      << seen.guards << " handlers are still alive";
  EXPECT_TRUE(eventually([&] { return server->snapshot().live_frames == frames; }, 1s * slowness))
      << server->snapshot().live_frames << " frames, at first " << frames;
  EXPECT_EQ(server->snapshot().active_requests, 0u);
  EXPECT_TRUE(eventually([&] { return server->snapshot().connections == 0; }, 2s * slowness))
      << server->snapshot().connections;
  if (wait == Wait::body_read) {
    // Half of them close in the middle of their content: an error of the read, not a cancellation.
    EXPECT_LE(seen.count(CancelReason::peer_gone), crowd);
  } else {
    EXPECT_EQ(seen.count(CancelReason::peer_gone), crowd);
  }
  seen.give_up = true;
  EXPECT_EQ(server.client().ask(get("/ready")).value_or(Answer()).body, "ready");
}

TEST_P(Cancellation, HandlersThatStillWaitWhenTheDrainIsCutEndWithin100Milliseconds) {
  const Wait wait = GetParam();
  Observed seen;
  ServerOptions options = quick_options(2);
  options.drain_timeout = 60s;
  constexpr int count = crowd / 5;
  Running server(waiting_server(wait, seen, std::move(options)));
  std::vector<Client> clients = bring_into_wait(server, wait, seen, count);
  ASSERT_EQ(clients.size(), static_cast<std::size_t>(count));

  server->drain();
  EXPECT_FALSE(server->is_ready());
  EXPECT_FALSE(server->wait_for(200ms)) << "the drain did not wait for what is under way";
  EXPECT_EQ(seen.guards, count);
  server->stop();
  if (wait == Wait::offload) {
    seen.gate.open();
    ASSERT_TRUE(eventually([&] { return seen.returned == count; }));
  }
  EXPECT_TRUE(eventually([&] { return seen.guards == 0; }, 100ms * slowness))
      << seen.guards << " handlers are still alive";
  EXPECT_EQ(seen.count(CancelReason::drain), count);
  EXPECT_TRUE(server->wait_for(5s * slowness));
  EXPECT_EQ(server->snapshot().active_requests, 0u);
  EXPECT_EQ(server->snapshot().live_frames, 0);
  for (Client& client : clients) {
    if (wait == Wait::stream_write) {
      EXPECT_EQ(client.wait_for_end(), Ending::reset) << "a truncated answer looks complete";
    } else {
      const auto answer = client.read();
      ASSERT_TRUE(answer);
      EXPECT_EQ(answer->status, 503);
      EXPECT_TRUE(answer->has_field("connection: close"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Waits, Cancellation,
                         ::testing::Values(Wait::sleep, Wait::body_read, Wait::stream_write,
                                           Wait::offload, Wait::when_any),
                         ::testing::PrintToStringParamName());

// Bodies and streams have limits of their own instead (decision 16); limits_test.cpp has those.
class DeadlineOfHandler : public ::testing::TestWithParam<Wait> {};

TEST_P(DeadlineOfHandler, EndsTheWaitAndAnswers503) {
  const Wait wait = GetParam();
  Observed seen;
  ServerOptions options = quick_options(2);
  // Long enough for all to arrive.
  options.limits.route.handler = 1'000ms * slowness;
  constexpr int count = crowd / 5;
  Running server(waiting_server(wait, seen, std::move(options)));
  std::vector<Client> clients = bring_into_wait(server, wait, seen, count);
  ASSERT_EQ(clients.size(), static_cast<std::size_t>(count));
  if (wait == Wait::offload) {
    ASSERT_TRUE(eventually([&] { return server->snapshot().limit_hits >= count; }));
    EXPECT_EQ(seen.guards, count) << "a handler ended while its function was running";
    seen.gate.open();
  }
  for (Client& client : clients) {
    const auto answer = client.read();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 503);
  }
  EXPECT_TRUE(eventually([&] { return seen.guards == 0; }, 100ms * slowness));
  EXPECT_EQ(seen.count(CancelReason::deadline), count);
  EXPECT_TRUE(eventually([&] { return server->snapshot().live_frames == 0; }, 1s * slowness));
  EXPECT_EQ(server->snapshot().active_requests, 0u);
}

INSTANTIATE_TEST_SUITE_P(Waits, DeadlineOfHandler,
                         ::testing::Values(Wait::sleep, Wait::offload, Wait::when_any),
                         ::testing::PrintToStringParamName());

TEST(Cancelled, IsStickyAndTheReasonStays) {
  std::atomic<int> second{0};
  std::atomic<int> guards{0};
  Server server(quick_options());
  server.get("/wait", [&](Context&) -> Task<> {
    const Guard guard(guards);
    try {
      co_await sleep(1h);
    } catch (const Cancelled&) {
    }
    try {
      co_await sleep(1h);
    } catch (const Cancelled& cancelled) {
      if (cancelled.reason() == CancelReason::peer_gone) ++second;
      throw;
    }
  });
  Running running(std::move(server));
  Client client = running.client();
  ASSERT_TRUE(client.send(get("/wait")));
  ASSERT_TRUE(eventually([&] { return guards == 1; }));
  client.reset();
  EXPECT_TRUE(eventually([&] { return guards == 0; }, 100ms * slowness));
  EXPECT_EQ(second, 1);
}

// Its client takes everything at once, so no write has to wait; then the client is gone.
TEST(Stream, WhoseWritesNeverWaitNoticesThatItsClientHasGone) {
  Observed seen;
  Server server(quick_options());
  server.get("/endless", [&](Context& ctx) -> Task<> {
    const Guard guard(seen.guards);
    const std::string piece(1024, 'x');
    ResponseStream stream = co_await ctx.respond(200).stream();
    while (!seen.give_up) co_await stream.write(piece);
  });
  Running running(std::move(server));
  Client client = running.client();
  ASSERT_TRUE(client.send(get("/endless")));
  for (int i = 0; i < 20; ++i) ASSERT_NE(client.read_some(), "");
  client.reset();
  EXPECT_TRUE(eventually([&] { return seen.guards == 0; }, 100ms * slowness));
  seen.give_up = true;
  EXPECT_TRUE(eventually([&] { return seen.guards == 0; }, 5s));
}

TEST(Stream, WhoseWritesNeverWaitLeavesTheOthersTheirTurn) {
  Observed seen;
  std::atomic<bool> done{false};
  Server server(quick_options());
  server.get("/endless", [&](Context& ctx) -> Task<> {
    const Guard guard(seen.guards);
    const std::string piece(1024, 'x');
    ResponseStream stream = co_await ctx.respond(200).stream();
    while (!seen.give_up) co_await stream.write(piece);
  });
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  Client other = running.client();
  ASSERT_TRUE(other.ask(get("/")));
  std::thread reader([&] {
    Client client = running.client();
    if (!client.send(get("/endless"))) return;
    while (!done && !client.read_some(1s).empty()) {
    }
  });
  ASSERT_TRUE(eventually([&] { return seen.guards == 1; }));
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(other.send(get("/")));
    EXPECT_EQ(other.read(1s * slowness).value_or(Answer()).body, "hello");
    if (::testing::Test::HasFailure()) break;
  }
  seen.give_up = true;
  done = true;
  reader.join();
}

TEST(HalfClose, CancelsAHandlerUnlessTheRouteAllowsIt) {
  std::atomic<int> guards{0};
  Gate gate;
  const auto handler = [&](Context& ctx) -> Task<> {
    const Guard guard(guards);
    co_await offload([](Gate* g) { g->wait(); }, &gate);
    co_await sleep(10ms);
    ctx.respond(200).body("late");
  };
  Server server(quick_options());
  server.get("/strict", handler);
  server.get("/lenient", handler).with(half_close());
  Running running(std::move(server));
  Client strict = running.client();
  Client lenient = running.client();
  ASSERT_TRUE(strict.send(get("/strict")));
  ASSERT_TRUE(lenient.send(get("/lenient")));
  ASSERT_TRUE(eventually([&] { return guards == 2; }));
  ::shutdown(strict.descriptor(), SHUT_WR);
  ::shutdown(lenient.descriptor(), SHUT_WR);
  // The server has seen both ends when a later request on a new connection has been answered.
  ASSERT_TRUE(running.client().ask(get("/nothing")));
  gate.open();
  const auto late = lenient.read();
  ASSERT_TRUE(late);
  EXPECT_EQ(late->body, "late");
  EXPECT_FALSE(strict.read());
  EXPECT_NE(strict.wait_for_end(), Ending::open);
}

}  // namespace
}  // namespace spate::integration
