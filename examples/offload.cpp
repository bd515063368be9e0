// SPDX-License-Identifier: MIT
// Other threads: blocking calls on the pool, plain functions on other workers.
//   curl 'http://127.0.0.1:8080/lookup?host=example'
//     example has 7 letters
//   curl http://127.0.0.1:8080/broadcast
//     told 1 workers
#include <spate/spate.hpp>
#include <string>

namespace {

// [offload]
std::string blocking_lookup(std::string host) {  // on a thread of the pool; may block
  return host + " has " + std::to_string(host.size()) + " letters\n";
}
spate::Task<std::string> lookup(spate::Query<"host"> host) {
  co_return co_await spate::offload(blocking_lookup, std::string(*host));
}
// [/offload]

// [post]
struct Cache {
  bool stale = false;
};
using Caches = spate::PerWorker<Cache>;

std::string broadcast(spate::State<Caches> caches) {
  unsigned told = 0;
  for (unsigned i = 0; i < spate::worker_count(); ++i) {
    Caches* all = &*caches;  // lives as long as the server
    if (spate::post(i, [all] { all->local().stale = true; })) ++told;
  }
  return "told " + std::to_string(told) + " workers\n";
}
// [/post]

}  // namespace

int main(int argc, char** argv) {
  spate::Server server;
  server.state(spate::per_worker<Cache>([] { return Cache(); }));
  server.get("/lookup", lookup).get("/broadcast", broadcast);
  return server.main(argc, argv);
}
