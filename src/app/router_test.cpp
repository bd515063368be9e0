// SPDX-License-Identifier: MIT
#include "app/router.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spate::app {
namespace {

using namespace std::string_view_literals;

struct Answer {
  Match match;
  std::string text;  // "found 3 a=1 b=2", "405 GET, HEAD, OPTIONS", ...
};

Answer ask(const RouteTable& table, std::string_view method, std::string_view path) {
  // Fresh buffers of exactly the size that is asked for, so that a sanitizer sees a byte too many.
  std::vector<char> scratch(path.find('%') == path.npos ? 0 : path.size());
  const std::vector<char> copy(path.begin(), path.end());
  ParamValues params;
  Answer answer;
  answer.match =
      table.match(parse_method(method), method, {copy.data(), copy.size()}, params, scratch);
  const std::string allow(answer.match.allow);
  switch (answer.match.kind) {
    case MatchKind::found:
      answer.text = "found " + std::to_string(answer.match.route);
      if (answer.match.head_of_get) answer.text += " head";
      for (std::size_t i = 0; i < params.size(); ++i) {
        answer.text.append(" ").append(params.name(i)).append("=").append(params.value(i));
        EXPECT_EQ(params.find(params.name(i)), params.value(i));
      }
      EXPECT_EQ(params.find("no such name"), std::nullopt);
      break;
    case MatchKind::options:
      answer.text = "options " + allow;
      break;
    case MatchKind::not_found:
      answer.text = "404";
      break;
    case MatchKind::method_not_allowed:
      answer.text = "405 " + allow;
      break;
    case MatchKind::method_unknown:
      answer.text = "501";
      break;
    case MatchKind::bad_path:
      answer.text = "400";
      break;
  }
  return answer;
}

// Numbers the routes in their order: "GET /a/{b}".
RouteTable table_of(const std::vector<std::string>& routes, RouteTableOptions options = {}) {
  RouteTable table(options);
  RouteId id = 0;
  for (const std::string& route : routes) {
    const std::size_t space = route.find(' ');
    const std::string method = route.substr(0, space);
    table.add(parse_method(method), method, route.substr(space + 1), id++);
  }
  auto sealed = table.seal();
  EXPECT_TRUE(sealed) << sealed.error().detail;
  return table;
}

struct Case {
  std::string_view request;
  std::string_view expected;
};

void expect_all(const RouteTable& table, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const std::size_t space = c.request.find(' ');
    EXPECT_EQ(ask(table, c.request.substr(0, space), c.request.substr(space + 1)).text, c.expected)
        << c.request;
  }
}

TEST(Router, StaticPathsMatchExactly) {
  expect_all(table_of({"GET /", "GET /a", "GET /a/", "GET /a/b", "GET /a//b", "GET //",
                       "GET /longer/than/eight/bytes", "GET /longer/than/eight/bytez", "GET /x y",
                       "GET /{{x}}", "GET /100%", "GET /caf\xc3\xa9"}),
             {{"GET /", "found 0"},
              {"GET /a", "found 1"},
              {"GET /a/", "found 2"},
              {"GET /a/b", "found 3"},
              {"GET /a//b", "found 4"},
              {"GET //", "found 5"},
              {"GET /longer/than/eight/bytes", "found 6"},
              {"GET /longer/than/eight/bytez", "found 7"},
              {"GET /x%20y", "found 8"},
              {"GET /x+y", "404"},
              {"GET /{x}", "found 9"},
              {"GET /%7Bx%7d", "found 9"},
              {"GET /100%25", "found 10"},
              {"GET /100%", "400"},
              {"GET /caf%C3%A9", "found 11"},
              {"GET /caf\xc3\xa9", "found 11"},
              {"GET /%61", "found 1"},
              {"GET /a%2Fb", "400"},
              {"GET /A", "404"},
              {"GET /b", "404"},
              {"GET /a/b/", "404"},
              {"GET ///", "404"},
              {"GET /a/b/c/d/e", "404"},
              {"GET ", "400"},
              {"GET *", "400"},
              {"GET a", "400"}});
}

TEST(Router, AParameterTakesOneSegmentThatIsNotEmpty) {
  expect_all(table_of({"GET /hello/{name}", "GET /{a}/x/{b}"}),
             {{"GET /hello/ada", "found 0 name=ada"},
              {"GET /hello/a%20b", "found 0 name=a b"},
              {"GET /hello/%C3%A9", "found 0 name=\xc3\xa9"},
              {"GET /hello/a+b", "found 0 name=a+b"},
              {"GET /hello/", "404"},
              {"GET /hello", "404"},
              {"GET /hello/ada/", "404"},
              {"GET /q/x/r", "found 1 a=q b=r"},
              {"GET /hello/x/r", "found 1 a=hello b=r"},
              {"GET //x/r", "404"},
              {"GET /q/x/", "404"}});
}

TEST(Router, AnIntegerHasOneSpellingAndFitsIn64Bits) {
  const RouteTable table = table_of({"GET /users/{id:int}"});
  for (auto good : {"0", "7", "42", "-1", "9223372036854775807", "-9223372036854775808",
                    "1000000000000000000"}) {
    EXPECT_EQ(ask(table, "GET", "/users/" + std::string(good)).text,
              "found 0 id=" + std::string(good));
  }
  EXPECT_EQ(ask(table, "GET", "/users/%37").text, "found 0 id=7");
  for (auto wrong : {"",
                     "-",
                     "+7",
                     "07",
                     "-0",
                     "-07",
                     "00",
                     "7a",
                     "a7",
                     "7.0",
                     "0x7",
                     "%207",
                     "7%20",
                     "9223372036854775808",
                     "-9223372036854775809",
                     "9999999999999999999",
                     "10000000000000000000",
                     "18446744073709551616",
                     "--1",
                     "\xd9\xa7"}) {
    EXPECT_EQ(ask(table, "GET", "/users/" + std::string(wrong)).text, "404") << wrong;
  }
}

TEST(Router, TheRestMayBeEmptyButNeedsItsSlash) {
  expect_all(table_of({"GET /files/{path...}"}),
             {{"GET /files/", "found 0 path="},
              {"GET /files/a", "found 0 path=a"},
              {"GET /files/a/b.txt", "found 0 path=a/b.txt"},
              {"GET /files/a%20b/c", "found 0 path=a b/c"},
              {"GET /files//", "found 0 path=/"},
              {"GET /files/a/", "found 0 path=a/"},
              {"GET /files", "404"},
              {"GET /files/../x", "400"},
              {"GET /files/%2e%2e/x", "400"},
              {"GET /files/%252e%252e/x", "found 0 path=%2e%2e/x"},
              {"GET /files/a%2fb", "400"},
              {"GET /files/%00", "400"},
              {"GET /files/%ff", "400"},
              {"GET /files/%", "400"}});
  expect_all(table_of({"GET /{all...}"}),
             {{"GET /", "found 0 all="}, {"GET /a/b", "found 0 all=a/b"}});
}

TEST(Router, PrecedenceIsLiteralIntegerTextRestWhateverTheOrder) {
  std::vector<std::string> routes = {"GET /u/{rest...}", "GET /u/{name}", "GET /u/{id:int}",
                                     "GET /u/me"};
  for (int turn = 0; turn < 2; ++turn) {
    const RouteTable table = table_of(routes);
    const auto id = [&](std::string_view route) {
      return "found " +
             std::to_string(std::find(routes.begin(), routes.end(), route) - routes.begin());
    };
    EXPECT_EQ(ask(table, "GET", "/u/me").text, id("GET /u/me"));
    EXPECT_EQ(ask(table, "GET", "/u/7").text, id("GET /u/{id:int}") + " id=7");
    EXPECT_EQ(ask(table, "GET", "/u/07").text, id("GET /u/{name}") + " name=07");
    EXPECT_EQ(ask(table, "GET", "/u/").text, id("GET /u/{rest...}") + " rest=");
    EXPECT_EQ(ask(table, "GET", "/u/me/x").text, id("GET /u/{rest...}") + " rest=me/x");
    std::reverse(routes.begin(), routes.end());
  }
}

TEST(Router, TheLeftmostSegmentDecides) {
  expect_all(
      table_of({"GET /{a}/x", "GET /y/{b}"}),
      {{"GET /y/x", "found 1 b=x"}, {"GET /z/x", "found 0 a=z"}, {"GET /y/z", "found 1 b=z"}});
}

TEST(Router, AWayThatLeadsNowhereIsTakenBack) {
  expect_all(table_of({"GET /a/{x}/c", "GET /a/b/{y...}", "GET /a/b/d/e", "GET /{p}/b/{q}/f",
                       "GET /a/{n:int}/g", "GET /a/{x}/h/{z...}"}),
             {{"GET /a/b/c", "found 1 y=c"},
              {"GET /a/q/c", "found 0 x=q"},
              {"GET /a/b/d/e", "found 2"},
              {"GET /a/b/d/f", "found 1 y=d/f"},
              {"GET /z/b/d/f", "found 3 p=z q=d"},
              {"GET /a/7/g", "found 4 n=7"},
              {"GET /a/7/c", "found 0 x=7"},
              {"GET /a/7/h/i", "found 5 x=7 z=i"},
              {"GET /a/7/b", "404"}});
  // The literal "b" is left again, and with it whatever was captured below it.
  expect_all(table_of({"GET /a/b/{x}/{y:int}", "GET /a/{p}/c/d"}),
             {{"GET /a/b/c/d", "found 1 p=b"}, {"GET /a/b/c/7", "found 0 x=c y=7"}});
}

TEST(Router, OnlyRoutesOfTheMethodTakePart) {
  expect_all(table_of({"GET /a/b", "POST /a/{x}", "PUT /{r...}"}),
             {{"GET /a/b", "found 0"},
              {"POST /a/b", "found 1 x=b"},
              {"PUT /a/b", "found 2 r=a/b"},
              {"GET /a/c", "405 POST, PUT, OPTIONS"},
              {"POST /c", "405 PUT, OPTIONS"}});
}

TEST(Router, ARefusedMethodIsToldAllThatThePathAllows) {
  expect_all(table_of({"GET /a/b", "POST /a/{x}", "DELETE /a/{r...}", "PURGE /a/b", "PATCH /c",
                       "REPORT /c"}),
             {{"PATCH /a/b", "405 GET, HEAD, POST, DELETE, OPTIONS, PURGE"},
              {"PATCH /a/c", "405 POST, DELETE, OPTIONS"},
              {"PATCH /a/c/d", "405 DELETE, OPTIONS"},
              {"OPTIONS /a/b", "options GET, HEAD, POST, DELETE, OPTIONS, PURGE"},
              {"OPTIONS /c", "options PATCH, OPTIONS, REPORT"},
              {"OPTIONS /d", "404"},
              {"PURGE /a/b", "found 3"},
              {"REPORT /a/b", "405 GET, HEAD, POST, DELETE, OPTIONS, PURGE"}});
}

TEST(Router, HeadFallsToTheGetRouteUnlessItHasItsOwn) {
  expect_all(table_of({"GET /a", "GET /b", "HEAD /b", "POST /c", "HEAD /d", "GET /e/f",
                       "HEAD /e/{x}", "GET /u/{id}"}),
             {{"HEAD /a", "found 0 head"},
              {"HEAD /b", "found 2"},
              {"GET /b", "found 1"},
              {"HEAD /c", "405 POST, OPTIONS"},
              {"HEAD /d", "found 4"},
              {"GET /d", "405 HEAD, OPTIONS"},
              {"HEAD /e/f", "found 5 head"},
              {"HEAD /u/7", "found 7 head id=7"},
              {"POST /a", "405 GET, HEAD, OPTIONS"}});
}

TEST(Router, ARegisteredOptionsRouteIsAnOrdinaryRoute) {
  expect_all(table_of({"GET /a", "OPTIONS /a", "GET /b", "OPTIONS /{x}/y"}),
             {{"OPTIONS /a", "found 1"},
              {"OPTIONS /b", "options GET, HEAD, OPTIONS"},
              {"OPTIONS /b/y", "found 3 x=b"},
              {"POST /a", "501"}});
}

TEST(Router, AMethodThatNoRouteHasIsUnknown) {
  const RouteTable table = table_of({"POST /a", "PURGE /b"});
  expect_all(table, {{"GET /a", "405 POST, OPTIONS"},
                     {"HEAD /b", "405 OPTIONS, PURGE"},
                     {"POST /b", "405 OPTIONS, PURGE"},
                     {"PURGE /a", "405 POST, OPTIONS"},
                     {"PUT /a", "501"},
                     {"TRACE /a", "501"},
                     {"purge /b", "501"},
                     {"BREW /zzz", "501"},
                     {"BREW /%", "501"},
                     {"GET /%", "400"},
                     {"GET /zzz", "404"}});
  EXPECT_EQ(table.allow_all(), "GET, HEAD, POST, OPTIONS, PURGE");
}

TEST(Router, AMethodWithANameIsTheSameWrittenAsText) {
  RouteTable table;
  table.add(Method::other, "PUT", "/a", 5);
  table.add(Method::other, "PURGE", "/a", 6);
  ASSERT_TRUE(table.seal());
  EXPECT_EQ(ask(table, "PUT", "/a").text, "found 5");
  EXPECT_EQ(table.routes()[0].method, Method::put);
  EXPECT_EQ(table.routes()[1].method_text, "PURGE");
}

TEST(Router, AnEncodedSlashIsDataWhereItIsAllowed) {
  const RouteTable table = table_of({"GET /repo/{name}/log", "GET /repo/{rest...}", "GET /a/b"},
                                    {.encoded_slash = EncodedSlash::allow});
  expect_all(table, {{"GET /repo/x%2Fy/log", "found 0 name=x/y"},
                     {"GET /repo/x%2fy/z", "found 1 rest=x/y/z"},
                     {"GET /a%2Fb", "404"},
                     {"GET /a/b", "found 2"},
                     {"GET /repo/..%2f..%2fetc", "400"}});
}

TEST(Router, ValuesAreViewsOfThePathWhenNothingIsEncoded) {
  const RouteTable table = table_of({"GET /u/{id}"});
  const std::string path = "/u/ada";
  ParamValues params;
  const Match match = table.match(Method::get, "", path, params, {});
  ASSERT_EQ(match.kind, MatchKind::found);
  EXPECT_EQ(params.value(0).data(), path.data() + 3);
}

TEST(Router, PathsAroundTheSizeOfABlockOrAWordAreRoutedAlike) {
  const RouteTable table =
      table_of({"GET /{a}/end", "GET /{a}/{b:int}", "GET /{a}/{b}", "GET /s/{r...}"});
  for (std::size_t size = 1; size <= 140; ++size) {
    const std::string text(size, 'v');
    EXPECT_EQ(ask(table, "GET", "/" + text + "/end").text, "found 0 a=" + text);
    EXPECT_EQ(ask(table, "GET", "/" + text + "/42").text, "found 1 a=" + text + " b=42");
    EXPECT_EQ(ask(table, "GET", "/x/" + text).text, "found 2 a=x b=" + text);
    EXPECT_EQ(ask(table, "GET", "/s/" + text + "/t/").text, "found 3 r=" + text + "/t/");
    EXPECT_EQ(ask(table, "GET", "/" + text + "/x/y").text, "404");
    EXPECT_EQ(ask(table, "GET", "/" + text).text, "404");
    // Wherever it stands, a byte that needs a closer look gets it.
    for (std::size_t at = 0; at < size; at += size < 20 ? 1 : 7) {
      std::string odd = text;
      odd[at] = '%';
      EXPECT_EQ(ask(table, "GET", "/x/" + odd).text, "400") << at << " of " << size;
      odd[at] = '\0';
      EXPECT_EQ(ask(table, "GET", "/x/" + odd).text, "400") << at << " of " << size;
      odd[at] = '\xff';
      EXPECT_EQ(ask(table, "GET", "/x/" + odd).text, "400") << at << " of " << size;
      odd[at] = '.';
      EXPECT_EQ(ask(table, "GET", "/x/" + odd).text, size == 1 ? "400" : "found 2 a=x b=" + odd);
      EXPECT_EQ(ask(table, "GET", "/" + odd + "/..").text, "400");
    }
    EXPECT_EQ(ask(table, "GET", "/x/" + text + "%41").text, "found 2 a=x b=" + text + "A");
  }
}

TEST(Router, ABadPathSaysWhatIsBad) {
  const RouteTable table = table_of({"GET /{x...}"});
  EXPECT_EQ(ask(table, "GET", "/%zz").match.fault, PathFault::bad_escape);
  EXPECT_EQ(ask(table, "GET", "/a/..").match.fault, PathFault::dot_segment);
  EXPECT_EQ(ask(table, "GET", "/a%2Fb").match.fault, PathFault::encoded_slash);
  EXPECT_EQ(ask(table, "GET", "/a\0"sv).match.fault, PathFault::nul);
}

TEST(Router, ATableWithoutRoutesAnswers404) {
  RouteTable unsealed;
  EXPECT_EQ(ask(unsealed, "GET", "/").text, "404");
  RouteTable empty;
  ASSERT_TRUE(empty.seal());
  expect_all(empty, {{"GET /", "404"}, {"OPTIONS /", "404"}, {"POST /", "501"}, {"GET ", "400"}});
}

TEST(Router, AMovedTableStillMatches) {
  RouteTable table = table_of({"GET /u/{id}", "GET /s", "PURGE /p"});
  const RouteTable moved = std::move(table);
  expect_all(moved, {{"GET /u/7", "found 0 id=7"}, {"GET /s", "found 1"}, {"PURGE /p", "found 2"}});
}

TEST(Router, RoutesAreListedInTheirOrder) {
  const RouteTable table = table_of({"GET /b", "PURGE /a/{x}"});
  ASSERT_EQ(table.routes().size(), 2U);
  EXPECT_EQ(table.routes()[0].pattern, "/b");
  EXPECT_EQ(table.routes()[1].method_text, "PURGE");
  EXPECT_EQ(table.routes()[1].pattern, "/a/{x}");
  EXPECT_EQ(table.routes()[1].id, 1U);
  EXPECT_TRUE(std::string_view(table.routes()[1].where.file_name()).ends_with("router_test.cpp"));
}

TEST(Router, TenThousandRoutesAreEachFound) {
  RouteTable table;
  for (RouteId i = 0; i < 5000; ++i) {
    table.add(Method::get, "", "/static/" + std::to_string(i) + "/leaf", i);
    table.add(Method::get, "", "/group" + std::to_string(i) + "/{id}", 5000 + i);
  }
  ASSERT_TRUE(table.seal());
  for (RouteId i = 0; i < 5000; ++i) {
    const std::string number = std::to_string(i);
    EXPECT_EQ(ask(table, "GET", "/static/" + number + "/leaf").text, "found " + number);
    EXPECT_EQ(ask(table, "GET", "/group" + number + "/x").text,
              "found " + std::to_string(5000 + i) + " id=x");
  }
}

// Every combination of literal, integer and text in ten segments, 59,049 leaves: a path that fits
// all and ends at none makes the search visit the whole tree, which is the documented bound.
TEST(Router, TheWorstTableIsSearchedOnceAndNotMore) {
  constexpr int depth = 10;
  int leaves = 1;
  for (int i = 0; i < depth; ++i) leaves *= 3;
  RouteTable table;
  for (int leaf = 0; leaf < leaves; ++leaf) {
    std::string pattern;
    for (int i = 0, rest = leaf; i < depth; ++i, rest /= 3) {
      const std::string name = "p" + std::to_string(i);
      pattern += rest % 3 == 0 ? "/7" : rest % 3 == 1 ? "/{" + name + ":int}" : "/{" + name + "}";
    }
    table.add(Method::get, "", pattern + "/end", static_cast<RouteId>(leaf));
  }
  ASSERT_TRUE(table.seal());
  std::string path;
  for (int i = 0; i < depth; ++i) path += "/7";
  EXPECT_EQ(ask(table, "GET", path + "/end").text, "found 0");
  EXPECT_EQ(ask(table, "GET", path + "/other").text, "404");
  EXPECT_EQ(ask(table, "GET", path).text, "404");
  // Three to the power of its segments would never end here.
  std::string hostile;
  for (int i = 0; i < 4000; ++i) hostile += "/7";
  EXPECT_EQ(ask(table, "GET", hostile).text, "404");
}

TEST(Router, SixtyFourSegmentsAndSixteenParametersMatch) {
  std::string pattern;
  std::string path;
  for (int i = 0; i < 16; ++i) {
    pattern += "/{p" + std::to_string(i) + "}/a/b/c";
    path += "/v/a/b/c";
  }
  const RouteTable table = table_of({"GET " + pattern, "GET /v/{rest...}"});
  EXPECT_EQ(ask(table, "GET", path).text.substr(0, 12), "found 1 rest");
  path[1] = 'w';
  const std::string found = ask(table, "GET", path).text;
  EXPECT_TRUE(found.starts_with("found 0 p0=w p1=v ")) << found;
  EXPECT_TRUE(found.ends_with(" p15=v")) << found;
  EXPECT_EQ(ask(table, "GET", path + "/x").text, "404");
  EXPECT_EQ(ask(table, "GET", path + "/").text, "404");
}

// What a route table means, said as plainly as possible: all routes are tried, and of those that
// match the best is the first in the order of the kinds of their segments.
struct Reference {
  struct Route {
    std::string method;
    std::vector<Segment> segments;
  };
  std::vector<Route> routes;

  static bool is_int(const std::string& text) {
    return text == "7" || text == "-3";  // of the segments below, exactly these
  }

  static bool matches(const Route& route, const std::vector<std::string>& path,
                      std::string& params) {
    params.clear();
    for (std::size_t i = 0; i < route.segments.size(); ++i) {
      const Segment& segment = route.segments[i];
      if (i >= path.size()) return false;
      if (segment.kind == PatternKind::rest) {
        params += " " + segment.text + "=" + path[i];
        for (std::size_t k = i + 1; k < path.size(); ++k) params += "/" + path[k];
        return true;
      }
      if (segment.kind == PatternKind::literal && segment.text != path[i]) return false;
      if (segment.kind == PatternKind::integer && !is_int(path[i])) return false;
      if (segment.kind == PatternKind::text && path[i].empty()) return false;
      if (segment.kind != PatternKind::literal) params += " " + segment.text + "=" + path[i];
    }
    return route.segments.size() == path.size();
  }

  std::string ask(const std::string& method, const std::vector<std::string>& path) const {
    std::set<std::string> known{"GET", "HEAD", "OPTIONS"};
    std::set<std::string> allowed;
    std::string best_order = "~";
    std::string best;
    for (std::size_t i = 0; i < routes.size(); ++i) {
      const Route& route = routes[i];
      known.insert(route.method);
      std::string params;
      if (!matches(route, path, params)) continue;
      allowed.insert(route.method);
      if (route.method == "GET") allowed.insert("HEAD");
      const bool head = method == "HEAD" && route.method == "GET";
      if (route.method != method && !head) continue;
      std::string order;
      for (const Segment& segment : route.segments) {
        order += static_cast<char>('0' + static_cast<int>(segment.kind));
      }
      order += head ? '1' : '0';  // of two routes with one pattern, HEAD's own is the better
      if (order >= best_order) continue;
      best_order = order;
      best = "found " + std::to_string(i) + (head ? " head" : "") + params;
    }
    if (!known.contains(method)) return "501";
    if (!best.empty()) return best;
    if (allowed.empty()) return "404";
    allowed.insert("OPTIONS");
    std::string list;
    for (auto name : {"GET", "HEAD", "POST", "PUT", "OPTIONS", "PURGE"}) {
      if (allowed.contains(name)) list += (list.empty() ? "" : ", ") + std::string(name);
    }
    return (method == "OPTIONS" ? "options " : "405 ") + list;
  }
};

TEST(Router, RandomTablesAnswerAsTheReferenceDoes) {
  std::mt19937 random(20240607);
  const auto pick = [&](std::size_t n) { return std::size_t{random() % n}; };
  const std::vector<std::string> methods = {"GET", "GET",  "GET",     "POST",
                                            "PUT", "HEAD", "OPTIONS", "PURGE"};
  const std::vector<std::string> literals = {"a", "b", "7", "", "ab", "a b"};
  // As sent, and as meant.
  const std::vector<std::pair<std::string, std::string>> segments = {
      {"a", "a"},     {"%61", "a"},     {"b", "b"},       {"7", "7"},   {"%37", "7"},
      {"-3", "-3"},   {"", ""},         {"zz", "zz"},     {"07", "07"}, {"ab", "ab"},
      {"a%62", "ab"}, {"a%20b", "a b"}, {"%2561", "%61"}, {"-0", "-0"}};
  int found = 0;
  int refused_tables = 0;
  for (int round = 0; round < 3000; ++round) {
    RouteTable table;
    Reference reference;
    std::set<std::string> shapes;
    bool conflict = false;
    const std::size_t count = 1 + pick(14);
    for (std::size_t r = 0; r < count; ++r) {
      Reference::Route route;
      route.method = methods[pick(methods.size())];
      std::string pattern;
      std::string shape = route.method;
      const std::size_t size = 1 + pick(4);
      for (std::size_t s = 0; s < size; ++s) {
        Segment segment;
        segment.text = "p" + std::to_string(s);
        const std::size_t dice = pick(8);
        if (dice < 4) {
          segment = {PatternKind::literal, literals[pick(literals.size())]};
          pattern += "/" + segment.text;
        } else if (dice < 5) {
          segment.kind = PatternKind::integer;
          pattern += "/{" + segment.text + ":int}";
        } else if (dice < 7 || s + 1 != size) {
          segment.kind = PatternKind::text;
          pattern += "/{" + segment.text + "}";
        } else {
          segment.kind = PatternKind::rest;
          pattern += "/{" + segment.text + "...}";
        }
        shape += '/';
        shape += segment.kind == PatternKind::literal
                     ? segment.text
                     : "{" + std::to_string(static_cast<int>(segment.kind));
        route.segments.push_back(segment);
      }
      const bool is_new = shapes.insert(shape).second;
      if (!is_new && round % 10 != 0) continue;
      conflict = conflict || !is_new;
      table.add(parse_method(route.method), route.method, pattern,
                static_cast<RouteId>(reference.routes.size()));
      reference.routes.push_back(std::move(route));
    }
    ASSERT_EQ(table.seal().has_value(), !conflict) << "round " << round;
    if (conflict) {
      ++refused_tables;
      continue;
    }
    for (int request = 0; request < 100; ++request) {
      const std::string& method = methods[pick(methods.size())];
      std::string raw;
      std::vector<std::string> meant;
      for (std::size_t s = 1 + pick(5); s > 0; --s) {
        const auto& segment = segments[pick(segments.size())];
        raw += "/" + segment.first;
        meant.push_back(segment.second);
      }
      const std::string expected = reference.ask(method, meant);
      ASSERT_EQ(ask(table, method, raw).text, expected)
          << "round " << round << ": " << method << " " << raw;
      found += expected.starts_with("found");
    }
  }
  EXPECT_GT(found, 30000);  // else the test asks about nothing
  EXPECT_GT(refused_tables, 10);
}

TEST(Router, RandomBytesAreRefusedOrFoundButNeverHarmful) {
  const RouteTable table = table_of({"GET /a/{x}", "GET /a/{n:int}/{r...}", "GET /{r...}"});
  std::mt19937 random(7);
  constexpr std::string_view alphabet("/%./.a027fFeE2\0\xc3\xa9\xff-", 20);
  for (int round = 0; round < 100000; ++round) {
    std::string path = "/";
    for (std::size_t n = random() % 24; n > 0; --n) path += alphabet[random() % alphabet.size()];
    const Answer answer = ask(table, "GET", path);
    EXPECT_TRUE(answer.match.kind == MatchKind::found || answer.match.kind == MatchKind::bad_path);
    if (answer.match.kind == MatchKind::found) {
      EXPECT_EQ(answer.text.find('\0'), std::string::npos);
      EXPECT_TRUE(is_utf8(answer.text));
      EXPECT_EQ(("/" + answer.text + "/").find("/../"), std::string::npos);
    }
  }
}

TEST(Router, TooManyMethodsAreAConfigurationError) {
  RouteTable table;
  for (RouteId i = 0; i < 23; ++i) table.add(Method::other, "M" + std::to_string(i), "/a", i);
  ASSERT_TRUE(table.seal());
  EXPECT_EQ(ask(table, "M22", "/a").text, "found 22");
  EXPECT_EQ(ask(table, "M23", "/a").text, "501");
  table.add(Method::other, "M23", "/a", 23);
  const auto sealed = table.seal();
  ASSERT_FALSE(sealed);
  EXPECT_TRUE(sealed.error().detail.starts_with("spate: too many methods\n  M23 /a    at "));
}

TEST(Router, TooManySetsOfMethodsAreAConfigurationError) {
  RouteTable table;
  for (RouteId i = 0; i < 13; ++i) {
    table.add(Method::other, "M" + std::to_string(i), "/" + std::to_string(i), i);
  }
  const auto sealed = table.seal();
  ASSERT_FALSE(sealed);
  EXPECT_TRUE(sealed.error().detail.starts_with("spate: too many combinations of methods\n"));
}

// From here on lines are numbered as in an example program, which the messages must name.
std::string refusal(RouteTable& table) {
  const auto sealed = table.seal();
  if (sealed) return "sealed";
  EXPECT_TRUE(sealed.error().is(Errc::configuration));
  return sealed.error().detail;
}

// clang-format off
TEST(Router, AConflictNamesBothPlacesAnExampleAndAWayOut) {
  RouteTable table;
#line 41 "shop/routes.cpp"
  table.add(Method::get, "", "/users/{id}", 0);
#line 57 "shop/routes.cpp"
  table.add(Method::get, "", "/users/{name}", 1);
  table.add(Method::post, "", "/users/{other}", 2);
  EXPECT_EQ(refusal(table),
            "spate: route conflict\n"
            "  GET /users/{id}      at shop/routes.cpp:41\n"
            "  GET /users/{name}    at shop/routes.cpp:57\n"
            "  both match /users/7; parameter names do not distinguish routes\n"
            "  give one of them a literal segment or a constraint, e.g. /users/{id:int}");
  EXPECT_EQ(table.seal().error().where.line(), 41U);
  EXPECT_EQ(ask(table, "GET", "/users/7").text, "404");
}

TEST(Router, AllFaultsAreReportedAtOnceInTheOrderOfTheRoutes) {
  RouteTable table;
#line 1 "shop/routes.cpp"
  table.add(Method::get, "", "/a", 0);
  table.add(Method::get, "", "users", 1);
  table.add(Method::post, "", "/{x}/{y:int}/c d/{z...}", 2);
  table.add(Method::get, "", "/a", 3);
  table.add(Method::post, "", "/{x}/{n:int}/c d/{z...}", 4);
  table.add(Method::post, "", "/{q}/{y:int}/c d/{z...}", 5);
  table.add(Method::get, "", "/7/{a}", 6);
  table.add(Method::other, "FO O", "/a", 7);
  table.add(Method::get, "", "/{t}/{i:int}", 8);
  table.add(Method::get, "", "/{t}/{u}", 9);
  table.add(Method::get, "", "/{t}/x", 10);
  table.add(Method::get, "", "/{t}/{v}", 11);
  table.add(Method::get, "", "/7/{b:int}", 12);
  table.add(Method::get, "", "/7/{c:int}", 13);
  EXPECT_EQ(refusal(table),
            "spate: route conflict\n"
            "  GET /a    at shop/routes.cpp:1\n"
            "  GET /a    at shop/routes.cpp:4\n"
            "  both match /a; a method and a pattern make one route\n"
            "  remove all but one of them\n"
            "spate: bad route pattern\n"
            "  GET users    at shop/routes.cpp:2\n"
            "      ^\n"
            "  a pattern starts with '/'\n"
            "  put a '/' in front\n"
            "spate: route conflict\n"
            "  POST /{x}/{y:int}/c d/{z...}    at shop/routes.cpp:3\n"
            "  POST /{x}/{n:int}/c d/{z...}    at shop/routes.cpp:5\n"
            "  POST /{q}/{y:int}/c d/{z...}    at shop/routes.cpp:6\n"
            "  all match /77/7/c%20d/7; parameter names do not distinguish routes\n"
            "  give one of them a literal segment or a constraint, e.g. /{x:int}/{y:int}/c d/{z...}\n"
            "spate: bad route method\n"
            "  \"FO O\" /a    at shop/routes.cpp:8\n"
            "  a method is a token (RFC 9110 5.6.2): letters, digits and any of !#$%&'*+-.^_`|~\n"
            "  correct its name\n"
            "spate: route conflict\n"
            "  GET /{t}/{u}    at shop/routes.cpp:10\n"
            "  GET /{t}/{v}    at shop/routes.cpp:12\n"
            "  both match /77/xx; parameter names do not distinguish routes\n"
            "  give one of them a literal segment or a constraint, e.g. /{t:int}/{u}\n"
            "spate: route conflict\n"
            "  GET /7/{b:int}    at shop/routes.cpp:13\n"
            "  GET /7/{c:int}    at shop/routes.cpp:14\n"
            "  both match /7/7; parameter names do not distinguish routes\n"
            "  give one of them a literal segment");
}

TEST(Router, PatternsThatPrecedenceTellsApartDoNotConflict) {
  RouteTable table;
  for (auto pattern : {"/{a}/x", "/y/{b}", "/{a:int}/x", "/{a}/{b}", "/{r...}", "/{a}/{r...}"}) {
    table.add(Method::get, "", pattern, 0);
  }
  EXPECT_EQ(refusal(table), "sealed");
}
// clang-format on

}  // namespace
}  // namespace spate::app
