// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <spate/json/json.hpp>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "json/parser_memory.hpp"

namespace {

using spate::Errc;
using spate::Error;
using spate::from_json;
using spate::Result;

enum class Colour : std::uint8_t { red, green, blue };
struct Item {
  std::string sku;
  double price;
  std::optional<int> count;
};
struct Order {
  int id;
  std::vector<Item> items;
  std::optional<std::string> note;
  Colour colour = Colour::blue;
};
struct Numbers {
  std::optional<std::int8_t> i8;
  std::optional<std::uint8_t> u8;
  std::optional<std::int64_t> i64;
  std::optional<std::uint64_t> u64;
  std::optional<float> f;
  std::optional<double> d;
};
struct Containers {
  std::array<int, 3> fixed;
  std::vector<bool> bits;
  std::deque<std::string> texts;
  std::map<std::string, Item> sorted;
  std::unordered_map<std::string, std::vector<int>> hashed;
  std::unique_ptr<Item> pointer;
};
struct Tree {
  int value;
  std::vector<Tree> children;
};
struct Positive {
  int amount;
  Result<> validate() const {
    if (amount > 0) return {};
    Error error(Errc::invalid, "amount must be positive");
    error.pointer = "/amount";
    return std::unexpected(error);
  }
};
struct Basket {
  std::vector<Positive> lines;
};
struct Nested {
  std::string text;
  // A check that reads JSON itself while the outer text is still being read.
  Result<> validate() const {
    auto inner = from_json<Positive>(text);
    if (!inner) return std::unexpected(inner.error());
    return {};
  }
};
struct Empty {};

template <class T>
std::string fault(std::string_view text, spate::JsonReadOptions options = {}) {
  const auto result = from_json<T>(text, options);
  if (result) return "accepted";
  const Error& error = result.error();
  return std::to_string(error.status) + " " + error.pointer + " " + error.detail;
}

// A thread's first text decides how much memory its parser gets.
TEST(JsonRead, an_empty_text_may_be_the_first_of_a_thread) {
  bool refused = false;
  std::thread([&refused] { refused = !spate::check_json("").has_value(); }).join();
  EXPECT_TRUE(refused);
}

TEST(JsonRead, reads_an_aggregate_with_nested_members) {
  const auto order = from_json<Order>(
      R"( {"id": 7, "items": [{"sku":"a","price":1.5,"count":2},{"price":3,"sku":"b"}],)"
      R"( "note": "hi", "colour":"green"} )");
  ASSERT_TRUE(order) << order.error().detail;
  EXPECT_EQ(order->id, 7);
  ASSERT_EQ(order->items.size(), 2u);
  EXPECT_EQ(order->items[0].sku, "a");
  EXPECT_EQ(order->items[0].price, 1.5);
  EXPECT_EQ(order->items[0].count, 2);
  EXPECT_EQ(order->items[1].price, 3);
  EXPECT_EQ(order->items[1].count, std::nullopt);
  EXPECT_EQ(order->note, "hi");
  EXPECT_EQ(order->colour, Colour::green);
}

TEST(JsonRead, reads_every_container) {
  const auto read =
      from_json<Containers>(R"({"fixed":[1,2,3],"bits":[true,false],"texts":["x"],)"
                            R"("sorted":{"k":{"sku":"s","price":1}},"hashed":{"h":[1,2]},)"
                            R"("pointer":{"sku":"p","price":2}})");
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(read->fixed, (std::array<int, 3>{1, 2, 3}));
  EXPECT_EQ(read->bits, (std::vector<bool>{true, false}));
  EXPECT_EQ(read->texts.front(), "x");
  EXPECT_EQ(read->sorted.at("k").sku, "s");
  EXPECT_EQ(read->hashed.at("h"), (std::vector<int>{1, 2}));
  EXPECT_EQ(read->pointer->sku, "p");
}

TEST(JsonRead, reads_values_that_are_no_objects) {
  EXPECT_EQ(from_json<int>(" 5 ").value(), 5);
  EXPECT_EQ(from_json<bool>("true").value(), true);
  EXPECT_EQ(from_json<std::string>("\"a\\u00e9\\ud83d\\ude00\"").value(),
            "a\xC3\xA9\xF0\x9F\x98\x80");
  EXPECT_EQ(from_json<std::vector<int>>("[]").value().size(), 0u);
  EXPECT_EQ(from_json<std::optional<int>>("null").value(), std::nullopt);
  EXPECT_TRUE(from_json<Empty>("{}"));
  EXPECT_EQ(from_json<std::string>("\"\\u0000\"").value(), std::string(1, '\0'));
}

TEST(JsonRead, treats_null_and_missing_alike_for_optionals) {
  EXPECT_EQ(from_json<Item>(R"({"sku":"a","price":1,"count":null})").value().count, std::nullopt);
  EXPECT_EQ(from_json<Item>(R"({"sku":"a","price":1})").value().count, std::nullopt);
}

TEST(JsonRead, names_the_place_of_a_wrong_type) {
  EXPECT_EQ(fault<Order>(R"({"id":1,"items":[{"sku":"a","price":1},{"sku":"b","price":"x"}]})"),
            "422 /items/1/price expected number, found string");
  EXPECT_EQ(fault<Order>(R"({"id":"1"})"), "422 /id expected integer, found string");
  EXPECT_EQ(fault<Order>("[]"), "422  expected object, found array");
  EXPECT_EQ(fault<Order>(R"({"id":1,"items":{}})"), "422 /items expected array, found object");
  EXPECT_EQ(fault<bool>("null"), "422  expected true or false, found null");
  EXPECT_EQ(fault<std::string>("true"), "422  expected string, found boolean");
  EXPECT_EQ(fault<Order>(R"({"id":null})"), "422 /id expected integer, found null");
  EXPECT_EQ(fault<Item>(R"({"sku":"a","price":1,"count":"x"})"),
            "422 /count expected integer, found string");
}

TEST(JsonRead, reports_the_code_of_each_class_of_fault) {
  EXPECT_TRUE(from_json<int>("x").error().is(Errc::malformed));
  EXPECT_TRUE(from_json<int>("\"x\"").error().is(Errc::invalid));
  EXPECT_TRUE(
      from_json<int>(std::string(65, '[') + std::string(65, ']')).error().is(Errc::too_large));
}

TEST(JsonRead, escapes_pointers_and_cuts_very_long_names) {
  using Map = std::map<std::string, std::map<std::string, int>>;
  EXPECT_EQ(fault<Map>(R"({"a/b":{"c~d":true}})"),
            "422 /a~1b/c~0d expected integer, found boolean");
  const std::string name(100000, 'n');
  EXPECT_LT(fault<Map>("{\"" + name + "\":1}").size(), 300u);
}

TEST(JsonRead, refuses_a_missing_member_unless_it_is_optional) {
  EXPECT_EQ(fault<Order>(R"({"id":1,"colour":"red"})"),
            "422 /items missing member; expected array");
  EXPECT_EQ(fault<Order>(R"({"id":1,"items":[{"sku":"a"}],"colour":"red"})"),
            "422 /items/0/price missing member; expected number");
  // A default of the type does not make a member optional: only std::optional says so.
  EXPECT_EQ(fault<Order>(R"({"id":1,"items":[]})"), "422 /colour missing member; expected string");
}

TEST(JsonRead, ignores_unknown_members_unless_told_otherwise) {
  const std::string text = R"({"x":[{}],"amount":1})";
  EXPECT_EQ(fault<Positive>(text), "accepted");
  EXPECT_EQ(fault<Positive>(text, {.deny_unknown = true}),
            R"(422 /x unknown member; expected "amount")");
}

TEST(JsonRead, refuses_duplicate_members) {
  EXPECT_EQ(fault<Positive>(R"({"amount":1,"amount":2})"),
            "422 /amount duplicate member; expected each name once");
  EXPECT_EQ(fault<Positive>(R"({"amount":1,"\u0061mount":2})"),
            "422 /amount duplicate member; expected each name once");
  EXPECT_EQ((fault<std::map<std::string, int>>(R"({"a":1,"b":1,"a":1})")),
            "422 /a duplicate member; expected each name once");
}

TEST(JsonRead, refuses_unknown_enum_names_and_lists_the_known) {
  EXPECT_EQ(fault<Colour>("\"pink\""), R"(422  unknown name; expected "red", "green" or "blue")");
  EXPECT_EQ(fault<Colour>("1"), "422  expected string, found integer");
}

TEST(JsonRead, accepts_integers_at_their_limits) {
  EXPECT_EQ(from_json<std::int64_t>("-9223372036854775808").value(), INT64_MIN);
  EXPECT_EQ(from_json<std::int64_t>("9223372036854775807").value(), INT64_MAX);
  EXPECT_EQ(from_json<std::uint64_t>("18446744073709551615").value(), UINT64_MAX);
  EXPECT_EQ(from_json<std::int8_t>("-128").value(), -128);
  EXPECT_EQ(from_json<std::uint8_t>("255").value(), 255);
}

TEST(JsonRead, refuses_integers_beyond_their_limits) {
  EXPECT_EQ(fault<Numbers>(R"({"i8":128})"),
            "422 /i8 128 is out of range; expected a number from -128 to 127");
  EXPECT_EQ(fault<Numbers>(R"({"i8":-129})"),
            "422 /i8 -129 is out of range; expected a number from -128 to 127");
  EXPECT_EQ(fault<Numbers>(R"({"u8":256})"),
            "422 /u8 256 is out of range; expected a number from 0 to 255");
  EXPECT_EQ(fault<Numbers>(R"({"u8":-1})"),
            "422 /u8 -1 is out of range; expected a number from 0 to 255");
  EXPECT_EQ(fault<Numbers>(R"({"u64":-1})"),
            "422 /u64 -1 is out of range; expected a number from 0 to 18446744073709551615");
  EXPECT_EQ(fault<Numbers>(R"({"i64":9223372036854775808})"),
            "422 /i64 9223372036854775808 is out of range; expected a number from "
            "-9223372036854775808 to 9223372036854775807");
  EXPECT_EQ(fault<Numbers>(R"({"u64":18446744073709551616})"),
            "422 /u64 expected integer, found number that is not a 64-bit integer");
}

TEST(JsonRead, refuses_fractions_and_exponents_for_integers) {
  const std::string found = "422  expected integer, found number that is not a 64-bit integer";
  EXPECT_EQ(fault<int>("1.5"), found);
  EXPECT_EQ(fault<int>("1.0"), found);
  EXPECT_EQ(fault<int>("1e3"), found);
}

TEST(JsonRead, reads_integers_into_floating_numbers) {
  EXPECT_EQ(from_json<double>("3").value(), 3.0);
  EXPECT_EQ(from_json<double>("18446744073709551615").value(), 18446744073709551615.0);
  EXPECT_EQ(from_json<double>("-0.5e-2").value(), -0.005);
}

TEST(JsonRead, reads_whole_numbers_beyond_64_bits_as_floating_numbers) {
  EXPECT_EQ(from_json<double>("100000000000000000000").value(), 1e20);
  EXPECT_EQ(
      from_json<std::vector<double>>("[-457187844977523097600, 1,18446744073709551616]").value(),
      (std::vector<double>{-457187844977523097600.0, 1, 18446744073709551616.0}));
  EXPECT_EQ(fault<Positive>(R"({"\"99999999999999999999":99999999999999999999,"amount":1})"),
            "accepted");
  const std::string digits(400, '9');
  EXPECT_EQ(fault<Item>(R"({"sku":"a","price":)" + digits + "}"),
            "422 /price JSON number out of range at byte 19: found a number beyond a 64-bit float");
}

TEST(JsonRead, refuses_numbers_that_no_float_holds) {
  EXPECT_EQ(fault<Numbers>(R"({"f":1e39})"),
            "422 /f 1e+39 is out of range; expected a number from -3.4e38 to 3.4e38");
  EXPECT_EQ(from_json<float>("3.4028235e+38").value(), 0x1.fffffep127f);
  EXPECT_EQ(fault<Numbers>(R"({"d":-1e400})"),
            "422 /d JSON number out of range at byte 5: found a number beyond a 64-bit float");
  EXPECT_EQ(from_json<double>("1e-400").value(), 0.0);
}

TEST(JsonRead, names_the_byte_of_a_fault_in_the_syntax) {
  EXPECT_EQ(fault<Order>(R"({"id":1 "x":2})"),
            "400  malformed JSON at byte 8: expected ',' or '}' after a member, found '\"'");
  EXPECT_EQ(fault<Order>(""),
            "400  malformed JSON at byte 0: expected a value, found the end of the text");
  EXPECT_EQ(fault<Order>("{} x"),
            "400  malformed JSON at byte 3: expected the end of the text, found 'x'");
  EXPECT_EQ(fault<Order>("[1,]"), "400  malformed JSON at byte 3: expected a value, found ']'");
  EXPECT_EQ(fault<Order>("[tru]"), "400  malformed JSON at byte 4: expected true, found ']'");
  EXPECT_EQ(fault<Order>("\xEF\xBB\xBF{}"),
            "400  malformed JSON at byte 0: found a byte order mark; send UTF-8 without one");
  EXPECT_EQ(fault<Order>("[\"\xFF\"]"),
            "400  malformed JSON at byte 2: expected UTF-8 in a string, found byte 0xff");
  EXPECT_EQ(fault<Order>(R"(["\ud800"])"),
            "400  malformed JSON at byte 2: found half of a surrogate pair in a string");
  EXPECT_EQ(fault<Order>(std::string_view("{}\0", 3)),
            "400  malformed JSON at byte 2: expected the end of the text, found byte 0x00");
}

TEST(JsonRead, allows_64_levels_and_refuses_65) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(spate::check_json(nested(64)));
  const auto deep = spate::check_json(nested(65));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().status, 400);
  EXPECT_EQ(deep.error().detail, "JSON too deep at byte 64: nested deeper than 64 levels");
  EXPECT_FALSE(spate::check_json(nested(100000)));
}

TEST(JsonRead, reads_a_type_that_contains_itself) {
  const auto tree = from_json<Tree>(
      R"({"value":1,"children":[{"value":2,"children":[{"value":3,"children":[]}]}]})");
  ASSERT_TRUE(tree);
  EXPECT_EQ(tree->children[0].children[0].value, 3);
  EXPECT_EQ(fault<Tree>(R"({"value":1,"children":[{"value":2,"children":[{"value":""}]}]})"),
            "422 /children/0/children/0/value expected integer, found string");
}

TEST(JsonRead, refuses_an_array_of_the_wrong_size) {
  EXPECT_EQ((fault<std::array<int, 2>>("[1]")), "422  expected array of 2, found array of 1");
  EXPECT_EQ((fault<std::array<int, 2>>("[1,2,3]")), "422  expected array of 2, found array of 3");
}

TEST(JsonRead, asks_the_type_whether_its_value_is_valid) {
  EXPECT_EQ(fault<Basket>(R"({"lines":[{"amount":1},{"amount":-1}]})"),
            "422 /lines/1/amount amount must be positive");
  EXPECT_EQ(fault<Basket>(R"({"lines":[{"amount":1}]})"), "accepted");
}

TEST(JsonRead, survives_a_validation_that_reads_json_itself) {
  using List = std::vector<Nested>;
  EXPECT_EQ(fault<List>(R"([{"text":"{\"amount\":1}"},{"text":"{\"amount\":2}"}])"), "accepted");
  EXPECT_EQ(fault<List>(R"([{"text":"{\"amount\":1}"},{"text":"{\"amount\":0}"}])"),
            "422 /1/amount amount must be positive");
  EXPECT_EQ(fault<List>(R"([{"text":"{"}])").substr(0, 7), "400 /0 ");
}

TEST(JsonRead, refuses_four_gibibytes_without_looking_at_them) {
  const char byte = '1';
  const std::string_view huge(&byte, std::size_t{1} << 32);
  const auto read = from_json<int>(huge);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().status, 413);
  EXPECT_TRUE(read.error().is(Errc::too_large));
}

TEST(JsonRead, reads_small_texts_after_a_large_one) {
  std::vector<int> numbers(300000, 12345);
  const std::string text = spate::to_json(numbers);
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(from_json<std::vector<int>>(text).value(), numbers);
    EXPECT_EQ(from_json<int>("1").value(), 1);
    EXPECT_FALSE(from_json<int>("[" + text));
    EXPECT_LE(spate::json::kept_parser_capacity(), 65536u);
  }
}

TEST(JsonRead, keeps_the_parser_of_small_texts) {
  ASSERT_TRUE(spate::check_json(std::string(3000, ' ') + "1"));
  EXPECT_GE(spate::json::kept_parser_capacity(), 3001u);
}

}  // namespace
