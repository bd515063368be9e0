// SPDX-License-Identifier: MIT
// Streams and time in tests: piece by piece in both directions, seconds that take no time, a client
// that vanishes. Exit code 0 when all is well.
#include <cstdio>
#include <spate/spate.hpp>
#include <spate/testing/test_client.hpp>
#include <string>

namespace {

using namespace spate::literals;

int failures = 0;
void check(const char* what, bool good) {
  if (!good) ++failures;
  std::printf("%s %s\n", good ? "ok    " : "FAILED", what);
}

spate::Task<> ticks(spate::Context& ctx) {
  auto out = co_await ctx.respond(200).type("text/plain").stream();
  for (;; co_await spate::sleep(1s)) co_await out.write("tick\n");
}
spate::Task<std::string> length(spate::Context& ctx) {
  co_return std::to_string((co_await ctx.body().text()).size());
}

}  // namespace

int main() {
  spate::Server server;
  server.get("/ticks", ticks).post("/length", length);
  // [streams]
  spate::TestClient client(server);
  spate::TestStream upload = client.request(spate::Method::post, "/length").streamed().open();
  upload.write("four");
  check("waits for the rest", !upload.is_complete());
  upload.write("teen chars");
  upload.finish();
  check("counts", upload.read_all().body == "14");

  spate::TestStream answer = client.request(spate::Method::get, "/ticks").open();
  check("ticks at once", answer.read() == "tick\n");
  client.advance(3s);
  check("and each second", answer.read() == "tick\ntick\ntick\n");
  answer.abort();  // the client vanishes
  client.run();
  check("nothing is left", client.pending_tasks() == 0 && client.live_frames() == 0);
  // [/streams]

  return failures == 0 ? 0 : 1;
}
