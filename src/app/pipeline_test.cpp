// SPDX-License-Identifier: MIT
// Hooks, failures, streams and cancellation: what happens around a handler, and in which order.
#include <gtest/gtest.h>

#include <spate/testing/fake_runtime.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "app/fake_web.hpp"

namespace spate::app {
namespace {

using namespace spate::literals;

struct Hooks : ::testing::Test, FakeWeb<spate::testing::FakeRuntime> {
  std::string order;
  auto note(char c) {
    return [this, c](Context&) { order += c; };
  }
  auto note_later(char c) {
    return [this, c](Context&) -> Task<> {
      co_await sleep(1ms);
      order += c;
    };
  }
};

struct Guard {
  int& live;
  explicit Guard(int& n) : live(n) { ++live; }
  Guard(const Guard&) = delete;
  ~Guard() { --live; }
};

TEST_F(Hooks, run_from_the_outside_in_and_back_out) {
  app.before(note('1')).after(note('6')).after(note('7'));
  auto outer = app.group("/v1").before(note('2')).after(note('5'));
  auto inner = outer.group("/a").after(note('4'));
  inner.get("/x", [this] {
    order += 'h';
    return "x";
  });
  inner.before(note('3'));  // also for routes that were there before
  app.get("/x", [] { return "x"; });
  send("GET /v1/a/x");
  EXPECT_EQ(order, "123h4567");
  order.clear();
  send("GET /x");
  EXPECT_EQ(order, "167");
}

TEST_F(Hooks, may_wait_anywhere_in_the_chain) {
  app.before(note_later('1')).before(note('2')).after(note_later('6'));
  auto group = app.group("/v1").before(note_later('3')).after(note('5'));
  group.get("/x", [this] {
    order += '4';
    return std::string("x");
  });
  send("GET /v1/x");
  EXPECT_EQ(run_state, http::RunState::pending);
  EXPECT_EQ(order, "123456");
  EXPECT_EQ(body(), "x");
}

TEST_F(Hooks, a_refusal_ends_the_request_before_the_handler) {
  app.after(note('s'));
  auto api = app.group("/v1")
                 .before([](Context& ctx) -> Task<Verdict> {
                   if (!ctx.header("authorization")) co_return problem(401, "sign in first");
                   ctx.set(std::string("ada"));
                   co_return pass;
                 })
                 .after(note('g'));
  api.get("/me", [](Context& ctx) { return ctx.get<std::string>(); });
  send("GET /v1/me");
  EXPECT_EQ(status(), 401);
  EXPECT_EQ(order, "gs");
  send("GET /v1/me", "Authorization: x\r\n");
  EXPECT_EQ(body(), "ada");
}

TEST_F(Hooks, a_verdict_is_any_answer) {
  app.group("/a").before([](Context&) { return redirect("/login"); }).get("/x", [] {});
  app.group("/b").before([](Context&) { return html("<p>no"); }).get("/x", [] {});
  app.group("/c").before([](Context&) { return Response(403, "no"); }).get("/x", [] {});
  app.group("/d").before([](Context&) -> Result<> { return problem(403, "no"); }).get("/x", [] {});
  app.group("/e").before([](Context&) -> Result<> { return {}; }).get("/x", [] {});
  send("GET /a/x");
  EXPECT_EQ(status(), 303);
  EXPECT_EQ(field("location"), "/login");
  send("GET /b/x");
  EXPECT_EQ(type(), "text/html; charset=utf-8");
  send("GET /c/x");
  EXPECT_EQ(status(), 403);
  EXPECT_EQ(type(), "text/plain; charset=utf-8");
  send("GET /d/x");
  EXPECT_EQ(type(), "application/problem+json");
  send("GET /e/x");
  EXPECT_EQ(status(), 204);
}

TEST_F(Hooks, the_servers_own_see_requests_without_a_route) {
  app.before(note('b')).after([](Context& ctx) { ctx.response().header("x-a", "1"); });
  app.get("/x", [] { return "x"; }).post("/x", [] { return "x"; });
  send("GET /nothing");
  EXPECT_EQ(status(), 404);
  EXPECT_EQ(field("x-a"), "1");
  send("DELETE /x");
  EXPECT_EQ(status(), 501);  // no route at all has it
  send("OPTIONS /x");
  EXPECT_EQ(status(), 204);
  EXPECT_EQ(field("allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(field("x-a"), "1");
  send("OPTIONS *");
  EXPECT_EQ(status(), 204);
  EXPECT_EQ(field("allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(order, "bbbb");
  send("GET /%zz");
  EXPECT_EQ(status(), 400);
}

TEST_F(Hooks, a_wrong_method_is_405_with_allow) {
  app.get("/x", [] { return "x"; }).post("/y", [] { return "y"; });
  send("POST /x");
  EXPECT_EQ(status(), 405);
  EXPECT_EQ(field("allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(type(), "application/problem+json");
}

TEST_F(Hooks, head_runs_the_handler_of_get) {
  app.get("/x", [] { return "body"; });
  send("HEAD /x");
  EXPECT_EQ(status(), 200);
  EXPECT_EQ(body(), "body");  // the server drops it
}

TEST_F(Hooks, a_server_hook_may_rewrite_the_path) {
  app.before([](Context& ctx) {
    if (ctx.path().starts_with("/old/")) ctx.rewrite("/new/" + std::string(ctx.path().substr(5)));
  });
  app.get("/new/{id}",
          [](Context& ctx) { return std::string(ctx.param("id")) + std::string(ctx.path()); });
  app.post("/new/{id}", [](Context& ctx) -> Task<std::string> {
    co_return std::string(co_await ctx.body().text());
  });
  send("GET /old/a%20b");
  EXPECT_EQ(body(), "a b/new/a%20b");
  EXPECT_EQ(plan("POST /old/7", "", "content").plan.body, http::Plan::Body::streamed);
  send("POST /old/7", "", "content");
  EXPECT_EQ(body(), "content");
}

TEST_F(Hooks, a_late_rewrite_is_a_clear_error) {
  app.get("/x", [](Context& ctx) { ctx.rewrite("/y"); });
  send("GET /x");
  EXPECT_EQ(status(), 500);
  EXPECT_NE(exchange->log.at(0).find("rewrite() works in a `before` hook of the server only"),
            std::string::npos);
}

TEST_F(Hooks, on_error_shapes_every_failure_from_the_inside_out) {
  app.on_error([](Context&, const Error& e) {
    return Response(e.status, "server: " + e.detail).type("text/x-error");
  });
  auto api = app.group("/v1").on_error([](Context&, const Error& e) -> Verdict {
    if (e.status == 418) return problem(409, "changed");
    return pass;
  });
  api.get("/a", [] { return problem(418, "x"); });
  api.get("/b", [] { return problem(404, "b"); });
  send("GET /v1/a");
  EXPECT_EQ(status(), 409);
  EXPECT_TRUE(says("changed"));
  send("GET /v1/b");
  EXPECT_EQ(body(), "server: b");
  EXPECT_EQ(type(), "text/x-error");
  send("GET /nothing");
  EXPECT_EQ(status(), 404);
  EXPECT_EQ(type(), "text/x-error");
}

TEST_F(Hooks, fields_set_before_a_failure_stay_on_its_answer) {
  app.before([](Context& ctx) { ctx.response().header("access-control-allow-origin", "*"); });
  app.get("/x", [](Context& ctx) -> Result<std::string> {
    ctx.response().status(201).body("half an answer");
    return problem(400, "no");
  });
  send("GET /x");
  EXPECT_EQ(status(), 400);
  EXPECT_EQ(field("access-control-allow-origin"), "*");
  EXPECT_FALSE(says("half"));
}

TEST_F(Hooks, whatever_is_thrown_is_one_answer) {
  app.get("/std", []() -> std::string { throw std::runtime_error("broken wheel"); });
  app.get("/odd", []() -> std::string { throw 7; });
  app.get("/error",
          []() -> std::string { throw ErrorException(Error(Errc::conflict, "no", 409)); });
  app.get("/memory", []() -> std::string { throw std::bad_alloc(); });
  app.get("/timeout", []() -> Task<> {
    throw Timeout();
    co_return;
  });
  app.get("/task", []() -> Task<> {
    co_await sleep(1ms);
    throw std::runtime_error("broken task");
  });
  app.get("/header", [](Context& ctx) { ctx.response().header("x-a", "b\r\nset-cookie: c"); });
  send("GET /std");
  EXPECT_EQ(status(), 500);
  EXPECT_FALSE(says("broken wheel"));
  ASSERT_EQ(exchange->log.size(), 1u);
  EXPECT_NE(exchange->log[0].find("broken wheel"), std::string::npos);
  send("GET /odd");
  EXPECT_EQ(status(), 500);
  send("GET /error");
  EXPECT_EQ(status(), 409);
  EXPECT_TRUE(exchange->log.empty());
  send("GET /memory");
  EXPECT_EQ(status(), 503);
  send("GET /timeout");
  EXPECT_EQ(status(), 503);
  send("GET /task");
  EXPECT_EQ(status(), 500);
  send("GET /header");
  EXPECT_EQ(status(), 500);
  EXPECT_EQ(field("x-a"), "");
  EXPECT_EQ(field("set-cookie"), "");
}

TEST_F(Hooks, a_hook_that_throws_is_one_answer_too) {
  app.group("/a").before([](Context&) -> Verdict { throw std::runtime_error("b"); }).get("/x", [] {
  });
  app.group("/b").after([](Context&) { throw std::runtime_error("a"); }).get("/x", [] {
    return "fine";
  });
  app.group("/c")
      .on_error([](Context&, const Error&) -> Verdict { throw std::runtime_error("e"); })
      .get("/x", [] { return problem(404, "x"); });
  app.group("/d")
      .after([](Context&) -> Task<> {
        co_await sleep(1ms);
        throw std::runtime_error("a");
      })
      .get("/x", [] { return "fine"; });
  for (const char* line : {"GET /a/x", "GET /b/x", "GET /c/x", "GET /d/x"}) {
    send(line);
    EXPECT_EQ(status(), 500) << line;
    EXPECT_EQ(type(), "application/problem+json") << line;
    EXPECT_FALSE(exchange->log.empty()) << line;
    EXPECT_FALSE(says("fine")) << line;
  }
}

TEST_F(Hooks, an_unknown_parameter_is_named_with_its_route) {
  app.get("/users/{id}/{tab}", [](Context& ctx) { return std::string(ctx.param("user")); });
  send("GET /users/7/x");
  EXPECT_EQ(status(), 500);
  EXPECT_NE(exchange->log.at(0).find(
                "/users/{id}/{tab}: this route has no parameter \"user\"; it has: id, tab"),
            std::string::npos)
      << exchange->log.at(0);
}

struct Counted {
  int* live;
  explicit Counted(int* n) : live(n) { ++*live; }
  Counted(Counted&& o) noexcept : live(o.live) { ++*live; }
  ~Counted() { --*live; }
};

TEST_F(Hooks, attributes_live_until_the_answer_is_sent) {
  int live = 0;
  app.before([&live](Context& ctx) {
    ctx.set(Counted(&live));
    ctx.set(7);
    ctx.set(8);
  });
  app.get("/x", [](Context& ctx) {
    EXPECT_EQ(ctx.find<long>(), nullptr);
    EXPECT_NE(ctx.find<Counted>(), nullptr);
    return std::to_string(ctx.get<int>());
  });
  app.get("/missing", [](Context& ctx) { return std::to_string(ctx.get<long>()); });
  send("GET /x");
  EXPECT_EQ(body(), "8");
  EXPECT_EQ(live, 1);
  exchange.reset();
  EXPECT_EQ(live, 0);
  send("GET /missing");
  EXPECT_EQ(status(), 500);
  EXPECT_NE(exchange->log.at(0).find("no hook of this route attached a long"), std::string::npos);
  exchange.reset();
  EXPECT_EQ(live, 0);
}

// --- bodies ---

TEST_F(Hooks, a_body_is_awaited_after_the_hooks) {
  app.group("/v1")
      .before([](Context& ctx) -> Verdict {
        if (!ctx.header("authorization")) return problem(401, "sign in first");
        return pass;
      })
      .post("/x", [](Body body) { return std::string(*body); });
  begin("POST /v1/x", "Content-Length: 6\r\n", "abc");
  EXPECT_EQ(run_state, http::RunState::done);
  EXPECT_EQ(status(), 401);
  begin("POST /v1/x", "Content-Length: 6\r\nAuthorization: a\r\n", "abc");
  EXPECT_EQ(run_state, http::RunState::pending);
  exchange->receive("def", true);
  runtime.run();
  EXPECT_EQ(exchange->finished, 1);
  EXPECT_EQ(body(), "abcdef");
}

TEST_F(Hooks, a_body_is_streamed_piece_by_piece_and_a_cut_one_never_ends) {
  std::vector<std::string> pieces;
  bool ended = false;
  app.post("/x", [&](Context& ctx) -> Task<std::string> {
    while (auto piece = co_await ctx.body().read()) pieces.emplace_back(*piece);
    ended = true;
    co_return "done";
  });
  begin("POST /x", "Content-Length: 9\r\n", "abc");
  exchange->receive("def", false);
  runtime.run();
  exchange->receive("ghi", true);
  runtime.run();
  EXPECT_EQ(pieces, (std::vector<std::string>{"abc", "def", "ghi"}));
  EXPECT_EQ(body(), "done");

  ended = false;
  begin("POST /x", "Content-Length: 9\r\n", "abc");
  exchange->fail_body(Error(Errc::malformed, "bad chunk", 400));
  runtime.run();
  EXPECT_FALSE(ended);
  EXPECT_EQ(status(), 400);
  EXPECT_TRUE(says("bad chunk"));
}

// --- streams ---

TEST_F(Hooks, a_stream_waits_for_its_reader_and_ends_with_the_handler) {
  app.after([this](Context& ctx) {
    order += 'a';
    ctx.response().header("x-late", "1");
  });
  app.get("/x", [this](Context& ctx) -> Task<> {
    auto stream = co_await ctx.respond(200).type("text/csv").stream();
    order += 's';
    for (int i = 0; i < 3; ++i) co_await stream.write(std::to_string(i));
    order += 'e';
  });
  plan("GET /x").backlog_full = true;
  start();
  EXPECT_EQ(run_state, http::RunState::pending);
  EXPECT_EQ(exchange->streamed, "0");
  EXPECT_EQ(exchange->fields_at_stream, "x-late: 1\r\n");
  exchange->drain();
  runtime.run();
  EXPECT_EQ(exchange->streamed, "012");
  EXPECT_EQ(exchange->stream_ends, 1);
  EXPECT_EQ(exchange->finished, 1);
  EXPECT_EQ(order, "ase");
}

TEST_F(Hooks, a_stream_may_announce_its_length_and_finish_early) {
  app.get("/x", [](Context& ctx) -> Task<> {
    auto stream = co_await ctx.respond(200).length(4).stream();
    const std::vector<std::string> pieces{"ab", "cd"};
    co_await stream.write_all(pieces);
    stream.finish();
    stream.finish();
    co_await sleep(1ms);
    try {
      co_await stream.write("more");
      ADD_FAILURE();
    } catch (const ErrorException& e) {
      EXPECT_TRUE(e.error().is(Errc::closed));
    }
  });
  send("GET /x");
  EXPECT_EQ(exchange->stream_length, 4u);
  EXPECT_EQ(exchange->streamed, "abcd");
  EXPECT_FALSE(exchange->link.aborted);
}

TEST_F(Hooks, a_stream_that_fails_is_cut_and_logged) {
  app.get("/throws", [](Context& ctx) -> Task<> {
    auto stream = co_await ctx.respond(200).stream();
    co_await stream.write("half");
    throw std::runtime_error("disk");
  });
  app.get("/returns", [](Context& ctx) -> Task<Result<>> {
    auto stream = co_await ctx.respond(200).stream();
    co_await stream.write("half");
    co_return problem(500, "disk");
  });
  for (const char* line : {"GET /throws", "GET /returns"}) {
    send(line);
    EXPECT_TRUE(exchange->link.aborted) << line;
    EXPECT_EQ(exchange->stream_ends, 0) << line;
    ASSERT_EQ(exchange->log.size(), 1u) << line;
    EXPECT_NE(exchange->log[0].find("disk"), std::string::npos) << line;
  }
}

TEST_F(Hooks, head_of_a_streamed_route_does_not_run_the_stream) {
  int live = 0;
  bool ran = false;
  app.get("/x", [&](Context& ctx) -> Task<> {
    Guard guard(live);
    auto stream = co_await ctx.respond(200).stream();
    ran = true;
    co_await stream.write("x");
  });
  send("HEAD /x");
  EXPECT_FALSE(ran);
  EXPECT_EQ(live, 0);
  EXPECT_FALSE(exchange->link.aborted);
  EXPECT_TRUE(exchange->log.empty());
}

TEST_F(Hooks, early_hints_are_checked_and_sent) {
  app.get("/x", [](Context& ctx) {
    ctx.early_hints({{"link", "</a.css>; rel=preload"}});
    return "x";
  });
  app.get("/y", [](Context& ctx) { ctx.early_hints({{"link", "a\r\nb: c"}}); });
  send("GET /x");
  EXPECT_EQ(exchange->informational, "103 link: </a.css>; rel=preload\r\n");
  send("GET /y");
  EXPECT_EQ(status(), 500);
  EXPECT_EQ(exchange->informational, "");
}

// --- cancellation ---

TEST_F(Hooks, a_cancelled_request_unwinds_and_is_not_logged) {
  int live = 0;
  app.get("/x", [&](Context&) -> Task<std::string> {
    Guard guard(live);
    co_await sleep(1h);
    co_return "x";
  });
  for (const auto reason : {CancelReason::peer_gone, CancelReason::deadline, CancelReason::drain}) {
    begin("GET /x");
    ASSERT_EQ(live, 1);
    exchange->cancel(reason);
    runtime.run();
    EXPECT_EQ(live, 0);
    EXPECT_EQ(exchange->finished, 1);
    EXPECT_EQ(status(), 503);
    EXPECT_TRUE(exchange->log.empty());
    EXPECT_EQ(exchange->link.closed, reason == CancelReason::drain);
  }
}

TEST_F(Hooks, after_hooks_run_also_when_the_deadline_has_passed) {
  app.after([](Context&) -> Task<> { co_await sleep(1ms); });
  app.after([](Context& ctx) { ctx.response().header("x-a", "1"); });
  app.get("/x", [](Context&) -> Task<> { co_await sleep(1h); });
  begin("GET /x");
  exchange->cancel(CancelReason::deadline);
  runtime.run();
  EXPECT_EQ(exchange->finished, 1);
  EXPECT_EQ(status(), 503);
  EXPECT_EQ(field("x-a"), "1");
}

TEST_F(Hooks, a_cancelled_stream_is_cut) {
  app.get("/x", [](Context& ctx) -> Task<> {
    auto stream = co_await ctx.respond(200).stream();
    for (;;) co_await stream.write("more");
  });
  plan("GET /x").backlog_full = true;
  start();
  exchange->cancel(CancelReason::peer_gone);
  runtime.run();
  EXPECT_EQ(exchange->finished, 1);
  EXPECT_TRUE(exchange->link.aborted);
  EXPECT_TRUE(exchange->log.empty());
}

TEST_F(Hooks, a_writer_that_never_waits_notices_the_cancellation) {
  app.get("/x", [](Context& ctx) -> Task<> {
    auto stream = co_await ctx.respond(200).stream();
    for (;;) {
      co_await stream.write("more");
      co_await yield();
    }
  });
  begin("GET /x");
  exchange->cancel(CancelReason::peer_gone);
  runtime.run();
  EXPECT_EQ(exchange->finished, 1);
}

// --- work beside and behind ---

Task<> append_later(std::string* to, Duration wait, char c) {
  co_await sleep(wait);
  *to += c;
}
Task<> fail_later() {
  co_await sleep(1ms);
  throw std::runtime_error("child");
}

TEST_F(Hooks, the_request_scope_is_joined_before_the_answer_ends) {
  app.after(note('a'));
  app.get("/x", [this](Context& ctx) -> Task<std::string> {
    ctx.scope().spawn(append_later, &order, Duration(2ms), 's');
    order += 'h';
    co_return "x";
  });
  app.get("/plain", [](Context& ctx) { ctx.scope(); });
  app.get("/fails", [](Context& ctx) -> Task<std::string> {
    ctx.scope().spawn(fail_later);
    co_return "x";
  });
  send("GET /x");
  EXPECT_EQ(order, "hsa");
  send("GET /fails");
  EXPECT_EQ(status(), 500);
  EXPECT_NE(exchange->log.at(0).find("child"), std::string::npos);
}

TEST_F(Hooks, a_failed_handler_ends_what_it_spawned) {
  app.get("/x", [this](Context& ctx) -> Task<std::string> {
    ctx.scope().spawn(append_later, &order, Duration(1h), 's');
    co_await sleep(1ms);
    throw std::runtime_error("first");
  });
  const TimePoint before = runtime.now();
  send("GET /x");
  EXPECT_EQ(status(), 500);
  EXPECT_EQ(order, "");
  EXPECT_LT(runtime.now() - before, 1s);
}

TEST_F(Hooks, work_after_the_response_is_started_later_and_limited) {
  limits.background_tasks = 1;
  app.get("/x", [this](Context& ctx) {
    return std::string(ctx.after_response(append_later, &order, Duration(1s), 'd') ? "yes" : "no");
  });
  app.get("/plain", [this](Context& ctx) {
    return std::string(ctx.after_response([](std::string* to, std::string text) { *to += text; },
                                          &order, std::string("text"))
                           ? "yes"
                           : "no");
  });
  app.get("/throws", [](Context& ctx) {
    return std::string(ctx.after_response([] { throw std::runtime_error("late"); }) ? "yes" : "no");
  });
  send("GET /x");
  EXPECT_EQ(body(), "yes");
  EXPECT_EQ(order, "");
  exchange->start_deferred();
  send("GET /plain");
  EXPECT_EQ(body(), "no");
  runtime.run_until_idle();
  EXPECT_EQ(order, "d");
  send("GET /plain");
  EXPECT_EQ(body(), "yes");
  exchange->start_deferred();
  EXPECT_EQ(order, "dtext");
  send("GET /throws");
  exchange->start_deferred();
  EXPECT_NE(runtime.take_unhandled(), nullptr);
  EXPECT_FALSE(background.context().is_cancelled());
}

TEST_F(Hooks, of_connections_are_the_servers) {
  bool let_in = false;
  std::string closed;
  app.on_connect([&](const Connection&) { return let_in; });
  app.on_close([&](const Connection& c) { closed += c.peer(); });
  seal();
  FakeConnection connection;
  EXPECT_TRUE(app.service().watches_connections());
  EXPECT_FALSE(app.service().connected(connection));
  let_in = true;
  EXPECT_TRUE(app.service().connected(connection));
  app.service().disconnected(connection);
  EXPECT_EQ(closed, "127.0.0.1:5000");
}

TEST_F(Hooks, a_connect_hook_that_throws_closes_the_connection) {
  app.on_connect([](const Connection&) -> bool { throw std::runtime_error("x"); });
  seal();
  FakeConnection connection;
  EXPECT_FALSE(app.service().connected(connection));
  EXPECT_NE(runtime.take_unhandled(), nullptr);
}

}  // namespace
}  // namespace spate::app
