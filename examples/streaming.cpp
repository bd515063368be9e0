// SPDX-License-Identifier: MIT
// Bodies piece by piece, in flat memory: an upload that is counted while it arrives, and an answer
// that is written while it is read.
//   printf 'one\ntwo\n' | curl -T - http://127.0.0.1:8080/upload
//     {"bytes":8,"lines":2}
//   curl -N http://127.0.0.1:8080/countdown
//     10
//     liftoff
#include <cstdint>
#include <spate/spate.hpp>
#include <string>

namespace {

using namespace spate::literals;

struct Uploaded {
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
};

// [upload]
spate::Task<Uploaded> upload(spate::Context& ctx) {
  Uploaded out;
  while (auto piece = co_await ctx.body().read()) {  // an upload that is cut throws here
    out.bytes += piece->size();
    for (const char c : *piece) out.lines += c == '\n';
  }
  co_return out;
}
// [/upload]

// [countdown]
spate::Task<> countdown(spate::Context& ctx) {
  auto answer = co_await ctx.respond(200).type("text/plain; charset=utf-8").stream();
  for (int i = 10; i > 0; --i) {
    std::string line = std::to_string(i) + "\n";
    co_await answer.write(line);   // waits while the client is slow
    co_await spate::sleep(100ms);  // ends when the client leaves
  }
  co_await answer.write("liftoff\n");
}
// [/countdown]

}  // namespace

int main(int argc, char** argv) {
  return spate::Server{}
      .put("/upload", upload)
      .with(spate::body_limit(16_GiB))
      .get("/countdown", countdown)
      .main(argc, argv);
}
