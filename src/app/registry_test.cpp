// SPDX-License-Identifier: MIT
// Registration: options, groups, and everything that is reported when a server starts.
#include <gtest/gtest.h>

#include <spate/testing/fake_runtime.hpp>

#include "app/fake_web.hpp"

namespace spate::app {
namespace {

using namespace spate::literals;

struct Registration : ::testing::Test, FakeWeb<spate::testing::FakeRuntime> {};

struct Store {
  int n = 0;
};
enum class Colour { red };

TEST_F(Registration, reports_every_fault_at_once_with_its_place) {
  app.get("/a/{x}", [](Path<"y"> y) { return std::string(*y); });
  app.get("/b/{c:int}", [](Path<"c", Colour>) {});
  app.get("/b", [](State<Store>) {});
  app.get("/same", [] {});
  app.get("/same", [] {});
  app.get("bad", [] {});
  app.group("v1/").get("/x", [] {});
  app.state(1);
  app.state(2);
  const Result<> result = app.seal();
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().is(Errc::configuration));
  const std::string& text = result.error().detail;
  for (const std::string_view part :
       {"GET /a/{x} (", "takes Path<\"y\">, which the pattern does not have; its parameters are: x",
        "Path<\"c\"> as bool or enum", "Store>, which the server was not given", "GET /same",
        "GET bad", "group \"v1/\"", "state of type int was given twice", "registry_test.cpp:"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
  }
  sealed = true;
}

TEST_F(Registration, is_closed_once_the_server_has_started) {
  app.get("/x", [] {});
  seal();
  EXPECT_THROW(app.get("/y", [] {}), ErrorException);
  EXPECT_THROW(app.before([](Context&) {}), ErrorException);
  EXPECT_THROW(app.group("/v1"), ErrorException);
}

TEST_F(Registration, options_apply_to_the_latest_route_or_to_the_scope) {
  app.with(timeout(9s), body_rate(1));
  app.get("/a", [] {});
  auto api = app.group("/v1").with(timeout(5s));
  api.get("/b", [] {}).with(body_limit(64_KiB), name("b"));
  api.get("/c", [] {}).with(timeout(1s), half_close(), write_rate(3));
  app.get("/d", [] {}).with(body_rate(2));
  seal();
  const auto routes = app.routes();
  ASSERT_EQ(routes.size(), 4u);
  EXPECT_EQ(routes[0].limits.handler, 9s);
  EXPECT_EQ(routes[0].limits.body, RouteLimits().body);
  EXPECT_EQ(routes[1].pattern, "/v1/b");
  EXPECT_EQ(routes[1].name, "b");
  EXPECT_EQ(routes[1].limits.handler, 5s);
  EXPECT_EQ(routes[1].limits.body, 64_KiB);
  EXPECT_EQ(routes[1].limits.streamed_body, 64_KiB);
  EXPECT_EQ(routes[2].limits.handler, 1s);
  EXPECT_TRUE(routes[2].limits.half_close);
  EXPECT_EQ(routes[2].limits.write_rate, 3u);
  EXPECT_EQ(routes[2].limits.body, RouteLimits().body);
  EXPECT_EQ(routes[2].limits.body_rate, 1u);
  EXPECT_EQ(routes[3].limits.body_rate, 2u);
  EXPECT_EQ(plan("GET /v1/c").plan.limits->handler, 1s);
  EXPECT_EQ(plan("GET /nothing").plan.limits->handler, 9s);
}

TEST_F(Registration, groups_join_prefixes_and_share_their_parameters) {
  auto org = app.group("/orgs/{org}");
  org.get("", [](Path<"org"> o) { return std::string(*o); });
  org.group("/users").get<"/{id:int}">(
      [](Path<"org"> o, Path<"id", int> id) { return std::string(*o) + std::to_string(*id); });
  send("GET /orgs/acme");
  EXPECT_EQ(body(), "acme");
  send("GET /orgs/acme/users/7");
  EXPECT_EQ(body(), "acme7");
}

TEST_F(Registration, takes_methods_by_name) {
  app.route("PROPFIND", "/x", [] { return "found"; });
  app.route("GET", "/x", [] { return "got"; });
  send("PROPFIND /x");
  EXPECT_EQ(body(), "found");
  send("GET /x");
  EXPECT_EQ(body(), "got");
  EXPECT_EQ(app.routes()[0].method, "PROPFIND");
}

TEST_F(Registration, state_is_one_object_for_all) {
  auto store = std::make_shared<Store>();
  app.state(store);
  app.get("/x", [](State<Store> s) { return std::to_string(++s->n); });
  app.get("/y", [](Context& ctx) { return std::to_string(ctx.state<Store>().n); });
  app.get("/z", [](Context& ctx) { return std::to_string(ctx.state<int>()); });
  send("GET /x");
  send("GET /x");
  EXPECT_EQ(body(), "2");
  EXPECT_EQ(store->n, 2);
  send("GET /y");
  EXPECT_EQ(body(), "2");
  send("GET /z");
  EXPECT_EQ(status(), 500);
  EXPECT_NE(exchange->log.at(0).find("no state of type int"), std::string::npos);
}

TEST_F(Registration, a_route_waits_when_anything_in_its_chain_does) {
  app.get("/plain", [] {});
  app.get("/task", []() -> Task<> { co_return; });
  app.group("/a").before([](Context&) -> Task<> { co_return; }).get("/x", [] {});
  seal();
  const auto routes = app.routes();
  EXPECT_FALSE(routes[0].may_wait);
  EXPECT_TRUE(routes[1].may_wait);
  EXPECT_TRUE(routes[2].may_wait);
}

TEST_F(Registration, a_server_hook_may_lead_to_a_route_that_waits) {
  app.before([](Context&) {});
  app.get("/plain", [] {});
  app.get("/task", []() -> Task<> { co_return; });
  seal();
  EXPECT_TRUE(app.routes()[0].may_wait);
  begin("GET /plain");
  EXPECT_EQ(run_state, http::RunState::done);
}

TEST_F(Registration, a_server_hook_of_any_context_may_lead_anywhere) {
  struct Overloaded {
    void operator()(Context&) const {}
    void operator()(const Context&) const {}
  };
  app.before([](auto& ctx) -> Verdict {
    ctx.rewrite("/task");
    return pass;
  });
  app.get("/plain", [] {});
  app.get("/task", []() -> Task<> { co_return; });
  seal();
  EXPECT_TRUE(app.routes()[0].may_wait);
  EXPECT_FALSE(make_before(Overloaded{}).only_looks);
}

TEST_F(Registration, a_server_hook_that_only_looks_leads_nowhere) {
  app.before([](const Context&) {});
  app.get("/plain", [] {});
  app.get("/task", []() -> Task<> { co_return; });
  seal();
  EXPECT_FALSE(app.routes()[0].may_wait);
  EXPECT_TRUE(app.routes()[1].may_wait);
}

}  // namespace
}  // namespace spate::app
