// SPDX-License-Identifier: MIT
#include "app/pattern.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace spate::app {
namespace {

std::string shape(const Pattern& pattern) {
  std::string out;
  for (const Segment& segment : pattern.segments) {
    switch (segment.kind) {
      case PatternKind::literal:
        out += "/" + segment.text;
        break;
      case PatternKind::integer:
        out += "/<int " + segment.text + ">";
        break;
      case PatternKind::text:
        out += "/<text " + segment.text + ">";
        break;
      case PatternKind::rest:
        out += "/<rest " + segment.text + ">";
        break;
      case PatternKind::none:
        out += "/<none>";
        break;
    }
  }
  return out;
}

TEST(Pattern, AWellFormedPatternIsReadIntoSegments) {
  const struct {
    std::string_view text;
    std::string_view expected;
  } cases[] = {
      {"/", "/"},
      {"//", "//"},
      {"/a", "/a"},
      {"/a/", "/a/"},
      {"/a//b", "/a//b"},
      {"/hello/{name}", "/hello/<text name>"},
      {"/users/{id:int}", "/users/<int id>"},
      {"/files/{path...}", "/files/<rest path>"},
      {"/{rest...}", "/<rest rest>"},
      {"/{a}/{b:int}/x/{c...}", "/<text a>/<int b>/x/<rest c>"},
      {"/{user-id}/{_x9}", "/<text user-id>/<text _x9>"},
      {"/{{x}}", "/{x}"},
      {"/a{{b}}c", "/a{b}c"},
      {"/{{{{", "/{{"},
      {"/a b", "/a b"},
      {"/100%", "/100%"},
      {"/50%x", "/50%x"},
      {"/caf\xc3\xa9", "/caf\xc3\xa9"},
      {"/...", "/..."},
      {"/.well-known/x", "/.well-known/x"},
      {"/a;b=c,d", "/a;b=c,d"},
  };
  for (const auto& c : cases) {
    auto pattern = parse_pattern(c.text);
    ASSERT_TRUE(pattern) << c.text << "\n" << pattern.error().detail;
    EXPECT_EQ(shape(*pattern), c.expected) << c.text;
  }
}

TEST(Pattern, OnlyAPatternWithoutParametersIsStatic) {
  EXPECT_TRUE(parse_pattern("/a/{{b}}/")->is_static());
  EXPECT_FALSE(parse_pattern("/a/{b}")->is_static());
  EXPECT_FALSE(parse_pattern("/{b...}")->is_static());
}

TEST(Pattern, EachFaultIsNamedAndFoundAtItsPlace) {
  using enum PatternFault;
  const struct {
    std::string_view text;
    PatternFault fault;
    std::size_t position;
  } cases[] = {
      {"", no_leading_slash, 0},
      {"a/b", no_leading_slash, 0},
      {"{x}", no_leading_slash, 0},
      {"/a/{x", unclosed_brace, 3},
      {"/{x/y}", unclosed_brace, 1},
      {"/{a{b}}", unclosed_brace, 1},
      {"/{", unclosed_brace, 1},
      {"/a}", stray_brace, 2},
      {"/}", stray_brace, 1},
      {"/a{x}", not_whole_segment, 2},
      {"/{x}a", not_whole_segment, 4},
      {"/{x}}", not_whole_segment, 4},
      {"/{x}{y}", not_whole_segment, 4},
      {"/{{{x}}}", not_whole_segment, 3},
      {"/{rest...}x", not_whole_segment, 10},
      {"/{}", bad_name, 2},
      {"/{...}", bad_name, 2},
      {"/{:int}", bad_name, 2},
      {"/{9x}", bad_name, 2},
      {"/{a b}", bad_name, 2},
      {"/{-a}", bad_name, 2},
      {"/{x:int...}", bad_name, 2},
      {"/{x...:int}", bad_name, 2},
      {"/{x*}", bad_name, 2},
      {"/{x:uuid}", unknown_constraint, 4},
      {"/{x:}", unknown_constraint, 4},
      {"/{x:INT}", unknown_constraint, 4},
      {"/{x: int}", unknown_constraint, 4},
      {"/{rest...}/x", rest_not_last, 1},
      {"/a/{rest...}/", rest_not_last, 3},
      {"/{x}/{x}", duplicate_name, 6},
      {"/{x:int}/a/{x...}", duplicate_name, 12},
      {"/search?q={q}", query_or_fragment, 7},
      {"/a#b", query_or_fragment, 2},
      {"/a%20b", percent_escape, 2},
      {"/%2F", percent_escape, 1},
      {"/.", dot_segment, 1},
      {"/a/../b", dot_segment, 3},
      {"/a\nb", control_character, 2},
      {"/a\x7f", control_character, 2},
      {std::string_view("/a\0", 3), control_character, 2},
      {"/ab\xff", invalid_utf8, 3},
      {"/ab\xc3\xa9\xc3", invalid_utf8, 5},
  };
  for (const auto& c : cases) {
    const PatternCheck check = check_run_time_pattern(c.text);
    EXPECT_EQ(check.fault, c.fault) << c.text;
    EXPECT_EQ(check.position, c.position) << c.text;
    auto pattern = parse_pattern(c.text);
    ASSERT_FALSE(pattern) << c.text;
    EXPECT_TRUE(pattern.error().is(Errc::configuration));
  }
}

TEST(Pattern, SixteenParametersAndSixtyFourSegmentsAreTheMost) {
  std::string parameters;
  for (int i = 0; i < 16; ++i) parameters += "/{p" + std::to_string(i) + "}";
  EXPECT_TRUE(parse_pattern(parameters));
  EXPECT_EQ(check_pattern(parameters + "/{q}").fault, PatternFault::too_many_parameters);
  std::string segments;
  for (int i = 0; i < 64; ++i) segments += "/s";
  EXPECT_TRUE(parse_pattern(segments));
  EXPECT_EQ(check_pattern(segments + "/s").fault, PatternFault::too_many_segments);
}

TEST(Pattern, EveryFaultHasASentenceAndAnAdvice) {
  for (int i = 1; i <= static_cast<int>(PatternFault::invalid_utf8); ++i) {
    const FaultText text = pattern_fault_text(static_cast<PatternFault>(i));
    EXPECT_FALSE(text.what.empty()) << i;
    EXPECT_FALSE(text.advice.empty()) << i;
  }
}

std::string message(std::string_view method, std::string_view pattern) {
#line 41 "shop/routes.cpp"
  const auto where = std::source_location::current();
  return describe_pattern_fault(method, pattern, check_run_time_pattern(pattern), where);
}

TEST(Pattern, TheMessagePointsAtTheFaultAndSaysWhatToDo) {
  EXPECT_EQ(message("GET", "/users/{id"),
            "spate: bad route pattern\n"
            "  GET /users/{id    at shop/routes.cpp:41\n"
            "             ^\n"
            "  this '{' is not closed; expected '}' before the end of the segment\n"
            "  write {name}, {name:int} or, as the last segment, {name...}; a literal brace is {{");
  EXPECT_EQ(message("PUT", "/\xc3\xa9/{n:uuid}"),
            "spate: bad route pattern\n"
            "  PUT /\xc3\xa9/{n:uuid}    at shop/routes.cpp:41\n"
            "            ^\n"
            "  unknown constraint; expected 'int'\n"
            "  write {name:int}, or take {name} and check its value in the handler");
}

TEST(Pattern, AMessageShowsControlBytesEscapedAndKeepsTheCaretInPlace) {
  EXPECT_EQ(message("GET", "/\x1b[2J"),
            "spate: bad route pattern\n"
            "  GET /\\x1B[2J    at shop/routes.cpp:41\n"
            "       ^\n"
            "  expected no control character\n"
            "  remove it");
  EXPECT_EQ(message("GET", "/a\xff/"),
            "spate: bad route pattern\n"
            "  GET /a\\xFF/    at shop/routes.cpp:41\n"
            "        ^\n"
            "  expected UTF-8\n"
            "  save the source as UTF-8, or repair what makes the pattern");
}

// The compile-time half: these are the test, the run-time body only counts.
static_assert(FixedString("/a/{x}").view() == "/a/{x}");
static_assert(pattern_has_param(FixedString("/a/{x}"), "x"));
static_assert(!pattern_has_param(FixedString("/a/{x}"), "a"));
static_assert(!pattern_has_param(FixedString("/{{x}}"), "x"));
static_assert(pattern_param("/{a}/{b:int}/{c...}", "a") == PatternKind::text);
static_assert(pattern_param("/{a}/{b:int}/{c...}", "b") == PatternKind::integer);
static_assert(pattern_param("/{a}/{b:int}/{c...}", "c") == PatternKind::rest);
static_assert(pattern_param("/{a}/{b:int}/{c...}", "d") == PatternKind::none);
static_assert(pattern_param_count("/{a}/x/{c...}") == 2);
static_assert(pattern_fault("/a/{x") == PatternFault::unclosed_brace);
static_assert(pattern_fault("/a/{x:int}/") == PatternFault::none);
static_assert(require_pattern<"/hello/{name}">());

template <FixedString pattern>
constexpr std::string_view text_of() {
  return pattern.view();
}

TEST(Pattern, AStringLiteralIsATemplateArgument) {
  constexpr std::string_view text = text_of<"/hello/{name}">();
  EXPECT_EQ(text, "/hello/{name}");
}

}  // namespace
}  // namespace spate::app
