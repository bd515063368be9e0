// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <spate/app/cookie.hpp>
#include <spate/base/error.hpp>

namespace spate {
namespace {

using namespace std::chrono_literals;

TEST(SetCookie, is_safe_unless_told_otherwise) {
  EXPECT_EQ(SetCookie("sid", "abc").to_string(), "sid=abc; Path=/; HttpOnly; Secure; SameSite=Lax");
  EXPECT_EQ(SetCookie("a", "")
                .path("/x")
                .domain("example.org")
                .max_age(24h)
                .insecure()
                .readable_by_scripts()
                .same_site(SameSite::strict)
                .to_string(),
            "a=; Path=/x; Domain=example.org; Max-Age=86400; SameSite=Strict");
  EXPECT_EQ(SetCookie("a", "b").max_age(-1s).to_string(),
            "a=b; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax");
}

TEST(SetCookie, refuses_what_would_split_or_extend_the_field) {
  using namespace std::string_view_literals;
  for (const std::string_view bad : {"a\rb"sv, "a\nb"sv, "a\0b"sv, "a;b"sv, "a,b"sv, "a b"sv,
                                     "a\"b"sv, "a\\b"sv, "\x7f"sv, "\xc3\xbc"sv}) {
    EXPECT_THROW(SetCookie("a", bad), ErrorException) << bad;
  }
  for (const std::string_view bad : {""sv, "a b"sv, "a=b"sv, "a;b"sv, "a\r\nb"sv}) {
    EXPECT_THROW(SetCookie(bad, "x"), ErrorException) << bad;
  }
  EXPECT_THROW(SetCookie("a", "b").path("/a; Domain=evil"), ErrorException);
  EXPECT_THROW(SetCookie("a", "b").path("a"), ErrorException);
  EXPECT_THROW(SetCookie("a", "b").domain("x\r\ny"), ErrorException);
}

TEST(SetCookie, keeps_the_promises_of_its_name) {
  EXPECT_NO_THROW((void)SetCookie("__Host-a", "b").to_string());
  EXPECT_THROW((void)SetCookie("__Host-a", "b").insecure().to_string(), ErrorException);
  EXPECT_THROW((void)SetCookie("__host-a", "b").path("/x").to_string(), ErrorException);
  EXPECT_THROW((void)SetCookie("__Host-a", "b").domain("x.org").to_string(), ErrorException);
  EXPECT_THROW((void)SetCookie("__Secure-a", "b").insecure().to_string(), ErrorException);
  EXPECT_THROW((void)SetCookie("a", "b").same_site(SameSite::none).insecure().to_string(),
               ErrorException);
}

}  // namespace
}  // namespace spate
