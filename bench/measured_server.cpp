// SPDX-License-Identifier: MIT
// The server that the benchmarks of this folder measure: one route for each way to answer. Flags
// are those of every Spate program.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <spate/server.hpp>
#include <string>

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

Task<std::string> upload(Context& ctx) {
  std::uint64_t bytes = 0;
  while (const auto piece = co_await ctx.body().read()) bytes += piece->size();
  co_return std::to_string(bytes);
}

std::string length(Body body) { return std::to_string(body->size()); }

}  // namespace

// One hook before and one after, as the showcase has.
int main(int argc, char** argv) {
  return spate::Server{}
      .before([](Context&) { return pass; })
      .after([](Context& ctx) { ctx.response().header("x-served-by", "spate"); })
      .get("/plaintext", [] { return "Hello, World!"; })
      .get<"/hello/{name}">(hello)
      .get("/sleep", nap)
      .post("/body", length)
      .post("/upload", upload)
      .main(argc, argv);
}
