// SPDX-License-Identifier: MIT
// A number of tasks that is known only at run time, and what a task does when it is cancelled.
//   curl 'http://127.0.0.1:8080/sum?most=10'
//     55
//   curl -s -m 1 http://127.0.0.1:8080/held || true
//     holding
//   curl --retry 5 --retry-all-errors -f http://127.0.0.1:8080/free
//     nothing is held
#include <atomic>
#include <memory>
#include <spate/spate.hpp>
#include <string>

namespace {

using namespace spate::literals;

// [scope]
spate::Task<> add(int* sum, int number) {
  co_await spate::sleep(1ms);
  *sum += number;  // no lock: all tasks of a request run on one worker
}
spate::Task<std::string> sum_up(spate::Query<"most", int> most) {
  int sum = 0;
  co_await spate::with_scope([&](spate::Scope& scope) -> spate::Task<> {
    for (int i = 1; i <= *most; ++i) scope.spawn(add, &sum, i);
    co_return;
  });  // all have ended here
  co_return std::to_string(sum) + "\n";
}
// [/scope]

// [cancelled]
struct Lease {  // gives back what it holds, however its task ends
  std::atomic<int>& held;
  explicit Lease(std::atomic<int>& counter) : held(counter) { ++held; }
  Lease(const Lease&) = delete;
  ~Lease() { --held; }
};
spate::Task<> hold(spate::Context& ctx, spate::State<std::atomic<int>> held) {
  const Lease lease(*held);
  auto out = co_await ctx.respond(200).type("text/plain").stream();
  co_await out.write("holding\n");
  co_await spate::sleep(1h);  // throws Cancelled when the client leaves: no catch is needed
}
// [/cancelled]

spate::Result<std::string> is_free(spate::State<std::atomic<int>> held) {
  if (*held != 0) return spate::problem(503, "something is held");
  return "nothing is held\n";
}

}  // namespace

int main(int argc, char** argv) {
  spate::Server server;
  server.state(std::make_shared<std::atomic<int>>(0));
  server.get("/sum", sum_up).get("/held", hold).get("/free", is_free);
  return server.main(argc, argv);
}
