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
