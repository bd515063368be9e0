// SPDX-License-Identifier: MIT
// For browsers: pages whose text cannot become markup, redirects, cookies.
//   curl 'http://127.0.0.1:8080/page?name=%3Cscript%3E'
//     <h1>Hello &lt;script&gt;</h1><ul><li>tea</li><li>&lt;milk&gt;</li></ul>
//   curl -i http://127.0.0.1:8080/old
//     HTTP/1.1 303
//     location: /page?name=you
//   curl -i -X POST http://127.0.0.1:8080/session
//     set-cookie: session=b7f3; Path=/
//   curl -b session=b7f3 http://127.0.0.1:8080/session
//     signed in
#include <optional>
#include <spate/spate.hpp>
#include <string>

namespace {

using namespace spate::literals;

// [html]
spate::Html page(spate::Query<"name"> name) {
  spate::Html rows;
  for (const char* item : {"tea", "<milk>"}) rows += spate::html("<li>{}</li>", item);
  return spate::html("<h1>Hello {}</h1><ul>{}</ul>", *name, rows);
}
// [/html]

// [cookie]
void sign_in(spate::Context& ctx) {
  ctx.respond(200).cookie(spate::SetCookie("session", "b7f3").max_age(24h)).body("welcome\n");
}
std::string who(spate::Cookie<"session", std::optional<std::string_view>> session) {
  return *session ? "signed in\n" : "a stranger\n";
}
// [/cookie]

}  // namespace

int main(int argc, char** argv) {
  spate::Server server;
  server.get("/page", page).post("/session", sign_in).get("/session", who);
  server.get("/old", [] { return spate::redirect("/page?name=you"); });
  return server.main(argc, argv);
}
