// SPDX-License-Identifier: MIT
// spate-orders --db FILE [--token TOKEN] [the flags of every Spate server]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routes.hpp"

namespace {

// Takes `--name VALUE` or `--name=VALUE` out of the arguments.
std::optional<std::string> take_flag(std::vector<char*>& arguments, std::string_view name) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (!argument.starts_with(name)) continue;
    const auto at = arguments.begin() + static_cast<std::ptrdiff_t>(i);
    if (argument.size() == name.size() && i + 1 < arguments.size()) {
      std::string value = arguments[i + 1];
      arguments.erase(at, at + 2);
      return value;
    }
    if (argument.size() > name.size() && argument[name.size()] == '=') {
      std::string value(argument.substr(name.size() + 1));
      arguments.erase(at);
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  const auto file = take_flag(arguments, "--db");
  auto token = take_flag(arguments, "--token");
  // The environment is the better place: all users of a machine can read command lines.
  if (const char* from_environment = std::getenv("ORDERS_TOKEN"); !token && from_environment) {
    token = from_environment;
  }
  const bool help = std::any_of(arguments.begin(), arguments.end(),
                                [](std::string_view a) { return a == "--help"; });
  if (help) {
    std::puts(
        "spate-orders: orders over HTTP, kept by SQLite\n"
        "  --db FILE                the database; made when it is not there\n"
        "  --token TOKEN            what writers send as a bearer token (default: "
        "$ORDERS_TOKEN)\n");
    return spate::Server{}.main(static_cast<int>(arguments.size()), arguments.data());
  }
  if (!file || !token || token->empty()) {
    std::fputs(
        "spate-orders needs --db FILE, and a token for writers in $ORDERS_TOKEN or --token; --help "
        "lists the flags\n",
        stderr);
    return 2;
  }
  try {
    auto store = std::make_shared<orders::Store>(*file);
    return orders::make_server(store, {.token = *token})
        .main(static_cast<int>(arguments.size()), arguments.data());
  } catch (const spate::ErrorException& failure) {
    std::fprintf(stderr, "spate-orders cannot open --db %s: %s\n", file->c_str(), failure.what());
    return 2;
  }
}
