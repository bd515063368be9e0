// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <spate/json/reflect.hpp>
#include <spate/json/shape.hpp>
#include <string>
#include <vector>

namespace {

using spate::json::member_count;
using spate::json::member_keys;

template <class T>
std::vector<std::string> names() {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < member_count<T>; ++i) all.emplace_back(member_keys<T>.name(i));
  return all;
}

using Names = std::vector<std::string>;

struct Point {
  int x;
  int y;
};
struct Line {
  Point from;
  Point to;
  std::array<int, 3> colour;
};
struct OnlyNested {
  Line line;
};
struct OnlyArray {
  std::array<Point, 4> points;
};
struct OnlyText {
  std::string text;
};
struct Everything {
  std::string text = "default";
  std::optional<std::string> maybe;
  std::vector<Point> points;
  std::map<std::string, Line> lines;
  std::unique_ptr<Point> pointer;
  bool flag = true;
  const char* literal = "x";
  std::string_view view;
};
struct Node {
  std::vector<Node> children;
  std::unique_ptr<Node> next;
};
struct Empty {};
struct Derived : Point {
  int z;
};
struct NoDefault {
  explicit NoDefault(int n) : number(n) {}
  int number;
};
struct HoldsNoDefault {
  NoDefault inner = NoDefault(1);
};
class Private {
  int hidden_ = 0;

 public:
  int shown() const { return hidden_; }
};
struct SixtyFour {
  int a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5, c6,
      c7;
  int d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6, e7, f0, f1, f2, f3, f4, f5, f6,
      f7;
  int g0, g1, g2, g3, g4, g5, g6, g7, h0, h1, h2, h3, h4, h5, h6, h7;
};
struct SixtyFive {
  int a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7, c0, c1, c2, c3, c4, c5, c6,
      c7;
  int d0, d1, d2, d3, d4, d5, d6, d7, e0, e1, e2, e3, e4, e5, e6, e7, f0, f1, f2, f3, f4, f5, f6,
      f7;
  int g0, g1, g2, g3, g4, g5, g6, g7, h0, h1, h2, h3, h4, h5, h6, h7, i0;
};
enum class Fixed { one };
enum Loose { loose };

TEST(Reflection, counts_a_nested_aggregate_and_an_array_as_one_member) {
  EXPECT_EQ(member_count<Point>, 2u);
  EXPECT_EQ(member_count<Line>, 3u);
  EXPECT_EQ(member_count<OnlyNested>, 1u);
  EXPECT_EQ(member_count<OnlyArray>, 1u);
  EXPECT_EQ(member_count<OnlyText>, 1u);
  EXPECT_EQ(member_count<Empty>, 0u);
  EXPECT_EQ(member_count<Node>, 2u);
  EXPECT_EQ(member_count<Everything>, 8u);
}

TEST(Reflection, names_members_of_every_kind_in_their_order) {
  EXPECT_EQ(names<Line>(), (Names{"from", "to", "colour"}));
  EXPECT_EQ(names<OnlyNested>(), Names{"line"});
  EXPECT_EQ(names<Everything>(),
            (Names{"text", "maybe", "points", "lines", "pointer", "flag", "literal", "view"}));
  EXPECT_EQ(names<Node>(), (Names{"children", "next"}));
  EXPECT_EQ(names<Empty>(), Names{});
}

TEST(Reflection, names_members_of_a_struct_that_is_local_to_a_function) {
  struct Local {
    int größe;
    std::string under_score;
  };
  EXPECT_EQ(names<Local>(), (Names{"größe", "under_score"}));
}

TEST(Reflection, reaches_the_limit_of_64_members_and_not_beyond) {
  EXPECT_EQ(member_count<SixtyFour>, 64u);
  EXPECT_EQ(names<SixtyFour>().back(), "h7");
  EXPECT_TRUE(spate::json::Reflectable<SixtyFour>);
  EXPECT_FALSE(spate::json::Reflectable<SixtyFive>);
}

TEST(Reflection, writes_keys_with_comma_quotes_and_colon) {
  EXPECT_EQ(member_keys<Point>.key(0), ",\"x\":");
  EXPECT_EQ(member_keys<Point>.key(1), ",\"y\":");
}

TEST(Reflection, visits_members_by_reference) {
  Point point{1, 2};
  spate::json::with_members(point, [](int& x, int& y) { std::swap(x, y); });
  EXPECT_EQ(point.x, 2);
  EXPECT_EQ(point.y, 1);
}

TEST(Reflection, refuses_what_it_cannot_see_through) {
  EXPECT_FALSE(spate::json::Reflectable<Derived>);
  EXPECT_FALSE(spate::json::Reflectable<Private>);
  EXPECT_FALSE(spate::json::Reflectable<NoDefault>);
  EXPECT_FALSE(spate::json::Reflectable<HoldsNoDefault>);
  EXPECT_FALSE(spate::json::Reflectable<int>);
  EXPECT_TRUE(spate::json::Reflectable<Empty>);
  EXPECT_TRUE(spate::json::Reflectable<Node>);
}

TEST(Shape, knows_which_types_have_a_form_in_json) {
  EXPECT_TRUE(spate::JsonWritable<Everything>);
  EXPECT_TRUE(spate::JsonWritable<const Everything&>);
  EXPECT_TRUE(spate::JsonReadable<Node>);
  EXPECT_TRUE((spate::JsonReadable<std::map<std::string, std::deque<Point>>>));
  EXPECT_TRUE((spate::JsonReadable<std::array<double, 2>>));
  EXPECT_TRUE(spate::JsonWritable<std::string_view>);
  EXPECT_TRUE(spate::JsonWritable<Fixed>);
  EXPECT_TRUE(spate::JsonReadable<std::unique_ptr<Point>>);
}

TEST(Shape, knows_which_types_have_none) {
  EXPECT_FALSE(spate::JsonReadable<std::string_view>);
  EXPECT_FALSE(spate::JsonReadable<const char*>);
  EXPECT_FALSE(spate::JsonWritable<char>);
  EXPECT_FALSE(spate::JsonWritable<Loose>);
  EXPECT_FALSE(spate::JsonWritable<Private>);
  EXPECT_FALSE(spate::JsonWritable<std::filesystem::path>);
  EXPECT_FALSE((spate::JsonWritable<std::map<int, int>>));
  EXPECT_FALSE((spate::JsonWritable<std::multimap<std::string, int>>));
  EXPECT_FALSE(spate::JsonWritable<std::optional<Private>>);
  EXPECT_FALSE(spate::JsonWritable<std::vector<Private>>);
  EXPECT_FALSE(spate::JsonWritable<int*>);
  EXPECT_FALSE(spate::JsonWritable<void>);
}

}  // namespace
