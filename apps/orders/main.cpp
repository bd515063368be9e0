// SPDX-License-Identifier: MIT
// spate-orders --db FILE [--token TOKEN] [the flags of every Spate server]
#include <cstdio>
#include <cstdlib>
#include <string>

#include "routes.hpp"

int main(int argc, char** argv) {
  std::string file;
  std::string token;
  spate::Server server;
  server.flag("--db FILE", file, "the database; made when it is not there")
      .flag("--token TOKEN", token, "what writers send as a bearer token; better in $ORDERS_TOKEN");
  if (const auto exit_code = server.read_flags(argc, argv)) return *exit_code;
  // The environment is the better place: all users of a machine can read command lines.
  if (const char* from_environment = std::getenv("ORDERS_TOKEN");
      token.empty() && from_environment) {
    token = from_environment;
  }
  if (file.empty() || token.empty()) {
    std::fputs(
        "spate-orders needs --db FILE, and a token for writers in $ORDERS_TOKEN or --token; --help "
        "lists the flags\n",
        stderr);
    return 2;
  }
  try {
    auto store = std::make_shared<orders::Store>(file);
    orders::add_routes(server, store, {.token = token});
    return server.main();
  } catch (const spate::ErrorException& failure) {
    std::fprintf(stderr, "spate-orders cannot open --db %s: %s\n", file.c_str(), failure.what());
    return 2;
  }
}
