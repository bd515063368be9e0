// SPDX-License-Identifier: MIT
// One request head parsed, or one path routed, COUNT times: spate-bench-parse CASE COUNT. It prints
// no time: bench/parse.sh counts its instructions with two counts and prints the difference, which
// no other load on the machine disturbs.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "app/router.hpp"
#include "http/h1/request_parser.hpp"

namespace {

using namespace spate;

struct Head {
  std::string_view name;
  std::string_view bytes;
};

// What h2load 1.52, wrk 4.1, a browser and curl send.
constexpr Head heads[] = {
    {"h2load",
     "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nuser-agent: h2load "
     "nghttp2/1.52.0\r\n\r\n"},
    {"wrk", "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"},
    {"browser",
     "GET /articles/2024/how-it-works?page=2 HTTP/1.1\r\n"
     "Host: www.example.com\r\n"
     "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
     "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
     "Accept-Language: en-US,en;q=0.5\r\n"
     "Accept-Encoding: gzip, deflate, br, zstd\r\n"
     "Referer: https://www.example.com/articles\r\n"
     "Connection: keep-alive\r\n"
     "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
     "Upgrade-Insecure-Requests: 1\r\n"
     "Sec-Fetch-Dest: document\r\n"
     "Sec-Fetch-Mode: navigate\r\n"
     "Sec-Fetch-Site: same-origin\r\n"
     "Sec-Fetch-User: ?1\r\n"
     "Priority: u=0, i\r\n"
     "Cache-Control: max-age=0\r\n\r\n"},
    {"post",
     "POST /api/notes HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: "
     "*/*\r\n"
     "Content-Type: application/json\r\nContent-Length: 1024\r\n\r\n"},
};

struct Path {
  std::string_view name;
  std::string_view path;
};

constexpr Path paths[] = {
    {"static", "/plaintext"},
    {"parameter", "/item117/4711"},
    {"parameter_deep", "/api/v1/resource117/4711/items"},
    {"parameter_escaped", "/api/v1/resource117/a%20b/items"},
    {"not_found", "/api/v1/resource117/4711/nothing"},
};

// A service of 400 routes with parameters, 200 of them at the root, and a few without.
app::RouteTable make_routes() {
  app::RouteTable table;
  app::RouteId id = 0;
  table.add(Method::get, "GET", "/plaintext", id++);
  table.add(Method::get, "GET", "/", id++);
  table.add(Method::get, "GET", "/json", id++);
  for (int i = 0; i < 200; ++i) {
    table.add(Method::get, "GET", "/item" + std::to_string(i) + "/{id}", id++);
  }
  for (int i = 0; i < 100; ++i) {
    std::string const base = "/api/v1/resource" + std::to_string(100 + i) + "/{id}";
    table.add(Method::get, "GET", base, id++);
    table.add(Method::get, "GET", base + "/items", id++);
  }
  if (!table.seal()) std::abort();
  return table;
}

template <class T>
void use(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

int parse_head(std::string_view bytes, std::uint64_t count) {
  h1::RequestParser parser;
  http::RequestHead head;
  h1::HeadLimits const limits;
  for (std::uint64_t i = 0; i < count; ++i) {
    h1::ParseResult const result = parser.parse(head, bytes, limits);
    use(result);
    if (result.status != h1::ParseStatus::done || result.consumed != bytes.size()) return 1;
  }
  return 0;
}

// The compiler does not know any more what it is.
template <class T>
T hidden(T value) {
  asm volatile("" : "+r"(value) : : "memory");
  return value;
}

int match_path(std::string_view path, std::uint64_t count) {
  app::RouteTable const table = make_routes();
  app::ParamValues params;
  char scratch[256];
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string_view const asked(hidden(path.data()), hidden(path.size()));
    app::Match const match =
        hidden(&table)->match(hidden(Method::get), "GET", asked, *hidden(&params), scratch);
    use(match);
  }
  return 0;
}

int misuse() {
  std::cerr << "spate-bench-parse: expected CASE COUNT, where CASE is one of:\n ";
  for (auto const& head : heads) std::cerr << ' ' << head.name;
  for (auto const& path : paths) std::cerr << ' ' << path.name;
  std::cerr << "\nrun `./dev bench parse` for a table of all\n";
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return misuse();
  std::string_view const name = argv[1];
  std::uint64_t const count = std::strtoull(argv[2], nullptr, 10);
  for (auto const& head : heads) {
    if (head.name == name) return parse_head(head.bytes, count);
  }
  for (auto const& path : paths) {
    if (path.name == name) return match_path(path.path, count);
  }
  return misuse();
}
