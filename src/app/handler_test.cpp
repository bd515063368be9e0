// SPDX-License-Identifier: MIT
// What handlers take and what they return.
#include <gtest/gtest.h>

#include <map>
#include <spate/testing/fake_runtime.hpp>
#include <vector>

#include "app/fake_web.hpp"

namespace spate::app {
namespace {

using namespace spate::literals;

struct Handlers : ::testing::Test, FakeWeb<spate::testing::FakeRuntime> {};

struct Greeting {
  std::string hello;
};
struct Order {
  std::string item;
  int amount;
  std::optional<std::string> note;
};
enum class Colour { red, green };

constexpr std::string_view json_field = "Content-Type: application/json\r\n";

TEST_F(Handlers, text_is_plain_utf8_and_is_not_sniffed) {
  app.get("/literal", [] { return "Hello"; });
  app.get("/view", [] { return std::string_view("view"); });
  app.get("/string", [] { return std::string(100, 'x'); });
  app.get("/task", []() -> Task<std::string> { co_return "later"; });
  app.get("/local", []() -> Task<std::string_view> { co_return "view"; });
  for (const char* path : {"GET /literal", "GET /view", "GET /string", "GET /task", "GET /local"}) {
    send(path);
    EXPECT_EQ(status(), 200) << path;
    EXPECT_EQ(type(), "text/plain; charset=utf-8") << path;
    EXPECT_EQ(field("x-content-type-options"), "nosniff") << path;
    EXPECT_FALSE(body().empty()) << path;
  }
}

TEST_F(Handlers, a_struct_a_list_and_a_map_are_json) {
  app.get("/struct", [] { return Greeting{"you"}; });
  app.get("/list", [] { return std::vector<int>{1, 2}; });
  app.get("/map", []() -> Task<std::map<std::string, int>> {
    std::map<std::string, int> map{{"a", 1}};
    co_return map;
  });
  app.get("/number", [] { return Json{7}; });
  send("GET /struct");
  EXPECT_EQ(body(), R"({"hello":"you"})");
  EXPECT_EQ(type(), "application/json");
  send("GET /list");
  EXPECT_EQ(body(), "[1,2]");
  send("GET /map");
  EXPECT_EQ(body(), R"({"a":1})");
  send("GET /number");
  EXPECT_EQ(body(), "7");
}

TEST_F(Handlers, json_goes_straight_into_the_send_buffer_when_it_fits) {
  app.get("/json", [] { return Greeting{"you"}; });
  app.get("/long", [] { return Greeting{std::string(1000, 'a')}; });
  for (const std::size_t space : {64u, 17u, 15u, 1u}) {
    plan("GET /json").space_size = space;
    start();
    EXPECT_EQ(body(), R"({"hello":"you"})");
    EXPECT_EQ(exchange->used_space, space >= 15) << space;
  }
  plan("GET /long").space_size = 500;
  start();
  EXPECT_FALSE(exchange->used_space);
  EXPECT_EQ(body(), R"({"hello":")" + std::string(1000, 'a') + R"("})");
}

TEST_F(Handlers, json_is_kept_apart_while_an_after_hook_may_still_change_the_answer) {
  app.get("/json", [] { return Greeting{"you"}; });
  app.after([](Context& ctx) { ctx.response().body("replaced"); });
  plan("GET /json").space_size = 64;
  start();
  EXPECT_FALSE(exchange->used_space);
  EXPECT_EQ(body(), "replaced");
}

TEST_F(Handlers, void_without_an_answer_is_204) {
  app.get("/plain", [] {});
  app.get("/task", []() -> Task<> { co_return; });
  app.get("/answered", [](Context& ctx) { ctx.respond(202).body("ok"); });
  app.get("/by-hand", [](Context& ctx) { ctx.response().body("ok"); });
  app.get("/empty", [] { return ""; });
  send("GET /plain");
  EXPECT_EQ(status(), 204);
  send("GET /task");
  EXPECT_EQ(status(), 204);
  send("GET /answered");
  EXPECT_EQ(status(), 202);
  EXPECT_EQ(body(), "ok");
  send("GET /by-hand");
  EXPECT_EQ(status(), 200);
  send("GET /empty");
  EXPECT_EQ(status(), 200);
}

TEST_F(Handlers, a_response_says_everything_itself) {
  app.get("/r", [] { return Response(418, "teapot").header("x-a", "b").type("text/tea"); });
  app.get("/untyped", [] { return Response(200, "<b>"); });
  send("GET /r");
  EXPECT_EQ(status(), 418);
  EXPECT_EQ(type(), "text/tea");
  EXPECT_EQ(field("x-a"), "b");
  send("GET /untyped");
  EXPECT_EQ(type(), "text/plain; charset=utf-8");
}

TEST_F(Handlers, created_carries_201_and_its_place) {
  app.post("/a", [] { return Created{Greeting{"x"}}; });
  app.post("/b", []() -> Task<Result<Created<Greeting>>> {
    co_return Created(Greeting{"x"}).at("/greetings/7");
  });
  app.post("/c", [] { return StatusOf<202, Greeting>(Greeting{"x"}); });
  app.post("/d", [] { return NoContent{}; });
  send("POST /a");
  EXPECT_EQ(status(), 201);
  EXPECT_EQ(body(), R"({"hello":"x"})");
  send("POST /b");
  EXPECT_EQ(status(), 201);
  EXPECT_EQ(field("location"), "/greetings/7");
  send("POST /c");
  EXPECT_EQ(status(), 202);
  send("POST /d");
  EXPECT_EQ(status(), 204);
}

TEST_F(Handlers, html_and_redirects_are_answers) {
  app.get("/page", [] { return html("<p>{}</p>", "<script>"); });
  app.get("/go", [] { return redirect("/page"); });
  send("GET /page");
  EXPECT_EQ(type(), "text/html; charset=utf-8");
  EXPECT_EQ(field("x-content-type-options"), "nosniff");
  EXPECT_EQ(body(), "<p>&lt;script&gt;</p>");
  send("GET /go");
  EXPECT_EQ(status(), 303);
  EXPECT_EQ(field("location"), "/page");
}

TEST_F(Handlers, a_result_is_its_value_or_one_problem_document) {
  app.get("/good", []() -> Result<std::string> { return "fine"; });
  app.get("/bad", []() -> Result<std::string> { return problem(404, "no such \"thing\""); });
  app.get("/none", []() -> Result<> { return {}; });
  app.get("/only", [] { return problem(409, "taken"); });
  send("GET /good");
  EXPECT_EQ(body(), "fine");
  send("GET /bad");
  EXPECT_EQ(status(), 404);
  EXPECT_EQ(type(), "application/problem+json");
  EXPECT_EQ(body(), R"({"type":"about:blank","title":"Not Found","status":404,)"
                    R"("detail":"no such \"thing\"","request_id":"r-1"})");
  EXPECT_TRUE(exchange->log.empty());
  send("GET /none");
  EXPECT_EQ(status(), 204);
  send("GET /only");
  EXPECT_EQ(status(), 409);
}

TEST_F(Handlers, details_of_server_errors_stay_in_the_log) {
  app.get("/bad", [] { return problem(500, "the password is 123"); });
  send("GET /bad");
  EXPECT_EQ(status(), 500);
  EXPECT_FALSE(says("123"));
  ASSERT_EQ(exchange->log.size(), 1u);
  EXPECT_NE(exchange->log[0].find("123"), std::string::npos);
  EXPECT_NE(exchange->log[0].find("handler_test.cpp"), std::string::npos);
  plan("GET /bad").shows_details = true;
  start();
  EXPECT_TRUE(says("123"));
}

TEST_F(Handlers, path_parameters_are_typed) {
  app.get<"/t/{name}">([](Path<"name"> name) { return std::string(*name); });
  app.get<"/i/{id:int}">([](Path<"id", std::int64_t> id) { return std::to_string(*id); });
  app.get<"/u/{id}">([](Path<"id", std::uint8_t> id) { return std::to_string(*id); });
  app.get<"/c/{colour}">([](Path<"colour", Colour> c) { return std::string(enum_name(*c)); });
  app.get<"/f/{x}">([](Path<"x", double> x) { return Json{*x}; });
  app.get<"/r/{rest...}">([](const Path<"rest", std::string>& rest) { return *rest; });
  send("GET /t/a%20b%C3%BC");
  EXPECT_EQ(body(), "a b\u00fc");
  send("GET /i/-42");
  EXPECT_EQ(body(), "-42");
  send("GET /i/x");
  EXPECT_EQ(status(), 404);
  send("GET /u/255");
  EXPECT_EQ(body(), "255");
  for (const char* path : {"GET /u/256", "GET /u/-1", "GET /u/+1", "GET /u/1x", "GET /u/%201"}) {
    send(path);
    EXPECT_EQ(status(), 400) << path;
    EXPECT_TRUE(says("the path parameter \\\"id\\\" must be an integer from 0 to 255")) << body();
  }
  send("GET /c/green");
  EXPECT_EQ(body(), "green");
  send("GET /c/blue");
  EXPECT_TRUE(says("must be one of red, green")) << body();
  send("GET /f/2.5");
  EXPECT_EQ(body(), "2.5");
  send("GET /f/inf");
  EXPECT_EQ(status(), 400);
  send("GET /r/a/b/c");
  EXPECT_EQ(body(), "a/b/c");
}

TEST_F(Handlers, query_fields_are_decoded_typed_and_optional) {
  app.get("/q", [](Query<"page", std::optional<int>> page, Query<"q"> q) {
    return std::string(*q) + "," + std::to_string(page->value_or(1));
  });
  send("GET /q?q=a+b%2Fc&page=3");
  EXPECT_EQ(body(), "a b/c,3");
  send("GET /q?q=");
  EXPECT_EQ(body(), ",1");
  send("GET /q?page=3");
  EXPECT_EQ(status(), 400);
  EXPECT_TRUE(says("the query parameter \\\"q\\\" is missing")) << body();
  send("GET /q?q=x&page=many");
  EXPECT_TRUE(says("the query parameter \\\"page\\\" must be an integer")) << body();
  send("GET /q?q=%zz");
  EXPECT_EQ(status(), 400);
}

TEST_F(Handlers, headers_and_cookies_are_parameters) {
  app.get("/h", [](Header<"x-count", int> count, Cookie<"sid", std::optional<std::string>> sid) {
    return std::to_string(*count) + sid->value_or("-");
  });
  send("GET /h", "X-Count: 4\r\nCookie: a=b; sid=s1\r\n");
  EXPECT_EQ(body(), "4s1");
  send("GET /h", "X-Count: 4\r\n");
  EXPECT_EQ(body(), "4-");
  send("GET /h");
  EXPECT_EQ(status(), 400);
  EXPECT_TRUE(says("the header \\\"x-count\\\" is missing"));
}

TEST_F(Handlers, a_json_body_becomes_a_struct_or_says_where_it_is_wrong) {
  app.post("/orders",
           [](Json<Order> order) { return order->item + std::to_string(order->amount); });
  send("POST /orders", json_field, R"({"item":"pen","amount":2})");
  EXPECT_EQ(body(), "pen2");
  send("POST /orders", "Content-Type: application/vnd.a+JSON ; charset=utf-8\r\n",
       R"({"item":"pen","amount":2,"note":"n"})");
  EXPECT_EQ(status(), 200);
  send("POST /orders", json_field, R"({"item":"pen","amount":"two"})");
  EXPECT_EQ(status(), 422);
  EXPECT_TRUE(says(R"("pointer":"/amount")")) << body();
  send("POST /orders", json_field, R"({"item")");
  EXPECT_EQ(status(), 400);
  for (const char* other : {"", "Content-Type: text/plain\r\n", "Content-Type: json\r\n",
                            "Content-Type: application/jsonx\r\n"}) {
    send("POST /orders", other, R"({"item":"pen","amount":2})");
    EXPECT_EQ(status(), 415) << other;
  }
}

TEST_F(Handlers, a_task_takes_the_same_parameters) {
  app.state(std::string("shared"));
  app.post<"/orgs/{org}/orders">([](Path<"org", int> org, Json<Order> in, State<std::string> state,
                                    Context& ctx, const Request& request,
                                    Connection& connection) -> Task<Result<Created<Order>>> {
    co_await sleep(1ms);
    if (in->amount > 10) co_return problem(422, "too many");
    ctx.response().header("x-org", std::to_string(*org) + *state +
                                       std::string(request.method_text()) +
                                       std::to_string(connection.id()));
    co_return Created{*in};
  });
  send("POST /orgs/5/orders", json_field, R"({"item":"pen","amount":2})");
  EXPECT_EQ(run_state, http::RunState::pending);
  EXPECT_EQ(status(), 201);
  EXPECT_EQ(field("x-org"), "5sharedPOST7");
  EXPECT_EQ(body(), R"({"item":"pen","amount":2,"note":null})");
  send("POST /orgs/5/orders", json_field, R"({"item":"pen","amount":11})");
  EXPECT_EQ(status(), 422);
  send("POST /orgs/x/orders", json_field, R"({"item":"pen","amount":11})");
  EXPECT_EQ(status(), 400);
}

struct CurrentUser {
  std::string name;
  static Result<CurrentUser> extract(Context& ctx) {
    const auto user = ctx.header("x-user");
    if (!user) return problem(401, "sign in first");
    return CurrentUser{std::string(*user)};
  }
};

struct Csv {
  std::string text;
  void answer_to(Context& ctx) && { ctx.respond(200).type("text/csv").body(std::move(text)); }
};

TEST_F(Handlers, own_types_become_parameters_and_results) {
  app.get("/me", [](CurrentUser user) { return Csv{user.name}; });
  send("GET /me", "X-User: ada\r\n");
  EXPECT_EQ(body(), "ada");
  EXPECT_EQ(type(), "text/csv");
  send("GET /me");
  EXPECT_EQ(status(), 401);
}

TEST_F(Handlers, the_plan_says_how_the_body_is_met) {
  app.post("/none", [] { return "x"; });
  app.post("/none-task", []() -> Task<> { co_return; });
  app.post("/json", [](Json<Order>) {});
  app.post("/body", [](Body, Context&) -> Task<> { co_return; });
  app.post("/plain", [](Context& ctx) { return std::string(ctx.body().whole()); });
  app.post("/stream", [](Context&) -> Task<> { co_return; });
  const auto body_of = [&](std::string_view line) { return plan(line).plan.body; };
  EXPECT_EQ(body_of("POST /none"), http::Plan::Body::unwanted);
  EXPECT_EQ(body_of("POST /none-task"), http::Plan::Body::unwanted);
  EXPECT_EQ(body_of("POST /json"), http::Plan::Body::buffered);
  EXPECT_EQ(body_of("POST /body"), http::Plan::Body::buffered);
  EXPECT_EQ(body_of("POST /plain"), http::Plan::Body::buffered);
  EXPECT_EQ(body_of("POST /stream"), http::Plan::Body::streamed);
  EXPECT_EQ(body_of("POST /missing"), http::Plan::Body::unwanted);
  EXPECT_FALSE(plan("POST /plain").plan.may_wait);
  EXPECT_TRUE(plan("POST /stream").plan.may_wait);
  send("POST /plain", "", "content");
  EXPECT_EQ(body(), "content");
}

TEST_F(Handlers, plain_chains_run_without_a_coroutine_and_ready_tasks_without_a_wait) {
  app.get("/plain", [](Context&) { return "x"; });
  app.get("/task", []() -> Task<std::string> { co_return "x"; });
  begin("GET /plain");
  EXPECT_EQ(run_state, http::RunState::done);
  const auto frames = coro::live_frames();
  begin("GET /task");
  EXPECT_EQ(run_state, http::RunState::done);
  EXPECT_EQ(coro::live_frames(), frames);
}

}  // namespace
}  // namespace spate::app
