// SPDX-License-Identifier: MIT
// An App and a client without a server between them, for tests.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <spate/app/app.hpp>
#include <string>

#include "app/fake_exchange.hpp"
#include "http/service.hpp"

namespace spate::app {

struct Web : ::testing::Test {
  spate::testing::FakeRuntime runtime;
  Scope background{runtime.root()};
  App app;
  Limits limits;
  bool sealed = false;
  http::RunState run_state = http::RunState::done;
  std::unique_ptr<FakeExchange> exchange;  // the latest

  ~Web() override {
    exchange.reset();
    runtime.run_until_idle();
  }

  void seal() {
    if (std::exchange(sealed, true)) return;
    const Result<> good = app.seal(limits);
    ASSERT_TRUE(good) << good.error().detail;
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
    EXPECT_TRUE(exchange->parse(text + "\r\n" + std::string(body))) << text;
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
    if (run_state == http::RunState::pending) {
      runtime.run_until_idle();
      EXPECT_EQ(exchange->finished, 1);
    } else {
      EXPECT_EQ(exchange->finished, 0);
    }
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
