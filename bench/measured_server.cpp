// SPDX-License-Identifier: MIT
// The server that the benchmarks of this folder measure: one route for each way to answer. Flags
// are those of every Spate program, and --idle, for connections that are held long.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <spate/server.hpp>
#include <string>

#include "measured_routes.hpp"

namespace {

using namespace spate;

constexpr std::int64_t longest_sleep_ms = 10'000;

// A Task that does not wait.
Task<std::string> hello(Path<"name"> name) { co_return "Hello, " + std::string(*name) + "!"; }

// A Task that waits.
Task<std::string> nap(Query<"ms", std::int64_t> ms) {
  co_await sleep(std::chrono::milliseconds(std::clamp<std::int64_t>(*ms, 0, longest_sleep_ms)));
  co_return "slept";
}

// Waits of no length in code: what they cost is what waiting costs.
Task<std::string_view> timer() {
  co_await sleep(std::chrono::milliseconds(1));
  co_return "Hello, World!";
}
Task<std::string_view> turn() {
  co_await yield();
  co_return "Hello, World!";
}
Task<std::string_view> other() {
  co_return co_await run_on((worker_index() + 1) % worker_count(),
                            [] { return std::string_view("Hello, World!"); });
}

Task<std::string> upload(Context& ctx) {
  std::uint64_t bytes = 0;
  while (const auto piece = co_await ctx.body().read()) bytes += piece->size();
  co_return std::to_string(bytes);
}

std::string length(Body body) { return std::to_string(body->size()); }

}  // namespace

// One hook before and one after, as the showcase has.
int main(int argc, char** argv) {
  spate::Server server;
  std::string idle = "75";
  server.flag("--idle SECONDS", idle, "limits.idle: how long a connection may rest");
  if (const auto code = server.read_flags(argc, argv)) return *code;
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(idle.data(), idle.data() + idle.size(), seconds);
  if (error != std::errc() || end != idle.data() + idle.size() || seconds == 0) {
    std::fprintf(stderr, "--idle: '%s' is no count of seconds from 1\n", idle.c_str());
    return 2;
  }
  server.options().limits.idle = std::chrono::seconds(seconds);
  measured::add_shelves(server);
  measured::add_burners(server);
  return server.before([](Context&) { return pass; })
      .after([](Context& ctx) { ctx.response().header("x-served-by", "spate"); })
      .get("/plaintext", [] { return "Hello, World!"; })
      .get<"/hello/{name}">(hello)
      .get("/task", []() -> Task<std::string_view> { co_return "Hello, World!"; })
      .get("/turn", turn)
      .get("/timer", timer)
      .get("/other", other)
      .get("/sleep", nap)
      .post("/body", length)
      .post("/upload", upload)
      .main(argc, argv);
}
