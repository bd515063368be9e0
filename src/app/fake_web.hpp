// SPDX-License-Identifier: MIT
// An App and a client without a server between them, for tests. `Runtime` is that of the tests.
#pragma once

#include <memory>
#include <spate/app/app.hpp>
#include <stdexcept>
#include <string>

#include "app/fake_exchange.hpp"
#include "http/service.hpp"

namespace spate::app {

template <class Runtime>
struct FakeWeb {
  Runtime runtime;
  Scope background{runtime.root()};
  App app;
  Limits limits;
  bool sealed = false;
  http::RunState run_state = http::RunState::done;
  std::unique_ptr<FakeExchange> exchange;  // the latest

  FakeWeb() = default;
  FakeWeb(const FakeWeb&) = delete;
  FakeWeb& operator=(const FakeWeb&) = delete;
  ~FakeWeb() {
    exchange.reset();
    runtime.run_until_idle();
  }

  static void require(bool good, const std::string& otherwise) {
    if (!good) throw std::runtime_error(otherwise);
  }
  void seal() {
    if (std::exchange(sealed, true)) return;
    const Result<> good = app.seal(limits);
    require(good.has_value(), good ? "" : good.error().detail);
  }

  // Makes the exchange and plans it; `begin` runs it.
  FakeExchange& plan(std::string_view line, std::string_view fields = "",
                     std::string_view body = "") {
    seal();
    exchange = std::make_unique<FakeExchange>(runtime.root(), background);
    std::string text = std::string(line) + " HTTP/1.1\r\nHost: here\r\n" + std::string(fields);
    if (!body.empty() && text.find("Content-Length") == text.npos) {
      text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    }
    require(exchange->parse(text + "\r\n" + std::string(body)), text);
    app.service().plan(exchange->head, exchange->arena, exchange->plan);
    return *exchange;
  }
  FakeExchange& begin(std::string_view line, std::string_view fields = "",
                      std::string_view body = "") {
    plan(line, fields, body);
    start();
    return *exchange;
  }
  void start() { run_state = app.service().run(*exchange); }
  // As begin, until the answer is there.
  FakeExchange& send(std::string_view line, std::string_view fields = "",
                     std::string_view body = "") {
    begin(line, fields, body);
    const bool waits = run_state == http::RunState::pending;
    if (waits) runtime.run_until_idle();
    require(exchange->finished == (waits ? 1 : 0), "finish() was not called as it should");
    return *exchange;
  }

  int status() const { return exchange->response.status(); }
  std::string body() const { return std::string(exchange->response.body()); }
  std::string type() const { return std::string(exchange->response.type()); }
  std::string field(std::string_view name) const {
    return std::string(exchange->response.header(name));
  }
  bool says(std::string_view text) const { return body().find(text) != std::string::npos; }
};

}  // namespace spate::app
