// SPDX-License-Identifier: MIT
// Routes: patterns and which of them wins, typed parameters, groups and options.
//   curl http://127.0.0.1:8080/users/7
//     {"id":7}
//   curl http://127.0.0.1:8080/users/me
//     it is you
//   curl http://127.0.0.1:8080/users/ada
//     user ada
//   curl http://127.0.0.1:8080/files/a/b.txt
//     file a/b.txt
//   curl 'http://127.0.0.1:8080/search?q=red+tea&order=cheapest'
//     red tea, page 1, cheapest first
//   curl 'http://127.0.0.1:8080/search?q=tea&page=two'
//     "status":400,"detail":"the query parameter \"page\" must be an integer from 0 to 4294967295"
//   curl http://127.0.0.1:8080/v1/orgs/acme/people
//     people of acme
#include <cstdint>
#include <optional>
#include <spate/spate.hpp>
#include <string>

namespace {

using namespace spate::literals;

struct User {
  std::int64_t id;
};

// [parameters]
enum class Order { newest, cheapest };

std::string search(spate::Query<"q"> text, spate::Query<"page", std::optional<unsigned>> page,
                   spate::Query<"order", std::optional<Order>> order) {
  return std::string(*text) + ", page " + std::to_string(page->value_or(1)) + ", " +
         std::string(spate::enum_name(order->value_or(Order::newest))) + " first\n";
}
// [/parameters]

}  // namespace

int main(int argc, char** argv) {
  spate::Server server;
  // [patterns]
  server.get("/users/me", [] { return "it is you\n"; })
      .get<"/users/{id:int}">([](spate::Path<"id", std::int64_t> id) { return User{*id}; })
      .get<"/users/{name}">(
          [](spate::Path<"name"> name) { return "user " + std::string(*name) + "\n"; })
      .get<"/files/{path...}">(
          [](spate::Path<"path"> path) { return "file " + std::string(*path) + "\n"; });
  // [/patterns]
  server.get("/search", search);
  // [groups]
  auto v1 = server.group("/v1").with(spate::body_limit(64_KiB));  // before its first route: for all
  auto org = v1.group("/orgs/{org}");
  org.get("/people", [](spate::Path<"org"> name) { return "people of " + std::string(*name); })
      .with(spate::timeout(2s), spate::name("people"));  // behind a route: for that route
  // [/groups]
  return server.main(argc, argv);
}
