// SPDX-License-Identifier: MIT
#include <spate/testing/test_client.hpp>

#include "spate/server_internals.hpp"
#include "testing/session.hpp"

namespace spate {

TestClient::TestClient(Server& server, TestOptions options) {
  Result<ServerInternals> parts = ServerInternals::open(server);
  if (!parts) throw ErrorException(std::move(parts).error());
  session_ = std::make_unique<testing::Session>(*parts->service, parts->limits,
                                                parts->shows_details, options);
  parts->start_background(session_->worker().services());
  session_->run();
}

}  // namespace spate
