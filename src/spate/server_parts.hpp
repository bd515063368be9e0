// SPDX-License-Identifier: MIT
// What a Server is made of.
#pragma once

#include <spate/server.hpp>

#include "server/server_core.hpp"

namespace spate {

struct Server::Parts final : server::ServiceStarter {
  app::App app;
  ServerOptions options;
  std::unique_ptr<LogSink> sink;
  std::vector<std::unique_ptr<Background>> background;
  struct Flag {
    std::string form;  // "--db FILE"
    std::string help;
    std::string* value;
    std::string_view name() const noexcept {
      return std::string_view(form).substr(0, form.find(' '));
    }
  };
  std::vector<Flag> flags;
  std::string program = "spate";
  bool flags_read = false;
  bool has_own_address = false;
  bool sealed = false;

  Result<> seal();
  void start(Scope& services) override;
};

}  // namespace spate
