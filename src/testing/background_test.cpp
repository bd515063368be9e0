// SPDX-License-Identifier: MIT
// Tasks of the server: one that fails ends alone and is logged; groups for hooks alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <spate/spate.hpp>
#include <spate/testing/test_client.hpp>
#include <stdexcept>

namespace spate {
namespace {

using namespace std::chrono_literals;

Task<> tick(int* ticks) {
  for (;;) {
    co_await sleep(1s);
    ++*ticks;
  }
}

Task<> fail_later() {
  co_await sleep(3s);
  throw std::runtime_error("the disk is gone");
}

TEST(Background, a_task_that_fails_ends_alone_and_is_logged) {
  int ticks = 0;
  Server server;
  server.background(tick, &ticks).background(fail_later);
  TestClient client(server);
  client.advance(10s);
  EXPECT_EQ(ticks, 10);
  EXPECT_THAT(client.log_lines(), ::testing::Contains(::testing::HasSubstr("the disk is gone")));
}

TEST(Group, with_an_empty_prefix_is_for_hooks_alone) {
  Server server;
  auto writers = server.group("").before([](Context& ctx) -> Verdict {
    if (!ctx.header("authorization")) return problem(401, "sign in first");
    return pass;
  });
  writers.post("/orders", [] { return "placed"; });
  server.get("/orders", [] { return "listed"; });
  TestClient client(server);
  EXPECT_EQ(client.get("/orders").status, 200);
  EXPECT_EQ(client.post("/orders", "").status, 401);
  EXPECT_EQ(client.request(Method::post, "/orders").header("authorization", "x").send().status,
            200);
}

TEST(Problem, names_the_member_that_it_is_about) {
  Server server;
  server.get("/", [] { return problem(422, "too many", "/count"); });
  TestClient client(server);
  EXPECT_NE(client.get("/").body.find("\"pointer\":\"/count\""), std::string::npos);
}

}  // namespace
}  // namespace spate
