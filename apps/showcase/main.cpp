// SPDX-License-Identifier: MIT
// The showcase: a page at / on which a person can try every feature of Spate,
// and the routes behind it. Flags come from Server::main: --listen, --workers,
// --engine, --drain-timeout, --help.
#include <spate/spate.hpp>

#include "themes.hpp"

int main(int argc, char** argv) {
  spate::Server server;

  // [hooks]
  server.before([](const spate::Context&) { return spate::pass; });
  server.after([](spate::Context& ctx) {
    ctx.response().header("x-served-by", "spate");
  });
  // [/hooks]

  showcase::add_page(server);
  showcase::add_answers(server);
  showcase::add_users(server);
  showcase::add_bodies(server);
  showcase::add_waiting(server);
  showcase::add_failures(server);
  showcase::add_groups(server);
  showcase::add_connection(server);
  showcase::add_listing(server);
  return server.main(argc, argv);
}
