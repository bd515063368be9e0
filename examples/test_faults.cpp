// SPDX-License-Identifier: MIT
// What goes wrong, tested: a pool that is full or slow, a network that drips, clients that say
// nonsense, a drain. Exit code 0 when all is well.
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

int query_database() { return 42; }
spate::Task<std::string> lookup() {
  co_return std::to_string(co_await spate::offload(query_database));
}

}  // namespace

int main() {
  spate::Server server;
  server.get("/lookup", lookup).post("/length", [](spate::Body body) {
    return std::to_string(body->size());
  });
  // [pool]
  spate::TestClient client(server);
  client.refuse_offload(true);  // as a full pool does
  check("a full pool is a 503", client.get("/lookup").status == 503);
  client.refuse_offload(false);
  client.hold_offload(true);  // as a slow pool does: the handler runs into its deadline
  spate::TestStream stuck = client.request(spate::Method::get, "/lookup").open();
  client.advance(31s);
  check("a function that runs is waited for", !stuck.is_complete());
  check("the log says where", client.log_lines().back().contains("test_faults.cpp"));
  client.hold_offload(false);
  check("then the deadline answers", stuck.status() == 503);
  // [/pool]
  // [network]
  spate::TestClient drip(server, {.bytes_per_receive = 1, .bytes_per_send = 1});
  check("one byte at a time", drip.post("/length", "fourteen chars").body == "14");
  spate::TestConnection raw = drip.connection();
  raw.send_raw("GET /lookup HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/9.9\r\n\r\n");
  check("a good request", raw.read_response().status == 200);
  check("and a bad one behind it", raw.read_response().status == 505);
  // [/network]
  // [drain]
  client.begin_drain();
  check("a drain answers once more", client.get("/lookup").closed);
  client.advance(5s);  // `stuck` keeps its connection
  check("and ends", client.is_drained());
  // [/drain]
  return failures == 0 ? 0 : 1;
}
