// SPDX-License-Identifier: MIT
// What a handler returns is the answer: JSON, a status, a failure, or a Response of its own.
//   curl http://127.0.0.1:8080/books
//     [{"id":1,"title":"Emma"},{"id":2,"title":"<Ulysses>"}]
//   curl http://127.0.0.1:8080/books/9
//     "status":404,"detail":"there is no book 9"
//   curl -i -X POST http://127.0.0.1:8080/orders
//     HTTP/1.1 202
//     {"place":"/tickets/7"}
//   curl -i http://127.0.0.1:8080/robots.txt
//     cache-control: max-age=3600
#include <spate/spate.hpp>
#include <string>
#include <vector>

namespace {

// [results]
struct Book {
  int id;
  std::string title;
};
struct Ticket {
  std::string place;
};

std::vector<Book> books() { return {{1, "Emma"}, {2, "<Ulysses>"}}; }

spate::Result<Book> book(spate::Path<"id", int> id) {
  if (*id != 1) return spate::problem(404, "there is no book " + std::to_string(*id));
  return Book{1, "Emma"};
}
spate::StatusOf<202, Ticket> order() { return spate::StatusOf<202, Ticket>({"/tickets/7"}); }

spate::Response robots() {
  return spate::Response(200, "User-agent: *\n").header("cache-control", "max-age=3600");
}
// [/results]

}  // namespace

int main(int argc, char** argv) {
  spate::Server server;
  server.get("/books", books).get<"/books/{id:int}">(book).post("/orders", order);
  server.get("/robots.txt", robots);
  return server.main(argc, argv);
}
