// SPDX-License-Identifier: MIT
// Waiting: for several things at once, for the first of several, no longer than so long.
//   curl http://127.0.0.1:8080/both
//     {"stock":7,"price":1999}
//   curl http://127.0.0.1:8080/fastest
//     answered by 1
//   curl http://127.0.0.1:8080/impatient
//     no answer in time
#include <spate/spate.hpp>
#include <string>
#include <tuple>

namespace {

using namespace spate::literals;

spate::Task<int> ask(int answer, std::chrono::milliseconds takes) {
  co_await spate::sleep(takes);
  co_return answer;
}

// [all]
struct Offer {
  int stock = 0;
  int price = 0;
};
spate::Task<Offer> both() {
  auto parts =
      co_await spate::when_all([] { return ask(7, 20ms); }, [] { return ask(1999, 10ms); });
  co_return Offer{std::get<0>(parts), std::get<1>(parts)};
}
// [/all]

// [any]
spate::Task<std::string> fastest() {
  auto first = co_await spate::when_any([] { return ask(1, 1h); }, [] { return ask(2, 1ms); });
  co_return "answered by " + std::to_string(first.index()) + "\n";
}
// [/any]

// [deadline]
spate::Task<std::string> impatient() {
  auto answer = co_await spate::try_with_deadline(5ms, ask, 42, 1h);   // not ask(42, 1h): it would
  co_return answer ? std::to_string(*answer) : "no answer in time\n";  // have begun outside
}
// [/deadline]

}  // namespace

int main(int argc, char** argv) {
  spate::Server server;
  server.get("/both", both).get("/fastest", fastest).get("/impatient", impatient);
  return server.main(argc, argv);
}
