// SPDX-License-Identifier: MIT
// A server inside a program of one's own: options, a log sink, two servers in one process, an
// orderly end. start() prints nothing and takes no signal.
#include <cstdio>
#include <memory>
#include <spate/spate.hpp>
#include <string>

namespace {

using namespace spate::literals;

// [sink]
class Sink final : public spate::LogSink {
  void write(const spate::LogRecord& record) override {
    std::fprintf(stderr, "%s\n", record.line.c_str());
  }
};
// [/sink]

}  // namespace

int main() {
  // [options]
  spate::Server shop;
  shop.get("/", [] { return "the shop\n"; });
  shop.listen("127.0.0.1:0").workers(1).log(std::make_unique<Sink>());
  spate::ServerOptions& options = shop.options();
  options.limits.idle = 20s;
  options.limits.route.body = 64_KiB;
  options.offload_threads = 4;
  options.drain_timeout = 5s;

  spate::Result<spate::ServerControl> running = shop.start();
  if (!running) {
    std::fprintf(stderr, "%s\n", running.error().detail.c_str());
    return 2;
  }
  std::printf("the shop is at %s\n", running->url().c_str());
  // [/options]

  // [second]
  spate::Server admin;  // on a port of its own, for whoever watches the shop
  admin.listen("127.0.0.1:0").workers(1);
  admin.get("/ready", [&running]() -> spate::Result<std::string> {
    if (!running->is_ready()) return spate::problem(503, "draining");
    return "ready\n";
  });
  auto watching = admin.start();
  if (!watching) return 2;
  // [/second]

  // [stop]
  running->drain();  // returns at once; readiness is gone now
  if (!running->wait_for(10s)) running->stop();
  running->wait();
  std::printf("%llu requests\n", static_cast<unsigned long long>(running->snapshot().requests));
  // [/stop]
  return 0;
}
