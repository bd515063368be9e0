// SPDX-License-Identifier: MIT
// A group is a scope for routes below a prefix: its hooks end at its edge. A
// `before` hook returns a verdict, `pass` or an answer, so it cannot forget to
// stop.
#include <string>

#include "themes.hpp"

namespace showcase {
namespace {

// [group]
struct Member {
  std::string name;
};

spate::Verdict require_token(spate::Context& ctx) {
  if (ctx.header("authorization") != "Bearer let-me-in") {
    ctx.response().header("www-authenticate", "Bearer");
    return spate::problem(401, "send: Authorization: Bearer let-me-in");
  }
  ctx.set(Member{"the holder of the token"});
  return spate::pass;
}

std::string note(spate::Context& ctx) {
  return "for " + ctx.get<Member>().name + " only\n";
}
// [/group]

}  // namespace

void add_groups(spate::Server& server) {
  // [group]
  server.group("/private").before(require_token).get("/note", note);
  // [/group]
}

}  // namespace showcase
