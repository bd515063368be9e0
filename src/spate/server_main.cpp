// SPDX-License-Identifier: MIT
// Server::main(): a server as a program. This file alone prints, reads flags and takes signals.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <optional>
#include <spate/base/version.hpp>
#include <spate/server.hpp>
#include <string>

#include "spate/server_parts.hpp"

namespace spate {
namespace {

constexpr int usage_exit = 2;

constexpr std::string_view usage =
    "  --listen ADDRESS         127.0.0.1:8080, [::1]:8080 or :8080; may be given more than once\n"
    "  --workers N              threads that serve (default: one per core)\n"
    "  --engine KIND            auto, epoll or uring: what talks to the kernel (default: auto)\n"
    "  --drain-delay SECONDS    from the signal to the end of accepting (default: 0)\n"
    "  --drain-timeout SECONDS  patience with requests under way when stopping (default: 30)\n"
    "  --help, --version\n";

void print(std::FILE* to, std::string_view text) { std::fwrite(text.data(), 1, text.size(), to); }

int refuse(std::string_view program, std::string_view message) {
  print(stderr, std::string(program) + ": " + std::string(message) + "\n");
  return usage_exit;
}

// One line a record: time, level, text.
class StandardErrorSink final : public LogSink {
 public:
  void write(const LogRecord& record) override {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(record.time);
    std::tm time{};
    ::gmtime_r(&seconds, &time);
    char stamp[32];
    std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &time);
    print(stderr, std::string(stamp) + " " + std::string(to_string(record.level)) + " " +
                      record.line + "\n");
  }
};

bool parse_number(std::string_view text, unsigned long most, unsigned long& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out <= most;
}

Error wrong_flag(std::string text) { return Error(Errc::configuration, std::move(text)); }

// A flag with its value, `--flag value` or `--flag=value`; name alone where nothing follows.
struct GivenFlag {
  std::string_view name;
  std::optional<std::string_view> value;
};

// errors: configuration, one sentence that names the flag and what it takes.
Result<> take_standard(const GivenFlag& flag, std::vector<std::string>& listen,
                       ServerOptions& options) {
  const std::string_view value = *flag.value;
  const std::string name(flag.name);
  unsigned long number = 0;
  if (name == "--listen") {
    listen.emplace_back(value);
  } else if (name == "--workers") {
    if (!parse_number(value, 1024, number) || number == 0) {
      return std::unexpected(wrong_flag("--workers takes a number from 1 to 1024, not \"" +
                                        std::string(value) + "\""));
    }
    options.workers = static_cast<unsigned>(number);
  } else if (name == "--engine") {
    if (value == "auto") {
      options.engine = EngineKind::automatic;
    } else if (value == "epoll") {
      options.engine = EngineKind::epoll;
    } else if (value == "uring") {
      options.engine = EngineKind::uring;
    } else {
      return std::unexpected(
          wrong_flag("--engine takes auto, epoll or uring, not \"" + std::string(value) + "\""));
    }
  } else {
    if (!parse_number(value, 86'400, number)) {
      return std::unexpected(
          wrong_flag(name + " takes seconds from 0 to 86400, not \"" + std::string(value) + "\""));
    }
    (name == "--drain-delay" ? options.drain_delay : options.drain_timeout) =
        std::chrono::seconds(number);
  }
  return {};
}

bool is_standard(std::string_view name) {
  return name == "--listen" || name == "--workers" || name == "--engine" ||
         name == "--drain-delay" || name == "--drain-timeout";
}

// "  --db FILE                the database (now: orders.db)", as `usage` has it.
std::string help_line(std::string_view form, std::string_view help, std::string_view now) {
  std::string line = "  " + std::string(form);
  line.resize(std::max<std::size_t>(line.size() + 1, 27), ' ');
  line.append(help);
  if (!now.empty()) line.append(" (now: ").append(now).append(")");
  return line + "\n";
}

std::string banner(const ServerControl& control, std::chrono::nanoseconds took) {
  std::string text =
      "\n  Spate " + std::string(version) + "   " + std::string(control.engine()) + ": " +
      std::string(control.engine_reason()) + "   " + std::to_string(control.workers()) +
      (control.workers() == 1 ? " worker" : " workers") + "   started in " +
      std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()) +
      " ms\n\n";
  for (const std::string& address : control.addresses()) text += "  http://" + address + "\n";
  text += "\n  Ctrl-C drains and stops; a second Ctrl-C stops at once.\n\n";
  return text;
}

}  // namespace

Server& Server::flag(std::string form, std::string& value, std::string help) {
  parts_->flags.push_back({std::move(form), std::move(help), &value});
  return *this;
}

std::optional<int> Server::read_flags(int argc, char** argv) {
  Parts& parts = *parts_;
  parts.flags_read = true;
  if (argc > 0) parts.program = argv[0];
  std::vector<std::string> listen;
  for (int i = 1; i < argc; ++i) {
    GivenFlag flag{argv[i], std::nullopt};
    if (const std::size_t equals = flag.name.find('=');
        flag.name.starts_with("--") && equals != flag.name.npos) {
      flag.value = flag.name.substr(equals + 1);
      flag.name = flag.name.substr(0, equals);
    }
    if (flag.name == "--help" || flag.name == "-h") {
      std::string text = "usage: " + parts.program + " [flags]\n";
      for (const Parts::Flag& own : parts.flags) text += help_line(own.form, own.help, *own.value);
      print(stdout, text + std::string(usage));
      return 0;
    }
    if (flag.name == "--version") {
      print(stdout, "Spate " + std::string(version) + "\n");
      return 0;
    }
    const auto own = std::ranges::find(parts.flags, flag.name, &Parts::Flag::name);
    if (own == parts.flags.end() && !is_standard(flag.name)) {
      return refuse(parts.program,
                    "unknown flag " + std::string(flag.name) + "; --help lists the flags");
    }
    if (!flag.value && i + 1 < argc) flag.value = argv[++i];
    if (!flag.value) {
      return refuse(parts.program, std::string(flag.name) + " needs a value; --help shows which");
    }
    if (own != parts.flags.end()) {
      *own->value = *flag.value;
    } else if (Result<> taken = take_standard(flag, listen, parts.options); !taken) {
      return refuse(parts.program, taken.error().detail);
    }
  }
  if (!listen.empty()) parts.options.listen = std::move(listen);
  return std::nullopt;
}

int Server::main(int argc, char** argv) {
  if (!parts_->flags_read) {
    if (const std::optional<int> code = read_flags(argc, argv)) return *code;
  }
  if (!parts_->sink) parts_->sink = std::make_unique<StandardErrorSink>();

  // Blocked before any thread starts, so that the signals come to this one.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const auto began = std::chrono::steady_clock::now();
  Result<ServerControl> control = start();
  if (!control) return refuse(parts_->program, control.error().detail);
  print(stdout, banner(*control, std::chrono::steady_clock::now() - began));
  std::fflush(stdout);

  int signal = 0;
  ::sigwait(&signals, &signal);
  control->drain();
  // The second signal ends the patience; the end of the drain ends the waiting.
  while (!control->wait_for(std::chrono::milliseconds(50))) {
    timespec at_once{};
    if (::sigtimedwait(&signals, nullptr, &at_once) > 0) control->stop();
  }
  const Snapshot end = control->snapshot();
  print(stdout, "  stopped after " + std::to_string(end.requests) + " requests\n");
  return 0;
}

}  // namespace spate
