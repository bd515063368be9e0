// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstdint>
#include <spate/json/enum_name.hpp>

namespace {

enum class Colour : std::uint8_t { red, green = 5, blue = 255 };
enum class Signed { low = -128, minus = -1, zero, high = 255, unseen = 256 };
enum Plain : short { plain_one = 1, plain_two };
enum class Tiny : std::int8_t { low = -128, high = 127 };
enum class Flag : bool { no, yes };
enum class Wide : unsigned long long { one = 1, last = 255 };

template <class A, class B>
struct Holder {
  enum class Inner : unsigned { p, q = 200 };
};

TEST(EnumName, names_enumerators_over_the_whole_range) {
  EXPECT_EQ(spate::enum_name(Colour::red), "red");
  EXPECT_EQ(spate::enum_name(Colour::green), "green");
  EXPECT_EQ(spate::enum_name(Colour::blue), "blue");
  EXPECT_EQ(spate::enum_name(Signed::low), "low");
  EXPECT_EQ(spate::enum_name(Signed::minus), "minus");
  EXPECT_EQ(spate::enum_name(Signed::zero), "zero");
  EXPECT_EQ(spate::enum_name(Signed::high), "high");
  EXPECT_EQ(spate::enum_name(Tiny::low), "low");
  EXPECT_EQ(spate::enum_name(Tiny::high), "high");
  EXPECT_EQ(spate::enum_name(Flag::yes), "yes");
  EXPECT_EQ(spate::enum_name(Wide::last), "last");
}

TEST(EnumName, names_unscoped_nested_and_local_enums) {
  enum class Local { inside };
  EXPECT_EQ(spate::enum_name(plain_two), "plain_two");
  EXPECT_EQ(spate::enum_name(Local::inside), "inside");
  EXPECT_EQ((spate::enum_name(Holder<int, char>::Inner::q)), "q");
}

TEST(EnumName, gives_no_name_to_a_value_that_is_no_enumerator_or_outside_the_range) {
  EXPECT_EQ(spate::enum_name(Colour{7}), "");
  EXPECT_EQ(spate::enum_name(Signed::unseen), "");
  EXPECT_EQ(spate::enum_name(Signed{-129}), "");
}

TEST(EnumName, finds_each_enumerator_once) {
  EXPECT_EQ(spate::json::enum_table<Colour>.kCount, 3u);
  EXPECT_EQ(spate::json::enum_table<Signed>.kCount, 4u);
  EXPECT_EQ(spate::json::enum_table<Tiny>.kCount, 2u);
  EXPECT_EQ(spate::json::enum_table<Flag>.kCount, 2u);
}

TEST(EnumName, parses_exact_names_only) {
  EXPECT_EQ(spate::parse_enum<Colour>("green"), Colour::green);
  EXPECT_EQ(spate::parse_enum<Signed>("minus"), Signed::minus);
  EXPECT_EQ(spate::parse_enum<Colour>("Green"), std::nullopt);
  EXPECT_EQ(spate::parse_enum<Colour>("gree"), std::nullopt);
  EXPECT_EQ(spate::parse_enum<Colour>(""), std::nullopt);
  EXPECT_EQ(spate::parse_enum<Colour>("5"), std::nullopt);
}

}  // namespace
