// SPDX-License-Identifier: MIT
// Bytes and slots that must not be used beyond their life: each of these was a fault once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <spate/spate.hpp>
#include <spate/testing/test_client.hpp>
#include <string>

namespace spate {
namespace {

using namespace std::chrono_literals;

TEST(UnreadBody, whose_end_comes_with_the_end_of_the_connection_closes_it_once) {
  Server server;
  server.post("/", [] { return "done"; });
  server.get("/who", [](Query<"name"> name) { return std::string(*name); });
  TestClient client(server);
  {
    TestConnection first = client.connection();
    first.send_raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    EXPECT_EQ(first.read_response(Method::post).body, "done");
    first.send_raw("0123456789");
    first.close_sending();
    client.run();
  }
  // Were the slot free twice, these two would share it.
  TestConnection one = client.connection();
  TestConnection two = client.connection();
  one.send_raw("GET /who?name=one HTTP/1.1\r\nHost: a\r\n");
  two.send_raw("GET /who?name=two HTTP/1.1\r\nHost: a\r\n");
  one.send_raw("\r\n");
  two.send_raw("\r\n");
  EXPECT_EQ(one.read_response().body, "one");
  EXPECT_EQ(two.read_response().body, "two");
}

TEST(LateHead, that_is_refused_speaks_of_its_own_bytes_only) {
  Server server;
  server.get("/", [] { return "x"; });
  TestClient client(server);
  TestConnection slow = client.connection();
  slow.send_raw("GET / HTTP/1.1\r\nX-Request-Id: mine-and-nobody-elses\r\nX: ");
  client.run();
  TestConnection other = client.connection();
  other.send_raw(
      "GET / HTTP/1.1\r\nHost: a\r\nCookie: "
      "secret=0123456789012345678901234567890123456789\r\n\r\n");
  EXPECT_EQ(other.read_response().status, 200);
  client.advance(11s);
  const TestResponse refused = slow.read_response();
  EXPECT_EQ(refused.status, 408);
  EXPECT_THAT(refused.body, ::testing::HasSubstr("mine-and-nobody-elses"));
}

TEST(LongAnswer, from_the_request_itself_outlives_the_receive_buffer) {
  Server server;
  server.post("/", [](Body body) { return *body; });
  TestClient client(server);
  const std::string content(40'000, 'a');
  TestConnection slow = client.connection();
  slow.stop_reading(1000);
  const std::string request =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n" + content;
  for (int i = 0; i < 4; ++i) slow.send_raw(request);
  client.run();
  EXPECT_EQ(client.post("/", std::string(50'000, 'b')).body.size(), 50'000U);
  slow.resume_reading();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(slow.read_response(Method::post).body, content);
}

TEST(Stream, of_an_answer_without_content_is_refused) {
  Server server;
  server.get("/", [](Context& ctx) -> Task<> {
    auto out = co_await ctx.respond(204).stream();
    co_await out.write("evil");
  });
  TestClient client(server);
  EXPECT_EQ(client.get("/").status, 500);
  EXPECT_THAT(client.log_lines(),
              ::testing::Contains(::testing::HasSubstr("no content to stream")));
}

}  // namespace
}  // namespace spate
