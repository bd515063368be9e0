// SPDX-License-Identifier: MIT
// Both directions at once: what comes in goes out, in flat memory. Each waits for the other: a
// client that does not read its answer is not read from either.
//   printf 'one\ntwo\n' | curl -sT - http://127.0.0.1:8080/upper
//     ONE
//     TWO
//   curl -s http://127.0.0.1:8080/numbers
//     0123456789
//   curl -s -d 'x' http://127.0.0.1:8080/text
//     1 bytes
#include <cctype>
#include <spate/spate.hpp>
#include <string>

namespace {

// [echo]
spate::Task<> upper(spate::Context& ctx) {
  auto out = co_await ctx.respond(200).type("text/plain; charset=utf-8").stream();
  while (auto piece = co_await ctx.body().read()) {
    std::string text(*piece);  // the piece itself lives until the next read
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    co_await out.write(text);
  }
}
// [/echo]

// [length]
spate::Task<> numbers(spate::Context& ctx) {
  auto out = co_await ctx.respond(200).type("text/plain").length(10).stream();
  for (char digit = '0'; digit <= '9'; ++digit) co_await out.write({&digit, 1});
}
// [/length]

// [text]
spate::Task<std::string> text(spate::Context& ctx) {
  const std::string_view all = co_await ctx.body().text();
  co_return std::to_string(all.size()) + " bytes\n";
}
// [/text]

}  // namespace

int main(int argc, char** argv) {
  return spate::Server{}
      .put("/upper", upper)
      .get("/numbers", numbers)
      .post("/text", text)
      .main(argc, argv);
}
