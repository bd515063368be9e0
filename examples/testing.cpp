// SPDX-License-Identifier: MIT
// A service and its test in one file. TestClient runs the whole server in this thread, without
// sockets and with a clock of its own: waiting for an hour takes no time.
// Links spate::testing. Exit code 0 when all is well.
#include <chrono>
#include <cstdio>
#include <spate/spate.hpp>
#include <spate/testing/test_client.hpp>
#include <string>

namespace {

using namespace spate::literals;

struct Sum {
  int sum = 0;
};

Sum add(spate::Query<"a", int> a, spate::Query<"b", int> b) { return {*a + *b}; }

spate::Task<std::string> patient() {
  co_await spate::sleep(1h);
  co_return "at last\n";
}

int failures = 0;
void check(const char* what, bool good) {
  if (!good) ++failures;
  std::printf("%s %s\n", good ? "ok    " : "FAILED", what);
}

}  // namespace

int main() {
  spate::Server server;
  server.get("/add", add);
  server.get("/patient", patient).with(spate::timeout(2h));

  // [client]
  spate::TestClient client(server);
  check("adds", client.get("/add?a=19&b=23").json<Sum>().sum == 42);
  check("refuses text", client.get("/add?a=19&b=x").status == 400);

  const auto began = client.now();
  check("waits", client.get("/patient").text() == "at last\n");
  check("for an hour", client.now() - began >= 1h);

  spate::TestStream gone = client.request(spate::Method::get, "/patient").open();
  check("holds a request", client.pending_tasks() > 0);
  gone.abort();
  client.run();
  check("forgets a client that left", client.pending_tasks() == 0);
  // [/client]
  return failures == 0 ? 0 : 1;
}
