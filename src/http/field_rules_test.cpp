// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <spate/http/field_rules.hpp>
#include <string>

namespace spate {
namespace {

TEST(FieldRules, a_token_is_of_the_characters_of_rfc_9110_section_5_6_2) {
  std::string const allowed =
      "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (unsigned byte = 0; byte < 256; ++byte) {
    char const c = static_cast<char>(byte);
    bool const good = allowed.find(c) != std::string::npos;
    EXPECT_EQ(is_token(std::string(1, c)), good) << byte;
    EXPECT_EQ(is_token("a" + std::string(1, c)), good) << byte;
    EXPECT_EQ(is_field_name("a" + std::string(1, c)), good) << byte;
  }
  EXPECT_TRUE(is_token(allowed));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_field_name(""));
}

TEST(FieldRules, a_value_has_no_control_character_but_the_tab) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    bool const good = byte == '\t' || (byte >= 0x20 && byte != 0x7F);
    EXPECT_EQ(is_field_value(std::string("a") + static_cast<char>(byte) + "b"), good) << byte;
  }
  EXPECT_TRUE(is_field_value(""));
  EXPECT_FALSE(is_field_value("a\r\nSet-Cookie: b"));
}

}  // namespace
}  // namespace spate
