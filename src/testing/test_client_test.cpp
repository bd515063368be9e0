// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <spate/spate.hpp>
#include <spate/testing/test_client.hpp>
#include <stdexcept>

namespace spate {
namespace {

using namespace std::chrono_literals;
using namespace spate::literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

struct Order {
  std::string item;
  int count = 0;
};

// Counts who is inside: a handler that was cancelled has to leave.
class Guard {
 public:
  explicit Guard(int& inside) : inside_(&inside) { ++inside; }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { --*inside_; }

 private:
  int* inside_;
};

// A wait that nothing ends.
class Never final : public coro::Waiter {
 public:
  bool await_ready() noexcept { return cancelled_before(); }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    begin(handle);
  }
  void await_resume() {
    if (state() != State::idle) end();
    throw_if_cancelled();
  }

 private:
  bool withdraw() noexcept override { return true; }
};

Task<std::string> count_body(Context& ctx) {
  std::size_t size = 0;
  while (auto piece = co_await ctx.body().read()) size += piece->size();
  co_return std::to_string(size);
}

Task<> echo(Context& ctx) {
  ResponseStream stream = co_await ctx.respond(200).type("text/plain").stream();
  while (auto piece = co_await ctx.body().read()) co_await stream.write(*piece);
}

Task<std::string> sleeper() {
  co_await sleep(10s);
  co_return "slept";
}

Server small_server() {
  Server server;
  server.get("/", [] { return "Hello, World!\n"; });
  server.get("/sleep", sleeper);
  server.post("/orders", [](Json<Order> order) { return Order{order->item, order->count + 1}; });
  server.post("/count", count_body);
  server.post("/echo", echo);
  server.get("/fail", []() -> std::string { throw std::runtime_error("out of tea"); });
  return server;
}

std::string failure_of(const std::function<void()>& act, Errc code) {
  try {
    act();
  } catch (const ErrorException& failure) {
    EXPECT_TRUE(failure.error().is(code)) << failure.what();
    return failure.error().detail;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

// --- plain requests ---

TEST(TestClient, AGetIsAnsweredOnOneKeptConnection) {
  Server server = small_server();
  TestClient client(server);
  const TestResponse first = client.get("/");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.text(), "Hello, World!\n");
  EXPECT_EQ(first.header("content-length"), "14");
  EXPECT_THAT(first.header("content-type"), StartsWith("text/plain"));
  EXPECT_FALSE(first.closed);
  EXPECT_EQ(client.get("/").status, 200);
  EXPECT_EQ(client.snapshot().accepted, 1U);
  EXPECT_EQ(client.snapshot().requests, 2U);
}

TEST(TestClient, MethodsAndBodiesArriveAsTheyAreSent) {
  Server server = small_server();
  TestClient client(server);
  const TestResponse made =
      client.post("/orders", R"({"item":"tea","count":2})", "application/json");
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(made.json<Order>().count, 3);
  EXPECT_THAT(failure_of([&] { (void)made.json<int>(); }, Errc::invalid), Not(IsEmpty()));
  const TestResponse head = client.head("/");
  EXPECT_EQ(head.header("content-length"), "14");
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(client.get("/missing").status, 404);
  EXPECT_EQ(client.post("/", "x").status, 405);
  // Methods that no route has are not known at all.
  EXPECT_EQ(client.put("/", "x").status, 501);
  EXPECT_EQ(client.delete_("/").status, 501);
  EXPECT_EQ(client.patch("/", "x").status, 501);
  EXPECT_EQ(client.options("/").status, 204);
  EXPECT_EQ(client.request("PROPFIND", "/").send().status, 501);
}

TEST(TestClient, HeadersOfARequestArrive) {
  Server server;
  server.get("/", [](Context& ctx) { return std::string(ctx.header("x-name").value_or("none")); });
  TestClient client(server);
  EXPECT_EQ(client.request(Method::get, "/").header("X-Name", "Ada").send().text(), "Ada");
  EXPECT_EQ(client.get("/").text(), "none");
}

TEST(TestClient, AFailureIsAnsweredAndLogged) {
  Server server = small_server();
  TestClient client(server);
  EXPECT_EQ(client.get("/fail").status, 500);
  EXPECT_THAT(client.log_lines(), Contains(HasSubstr("out of tea")));
  EXPECT_EQ(client.snapshot().server_errors, 1U);
}

TEST(TestClient, WrongRoutesAreToldAtTheStart) {
  Server server;
  server.get("/{a}", [] { return ""; }).get("/{b}", [] { return ""; });
  EXPECT_THAT(failure_of([&] { TestClient client(server); }, Errc::configuration),
              HasSubstr("/{b}"));
}

TEST(TestClient, AConnectionThatTheServerClosesIsReplaced) {
  Server server;
  server.get("/", [](Context& ctx) {
    ctx.connection().close();
    return "bye";
  });
  TestClient client(server);
  EXPECT_TRUE(client.get("/").closed);
  EXPECT_EQ(client.get("/").text(), "bye");
  EXPECT_EQ(client.snapshot().accepted, 2U);
}

TEST(TestClient, AnAbortedConnectionIsAnErrorOfTheRequest) {
  Server server;
  server.get("/", [](Context& ctx) { ctx.connection().abort(); });
  TestClient client(server);
  const Result<TestResponse> result = client.request(Method::get, "/").try_send();
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().is(Errc::closed)) << result.error().detail;
}

TEST(TestClient, AnAnswerThatIsCutIsNeverAnEnd) {
  Server server;
  server.get("/", [](Context& ctx) -> Task<> {
    ResponseStream stream = co_await ctx.respond(200).stream();
    co_await stream.write("half");
    co_await sleep(1s);
    throw std::runtime_error("broken");
  });
  TestClient client(server);
  TestStream stream = client.open(client.request(Method::get, "/"));
  EXPECT_EQ(stream.status(), 200);
  EXPECT_EQ(stream.read(), "half");
  EXPECT_THAT(failure_of([&] { (void)stream.read(); }, Errc::closed), HasSubstr("middle"));
}

TEST(TestClient, TwoClientsLiveOnOneThread) {
  Server one = small_server();
  Server two;
  two.get("/", [] { return "two"; });
  TestClient first(one);
  TestClient second(two);
  TestStream waiting = first.open(first.request(Method::get, "/sleep"));
  EXPECT_EQ(second.get("/").text(), "two");
  EXPECT_EQ(first.get("/").text(), "Hello, World!\n");
  second.advance(1h);
  EXPECT_FALSE(waiting.is_complete());
  EXPECT_EQ(waiting.read_all().text(), "slept");
}

// --- time ---

TEST(TestClient, TheClockMovesOnlyWhenNothingCanRun) {
  Server server = small_server();
  TestClient client(server);
  const TimePoint start = client.now();
  client.get("/");
  EXPECT_EQ(client.now(), start);
  EXPECT_EQ(client.get("/sleep").text(), "slept");
  EXPECT_EQ(client.now() - start, 10s);
}

TEST(TestClient, AdvanceMovesTheClockByExactlyThat) {
  Server server = small_server();
  TestClient client(server);
  TestStream stream = client.open(client.request(Method::get, "/sleep"));
  const TimePoint start = client.now();
  client.advance(9999ms);
  EXPECT_FALSE(stream.is_complete());
  EXPECT_EQ(client.pending_tasks(), 1U);
  EXPECT_THAT(client.describe_waits(), HasSubstr("test_client_test.cpp"));
  client.advance(1ms);
  EXPECT_TRUE(stream.is_complete());
  EXPECT_EQ(client.pending_tasks(), 0U);
  EXPECT_EQ(client.now() - start, 10s);
}

TEST(TestClient, TheDeadlineOfAHandlerIsA503WithTheTreeOfItsWaitsInTheLog) {
  Server server;
  server.get("/", []() -> Task<> { co_await Never(); });
  TestClient client(server);
  const TimePoint start = client.now();
  EXPECT_EQ(client.get("/").status, 503);
  EXPECT_EQ(client.now() - start, 30s);
  EXPECT_THAT(client.log_lines(), Contains(HasSubstr("test_client_test.cpp")));
  EXPECT_EQ(client.live_frames(), 0);
}

TEST(TestClient, ADeadlockFailsWithTheTreeOfAwaits) {
  Limits limits;
  limits.route.handler = 0ms;
  Server server;
  server.limits(limits).get("/", []() -> Task<> { co_await Never(); });
  TestClient client(server);
  const std::string message = failure_of([&] { client.get("/"); }, Errc::timeout);
  EXPECT_THAT(message, StartsWith("deadlock"));
  EXPECT_THAT(message, HasSubstr("test_client_test.cpp"));
  EXPECT_EQ(client.pending_tasks(), 0U) << "its connection was cut";
}

TEST(TestClient, ARequestThatTakesTooMuchVirtualTimeFails) {
  Server server = small_server();
  TestClient client(server, {.max_virtual_time = 5s});
  EXPECT_THAT(failure_of([&] { client.get("/sleep"); }, Errc::timeout),
              HasSubstr("max_virtual_time, 5 s"));
}

TEST(TestClient, TasksThatRunInCirclesAreFound) {
  Server server;
  server.get("/", []() -> Task<> {
    while (true) co_await yield();
  });
  TestClient client(server);
  EXPECT_THAT(failure_of([&] { client.get("/"); }, Errc::timeout), HasSubstr("circles"));
}

TEST(TestClient, AHeadThatDoesNotArriveInTimeIsA408) {
  Server server = small_server();
  TestClient client(server);
  TestConnection connection = client.connection();
  connection.send_raw("GET / HT");
  client.advance(9s);
  EXPECT_EQ(connection.receive_raw(), "");
  client.advance(2s);
  EXPECT_THAT(connection.receive_raw(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(connection.is_closed());
}

TEST(TestClient, AnIdleConnectionEndsAndTheNextRequestOpensAnother) {
  Server server = small_server();
  TestClient client(server);
  client.get("/");
  client.advance(80s);
  EXPECT_EQ(client.snapshot().connections, 0U);
  EXPECT_EQ(client.get("/").status, 200);
  EXPECT_EQ(client.snapshot().accepted, 2U);
}

// --- streams ---

TEST(TestClient, AnUploadIsReadPieceByPiece) {
  Server server = small_server();
  TestClient client(server);
  TestStream stream = client.open(client.request(Method::post, "/count").streamed());
  for (int i = 0; i < 10; ++i) stream.write(std::string(1000, 'x'));
  EXPECT_FALSE(stream.is_complete());
  stream.finish();
  EXPECT_EQ(stream.read_all().text(), "10000");
}

TEST(TestClient, AnEchoComesBackWhileItIsSent) {
  Server server = small_server();
  TestClient client(server);
  TestStream stream = client.open(client.request(Method::post, "/echo").streamed(6));
  stream.write("one");
  EXPECT_EQ(stream.status(), 200);
  EXPECT_EQ(stream.header("content-type"), "text/plain");
  EXPECT_EQ(stream.read(), "one");
  stream.write("two");
  EXPECT_EQ(stream.read(), "two");
  EXPECT_EQ(stream.read(), "");
  EXPECT_TRUE(stream.is_complete());
}

TEST(TestClient, AnUploadThatNobodyReadsIsHeldBack) {
  Server server;
  server.post("/", [](Context& ctx) -> Task<std::string> {
    co_await sleep(5s);
    co_return co_await count_body(ctx);
  });
  TestClient client(server);
  TestStream stream = client.open(client.request(Method::post, "/").streamed(4_MiB));
  stream.write(std::string(4_MiB, 'x'));
  EXPECT_GT(stream.unread(), 3_MiB);
  EXPECT_EQ(stream.read_all().text(), std::to_string(4_MiB));
  EXPECT_EQ(stream.unread(), 0U);
}

TEST(TestClient, ADownloadThatNobodyReadsMakesItsWriterWait) {
  int written = 0;
  Server server;
  server.get("/", [&written](Context& ctx) -> Task<> {
    ResponseStream stream = co_await ctx.respond(200).stream();
    const std::string piece(1024, 'x');
    for (written = 0; written < 2000; ++written) co_await stream.write(piece);
  });
  TestClient client(server);
  TestStream stream = client.open(client.request(Method::get, "/"));
  stream.stop_reading();
  client.run();
  const int before = written;
  EXPECT_LT(before, 1000);
  EXPECT_EQ(client.pending_tasks(), 1U);
  client.advance(1s);
  EXPECT_EQ(written, before);
  stream.resume_reading();
  EXPECT_EQ(stream.read_all().body.size(), 2000U * 1024);
  EXPECT_EQ(written, 2000);
}

TEST(TestClient, AnEndlessAnswerIsCutOffByTheClient) {
  Server server;
  server.get("/", [](Context& ctx) -> Task<> {
    ResponseStream stream = co_await ctx.respond(200).stream();
    const std::string piece(10'000, 'x');
    while (true) co_await stream.write(piece);
  });
  TestClient client(server, {.max_answer = 1_MiB});
  EXPECT_THAT(failure_of([&] { client.get("/"); }, Errc::too_large), HasSubstr("max_answer"));
  client.run();
  EXPECT_EQ(client.live_frames(), 0);
}

TEST(TestClient, A100ContinueIsSeenBeforeTheAnswer) {
  Server server = small_server();
  TestClient client(server);
  TestStream stream = client.open(
      client.request(Method::post, "/count").header("expect", "100-continue").streamed(3));
  stream.write("abc");
  const TestResponse answer = stream.read_all();
  EXPECT_EQ(answer.text(), "3");
  ASSERT_EQ(answer.informational.size(), 1U);
  EXPECT_EQ(answer.informational[0].status, 100);
}

// --- clients that vanish ---

enum class Wait { in_sleep, in_body, in_write, in_offload, in_when_any };

class ClientThatVanishes : public ::testing::TestWithParam<std::tuple<Wait, bool>> {};

TEST_P(ClientThatVanishes, EndsTheHandlerWithAllItsGuards) {
  const Wait wait = std::get<0>(GetParam());
  const bool resets = std::get<1>(GetParam());
  int inside = 0;
  int cancelled = 0;
  Server server;
  server.post("/", [&, wait](Context& ctx) -> Task<> {
    Guard outer(inside);
    try {
      switch (wait) {
        case Wait::in_sleep:
          co_await sleep(1h);
          break;
        case Wait::in_body:
          while (co_await ctx.body().read()) {
          }
          break;
        case Wait::in_write: {
          ResponseStream stream = co_await ctx.respond(200).stream();
          const std::string piece(10'000, 'x');
          while (true) co_await stream.write(piece);
        }
        case Wait::in_offload:
          co_await offload([] {});
          break;
        case Wait::in_when_any:
          co_await when_any(
              [&]() -> Task<> {
                Guard first(inside);
                co_await sleep(1h);
              },
              [&]() -> Task<> {
                Guard second(inside);
                co_await Never();
              });
          break;
      }
    } catch (const Cancelled& reason) {
      if (reason.reason() == CancelReason::peer_gone) ++cancelled;
      throw;
    } catch (const ErrorException&) {
      // A cut upload is an error where it is read.
      if (wait == Wait::in_body) ++cancelled;
      throw;
    }
  });
  TestClient client(server);
  client.hold_offload(true);
  TestRequest request = client.request(Method::post, "/");
  if (wait == Wait::in_body) {
    request.streamed(100);
  } else {
    request.body("");
  }
  TestStream stream = client.open(request);
  if (wait == Wait::in_body) stream.write("some");
  if (wait == Wait::in_write) stream.stop_reading();
  client.run();
  ASSERT_EQ(inside, wait == Wait::in_when_any ? 3 : 1);
  EXPECT_GT(client.live_frames(), 0);

  if (resets) {
    stream.abort();
  } else {
    stream.close_sending();
  }
  if (wait == Wait::in_offload) {
    // A function that runs cannot be stopped; the wait ends when it returns.
    EXPECT_EQ(inside, 1);
    client.hold_offload(false);
  }
  EXPECT_EQ(inside, 0);
  EXPECT_EQ(cancelled, 1);
  EXPECT_EQ(client.pending_tasks(), 0U);
  EXPECT_EQ(client.live_frames(), 0);
  EXPECT_EQ(client.snapshot().active_requests, 0U);
  EXPECT_THAT(client.log_lines(), Not(Contains(StartsWith("error"))));
}

std::string name_of(const ::testing::TestParamInfo<ClientThatVanishes::ParamType>& row) {
  constexpr const char* names[] = {"sleep", "body", "write", "offload", "when_any"};
  return std::string(names[static_cast<std::size_t>(std::get<0>(row.param))]) +
         (std::get<1>(row.param) ? "_by_reset" : "_by_close");
}

INSTANTIATE_TEST_SUITE_P(Waits, ClientThatVanishes,
                         ::testing::Combine(::testing::Values(Wait::in_sleep, Wait::in_body,
                                                              Wait::in_write, Wait::in_offload,
                                                              Wait::in_when_any),
                                            ::testing::Bool()),
                         name_of);

TEST(TestClient, AHalfClosedClientIsAnsweredWhereThatIsAllowed) {
  Server server;
  server.get("/", sleeper).with(half_close(true));
  TestClient client(server);
  TestStream stream = client.open(client.request(Method::get, "/"));
  stream.close_sending();
  EXPECT_EQ(stream.read_all().text(), "slept");
}

TEST(TestClient, ItsEndCancelsWhatStillWaits) {
  int inside = 0;
  Server server;
  server.get("/", [&]() -> Task<> {
    Guard guard(inside);
    co_await sleep(1h);
  });
  {
    TestClient client(server);
    const TestStream stream = client.open(client.request(Method::get, "/"));
    EXPECT_EQ(inside, 1);
  }
  EXPECT_EQ(inside, 0);
}

// --- several requests ---

TEST(TestClient, PipelinedRequestsAreAnsweredInOrder) {
  Server server = small_server();
  TestClient client(server);
  TestConnection connection = client.connection();
  connection.send_raw(
      "GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
      "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(connection.receive_raw(), "");
  EXPECT_EQ(connection.read_response().text(), "slept");
  EXPECT_EQ(connection.read_response().text(), "Hello, World!\n");
  EXPECT_EQ(connection.read_response(Method::head).body, "");
  EXPECT_EQ(connection.read_response().text(), "3");
  const TestResponse last = connection.read_response();
  EXPECT_EQ(last.header("connection"), "close");
  EXPECT_TRUE(last.closed);
}

struct Network {
  const char* name;
  TestOptions options;
  friend void PrintTo(const Network& network, std::ostream* out) { *out << network.name; }
};

class AnyNetwork : public ::testing::TestWithParam<Network> {};

std::vector<TestResponse> some_answers(const TestOptions& options) {
  Server server = small_server();
  TestClient client(server, options);
  TestConnection connection = client.connection();
  connection.send_raw(
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
      "Content-Length: 24\r\n\r\n{\"item\":\"tea\",\"count\":2}"
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
      "GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /fail HTTP/1.1\r\nHost: a\r\nX-Request-Id: 7\r\n\r\n"
      "BAD REQUEST\r\n\r\n");
  std::vector<TestResponse> answers;
  for (int i = 0; i < 6; ++i) {
    SCOPED_TRACE(i);
    answers.push_back(connection.read_response());
  }
  client.advance(5s);
  EXPECT_TRUE(connection.is_closed());
  return answers;
}

TEST_P(AnyNetwork, GivesTheSameAnswers) {
  const std::vector<TestResponse> expected = some_answers({});
  const std::vector<TestResponse> answers = some_answers(GetParam().options);
  ASSERT_EQ(answers.size(), expected.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].status, expected[i].status) << i;
    EXPECT_EQ(answers[i].body, expected[i].body) << i;
    ASSERT_EQ(answers[i].headers.size(), expected[i].headers.size()) << i;
    for (std::size_t h = 0; h < answers[i].headers.size(); ++h) {
      EXPECT_EQ(answers[i].headers[h].name, expected[i].headers[h].name) << i;
      EXPECT_EQ(answers[i].headers[h].value, expected[i].headers[h].value) << i;
    }
  }
  EXPECT_EQ(answers[2].body, "hello world");
  EXPECT_EQ(answers[5].status, 400);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, AnyNetwork,
    ::testing::Values(Network{"receives_drip", {.bytes_per_receive = 1}},
                      Network{"sends_drip", {.bytes_per_send = 1}},
                      Network{"both_drip", {.bytes_per_receive = 1, .bytes_per_send = 1}},
                      Network{"receives_odd", {.bytes_per_receive = 7}},
                      Network{"spurious", {.seed = 0, .spurious_events = true}}),
    [](const ::testing::TestParamInfo<Network>& row) { return std::string(row.param.name); });

// --- other threads, played here ---

TEST(TestClient, OffloadRunsInlineAndMayBeHeldOrRefused) {
  Server server;
  server.get("/", []() -> Task<std::string> {
    co_return co_await offload([](int a) { return std::to_string(a); }, 42);
  });
  TestClient client(server);
  EXPECT_EQ(client.get("/").text(), "42");
  client.hold_offload(true);
  TestStream held = client.open(client.request(Method::get, "/"));
  EXPECT_FALSE(held.is_complete());
  client.hold_offload(false);
  EXPECT_TRUE(held.is_complete());
  client.refuse_offload(true);
  EXPECT_EQ(client.get("/").status, 503);
}

TEST(TestClient, PostedWorkRunsOnTheSameWorker) {
  Server server;
  server.get("/", []() -> Task<std::string> {
    co_return std::to_string(co_await run_on(0, [] { return 7; }));
  });
  TestClient client(server);
  EXPECT_EQ(client.get("/").text(), "7");
}

TEST(TestClient, BackgroundTasksRunInVirtualTimeAndEndWithTheClient) {
  int ticks = 0;
  int inside = 0;
  Server server;
  server.background(
      [](int& count, int& guards) -> Task<> {
        Guard guard(guards);
        while (true) {
          co_await sleep(1s);
          ++count;
        }
      },
      std::ref(ticks), std::ref(inside));
  {
    TestClient client(server);
    client.advance(10500ms);
    EXPECT_EQ(ticks, 10);
    EXPECT_EQ(client.pending_tasks(), 1U);
  }
  EXPECT_EQ(inside, 0);
}

TEST(TestClient, DrainAnswersWhatRunsAndKeepsNoConnection) {
  Server server = small_server();
  TestClient client(server);
  TestStream stream = client.open(client.request(Method::get, "/sleep"));
  client.begin_drain();
  EXPECT_FALSE(client.is_drained());
  const TestResponse answer = stream.read_all();
  EXPECT_EQ(answer.text(), "slept");
  EXPECT_EQ(answer.header("connection"), "close");
  client.advance(5s);
  EXPECT_TRUE(client.is_drained());
}

}  // namespace
}  // namespace spate
