// SPDX-License-Identifier: MIT
// The smallest service: text at /, and JSON made from a parameter of the path.
//   curl http://127.0.0.1:8080/hello/Ada
//     {"hello":"Ada"}
#include <spate/spate.hpp>
#include <string>

struct Greeting {
  std::string hello;
};

Greeting greet(spate::Path<"name"> name) { return {std::string(*name)}; }

int main(int argc, char** argv) {
  return spate::Server{}
      .get("/", [] { return "Hello, World!\n"; })
      .get<"/hello/{name}">(greet)
      .main(argc, argv);
}
