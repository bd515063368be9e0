// SPDX-License-Identifier: MIT
// Hooks: before and after every request, before the routes of one group, and when something fails.
//   curl -i -H 'authorization: Bearer let-me-in' http://127.0.0.1:8080/account/name
//     x-served-by: spate
//     Ada
//   curl http://127.0.0.1:8080/account/name
//     "status":401,"detail":"sign in first"
//   curl http://127.0.0.1:8080/nowhere
//     nothing here
#include <atomic>
#include <memory>
#include <spate/spate.hpp>
#include <string>

namespace {

struct User {
  std::string name;
};

struct Counters {
  std::atomic<unsigned> requests = 0;
};

// [before]
// A verdict is `pass` or an answer, so a hook cannot forget to stop.
spate::Verdict require_user(spate::Context& ctx) {
  if (ctx.header("authorization") != "Bearer let-me-in") {
    return spate::problem(401, "sign in first");
  }
  ctx.set(User{"Ada"});  // for the handlers and hooks that follow
  return spate::pass;
}

std::string name_of_user(spate::Context& ctx) { return ctx.get<User>().name + "\n"; }
// [/before]

std::string count(spate::State<Counters> counters) {
  return std::to_string(counters->requests) + " requests\n";
}

}  // namespace

int main(int argc, char** argv) {
  spate::Server server;
  // [register]
  server.state(std::make_shared<Counters>());
  server.before([](spate::Context& ctx) { ++ctx.state<Counters>().requests; });
  server.after([](spate::Context& ctx) { ctx.response().header("x-served-by", "spate"); });
  server.on_error([](spate::Context&, const spate::Error& error) -> spate::Verdict {
    if (error.status != 404) return spate::pass;  // the problem document, as usual
    return spate::Response(404, "nothing here\n").type("text/plain; charset=utf-8");
  });
  server.get("/count", count);
  server.group("/account").before(require_user).get("/name", name_of_user);
  // [/register]
  return server.main(argc, argv);
}
