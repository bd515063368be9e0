// SPDX-License-Identifier: MIT
// State beside requests: of the server, of each worker, of each connection; and control over the
// connection itself.
//   curl -s http://127.0.0.1:8080/visits http://127.0.0.1:8080/visits
//     visit 1 of this connection
//     visit 2 of this connection
//   curl http://127.0.0.1:8080/cached
//     1 entry in the cache of worker 0
//   curl -i http://127.0.0.1:8080/last
//     Connection: close
//   curl http://127.0.0.1:8080/abort || echo cut
//     cut
#include <atomic>
#include <map>
#include <memory>
#include <spate/spate.hpp>
#include <string>

namespace {

// [per_worker]
using Cache = std::map<std::string, std::string>;  // no lock: each worker has its own

std::string cached(spate::State<spate::PerWorker<Cache>> caches) {
  Cache& cache = caches->local();
  cache.try_emplace("answer", "42");
  return std::to_string(cache.size()) + " entry in the cache of worker " +
         std::to_string(spate::worker_index()) + "\n";
}
// [/per_worker]

// [connection]
struct Visits {
  int count = 0;
};
std::string visits(spate::Connection& connection) {
  const int count = ++connection.state<Visits>().count;
  return "visit " + std::to_string(count) + " of this connection\n";
}
std::string last(spate::Connection& connection) {
  connection.close();  // after this answer, which says `Connection: close`
  return "bye\n";
}
void cut(spate::Connection& connection) { connection.abort(); }  // now, with a reset
// [/connection]

}  // namespace

int main(int argc, char** argv) {
  spate::Server server;
  // [state]
  auto open = std::make_shared<std::atomic<int>>(0);
  server.state(open).state(spate::per_worker<Cache>([] { return Cache(); }));
  server.on_connect([open](const spate::Connection&) { return ++*open <= 1000; });
  server.on_close([open](const spate::Connection&) { --*open; });
  // [/state]
  server.get("/cached", cached).get("/visits", visits).get("/last", last).get("/abort", cut);
  return server.main(argc, argv);
}
