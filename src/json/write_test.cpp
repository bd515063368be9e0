// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <cfloat>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <spate/json/write.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "json/utf8.hpp"

namespace {

using spate::to_json;

enum class Colour : std::uint8_t { red, green };
struct Point {
  int x;
  int y;
};
struct Shape {
  std::string name;
  Colour colour;
  std::optional<Point> centre;
  std::vector<Point> corners;
  std::map<std::string, double> weights;
  std::unique_ptr<Point> origin;
  std::array<bool, 2> flags;
};
struct Empty {};
struct Hello {
  std::string_view message;
};

// A sink with windows of a given size, each elsewhere in memory, refusing when the budget is used
// up.
class PieceSink final : public spate::JsonSink {
 public:
  PieceSink(std::size_t piece, std::size_t pieces)
      : JsonSink(nullptr, nullptr), piece_(piece), left_(pieces) {}

  std::string text() {
    std::string all;
    close(position());
    for (const auto& part : parts_) all += part;
    return all;
  }

 private:
  Window more(char* written, std::size_t bytes) override {
    close(written);
    if (left_ == 0) return {};
    --left_;
    const std::size_t size = piece_ < bytes ? bytes : piece_;
    blocks_.push_back(std::make_unique<char[]>(size));
    begin_ = blocks_.back().get();
    return {begin_, begin_ + size};
  }

  void close(char* written) {
    if (begin_ != nullptr && !overflowed()) parts_.emplace_back(begin_, written);
    begin_ = nullptr;
  }

  std::size_t piece_;
  std::size_t left_;
  char* begin_ = nullptr;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::vector<std::string> parts_;
};

TEST(JsonWrite, writes_an_aggregate_with_all_kinds_of_members) {
  Shape shape{"square", Colour::green, Point{1, -2}, {{0, 0}, {3, 4}}, {{"a", 0.5}}, nullptr, {}};
  shape.origin = std::make_unique<Point>(Point{7, 8});
  EXPECT_EQ(to_json(shape), R"({"name":"square","colour":"green","centre":{"x":1,"y":-2},)"
                            R"("corners":[{"x":0,"y":0},{"x":3,"y":4}],"weights":{"a":0.5},)"
                            R"("origin":{"x":7,"y":8},"flags":[false,false]})");
}

TEST(JsonWrite, writes_empty_optionals_and_pointers_as_null) {
  EXPECT_EQ(to_json(Shape{}),
            R"({"name":"","colour":"red","centre":null,"corners":[],"weights":{},)"
            R"("origin":null,"flags":[false,false]})");
}

TEST(JsonWrite, writes_values_that_are_no_objects) {
  EXPECT_EQ(to_json(true), "true");
  EXPECT_EQ(to_json(std::string("x")), "\"x\"");
  EXPECT_EQ(to_json(Empty{}), "{}");
  EXPECT_EQ(to_json(Hello{"Hello, World!"}), R"({"message":"Hello, World!"})");
  EXPECT_EQ(to_json(std::vector<bool>{true, false}), "[true,false]");
  EXPECT_EQ((to_json(std::array<int, 0>{})), "[]");
  EXPECT_EQ((to_json(std::unordered_map<std::string, int>{{"k\"", 1}})), R"({"k\"":1})");
  EXPECT_EQ(to_json(std::optional<int>{}), "null");
  const std::array<int, 3> numbers{1, 2, 3};
  EXPECT_EQ(to_json(std::span<const int>(numbers)), "[1,2,3]");
  const char* nothing = nullptr;
  EXPECT_EQ(to_json(nothing), "null");
  const char* literal = "text";
  EXPECT_EQ(to_json(literal), "\"text\"");
}

TEST(JsonWrite, writes_integers_at_their_limits_as_numbers) {
  EXPECT_EQ(to_json(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(to_json(std::numeric_limits<std::int64_t>::max()), "9223372036854775807");
  EXPECT_EQ(to_json(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(to_json(std::int8_t{-128}), "-128");
  EXPECT_EQ(to_json(std::uint8_t{255}), "255");
  EXPECT_EQ(to_json(0), "0");
}

TEST(JsonWrite, writes_integers_of_every_length) {
  std::uint64_t number = 1;
  std::string expected = "1";
  for (int digits = 1; digits <= 19; ++digits) {
    EXPECT_EQ(to_json(number), expected);
    EXPECT_EQ(to_json(-static_cast<std::int64_t>(number)), "-" + expected);
    const auto digit = static_cast<std::uint64_t>((digits + 1) % 10);
    number = number * 10 + digit;
    expected += static_cast<char>('0' + digit);
    if (digits == 18) break;
  }
}

TEST(JsonWrite, writes_floating_numbers_in_their_shortest_form) {
  EXPECT_EQ(to_json(0.1), "0.1");
  EXPECT_EQ(to_json(1.0), "1");
  EXPECT_EQ(to_json(-0.0), "-0");
  EXPECT_EQ(to_json(1e22), "1e+22");
  EXPECT_EQ(to_json(0.1f), "0.1");
  EXPECT_EQ(to_json(DBL_MAX), "1.7976931348623157e+308");
  EXPECT_EQ(to_json(-DBL_MIN), "-2.2250738585072014e-308");
}

TEST(JsonWrite, writes_what_json_cannot_say_as_null) {
  EXPECT_EQ(to_json(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(to_json(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(to_json(-std::numeric_limits<float>::infinity()), "null");
}

TEST(JsonWrite, writes_an_enum_value_without_a_name_as_its_number) {
  EXPECT_EQ(to_json(Colour{9}), "9");
}

TEST(JsonWrite, escapes_quotes_backslashes_and_controls) {
  EXPECT_EQ(to_json(std::string("a\"b\\c/d")), R"("a\"b\\c/d")");
  EXPECT_EQ(to_json(std::string("\b\f\n\r\t")), R"("\b\f\n\r\t")");
  EXPECT_EQ(to_json(std::string("\0\x01\x1f\x7f", 4)), "\"\\u0000\\u0001\\u001f\x7f\"");
  EXPECT_EQ(to_json(std::string("</script>")), "\"</script>\"");
}

TEST(JsonWrite, escapes_at_every_position_of_a_long_string) {
  for (std::size_t size = 0; size < 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'x');
      text[at] = '"';
      std::string expected(1, '"');
      expected.append(at, 'x').append("\\\"").append(size - at - 1, 'x').push_back('"');
      ASSERT_EQ(to_json(text), expected);
    }
  }
}

TEST(JsonWrite, keeps_utf8_and_replaces_what_is_not) {
  EXPECT_EQ(to_json(std::string("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80")),
            "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"");
  const std::string replacement = "\xEF\xBF\xBD";
  const std::vector<std::pair<std::string, int>> wrong = {
      {"\x80", 1},              // a continuation alone
      {"\xC0\xAF", 2},          // overlong
      {"\xE0\x80\xAF", 3},      // overlong
      {"\xED\xA0\x80", 3},      // a surrogate
      {"\xF4\x90\x80\x80", 4},  // above U+10FFFF
      {"\xF5", 1},
      {"\xE2\x82", 1},  // cut short: one for the maximal part
      {"\xF0\x9F\x98", 1},
      {"\xFF", 1},
  };
  for (const auto& [bytes, count] : wrong) {
    std::string expected = "\"a";
    for (int i = 0; i < count; ++i) expected += replacement;
    EXPECT_EQ(to_json("a" + bytes), expected + "\"");
    EXPECT_EQ(to_json("a" + bytes + "b"), expected + "b\"");
  }
}

TEST(JsonWrite, writes_the_same_text_into_windows_of_any_size) {
  std::vector<Shape> shapes(5);
  shapes[2].name = std::string(1000, 'n') + "\n\xE2\x82\xAC\"";
  shapes[4].weights = {{"pi", 3.141592653589793}, {"e", 2.718281828459045}};
  const std::string expected = to_json(shapes);
  for (std::size_t piece = 1; piece < 400; ++piece) {
    PieceSink out(piece, 100000);
    spate::write_json(out, shapes);
    ASSERT_EQ(out.text(), expected) << piece;
    ASSERT_FALSE(out.overflowed());
  }
}

TEST(JsonWrite, says_that_it_overflowed_when_memory_is_refused) {
  const std::vector<std::string> texts(100, std::string(777, '\n'));
  for (std::size_t pieces : {0u, 1u, 5u}) {
    PieceSink out(300, pieces);
    spate::write_json(out, texts);
    EXPECT_TRUE(out.overflowed());
  }
}

TEST(JsonWrite, takes_empty_text_into_an_empty_window) {
  PieceSink out(10, 10);
  out.append({});
  EXPECT_EQ(out.text(), "");
  EXPECT_FALSE(out.overflowed());
}

TEST(JsonWrite, appends_to_what_a_string_has_already) {
  std::string text = "data: ";
  spate::JsonStringSink out(text);
  spate::write_json(out, Point{1, 2});
  out.finish();
  EXPECT_EQ(text, R"(data: {"x":1,"y":2})");
}

}  // namespace
