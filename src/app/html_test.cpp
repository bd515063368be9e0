// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <spate/app/answer.hpp>
#include <spate/app/html.hpp>

namespace spate {
namespace {

TEST(HtmlText, escapes_every_argument_and_nothing_of_the_text) {
  EXPECT_EQ(html("<p title=\"{}\">{}</p>", "a\"b'c", "<&>").view(),
            "<p title=\"a&quot;b&#39;c\">&lt;&amp;&gt;</p>");
}

TEST(HtmlText, takes_numbers_and_nests_html_as_it_is) {
  Html rows;
  for (int i = 0; i < 2; ++i) rows += html("<li>{}</li>", i);
  EXPECT_EQ(html("<ul>{}</ul>{}{}", rows, 7u, -2.5).view(), "<ul><li>0</li><li>1</li></ul>7-2.5");
  EXPECT_EQ(html("{}", raw_html("<b>")).view(), "<b>");
}

TEST(HtmlText, leaves_other_braces_alone) {
  EXPECT_EQ(html("<style>p { color: red } a{b:c}</style>").view(),
            "<style>p { color: red } a{b:c}</style>");
  EXPECT_EQ(html("{{}}", "x").view(), "{x}");
}

TEST(HtmlText, an_argument_is_not_read_for_braces) {
  EXPECT_EQ(html("{}|{}", "{}", "second").view(), "{}|second");
}

bool refuses(std::string_view path) {
  try {
    (void)redirect(path);
    return false;
  } catch (const ErrorException& e) {
    return e.error().is(Errc::invalid) && e.error().status == 400;
  }
}

TEST(Redirects, stay_on_this_origin) {
  EXPECT_EQ(redirect("/a?b=c#d").location(), "/a?b=c#d");
  EXPECT_EQ(redirect("/a b\u00fc").location(), "/a%20b%C3%BC");
  EXPECT_EQ(redirect("/", 308).status(), 308);
  using namespace std::string_view_literals;
  for (const std::string_view bad :
       {""sv, "a"sv, "//evil"sv, "/\\evil"sv, "https://evil"sv, "\\\\evil"sv, "/a\r\nx: y"sv,
        "/a\nb"sv, "/\t/evil"sv, "/a\0b"sv}) {
    EXPECT_TRUE(refuses(bad)) << bad;
  }
  EXPECT_THROW((void)redirect("/", 200), ErrorException);
}

TEST(Redirects, leave_this_origin_only_when_asked) {
  EXPECT_EQ(redirect_external("https://example.org/a").location(), "https://example.org/a");
  for (const std::string_view bad : {"javascript:alert(1)", "/a", "https://", "http:///x",
                                     "https://a\r\nb: c", "data:x", "//x"}) {
    EXPECT_THROW((void)redirect_external(bad), ErrorException) << bad;
  }
}

}  // namespace
}  // namespace spate
