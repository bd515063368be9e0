// SPDX-License-Identifier: MIT
// Bodies of any size, piece by piece: nothing is read from the socket before it
// is asked for, and nothing is written faster than the client takes it.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crc32.hpp"
#include "themes.hpp"

namespace showcase {
namespace {

// [echo]
spate::Task<> echo(spate::Context& ctx) {
  auto type = ctx.header("content-type").value_or("application/octet-stream");
  // Read first: a client that asked for "100 Continue" gets it with the first
  // read.
  auto piece = co_await ctx.body().read();
  auto answer = co_await ctx.respond(200).type(type).stream();
  for (; piece; piece = co_await ctx.body().read())
    co_await answer.write(*piece);
}
// [/echo]

// [upload]
struct Uploaded {
  std::uint64_t bytes = 0;
  std::uint32_t crc32 = 0;
};

spate::Task<Uploaded> upload(spate::Context& ctx) {
  Uploaded out;
  Crc32 crc;
  while (auto piece = co_await ctx.body().read()) {
    out.bytes += piece->size();
    crc.add(*piece);
  }
  out.crc32 = crc.value();
  co_return out;
}
// [/upload]

}  // namespace

void add_bodies(spate::Server& server) {
  // [echo]
  server.post("/echo", echo);
  // [/echo]
  // [upload]
  server.post("/upload", upload);
  // [/upload]
}

}  // namespace showcase
