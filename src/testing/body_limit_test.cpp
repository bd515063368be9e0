// SPDX-License-Identifier: MIT
// Limits of bodies hold on every way to the code that reads them, and readiness ends with the
// drain.
#include <gtest/gtest.h>

#include <spate/spate.hpp>
#include <spate/testing/test_client.hpp>

namespace spate {
namespace {

struct BodyLimit : ::testing::Test {
  BodyLimit() {
    server.before([](Context& ctx) -> Verdict {
      if (ctx.path() == "/moved") ctx.rewrite("/whole");
      return pass;
    });
    server.post("/whole", [](Body body) { return std::to_string(body->size()); })
        .with(body_limit(10'000));
    server
        .post("/text",
              [](Context& ctx) -> Task<std::string> {
                co_return std::to_string((co_await ctx.body().text()).size());
              })
        .with(body_limit(10'000));
  }
  Server server;
};

TEST_F(BodyLimit, holds_for_announced_and_for_chunked_content_on_every_way) {
  for (const char* path : {"/whole", "/moved", "/text"}) {
    for (const std::size_t size :
         {std::size_t{10'000}, std::size_t{10'001}, std::size_t{300'000}}) {
      const std::string content(size, 'x');
      const int expected = size > 10'000 ? 413 : 200;
      TestClient client(server);
      EXPECT_EQ(client.post(path, content).status, expected) << path << " announced " << size;
      TestStream upload = client.request(Method::post, path).streamed().open();
      upload.write(content);
      upload.finish();
      EXPECT_EQ(upload.status(), expected) << path << " chunked " << size;
    }
  }
}

TEST(Readiness, ends_when_the_drain_begins) {
  Server server;
  server.get("/ready", [](Context& ctx) -> Task<std::string> {
    const bool before = ctx.server_is_ready();
    co_await sleep(std::chrono::seconds(1));
    co_return std::to_string(before) + std::to_string(ctx.server_is_ready());
  });
  TestClient client(server);
  TestStream stream = client.request(Method::get, "/ready").open();
  client.begin_drain();
  EXPECT_EQ(stream.read_all().body, "10");
}

}  // namespace
}  // namespace spate
