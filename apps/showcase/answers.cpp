// SPDX-License-Identifier: MIT
// What a handler returns is the answer: text, a struct as JSON, HTML, a
// redirect.
#include <string>
#include <string_view>

#include "themes.hpp"

namespace showcase {
namespace {

// [json]
struct Message {
  std::string_view message;
};

Message json() { return {"Hello, World!"}; }
// [/json]

// [hello]
struct Greeting {
  std::string hello;
};

Greeting hello(spate::Path<"name"> name) { return {std::string(*name)}; }
// [/hello]

// [html]
spate::Html card(spate::Query<"name"> name) {
  return spate::html("<h1>Hello, {}!</h1>\n", *name);  // escaped
}
// [/html]

}  // namespace

void add_answers(spate::Server& server) {
  // [plaintext]
  server.get("/plaintext", [] { return "Hello, World!"; });
  // [/plaintext]
  // [json]
  server.get("/json", json);
  // [/json]
  // [hello]
  server.get<"/hello/{name}">(hello);
  // [/hello]
  // [html]
  server.get("/card", card);
  // [/html]
  // [redirect]
  server.get("/old", [] { return spate::redirect("/plaintext", 301); });
  // [/redirect]
}

}  // namespace showcase
