// SPDX-License-Identifier: MIT
// Handlers that wait are tasks. A wait holds no thread, and ends by itself when
// the client leaves, when a deadline passes or when the server stops. Numbers
// of a query are capped: a larger one means the most that is allowed.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "themes.hpp"

namespace showcase {
namespace {

using std::chrono::milliseconds;
using Count = std::optional<std::uint64_t>;

milliseconds capped(Count number, std::uint64_t usual, std::uint64_t most) {
  return milliseconds(std::min(number.value_or(usual), most));
}

// [sleep]
struct Slept {
  std::int64_t slept_ms = 0;
};

spate::Task<Slept> sleep(spate::Query<"ms", Count> ms) {
  const auto pause = capped(*ms, 100, 10'000);
  co_await spate::sleep(pause);
  co_return Slept{pause.count()};
}
// [/sleep]

// [stream]
spate::Task<> stream(spate::Context& ctx, spate::Query<"chunks", Count> chunks,
                     spate::Query<"pause", Count> pause) {
  const auto count = std::min<std::uint64_t>(chunks->value_or(10), 10'000);
  const auto rest = capped(*pause, 50, 1'000);
  auto answer =
      co_await ctx.respond(200).type("text/plain; charset=utf-8").stream();
  for (std::uint64_t i = 1; i <= count; ++i) {
    std::string line =
        "line " + std::to_string(i) + " of " + std::to_string(count) + "\n";
    co_await answer.write(line);  // waits while the client is slow
    if (rest.count() > 0 && i < count) co_await spate::sleep(rest);
  }
}
// [/stream]

// [parallel]
struct Together {
  int stock = 0;
  int price = 0;
  std::string weather;
};

spate::Task<int> ask(int answer) {
  co_await spate::sleep(milliseconds(100));  // as long as a query takes
  co_return answer;
}

spate::Task<Together> parallel() {
  auto both =
      co_await spate::when_all([] { return ask(7); }, [] { return ask(1999); });
  auto weather = co_await spate::try_with_deadline(milliseconds(50), ask, 0);
  co_return Together{std::get<0>(both), std::get<1>(both),
                     weather ? "known" : "not in time"};
}
// [/parallel]

}  // namespace

void add_waiting(spate::Server& server) {
  // [sleep]
  server.get("/sleep", sleep);
  // [/sleep]
  // [stream]
  server.get("/stream", stream);
  // [/stream]
  // [parallel]
  server.get("/parallel", parallel);
  // [/parallel]
}

}  // namespace showcase
