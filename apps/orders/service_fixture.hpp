// SPDX-License-Identifier: MIT
// The whole service on a database in memory, or in a file, behind a TestClient.
#pragma once

#include <memory>
#include <spate/testing/test_client.hpp>
#include <string>
#include <utility>

#include "routes.hpp"

namespace orders {

inline spate::Server with_routes(const std::shared_ptr<Store>& store) {
  spate::Server server;
  add_routes(server, store, {.token = "secret"});
  return server;
}

class Service {
 public:
  explicit Service(const std::string& file = ":memory:", spate::TestOptions options = {})
      : store(std::make_shared<Store>(file, std::chrono::milliseconds(0))),
        server(with_routes(store)),
        client(server, options) {}

  spate::TestRequest post(std::string_view target) {
    spate::TestRequest request = client.request(spate::Method::post, target);
    request.header("authorization", "Bearer secret");
    return request;
  }
  spate::TestResponse place(std::string_view key, std::string body) {
    return post("/orders")
        .header("idempotency-key", key)
        .body(std::move(body), "application/json")
        .send();
  }

  std::shared_ptr<Store> store;
  spate::Server server;
  spate::TestClient client;
};

inline std::string csv_rows(int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += "customer,item " + std::to_string(i % 7) + ",2,note\n";
  return out;
}

}  // namespace orders
