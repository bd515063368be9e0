// SPDX-License-Identifier: MIT
// A client that garbles, stalls or floods costs one connection, within its limits; the others do
// not notice.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "support.hpp"

namespace spate::integration {
namespace {

std::chrono::milliseconds since(Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
}

// --- time ---

TEST(HeaderTime, AnUnfinishedHeadIsAnswered408AndClosed) {
  ServerOptions options = quick_options();
  options.limits.header_time = 300ms;
  Server server(options);
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  Client client = running.client();
  const auto begin = Clock::now();
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: te"));
  const auto answer = client.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
  EXPECT_TRUE(answer->has_field("connection: close"));
  EXPECT_GE(since(begin), 290ms);
  EXPECT_LE(since(begin), 5s) << "that is another limit's time";
  EXPECT_EQ(client.wait_for_end(), Ending::closed);
}

TEST(HeaderTime, RunsFromTheFirstByteNotFromTheLatest) {
  ServerOptions options = quick_options();
  options.limits.header_time = 500ms;
  Server server(options);
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  Client client = running.client();
  const auto begin = Clock::now();
  std::string seen;
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nX: "));
  // A byte every 20 ms for six times as long as the limit.
  while (seen.empty() && since(begin) < 3s) {
    if (!client.send("x")) break;
    seen = client.read_some(20ms);
  }
  EXPECT_EQ(seen.substr(0, 12), "HTTP/1.1 408");
  EXPECT_LE(since(begin), 2500ms);
}

TEST(HeaderTime, CountsForALaterRequestOfTheConnectionToo) {
  ServerOptions options = quick_options();
  options.limits.header_time = 300ms;
  Server server(options);
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  Client client = running.client();
  ASSERT_TRUE(client.ask(get("/")));
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\n"));
  const auto answer = client.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
}

TEST(IdleTime, AnIdleConnectionIsClosedWithoutAWord) {
  ServerOptions options = quick_options();
  options.limits.idle = 300ms;
  Server server(options);
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  Client client = running.client();
  // Before the request: the time runs in the server as soon as it has answered.
  const auto begin = Clock::now();
  ASSERT_TRUE(client.ask(get("/")));
  EXPECT_EQ(client.read_some(), "");
  EXPECT_EQ(client.wait_for_end(1ms), Ending::closed);
  EXPECT_GE(since(begin), 290ms);
  EXPECT_LE(since(begin), 5s) << "that is another limit's time";
  client.close();
  EXPECT_TRUE(eventually([&] { return running->snapshot().connections == 0; }, 2s * slowness));
}

TEST(LingerTime, AClientThatNeverClosesIsClosedAllTheSame) {
  ServerOptions options = quick_options();
  options.limits.idle = 200ms;
  options.limits.linger = 200ms;
  Server server(options);
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  Client client = running.client();
  ASSERT_TRUE(client.ask(get("/")));
  EXPECT_TRUE(eventually([&] { return running->snapshot().connections == 0; }, 3s * slowness));
}

ServerOptions slow_body_options() {
  ServerOptions options = quick_options();
  options.limits.body_idle = 400ms;
  options.limits.rate_grace = 300ms;
  return options;
}

Server body_server(const ServerOptions& options) {
  Server server(options);
  server.post("/buffered", [](const Body& body) { return std::to_string(body->size()); });
  server.post("/streamed", [](Context& ctx) -> Task<> {
    std::size_t bytes = 0;
    while (const auto piece = co_await ctx.body().read()) bytes += piece->size();
    ctx.respond(200).body(std::to_string(bytes));
  });
  return server;
}

class BodyTime : public ::testing::TestWithParam<const char*> {
 protected:
  std::string head(std::string_view framing) const {
    return std::string("POST ") + GetParam() + " HTTP/1.1\r\nHost: test\r\n" +
           std::string(framing) + "\r\n\r\n";
  }
};

TEST_P(BodyTime, ABodyThatStopsIsAnswered408) {
  Running running(body_server(slow_body_options()));
  Client client = running.client();
  const auto begin = Clock::now();
  ASSERT_TRUE(client.send(head("Content-Length: 1000") + "a part"));
  const auto answer = client.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
  EXPECT_TRUE(answer->has_field("connection: close"));
  // Looked at once a second.
  EXPECT_LE(since(begin), 9s) << "that is another limit's time";
}

TEST_P(BodyTime, ABodyBelowTheLeastRateIsAnswered408) {
  ServerOptions options = slow_body_options();
  options.limits.body_idle = 60s;
  options.limits.route.body_rate = 100'000;
  Running running(body_server(options));
  Client client = running.client();
  const auto begin = Clock::now();
  std::string seen;
  ASSERT_TRUE(client.send(head("Content-Length: 1000000")));
  while (seen.empty() && since(begin) < 6s) {
    if (!client.send("x")) break;
    seen = client.read_some(20ms);
  }
  EXPECT_EQ(seen.substr(0, 12), "HTTP/1.1 408");
}

TEST_P(BodyTime, AnUploadOfSingleBytesIsTaken) {
  Running running(body_server(quick_options()));
  Client client = running.client();
  std::string request = head("Transfer-Encoding: chunked");
  for (int i = 0; i < 40; ++i) request += "3\r\nabc\r\n";
  request += "0\r\n\r\n";
  for (const char byte : request) ASSERT_TRUE(client.send({&byte, 1}));
  EXPECT_EQ(client.read().value_or(Answer()).body, "120");
  // The connection is in step for the next one.
  ASSERT_TRUE(client.send(head("Content-Length: 2") + "ok"));
  EXPECT_EQ(client.read().value_or(Answer()).body, "2");
}

TEST_P(BodyTime, AnUploadThatIsCutIsNoEnd) {
  Running running(body_server(quick_options()));
  Client client = running.client();
  ASSERT_TRUE(client.send(head("Content-Length: 1000") + "a part"));
  ::shutdown(client.descriptor(), SHUT_WR);
  const auto answer = client.read();
  if (answer) {
    EXPECT_EQ(answer->status, 400);
  }
  EXPECT_NE(client.wait_for_end(), Ending::open);
  EXPECT_TRUE(eventually([&] { return running->snapshot().active_requests == 0; }, 2s));
}

INSTANTIATE_TEST_SUITE_P(Bodies, BodyTime, ::testing::Values("/buffered", "/streamed"),
                         [](const auto& param) { return std::string(param.param + 1); });

// The clock stands while the handler is busy; it must run again when the handler waits again.
TEST(BodyTimeOfAStream, CountsAgainAfterTheHandlerWasBusyElsewhere) {
  Server server(slow_body_options());
  server.post("/", [](Context& ctx) -> Task<> {
    std::size_t bytes = 0;
    while (const auto piece = co_await ctx.body().read()) {
      bytes += piece->size();
      co_await sleep(1500ms);
    }
    ctx.respond(200).body(std::to_string(bytes));
  });
  Running running(std::move(server));
  Client client = running.client();
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\na part"));
  EXPECT_EQ(client.read(8s * slowness).value_or(Answer()).status, 408);
}

TEST(Body, LargerThanTheWindowArrivesAtAHandlerThatWasBusyElsewhere) {
  Server server(quick_options());
  server.post("/", [](Context& ctx) -> Task<> {
    co_await sleep(200ms);
    std::size_t bytes = 0;
    while (const auto piece = co_await ctx.body().read()) {
      bytes += piece->size();
      co_await sleep(1ms);
    }
    ctx.respond(200).body(std::to_string(bytes));
  });
  Running running(std::move(server));
  for (const bool chunked : {false, true}) {
    Client client = running.client();
    const std::string content(2'000'000, 'x');
    std::thread sender([&] {
      std::string head = "POST / HTTP/1.1\r\nHost: test\r\n";
      head += chunked ? "Transfer-Encoding: chunked\r\n\r\n1e8480\r\n"
                      : "Content-Length: 2000000\r\n\r\n";
      (void)client.send(head + content + (chunked ? "\r\n0\r\n\r\n" : ""));
    });
    const auto answer = client.read(10s * slowness);
    EXPECT_EQ(answer.value_or(Answer()).body, "2000000") << (chunked ? "chunked" : "with a length");
    if (!answer) ::shutdown(client.descriptor(), SHUT_RDWR);
    sender.join();
  }
}

// --- sizes ---

class BodySize : public ::testing::TestWithParam<const char*> {};

TEST_P(BodySize, TooMuchChunkedContentIsAnswered413) {
  ServerOptions options = quick_options();
  options.limits.route.body = 1'000;
  options.limits.route.streamed_body = 1'000;
  Running running(body_server(options));
  const std::string head = std::string("POST ") + GetParam() +
                           " HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string chunk = "1f4\r\n" + std::string(500, 'x') + "\r\n";
  Client fits = running.client();
  EXPECT_EQ(fits.ask(head + chunk + chunk + "0\r\n\r\n").value_or(Answer()).body, "1000");
  Client over = running.client();
  const auto answer = over.ask(head + chunk + chunk + "1\r\nx\r\n0\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  // Also when it comes in pieces and never ends.
  Client endless = running.client();
  ASSERT_TRUE(endless.send(head + chunk));
  ASSERT_TRUE(endless.send(chunk));
  ASSERT_TRUE(endless.send(chunk));
  EXPECT_EQ(endless.read().value_or(Answer()).status, 413);
}

TEST_P(BodySize, AClientThatStillSendsCanReadIts413) {
  ServerOptions options = quick_options();
  options.limits.route.body = 1'000;
  options.limits.route.streamed_body = 1'000;
  Running running(body_server(options));
  Client client = running.client();
  ASSERT_TRUE(client.send(std::string("POST ") + GetParam() +
                          " HTTP/1.1\r\nHost: test\r\nContent-Length: 60000\r\n\r\nfirst"));
  const auto answer = client.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  // Closing at once would answer these with a reset.
  EXPECT_TRUE(client.send(std::string(30'000, 'x')));
  EXPECT_TRUE(client.send(std::string(20'000, 'x')));
  EXPECT_EQ(client.wait_for_end(), Ending::closed);
}

INSTANTIATE_TEST_SUITE_P(Bodies, BodySize, ::testing::Values("/buffered", "/streamed"),
                         [](const auto& param) { return std::string(param.param + 1); });

// --- answers that are not taken ---

TEST(WriteTime, AClientThatStopsReadingIsResetAndCostsBoundedMemory) {
  constexpr std::size_t piece_size = 16 * 1024;
  constexpr int count = is_sanitized ? 20 : 100;
  std::atomic<std::uint64_t> writes{0};
  std::atomic<int> guards{0};
  std::atomic<bool> give_up{false};
  auto lines = std::make_shared<KeepLines::Lines>();
  ServerOptions options = quick_options();
  options.limits.write_idle = 2s;
  Server server(options);
  server.log(std::make_unique<KeepLines>(lines));
  server.get("/endless", [&](Context& ctx) -> Task<> {
    const Guard guard(guards);
    const std::string piece(piece_size, 'x');
    ResponseStream stream = co_await ctx.respond(200).stream();
    while (!give_up) {
      co_await stream.write(piece);
      ++writes;
    }
  });
  Running running(std::move(server));
  const std::size_t memory = private_memory();
  std::vector<Client> clients;
  for (int i = 0; i < count; ++i) {
    clients.emplace_back(running.port(), Client::Options{.receive_buffer = 4096});
    ASSERT_TRUE(clients.back().send(get("/endless")));
  }
  ASSERT_TRUE(eventually([&] { return guards == count; }));
  std::uint64_t before = 0;
  auto quiet = Clock::now();
  ASSERT_TRUE(eventually([&] {
    if (writes != before) {
      before = writes;
      quiet = Clock::now();
    }
    return since(quiet) > 200ms;
  }));
  const std::size_t grown = private_memory() - std::min(memory, private_memory());
  // Unsent bytes up to the backlog and one piece more, in a vector that doubles; the piece itself;
  // a frame.
  const std::size_t most = 2 * (options.limits.send_backlog + piece_size) + piece_size + 8 * 1024;
  if (!is_sanitized) {
    EXPECT_LE(grown / count, most);
  }
  EXPECT_TRUE(eventually([&] { return guards == 0; }, 6s * slowness)) << guards;
  give_up = true;
  for (Client& client : clients) EXPECT_EQ(client.wait_for_end(), Ending::reset);
  EXPECT_TRUE(lines->contains("limit hit limit=\"write_rate\""));
  EXPECT_TRUE(eventually([&] { return running->snapshot().connections == 0; }, 2s * slowness));
}

TEST(WriteTime, AnAnswerInOnePieceIsResetToo) {
  ServerOptions options = quick_options();
  options.limits.write_idle = 1s;
  Server server(options);
  server.get("/large", [] { return std::string(20'000'000, 'x'); });
  Running running(std::move(server));
  Client client(running.port(), {.receive_buffer = 4096});
  ASSERT_TRUE(client.send(get("/large")));
  ASSERT_TRUE(eventually([&] { return running->snapshot().requests == 1; }));
  EXPECT_TRUE(eventually([&] { return running->snapshot().connections == 0; }, 5s * slowness));
  EXPECT_EQ(client.wait_for_end(), Ending::reset);
}

TEST(WriteTime, ASlowButSteadyReaderGetsAllOfIt) {
  ServerOptions options = quick_options();
  options.limits.write_idle = 2s * slowness;
  Server server(options);
  const std::size_t size = 3'000'000;
  server.get("/large", [] { return std::string(size, 'x'); });
  Running running(std::move(server));
  Client client(running.port(), {.receive_buffer = 4096});
  ASSERT_TRUE(client.send(get("/large")));
  const auto answer = client.read(60s);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body.size(), size);
}

TEST(Stream, ThatFailsIsResetNotEnded) {
  Server server(quick_options());
  server.get("/broken", [](Context& ctx) -> Task<> {
    ResponseStream stream = co_await ctx.respond(200).stream();
    co_await stream.write("half of it");
    throw std::runtime_error("the source dried up");
  });
  Running running(std::move(server));
  // Without a length and without chunks, only the way in which the connection ends tells.
  Client old = running.client();
  ASSERT_TRUE(old.send("GET /broken HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(old.wait_for_end(), Ending::reset);
  Client chunked = running.client();
  ASSERT_TRUE(chunked.send(get("/broken")));
  EXPECT_EQ(chunked.wait_for_end(), Ending::reset);
}

// --- connections and descriptors ---

TEST(Connections, RefusedByAHookAtTheLimitLeaveTheDoorOpen) {
  ServerOptions options = quick_options();
  options.limits.connections = 1;
  Server server(options);
  std::atomic<int> asked{0};
  server.on_connect([&asked](Connection&) { return ++asked > 1; });
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  Client refused = running.client();
  EXPECT_EQ(refused.read_some(), "");
  EXPECT_EQ(running.client().ask(get("/")).value_or(Answer()).body, "hello");
}

TEST(ConnectionLimit, PausesAcceptingUntilOneCloses) {
  ServerOptions options = quick_options();
  options.limits.connections = 10;
  Server server(options);
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  std::vector<Client> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(running.client());
    ASSERT_EQ(clients.back().ask(get("/")).value_or(Answer()).body, "hello");
  }
  Client late = running.client();
  ASSERT_TRUE(late.send(get("/")));
  EXPECT_FALSE(late.read(300ms)) << "an eleventh connection was served";
  EXPECT_EQ(running->snapshot().connections, 10u);
  EXPECT_GE(running->snapshot().limit_hits, 1u);
  // Those that are in are served as before.
  EXPECT_EQ(clients[3].ask(get("/")).value_or(Answer()).body, "hello");
  clients[0].close();
  EXPECT_EQ(late.read(1s * slowness).value_or(Answer()).body, "hello");
}

TEST(Requests, ATaskSeesItsOwnHeadAfterItHasWaited) {
  Server server(quick_options());
  server.get("/say/{word}", [](Context& ctx) -> Task<> {
    const std::string_view path = ctx.path();
    const std::string_view word = ctx.param("word");
    const std::string_view field = ctx.header("x-word").value_or("none");
    co_await sleep(20ms);
    ctx.respond(200).body(std::string(path) + " " + std::string(word) + " " + std::string(field));
  });
  Running running(std::move(server));
  std::vector<Client> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(running.client());
    const std::string word = "word-" + std::to_string(i);
    ASSERT_TRUE(clients.back().send(get("/say/" + word, "X-Word: " + word + "\r\n")));
  }
  for (int i = 0; i < 50; ++i) {
    const std::string word = "word-" + std::to_string(i);
    EXPECT_EQ(clients[static_cast<std::size_t>(i)].read().value_or(Answer()).body,
              "/say/" + word + " " + word + " " + word);
  }
}

TEST(Requests, TwentyInOneWriteAreAnsweredInOrder) {
  Server server(quick_options());
  server.get("/now/{n}", [](const Path<"n">& n) { return std::string(*n); });
  server.get("/later/{n}", [](Context& ctx) -> Task<> {
    co_await sleep(10ms);
    ctx.respond(200).body(std::string(ctx.param("n")));
  });
  server.get("/stream/{n}", [](Context& ctx) -> Task<> {
    const std::string text(ctx.param("n"));
    ResponseStream stream = co_await ctx.respond(200).stream();
    for (const char& c : text) {
      co_await sleep(1ms);
      co_await stream.write({&c, 1});
    }
  });
  server.post("/echo", [](const Body& body) { return std::string(*body); });
  Running running(std::move(server));
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    const std::string n = std::to_string(100 + i);
    switch (i % 4) {
      case 0:
        requests += get("/now/" + n);
        break;
      case 1:
        requests += get("/later/" + n);
        break;
      case 2:
        requests += get("/stream/" + n);
        break;
      default:
        requests += "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\n" + n;
    }
  }
  Client client = running.client();
  ASSERT_TRUE(client.send(requests));
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client.read().value_or(Answer()).body, std::to_string(100 + i));
  }
}

TEST(Requests, ArriveByteByByte) {
  Server server(quick_options());
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  Client client = running.client();
  for (int i = 0; i < 3; ++i) {
    for (const char byte : get("/")) ASSERT_TRUE(client.send({&byte, 1}));
    EXPECT_EQ(client.read().value_or(Answer()).body, "hello");
  }
}

TEST(Requests, AFewBytesOfTheNextOneBehindOneThatWaitsAreKept) {
  Server server(quick_options());
  server.get("/later", [](Context& ctx) -> Task<> {
    co_await sleep(50ms);
    ctx.respond(200).body("later");
  });
  Running running(std::move(server));
  const std::string request = get("/later");
  for (std::size_t split = 1; split < request.size(); split += 3) {
    Client client = running.client();
    ASSERT_TRUE(client.send(request + request.substr(0, split)));
    EXPECT_EQ(client.read().value_or(Answer()).body, "later");
    ASSERT_TRUE(client.send(request.substr(split)));
    const Answer second = client.read().value_or(Answer());
    EXPECT_EQ(second.body, "later") << "split behind byte " << split << ": " << second.body;
    if (::testing::Test::HasFailure()) break;
  }
}

TEST(Requests, WorkBehindTheAnswerOutlivesTheExchange) {
  std::atomic<int> sum{0};
  Server server(quick_options());
  server.get("/", [&](Context& ctx) -> Task<> {
    co_await sleep(1ms);
    for (int i = 1; i <= 3; ++i) {
      (void)ctx.after_response([](std::atomic<int>* to, int n) { *to += n; }, &sum, i);
    }
    ctx.respond(200).body("hello");
  });
  Running running(std::move(server));
  Client client = running.client();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(client.ask(get("/")).value_or(Answer()).body, "hello");
  EXPECT_TRUE(eventually([&] { return sum == 60; })) << sum;
}

TEST(Garbage, CostsItsConnectionAlone) {
  Server server(quick_options());
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  Client good = running.client();
  ASSERT_TRUE(good.ask(get("/")));
  for (const char* garbage :
       {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET\r\n\r\n", "\r\n\r\n\r\n\r\nXX\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nHost : x\r\n\r\n"}) {
    Client client = running.client();
    ASSERT_TRUE(client.send(garbage));
    EXPECT_NE(client.wait_for_end(3s * slowness), Ending::open) << garbage;
  }
  EXPECT_EQ(good.ask(get("/")).value_or(Answer()).body, "hello");
}

}  // namespace
}  // namespace spate::integration
