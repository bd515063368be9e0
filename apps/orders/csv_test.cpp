// SPDX-License-Identifier: MIT
#include "csv.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using orders::Line;
using orders::LineSplitter;
using orders::parse_order;

std::vector<std::string> split(const std::vector<std::string_view>& pieces, std::size_t longest) {
  std::vector<std::string> out;
  const auto put = [&](const Line& line) {
    out.push_back(std::to_string(line.number) + ":" +
                  (line.too_long ? "too long" : std::string(line.text)));
  };
  LineSplitter lines(longest);
  for (std::string_view piece : pieces) {
    const std::string short_lived(piece);
    lines.feed(short_lived);
    while (auto line = lines.next()) put(*line);
  }
  if (auto line = lines.rest()) put(*line);
  return out;
}

TEST(LineSplitter, lines_are_the_same_wherever_the_pieces_are_cut) {
  const std::string text =
      "one\r\n\ntwo, the second\n" + std::string(40, 'x') + "\nexactly twenty bytes\r\nno end";
  const std::vector<std::string> expected = {
      "1:one", "2:", "3:two, the second", "4:too long", "5:exactly twenty bytes", "6:no end"};
  for (std::size_t a = 0; a <= text.size(); ++a) {
    for (std::size_t b = a; b <= text.size(); ++b) {
      const std::string_view all = text;
      ASSERT_EQ(split({all.substr(0, a), all.substr(a, b - a), all.substr(b)}, 20), expected)
          << "cut at " << a << " and " << b;
    }
  }
}

TEST(LineSplitter, a_line_that_never_ends_is_one_bad_line) {
  const std::string much(1000, 'x');
  EXPECT_EQ(split({much, much, much}, 20), (std::vector<std::string>{"1:too long"}));
  EXPECT_EQ(split({much, "\n", "next"}, 20), (std::vector<std::string>{"1:too long", "2:next"}));
}

TEST(LineSplitter, nothing_has_no_lines) { EXPECT_TRUE(split({"", ""}, 20).empty()); }

TEST(ParseOrder, fields_may_stand_in_quotes) {
  const auto order = parse_order({1, R"("Lovelace, Ada",bolt,3,"say ""hi""")", false});
  ASSERT_TRUE(order) << order.error().detail;
  EXPECT_EQ(order->customer, "Lovelace, Ada");
  EXPECT_EQ(order->item, "bolt");
  EXPECT_EQ(order->quantity, 3);
  EXPECT_EQ(order->note, "say \"hi\"");
}

TEST(ParseOrder, the_note_may_be_left_out) {
  EXPECT_EQ(parse_order({1, "a,b,3", false})->note, std::nullopt);
  EXPECT_EQ(parse_order({1, "a,b,3,", false})->note, std::nullopt);
}

TEST(ParseOrder, a_bad_line_says_why) {
  for (const auto& [text, reason] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"a,b", "expected customer,item,quantity[,note]"},
           {"a,b,1,c,d", "expected customer,item,quantity[,note]"},
           {"a,b,three", "quantity must be a whole number"},
           {"a,b,3x", "quantity must be a whole number"},
           {"a,b,99999999999", "quantity must be a whole number"},
           {"a,b,0", "quantity must be from 1 to 1000000"},
           {",b,1", "customer must have 1 to 100 bytes"},
           {"a,\"b,1", "the quotes do not match"},
           {"a,\"b\"x,1", "the quotes do not match"},
           {"a,x\"b\",1", "the quotes do not match"}}) {
    const auto order = parse_order({1, text, false});
    ASSERT_FALSE(order) << text;
    EXPECT_EQ(order.error().detail, reason) << text;
  }
}

}  // namespace
