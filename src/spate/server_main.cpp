// SPDX-License-Identifier: MIT
// Server::main(): a server as a program. This file alone prints, reads flags and takes signals.
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
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
    "  --engine auto|epoll      what talks to the kernel (default: auto)\n"
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

struct Flags {
  std::vector<std::string> listen;
  bool help = false;
  bool version = false;
};

bool parse_number(std::string_view text, unsigned long most, unsigned long& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out <= most;
}

// errors: configuration, one sentence that names the flag and what it takes.
Result<Flags> read_flags(int argc, char** argv, ServerOptions& options) {
  const auto wrong = [](std::string text) {
    return std::unexpected(Error(Errc::configuration, std::move(text)));
  };
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    std::string_view flag = argv[i];
    std::string_view value;
    bool has_value = false;
    if (const std::size_t equals = flag.find('='); flag.starts_with("--") && equals != flag.npos) {
      value = flag.substr(equals + 1);
      flag = flag.substr(0, equals);
      has_value = true;
    }
    if (flag == "--help" || flag == "-h") {
      flags.help = true;
      continue;
    }
    if (flag == "--version") {
      flags.version = true;
      continue;
    }
    const bool known = flag == "--listen" || flag == "--workers" || flag == "--engine" ||
                       flag == "--drain-delay" || flag == "--drain-timeout";
    if (!known) return wrong("unknown flag " + std::string(flag) + "; --help lists the flags");
    if (!has_value) {
      if (i + 1 >= argc) return wrong(std::string(flag) + " needs a value; --help shows which");
      value = argv[++i];
    }
    unsigned long number = 0;
    if (flag == "--listen") {
      flags.listen.emplace_back(value);
    } else if (flag == "--workers") {
      if (!parse_number(value, 1024, number) || number == 0) {
        return wrong("--workers takes a number from 1 to 1024, not \"" + std::string(value) + "\"");
      }
      options.workers = static_cast<unsigned>(number);
    } else if (flag == "--drain-delay" || flag == "--drain-timeout") {
      if (!parse_number(value, 86'400, number)) {
        return wrong(std::string(flag) + " takes seconds from 0 to 86400, not \"" +
                     std::string(value) + "\"");
      }
      (flag == "--drain-delay" ? options.drain_delay : options.drain_timeout) =
          std::chrono::seconds(number);
    } else if (value == "auto") {
      options.engine = EngineKind::automatic;
    } else if (value == "epoll") {
      options.engine = EngineKind::epoll;
    } else {
      return wrong("--engine takes auto or epoll, not \"" + std::string(value) + "\"");
    }
  }
  return flags;
}

std::string banner(const ServerControl& control, std::chrono::nanoseconds took) {
  std::string text =
      "\n  Spate " + std::string(version) + "   " + std::string(control.engine()) + "   " +
      std::to_string(control.workers()) + (control.workers() == 1 ? " worker" : " workers") +
      "   started in " +
      std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()) +
      " ms\n\n";
  for (const std::string& address : control.addresses()) text += "  http://" + address + "\n";
  text += "\n  Ctrl-C drains and stops; a second Ctrl-C stops at once.\n\n";
  return text;
}

}  // namespace

int Server::main(int argc, char** argv) {
  const std::string program = argc > 0 ? argv[0] : "spate";
  const Result<Flags> flags = read_flags(argc, argv, parts_->options);
  if (!flags) return refuse(program, flags.error().detail);
  if (flags->help) {
    print(stdout, "usage: " + program + " [flags]\n" + std::string(usage));
    return 0;
  }
  if (flags->version) {
    print(stdout, "Spate " + std::string(version) + "\n");
    return 0;
  }
  if (!flags->listen.empty()) parts_->options.listen = flags->listen;
  if (!parts_->sink) parts_->sink = std::make_unique<StandardErrorSink>();

  // Blocked before any thread starts, so that the signals come to this one.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const auto began = std::chrono::steady_clock::now();
  Result<ServerControl> control = start();
  if (!control) return refuse(program, control.error().detail);
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
