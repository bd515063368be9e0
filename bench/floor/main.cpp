// SPDX-License-Identifier: MIT
// spate-floor: the program of the floor (floor.hpp). It prints its address and serves until it is
// killed.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "floor.hpp"

namespace {

constexpr std::string_view usage =
    "usage: spate-floor [flags]\n"
    "  --engine epoll|uring     what talks to the kernel (default: epoll)\n"
    "  --form four-call|naive   accept4, recv, send, close with Spate's socket options; or a plain "
    "loop\n"
    "                           with epoll_ctl and none of them (default: four-call)\n"
    "  --port N                 on 127.0.0.1 (default: a free one)\n"
    "  --answer FILE            the canned answer (default: a small one)\n"
    "  --close                  every connection ends after its first answer\n"
    "  --close-from BYTES       a read of at least so many bytes is the last of its connection\n"
    "  --last-answer FILE       the answer that ends a connection (default: that of --answer)\n";

constexpr std::string_view small_answer =
    "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\nHello, World!";

[[noreturn]] void misuse(const std::string& fault) {
  std::fprintf(stderr, "spate-floor: %s\n%.*s", fault.c_str(), static_cast<int>(usage.size()),
               usage.data());
  std::exit(2);
}

std::size_t number(std::string_view flag, std::string_view text, std::size_t most) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most)
    misuse(std::string(flag) + " needs a number up to " + std::to_string(most) + ", not '" +
           std::string(text) + "'");
  return value;
}

std::string content(std::string_view flag, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  if (bytes.empty()) misuse(std::string(flag) + ": there is nothing to read in '" + path + "'");
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  spate_floor::Options options;
  bool uring = false;
  const auto choice = [](std::string_view flag, std::string_view value, std::string_view one,
                         std::string_view other) {
    if (value != one && value != other)
      misuse(std::string(flag) + " is " + std::string(one) + " or " + std::string(other) +
             ", not '" + std::string(value) + "'");
    return value == one;
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--close") {
      options.close_from = 1;
      continue;
    }
    if (i + 1 == argc) misuse("'" + std::string(flag) + "' is no flag, or lacks its value");
    const std::string value = argv[++i];
    if (flag == "--engine") {
      uring = choice(flag, value, "uring", "epoll");
    } else if (flag == "--form") {
      options.four_call = choice(flag, value, "four-call", "naive");
    } else if (flag == "--port") {
      options.port = static_cast<std::uint16_t>(number(flag, value, 65535));
    } else if (flag == "--answer") {
      options.answer = content(flag, value);
    } else if (flag == "--last-answer") {
      options.last_answer = content(flag, value);
    } else if (flag == "--close-from") {
      options.close_from = number(flag, value, 1 << 16);
    } else {
      misuse("there is no flag '" + std::string(flag) + "'");
    }
  }
  if (options.answer.empty()) options.answer = small_answer;
  if (options.last_answer.empty()) options.last_answer = options.answer;
  const int listener = spate_floor::listen_on(options.port, options.four_call);
  if (uring) spate_floor::run_uring(listener, options);
  spate_floor::run_epoll(listener, options);
}
