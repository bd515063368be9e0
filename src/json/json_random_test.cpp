// SPDX-License-Identifier: MIT
// Properties: what is written is read back as it was; broken text never does more than fail; and
// the plain reading of the grammar agrees with the fast one on every text.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <spate/json/json.hpp>
#include <string>
#include <vector>

#include "json/syntax_fault.hpp"

namespace {

// splitmix64: the same values on every run and every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }
  bool coin() { return (next() & 1) != 0; }

 private:
  std::uint64_t state_;
};

enum class Mood : std::int8_t { calm = -3, glad, wild = 100 };
struct Leaf {
  std::string text;
  double number;
  float small;
  std::int64_t whole;
  std::uint64_t natural;
  std::int16_t tiny;
  bool flag;
  Mood mood;
  bool operator==(const Leaf&) const = default;
};
struct Branch {
  std::vector<Leaf> leaves;
  std::optional<Leaf> maybe;
  std::map<std::string, std::vector<std::optional<int>>> table;
  std::unique_ptr<Branch> next;

  bool operator==(const Branch& other) const {
    return leaves == other.leaves && maybe == other.maybe && table == other.table &&
           (next == nullptr) == (other.next == nullptr) && (!next || *next == *other.next);
  }
};

std::string random_text(Random& random) {
  static const std::string characters[] = {"a",
                                           "Z",
                                           "\"",
                                           "\\",
                                           "/",
                                           "\n",
                                           std::string(1, '\0'),
                                           "\x1f",
                                           "\x7f",
                                           "\xC3\xA9",
                                           "\xE2\x82\xAC",
                                           "\xF0\x9F\x98\x80",
                                           "\xEF\xBF\xBF",
                                           " ",
                                           "~",
                                           "0123456789"};
  std::string text;
  for (std::size_t i = random.below(40); i > 0; --i) text += characters[random.below(16)];
  return text;
}

template <class Float, class Bits>
Float random_float(Random& random) {
  for (;;) {
    const Float value = std::bit_cast<Float>(static_cast<Bits>(random.next()));
    if (std::isfinite(value)) return value;
  }
}

std::uint64_t random_bits(Random& random) { return random.next() >> random.below(64); }

Leaf random_leaf(Random& random) {
  static constexpr Mood moods[] = {Mood::calm, Mood::glad, Mood::wild};
  return {random_text(random),
          random_float<double, std::uint64_t>(random),
          random_float<float, std::uint32_t>(random),
          static_cast<std::int64_t>(random_bits(random) ^ (random.coin() ? ~std::uint64_t{0} : 0)),
          random_bits(random),
          static_cast<std::int16_t>(random.next()),
          random.coin(),
          moods[random.below(3)]};
}

Branch random_branch(Random& random, int depth) {
  Branch branch;
  for (std::size_t i = random.below(4); i > 0; --i) branch.leaves.push_back(random_leaf(random));
  if (random.coin()) branch.maybe = random_leaf(random);
  for (std::size_t i = random.below(4); i > 0; --i) {
    auto& row = branch.table[random_text(random)];
    for (std::size_t n = random.below(4); n > 0; --n) {
      row.push_back(random.coin() ? std::optional<int>(static_cast<int>(random.next()))
                                  : std::nullopt);
    }
  }
  if (depth > 0 && random.coin()) {
    branch.next = std::make_unique<Branch>(random_branch(random, depth - 1));
  }
  return branch;
}

TEST(JsonProperty, what_is_written_is_read_back_as_it_was) {
  Random random(1);
  for (int round = 0; round < 3000; ++round) {
    const Branch branch = random_branch(random, 5);
    const std::string text = spate::to_json(branch);
    const auto read = spate::from_json<Branch>(text, {.deny_unknown = true});
    ASSERT_TRUE(read) << read.error().detail << " in " << text;
    ASSERT_TRUE(*read == branch) << text;
  }
}

TEST(JsonProperty, strings_of_any_bytes_become_valid_json) {
  Random random(2);
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random.below(50), '\0');
    for (char& c : bytes)
      c = static_cast<char>(random.coin() ? 0x7F + random.below(129) : random.next());
    const auto read = spate::from_json<std::string>(spate::to_json(bytes));
    ASSERT_TRUE(read) << read.error().detail;
  }
}

TEST(JsonProperty, changed_text_never_does_more_than_fail) {
  Random random(3);
  static constexpr std::string_view alphabet =
      "{}[]\",:0123456789.eE+-truefalsn\\/ \n\t\x80\xE2\xFF";
  int accepted = 0;
  for (int round = 0; round < 30000; ++round) {
    std::string text = spate::to_json(random_branch(random, 1));
    for (std::size_t i = 1 + random.below(3); i > 0; --i) {
      const std::size_t at = random.below(text.size());
      const char c = alphabet[random.below(alphabet.size())];
      switch (random.below(4)) {
        case 0:
          text[at] = c;
          break;
        case 1:
          text.insert(at, 1, c);
          break;
        case 2:
          text.erase(at, 1 + random.below(4));
          break;
        default:
          text.resize(at + 1);
      }
      if (text.empty()) text.push_back('x');
    }
    // Exactly as large as the text, so that a read behind it is seen by the sanitizers.
    const std::unique_ptr<char[]> exact(new char[text.size()]);
    text.copy(exact.get(), text.size());
    const std::string_view view(exact.get(), text.size());
    const auto read = spate::from_json<Branch>(view);
    if (read) {
      ++accepted;
    } else {
      ASSERT_TRUE(read.error().status == 400 || read.error().status == 422);
    }
    const auto fault = spate::json::find_syntax_fault(view, 64);
    ASSERT_EQ(spate::check_json(view).has_value(),
              fault.kind == spate::json::SyntaxFault::Kind::none)
        << text << " " << fault.detail;
  }
  // The changes are small enough that some texts stay valid, or the test would prove little.
  EXPECT_GT(accepted, 100);
}

}  // namespace
