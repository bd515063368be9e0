// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

namespace load {
namespace {

constexpr std::uint64_t most_connections = 1'000'000;
constexpr std::uint64_t most_pipelined = 1024;
constexpr std::uint64_t most_numbers = 100'000;
constexpr std::uint64_t longest_body = std::uint64_t{64} << 20;
constexpr double longest_run = 86'400;
constexpr double highest_rate = 10'000'000;

using Fault = std::unexpected<std::string>;

// One line whatever was given.
std::string printable(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return made;
}

Fault wrong(std::string_view flag, std::string_view value, std::string_view expected) {
  return Fault(std::string(flag) + ": '" + printable(value) + "' is not " + std::string(expected));
}

template <class Number>
std::optional<Number> to_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// One flag's value, checked.
class Value {
 public:
  Value(std::string_view flag, std::string_view text) : flag_(flag), text_(text) {}

  std::expected<void, std::string> count(std::uint64_t least, std::uint64_t most,
                                         auto& into) const {
    const auto number = to_number<std::uint64_t>(text_);
    if (!number || *number < least || *number > most) {
      return wrong(flag_, text_,
                   "a count from " + std::to_string(least) + " to " + std::to_string(most));
    }
    into = static_cast<std::remove_reference_t<decltype(into)>>(*number);
    return {};
  }
  std::expected<void, std::string> real(double least, double most, double& into) const {
    const auto number = to_number<double>(text_);
    if (!number || !std::isfinite(*number) || *number < least || *number > most) {
      return wrong(flag_, text_, "a number from " + plain(least) + " to " + plain(most));
    }
    into = *number;
    return {};
  }
  std::expected<void, std::string> text(std::string& into) const {
    if (text_.empty()) return wrong(flag_, text_, "a value: it is empty");
    into = text_;
    return {};
  }
  std::string_view raw() const { return text_; }
  std::string_view flag() const { return flag_; }

 private:
  static std::string plain(double number) {
    std::string text = std::to_string(number);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
  }
  std::string_view flag_;
  std::string_view text_;
};

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  if (text.empty()) return false;
  for (const char c : text) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!alphanumeric && marks.find(c) == std::string_view::npos) return false;
  }
  return true;
}

bool is_field(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
  return line.find_first_of("\r\n") == std::string_view::npos;
}

std::expected<void, std::string> parse_url(std::string_view url, Options& options) {
  constexpr std::string_view scheme = "http://";
  const Fault fault("the address '" + printable(url) +
                    "' is not of the form http://HOST:PORT/path" +
                    (url.starts_with("https://") ? "; TLS is not spoken here" : ""));
  if (!url.starts_with(scheme)) return fault;
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f') return fault;
  }
  std::string_view rest = url.substr(scheme.size());
  const auto slash = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, slash);
  options.target = slash == std::string_view::npos ? "/" : rest.substr(slash);
  options.target.resize(std::min(options.target.find('#'), options.target.size()));
  if (!options.target.starts_with('/')) options.target.insert(0, "/");

  std::string_view host = authority;
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto bracket = authority.find(']');
    if (bracket == std::string_view::npos) return fault;
    host = authority.substr(1, bracket - 1);
    port = authority.substr(bracket + 1);
    if (!port.empty() && !port.starts_with(':')) return fault;
  } else if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (host.empty() || host.find('@') != std::string_view::npos) return fault;
  if (!port.empty()) {
    const auto number = to_number<std::uint16_t>(port.substr(1));
    if (!number || *number == 0) return fault;
    options.port = *number;
  }
  options.host = host;
  options.authority = authority;
  return {};
}

std::expected<void, std::string> take(const Value& value, Options& options) {
  const std::string_view flag = value.flag();
  if (flag == "--mode") {
    if (value.raw() == "closed")
      options.mode = Mode::closed;
    else if (value.raw() == "constant")
      options.mode = Mode::constant;
    else if (value.raw() == "poisson")
      options.mode = Mode::poisson;
    else
      return wrong(flag, value.raw(), "one of closed, constant, poisson");
    return {};
  }
  if (flag == "--connections") return value.count(1, most_connections, options.connections);
  if (flag == "--pipeline") return value.count(1, most_pipelined, options.pipeline);
  if (flag == "--duration") return value.real(0.01, longest_run, options.duration);
  if (flag == "--warmup") return value.real(0, longest_run, options.warmup);
  if (flag == "--rate") return value.real(0.01, highest_rate, options.rate);
  if (flag == "--reconnect") return value.count(0, UINT32_MAX, options.reconnect);
  if (flag == "--short-share") return value.real(0, 1, options.short_share);
  if (flag == "--timeout") return value.real(0.01, longest_run, options.timeout);
  if (flag == "--window") return value.real(0.01, longest_run, options.window);
  if (flag == "--seed") return value.count(0, UINT64_MAX, options.seed);
  if (flag == "--method") {
    if (!is_token(value.raw())) return wrong(flag, value.raw(), "a method, such as GET");
    return value.text(options.method);
  }
  if (flag == "--header") {
    if (!is_field(value.raw())) return wrong(flag, value.raw(), "of the form 'Name: value'");
    options.headers.emplace_back(value.raw());
    return {};
  }
  if (flag == "--body-size") return value.count(0, longest_body, options.body_size);
  if (flag == "--body-file") return value.text(options.body_file);
  if (flag == "--content-type") {
    if (value.raw().find_first_of("\r\n") != std::string_view::npos) {
      return wrong(flag, value.raw(), "a type on one line");
    }
    return value.text(options.content_type);
  }
  if (flag == "--requests") return value.text(options.requests_file);
  if (flag == "--numbers") return value.count(1, most_numbers, options.numbers);
  if (flag == "--expect-status") return value.count(100, 599, options.expect_status);
  if (flag == "--expect-body-file") return value.text(options.expect_body_file);
  if (flag == "--vary") {
    if (!is_token(value.raw())) return wrong(flag, value.raw(), "the name of a field");
    std::string& name = options.vary.emplace_back(value.raw());
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return {};
  }
  if (flag == "--hold") return value.real(0, longest_run, options.hold);
  if (flag == "--open-rate") return value.real(0, highest_rate, options.open_rate);
  if (flag == "--warm-requests") return value.count(0, 1'000'000, options.warm_requests);
  if (flag == "--warm-file") return value.text(options.warm_file);
  if (flag == "--grow-to") return value.count(1, most_connections, options.grow_to);
  if (flag == "--source-addresses") {
    const auto dash = value.raw().find('-');
    options.source_first = value.raw().substr(0, dash);
    options.source_last =
        dash == std::string_view::npos ? options.source_first : value.raw().substr(dash + 1);
    if (options.source_first.empty() || options.source_last.empty()) {
      return wrong(flag, value.raw(), "of the form FIRST-LAST, such as 127.0.0.2-127.0.0.60");
    }
    return {};
  }
  if (flag == "--pin") return value.count(0, 1023, options.pin);
  if (flag == "--watch-pid") {
    return value.count(1, INT32_MAX, options.watch_pids.emplace_back());
  }
  if (flag == "--json") return value.text(options.json_file);
  return Fault("there is no flag " + printable(flag) + "; --help lists them");
}

std::expected<void, std::string> check_together(const Options& options) {
  if (options.is_open_loop() && options.rate == 0) {
    return Fault("an open loop needs --rate R, the requests a second in all");
  }
  if (!options.is_open_loop() && options.rate > 0) {
    return Fault(
        "--rate needs --mode constant or --mode poisson: a closed loop goes as fast as it is "
        "answered");
  }
  if (!options.body_file.empty() && options.body_size > 0) {
    return Fault("--body-file and --body-size exclude each other");
  }
  if (!options.requests_file.empty() &&
      (!options.method.empty() || !options.body_file.empty() || options.body_size > 0)) {
    return Fault("with --requests, methods and bodies stand in its file");
  }
  if (options.reconnect == 1 && options.pipeline > 1) {
    return Fault("--reconnect 1 sends one request a connection: --pipeline must be 1");
  }
  if (options.holds() && (options.reconnect > 0 || options.short_share > 0)) {
    return Fault("--hold keeps its connections: --reconnect and --short-share do not go with it");
  }
  if (!options.holds() && (options.open_rate > 0 || options.grow_to > 0 || options.gate ||
                           !options.warm_file.empty())) {
    return Fault("--open-rate, --grow-to, --gate and --warm-file need --hold SECONDS");
  }
  if (options.grow_to > 0 && options.grow_to <= options.connections) {
    return Fault("--grow-to must be more than --connections");
  }
  if (options.window > 0) {
    const double all = options.holds() ? options.hold : options.duration;
    constexpr double most_windows = 1000;
    if (all / options.window > most_windows) {
      return Fault("--window is too short: there may be at most 1000 windows in a run");
    }
  }
  return {};
}

}  // namespace

std::expected<Options, std::string> parse_options(std::span<const char* const> arguments) {
  Options options;
  bool has_url = false;
  bool has_mode = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--quiet")
      options.quiet = true;
    else if (argument == "--help" || argument == "-h")
      options.help = true;
    else if (argument == "--gate")
      options.gate = true;
    else if (argument == "--histograms")
      options.histograms = true;
    else if (argument == "--client-closes")
      options.client_closes = true;
    else if (argument.starts_with("-")) {
      const auto equals = argument.find('=');
      const std::string_view flag = argument.substr(0, equals);
      std::string_view text;
      if (equals != std::string_view::npos)
        text = argument.substr(equals + 1);
      else if (i + 1 < arguments.size())
        text = arguments[++i];
      else {
        return Fault(printable(flag) +
                     ": there is no such flag, or its value is missing; --help lists them");
      }
      if (auto taken = take(Value(flag, text), options); !taken) return Fault(taken.error());
      has_mode = has_mode || flag == "--mode";
    } else {
      if (has_url) return Fault("one address is enough; '" + printable(argument) + "' is a second");
      if (auto parsed = parse_url(argument, options); !parsed) return Fault(parsed.error());
      has_url = true;
    }
  }
  if (options.help) return options;
  if (!has_url) return Fault("an address is missing: http://HOST:PORT/path");
  if (options.holds() && options.rate > 0 && !has_mode) options.mode = Mode::constant;
  if (auto checked = check_together(options); !checked) return Fault(checked.error());
  return options;
}

std::string usage() {
  return R"(usage: spate-load [flags] http://HOST:PORT/path

Asks a server and judges its answers: each is compared byte for byte with the first of its kind. One thread.

load
  --mode closed|constant|poisson
                       closed: each connection keeps --pipeline requests in flight, as fast as they are answered.
                       constant, poisson: --rate requests a second, whatever the server does; latency counts from
                       the time at which a request was due, waiting for a free connection included (closed)
  --connections N      (64)
  --pipeline D         requests in flight on a connection, at most (1)
  --duration SECONDS   (5), after  --warmup SECONDS (0.2), which is not counted
  --rate R             requests a second in all, for the open loops
  --reconnect N        a connection ends after N requests, the last of which says Connection: close; 1 is short
                       connections; in an open loop those connect when the request is due, and that counts (0: never)
  --short-share F      this share of the connections, 0 to 1, ends after each request; the others follow --reconnect
  --client-closes      do not wait for the server to close a connection that ends
  --timeout SECONDS    of a request and of a connect (5)
  --seed N             of the random numbers (1)
requests
  --method M  --header 'Name: value' (again for more)  --body-size BYTES | --body-file FILE  --content-type TYPE
  --numbers N          {n} in the path counts from 0 to N-1; each number has its own template (1000)
  --requests FILE      several requests, sent in turn, parted by empty lines:
                         # a comment
                         GET /users/{n}
                         Accept: text/html

                         POST /notes
                         Content-Type: application/json
                         @text {"text":"one"}        (or @file PATH, or @size BYTES: the body)
                       Host and Content-Length are added, and the fields of --header
answers
  --expect-status N    (200)  --expect-body-file FILE: what the first answers must be
  --vary NAME          a field of the answer whose value may differ (again for more); Date always may
idle connections
  --hold SECONDS       open all, send --warm-requests K (1) on each, then hold them; with --rate, requests go over
                       random ones of them meanwhile
  --warm-file FILE     what they are warmed with, in the format of --requests (what is sent later too)
  --open-rate R        connections opened a second, at most (0: no limit)
  --grow-to M          while holding, open more, evenly, until there are M
  --gate               say `open N` when all are open, and begin to hold when a line comes on standard input; its
                       end ends the run
  --source-addresses FIRST-LAST   local IPv4 addresses, bound in turn: more connections than one address has ports
measuring
  --pin CPU            run on that core
  --watch-pid PID      a process whose processor time is taken over the measured window (again for more)
  --window SECONDS     latencies of each such part of the run as well
  --json FILE          the result, - for standard output  --histograms: with all counts of the windows
  --quiet              no text

exit code: 0 valid, 1 errors, 2 not started, 3 no verdict: the generator was the bottleneck
)";
}

}  // namespace load
