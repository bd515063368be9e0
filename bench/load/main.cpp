// SPDX-License-Identifier: MIT
// spate-load: asks a server and judges its answers (./spate-load --help, bench/load/README.md).
// It shares no code with Spate, because it judges it. Exit codes: 0 valid, 1 errors, 2 not started,
// 3 the generator was the bottleneck.
#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include "generator.hpp"
#include "options.hpp"
#include "process.hpp"
#include "report.hpp"
#include "requests.hpp"

namespace {

constexpr int not_started = 2;
constexpr std::uint64_t other_descriptors = 16;  // standard streams, epoll, reading of /proc

int refuse(const std::string& reason) {
  std::fprintf(stderr, "spate-load: %s\n", reason.c_str());
  return not_started;
}

bool write_json(const std::string& path, const std::string& json) {
  if (path == "-") return std::fputs(json.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"),
                                                             std::fclose);
  return file != nullptr && std::fputs(json.c_str(), file.get()) >= 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = load::parse_options(
      std::span<const char* const>(argv, static_cast<std::size_t>(argc)).subspan(1));
  if (!options) return refuse(options.error());
  if (options->help) {
    std::fputs(load::usage().c_str(), stdout);
    return 0;
  }
  const std::uint64_t limit = load::raise_descriptor_limit();
  if (options->most_connections() + other_descriptors > limit) {
    return refuse(std::to_string(options->most_connections()) + " connections need " +
                  std::to_string(options->most_connections() + other_descriptors) +
                  " descriptors, but this process may have " + std::to_string(limit) +
                  "; use fewer --connections, several processes, or raise the limit (ulimit -Hn)");
  }
  const auto requests = load::make_requests(*options);
  if (!requests) return refuse(requests.error());
  std::string expected_body;
  if (!options->expect_body_file.empty()) {
    auto body = load::read_file(options->expect_body_file);
    if (!body) return refuse(body.error());
    expected_body = std::move(*body);
  }
  const auto addresses = load::resolve(*options);
  if (!addresses) return refuse(addresses.error());
  for (const int pid : options->watch_pids) {
    if (const auto usage = load::usage_of(pid); !usage) return refuse(usage.error());
  }
  if (options->pin >= 0 && !load::pin_to(options->pin)) {
    return refuse("--pin: this process may not run on core " + std::to_string(options->pin));
  }

  load::Generator generator(*options, *requests, *addresses, expected_body);
  const auto result = generator.run();
  if (!result) return refuse(result.error());
  if (!options->quiet) {
    std::FILE* out = options->json_file == "-" ? stderr : stdout;
    std::fputs(load::to_text(*options, *result).c_str(), out);
  }
  if (!options->json_file.empty() &&
      !write_json(options->json_file, load::to_json(*options, *result))) {
    return refuse("the result could not be written to '" + options->json_file + "'");
  }
  switch (result->verdict) {
    case load::Verdict::valid:
      return 0;
    case load::Verdict::errors:
      return 1;
    case load::Verdict::generator_bound:
      return 3;
  }
  return not_started;
}
