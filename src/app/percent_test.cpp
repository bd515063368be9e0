// SPDX-License-Identifier: MIT
#include "app/percent.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace spate::app {
namespace {

using namespace std::string_view_literals;

struct Decoded {
  PathFault fault;
  std::string text;
  bool operator==(const Decoded&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Decoded& d) {
  return out << static_cast<int>(d.fault) << " \"" << d.text << '"';
}

Decoded normalize(std::string_view raw, EncodedSlash slash = EncodedSlash::refuse) {
  // Exactly as much room as is promised to be enough: a sanitizer sees one byte more.
  std::vector<char> scratch(raw.size());
  const NormalPath path = normalize_path(raw, scratch, slash);
  if (path.fault != PathFault::none) return {path.fault, ""};
  return {path.fault, std::string(path.text)};
}

Decoded good(std::string_view text) { return {PathFault::none, std::string(text)}; }
Decoded bad(PathFault fault) { return {fault, ""}; }

TEST(Path, IsDecodedExactlyOnce) {
  EXPECT_EQ(normalize("/"), good("/"));
  EXPECT_EQ(normalize("/a/b"), good("/a/b"));
  EXPECT_EQ(normalize("/%61"), good("/a"));
  EXPECT_EQ(normalize("/a%20b"), good("/a b"));
  EXPECT_EQ(normalize("/a+b"), good("/a+b"));
  EXPECT_EQ(normalize("/%252e"), good("/%2e"));
  EXPECT_EQ(normalize("/%252F"), good("/%2F"));
  EXPECT_EQ(normalize("/%25252e"), good("/%252e"));
  EXPECT_EQ(normalize("/%252e%252e/x"), good("/%2e%2e/x"));
  EXPECT_EQ(normalize("/%c3%A9"), good("/\xc3\xa9"));
  EXPECT_EQ(normalize("/%C3\xa9"), good("/\xc3\xa9"));
  EXPECT_EQ(normalize("/%3F%23"), good("/?#"));
  EXPECT_EQ(normalize("/%0a"), good("/\n"));
}

TEST(Path, WithoutEscapesIsTheSameBytesAndNeedsNoBuffer) {
  const std::string raw = "/users/\xc3\xa9/a.b.c/...";
  const NormalPath path = normalize_path(raw, {});
  EXPECT_EQ(path.fault, PathFault::none);
  EXPECT_EQ(path.text.data(), raw.data());
  EXPECT_EQ(path.text.size(), raw.size());
}

TEST(Path, WithEscapesAndTooSmallABufferIsRefused) {
  char scratch[3];
  EXPECT_EQ(normalize_path("/%61", scratch).fault, PathFault::no_space);
}

TEST(Path, ThatDoesNotStartWithASlashIsRefused) {
  EXPECT_EQ(normalize(""), bad(PathFault::no_leading_slash));
  EXPECT_EQ(normalize("*"), bad(PathFault::no_leading_slash));
  EXPECT_EQ(normalize("a/b"), bad(PathFault::no_leading_slash));
  EXPECT_EQ(normalize("%2Fa"), bad(PathFault::no_leading_slash));
}

TEST(Path, WithABadEscapeIsRefused) {
  for (auto raw : {"/%", "/%2", "/a%", "/%zz", "/%2g", "/%g2", "/% 20", "/%%20", "/%+1", "/%0x",
                   "/abcdefg%", "/abcdef%2"}) {
    EXPECT_EQ(normalize(raw), bad(PathFault::bad_escape)) << raw;
  }
}

TEST(Path, IsNeverReadBeyondItsEnd) {
  // What follows the view would complete the escape.
  EXPECT_EQ(normalize("/%41"sv.substr(0, 3)), bad(PathFault::bad_escape));
  EXPECT_EQ(normalize("/%41"sv.substr(0, 2)), bad(PathFault::bad_escape));
  char out[4];
  EXPECT_FALSE(decode_segment("%41"sv.substr(0, 2), out));
  char scratch[4];
  EXPECT_FALSE(QueryView("q=%41"sv.substr(0, 4)).find("q", scratch));
  EXPECT_FALSE(QueryView("%41=1"sv.substr(0, 2)).find("A", scratch));
  EXPECT_FALSE(is_utf8("\xc3\xa9"sv.substr(0, 1)));
}

TEST(Path, WithNulIsRefused) {
  EXPECT_EQ(normalize("/%00"), bad(PathFault::nul));
  EXPECT_EQ(normalize("/file.txt%00.png"), bad(PathFault::nul));
  EXPECT_EQ(normalize("/a\0b"sv), bad(PathFault::nul));
  EXPECT_EQ(normalize("/abcdefgh\0"sv), bad(PathFault::nul));
}

TEST(Path, WithAnEncodedSlashIsRefusedUnlessAllowed) {
  EXPECT_EQ(normalize("/a%2Fb"), bad(PathFault::encoded_slash));
  EXPECT_EQ(normalize("/a%2fb"), bad(PathFault::encoded_slash));
  EXPECT_EQ(normalize("/a%2Fb", EncodedSlash::allow), good("/a\0b"sv));
  EXPECT_EQ(normalize("/a%2F..", EncodedSlash::allow), bad(PathFault::dot_segment));
  EXPECT_EQ(normalize("/..%2Fa", EncodedSlash::allow), bad(PathFault::dot_segment));
  EXPECT_EQ(normalize("/a%2F%2e%2E%2Fb", EncodedSlash::allow), bad(PathFault::dot_segment));
  EXPECT_EQ(normalize("/a%2F...", EncodedSlash::allow), good("/a\0..."sv));
}

TEST(Path, WithDotSegmentsIsRefusedHoweverTheyAreSpelled) {
  for (auto raw : {"/.", "/..", "/./", "/../", "/a/.", "/a/..", "/a/../b", "/a/./b", "/%2e",
                   "/%2e%2e", "/.%2E", "/%2e.", "/a/%2e%2e/b", "/aaaaaaaa/.", "/a.b/.."}) {
    EXPECT_EQ(normalize(raw), bad(PathFault::dot_segment)) << raw;
  }
  for (auto raw : {"/...", "/.a", "/a.", "/..a", "/a..", "/a..b", "/a/.b/c.", "/.well-known/x"}) {
    EXPECT_EQ(normalize(raw), good(raw)) << raw;
  }
}

TEST(Path, ThatIsNotUtf8AfterDecodingIsRefused) {
  for (auto raw : {"/%ff", "/%80", "/%c3", "/%c3/%a9", "/%c0%af", "/%e0%80%af", "/%ed%a0%80",
                   "/%f4%90%80%80", "/%f5%80%80%80", "/\xff", "/%c3x", "/aaaaaaaaaaaa\xc3"}) {
    EXPECT_EQ(normalize(raw), bad(PathFault::invalid_utf8)) << raw;
  }
}

TEST(Utf8, WellFormedSequencesAreTold) {
  for (auto text : {"", "a", "abcdefghijkl", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                    "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
                    "1234567\xc3\xa9", "12345678\xc3\xa9"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (auto text :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf0\x90\x80",
        "\xf8\x88\x80\x80\x80", "1234567\xc3", "12345678\xc3"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(Segment, IsDecodedInPlaceOrRefusedWithAStatus) {
  std::string text = "a%20%C3%A9";
  auto size = decode_segment(text, text.data());
  ASSERT_TRUE(size);
  EXPECT_EQ(text.substr(0, *size), "a \xc3\xa9");
  char out[16];
  EXPECT_EQ(decode_segment("", out).value(), 0U);
  EXPECT_EQ(decode_segment("%252e", out).value(), 3U);
  EXPECT_EQ(std::string_view(out, 3), "%2e");
  for (auto raw : {"%", "%2F", "%00", "%ff", "%2e%2e", "."}) {
    auto refused = decode_segment(raw, out);
    ASSERT_FALSE(refused) << raw;
    EXPECT_TRUE(refused.error().is(Errc::malformed)) << raw;
    EXPECT_EQ(refused.error().status, 400) << raw;
    EXPECT_FALSE(refused.error().detail.empty()) << raw;
  }
}

std::string fields(std::string_view raw) {
  std::string out;
  std::size_t position = 0;
  QueryField field;
  const QueryView query(raw);
  while (query.next(position, field)) {
    out.append("[").append(field.name).append("|").append(field.value).append("]");
  }
  return out;
}

TEST(Query, IsSplitIntoFieldsAsFormsAre) {
  EXPECT_EQ(fields(""), "");
  EXPECT_EQ(fields("a=1"), "[a|1]");
  EXPECT_EQ(fields("a=1&b=2"), "[a|1][b|2]");
  EXPECT_EQ(fields("a"), "[a|]");
  EXPECT_EQ(fields("a="), "[a|]");
  EXPECT_EQ(fields("=1"), "[|1]");
  EXPECT_EQ(fields("="), "[|]");
  EXPECT_EQ(fields("&&a=1&&b=2&"), "[a|1][b|2]");
  EXPECT_EQ(fields("a=b=c"), "[a|b=c]");
  EXPECT_EQ(fields("a;b=1"), "[a;b|1]");
  EXPECT_EQ(fields("a=%26&b+c=%3D"), "[a|%26][b+c|%3D]");
}

// "none", "error STATUS" or "=VALUE".
std::string found(std::string_view raw, std::string_view name) {
  std::vector<char> scratch(raw.size());
  auto value = QueryView(raw).find(name, scratch);
  if (!value) return "error " + std::to_string(value.error().status);
  if (!*value) return "none";
  return "=" + std::string(**value);
}

TEST(Query, TheFirstFieldOfANameIsFoundAndDecodedOnce) {
  EXPECT_EQ(found("a=1&b=2&a=3", "a"), "=1");
  EXPECT_EQ(found("a=1&b=2", "b"), "=2");
  EXPECT_EQ(found("a=1", "c"), "none");
  EXPECT_EQ(found("a=1", ""), "none");
  EXPECT_EQ(found("", "a"), "none");
  EXPECT_EQ(found("ab=1&a=2", "a"), "=2");
  EXPECT_EQ(found("a=1&ab=2", "ab"), "=2");
  EXPECT_EQ(found("a", "a"), "=");
  EXPECT_EQ(found("=x", ""), "=x");
  EXPECT_EQ(found("q=a+b%20c", "q"), "=a b c");
  EXPECT_EQ(found("q=a%2Bb", "q"), "=a+b");
  EXPECT_EQ(found("q=%2526", "q"), "=%26");
  EXPECT_EQ(found("q=%26%3D%2F", "q"), "=&=/");
  EXPECT_EQ(found("%71=1", "q"), "=1");
  EXPECT_EQ(found("a+b=1", "a b"), "=1");
  EXPECT_EQ(found("a%3Db=1", "a=b"), "=1");
  EXPECT_EQ(found("A=1", "a"), "none");
  EXPECT_EQ(found("caf%C3%A9=1", "caf\xc3\xa9"), "=1");
}

TEST(Query, AMalformedValueOrAMalformedNameBeforeItIsAnError) {
  EXPECT_EQ(found("q=%", "q"), "error 400");
  EXPECT_EQ(found("q=%zz", "q"), "error 400");
  EXPECT_EQ(found("q=%00", "q"), "error 400");
  EXPECT_EQ(found("q=%ff", "q"), "error 400");
  EXPECT_EQ(found("q=\xff", "q"), "error 400");
  EXPECT_EQ(found("q=a\0b"sv, "q"), "error 400");
  EXPECT_EQ(found("%zz=1&q=2", "q"), "error 400");
  EXPECT_EQ(found("xxxx%4=1&q=2", "q"), "error 400");
  EXPECT_EQ(found("q=2&%zz=1", "q"), "=2");
  EXPECT_EQ(found("a=%zz&q=2", "q"), "=2");
}

TEST(Query, AValueWithoutEscapesIsAViewOfTheQueryItself) {
  const std::string raw = "a=1&b=plain";
  const auto value = QueryView(raw).find("b", {});
  ASSERT_TRUE(value && *value);
  EXPECT_EQ((*value)->data(), raw.data() + 6);
}

TEST(Query, ABufferThatIsTooSmallIsAnErrorOfTheProgram) {
  const auto value = QueryView("b=%41").find("b", {});
  ASSERT_FALSE(value);
  EXPECT_TRUE(value.error().is(Errc::internal));
}

TEST(Query, AThousandFieldsAreRead) {
  std::string raw;
  for (int i = 0; i < 999; ++i) raw += "a=1&";
  EXPECT_EQ(found(raw + "q=2", "q"), "=2");
  EXPECT_EQ(found("a=1&" + raw + "q=2", "q"), "error 400");
  EXPECT_TRUE(QueryView(raw + "q=2").check());
  const auto refused = QueryView("a=1&" + raw + "q=2").check();
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(Errc::too_large));
}

TEST(Query, ANameOfAKibibyteIsRead) {
  const std::string longest(1024, 'n');
  EXPECT_EQ(found(longest + "=1", longest), "=1");
  EXPECT_EQ(found(longest + "n=1&q=1", "q"), "error 400");
  EXPECT_FALSE(QueryView(longest + "n=1").check());
}

TEST(Query, ACheckFindsAFaultAnywhere) {
  EXPECT_TRUE(QueryView("").check());
  EXPECT_TRUE(QueryView("a=%20&=&b+c=%C3%A9").check());
  for (auto raw : {"a=1&b=%", "a=1&%=2", "a=%00", "%00=a", "a=%ff", "\xff=1", "a=1&b=%C3&c=1"}) {
    EXPECT_FALSE(QueryView(raw).check()) << raw;
  }
}

}  // namespace
}  // namespace spate::app
