// SPDX-License-Identifier: MIT
// The seam between the two halves of a server. The web half (app) implements a Service; the socket
// half (server) calls it and knows no route; tests and other protocols call it just the same. For
// each request: `plan` once its head is there, then `run` once. What the plan says lets the socket
// half refuse, copy and read rightly before any code of the application runs.
// thread: one Service serves all workers at once; plan and run are called on the connection's
// worker.
#pragma once

#include <cstdint>
#include <spate/http/connection.hpp>
#include <spate/http/limits.hpp>

#include "base/arena.hpp"
#include "http/path_params.hpp"
#include "http/request_head.hpp"

namespace spate::http {

class Exchange;

struct Plan {
  enum class Body : std::uint8_t {
    unwanted,  // nobody will look at it: it is dropped within limits, or the connection closes
    buffered,  // wanted whole, up to limits->body
    streamed,  // wanted piece by piece, up to limits->streamed_body
  };
  Body body = Body::unwanted;
  // A hook or the handler may wait: the head has to be copied before anything runs.
  bool may_wait = false;
  const RouteLimits* limits = nullptr;
  // The web half's own.
  const void* route = nullptr;
  PathParams params;

  // As new; values of parameters are not touched: names say how many there are.
  void clear() noexcept {
    body = Body::unwanted;
    may_wait = false;
    limits = nullptr;
    route = nullptr;
    params.clear();
  }
};

enum class RunState : std::uint8_t {
  done,     // exchange.response is the answer (or the stream it began has ended)
  pending,  // finish() will be called
};

class Service {
 public:
  // Finds out what will answer this request. No code of the application runs.
  virtual void plan(const RequestHead& head, Arena& arena, Plan& out) noexcept = 0;

  // Runs hooks and handler. Whatever they throw has been turned into an answer here.
  virtual RunState run(Exchange& exchange) noexcept = 0;

  // A connection was accepted: false closes it before its first byte.
  virtual bool connected(Connection& connection) noexcept = 0;
  virtual void disconnected(Connection& connection) noexcept = 0;
  // Whether anyone wants `connected` and `disconnected`; asked once, when the server starts.
  virtual bool watches_connections() const noexcept = 0;

 protected:
  ~Service() = default;
};

}  // namespace spate::http
