// SPDX-License-Identifier: MIT
// The chunked coding against RFC 9112 7.1: a table of raw bodies, each fed whole, byte by byte,
// split at every offset and at random, and mutations of them against a plain second reading.
#include "http/h1/chunked.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "http/ascii.hpp"

namespace spate::h1 {
namespace {

using namespace std::string_literals;
using enum ParseError;

struct Outcome {
  ChunkStatus status = ChunkStatus::need_more;
  ParseError error = none;
  std::size_t consumed = 0;
  std::string data;

  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  return out << "status " << static_cast<int>(o.status) << " " << to_string(o.error) << " at "
             << o.consumed << " data [" << o.data << "]";
}

// Feeds the pieces between `ends`, each in a heap block of exactly its size.
Outcome feed(std::string_view bytes, const std::vector<std::size_t>& ends,
             const ChunkLimits& limits) {
  ChunkedDecoder decoder(limits);
  Outcome outcome;
  std::size_t begin = 0;
  for (std::size_t end : ends) {
    auto const copy = std::make_unique_for_overwrite<char[]>(end - begin);
    std::copy_n(bytes.data() + begin, end - begin, copy.get());
    std::string_view in(copy.get(), end - begin);
    begin = end;
    for (;;) {
      ChunkResult const result = decoder.step(in);
      EXPECT_LE(result.consumed, in.size());
      outcome.status = result.status;
      outcome.error = result.error;
      outcome.consumed += result.consumed;
      if (result.status == ChunkStatus::data) {
        EXPECT_FALSE(result.data.empty());
        EXPECT_GE(result.data.data(), in.data());
        EXPECT_EQ(result.data.data() + result.data.size(), in.data() + result.consumed);
        outcome.data += result.data;
        EXPECT_EQ(decoder.body_size(), outcome.data.size());
        in.remove_prefix(result.consumed);
        continue;
      }
      if (result.status == ChunkStatus::need_more) {
        EXPECT_EQ(result.consumed, in.size());
        break;
      }
      EXPECT_EQ(decoder.is_done(), result.status == ChunkStatus::done);
      ChunkResult const again = decoder.step(in);
      EXPECT_EQ(again.status, result.status) << "an end is final";
      EXPECT_EQ(again.error, result.error);
      EXPECT_EQ(again.consumed, 0U);
      return outcome;
    }
  }
  return outcome;
}

Outcome feed_whole(std::string_view bytes, const ChunkLimits& limits = {}) {
  return feed(bytes, {bytes.size()}, limits);
}

void expect_invariant(std::string_view bytes, const ChunkLimits& limits, const Outcome& whole) {
  std::vector<std::size_t> each(bytes.size());
  for (std::size_t i = 0; i < each.size(); ++i) each[i] = i + 1;
  EXPECT_EQ(feed(bytes, each, limits), whole) << "byte by byte";
  for (std::size_t i = 1; i < bytes.size() && bytes.size() < 1000; ++i) {
    EXPECT_EQ(feed(bytes, {i, bytes.size()}, limits), whole) << "split at " << i;
  }
  std::mt19937 random(static_cast<unsigned>(bytes.size()));
  for (int round = 0; round < 20; ++round) {
    std::vector<std::size_t> ends;
    for (std::size_t at = 0; at < bytes.size();) {
      at = std::min(bytes.size(), at + 1 + random() % 20);
      ends.push_back(at);
    }
    EXPECT_EQ(feed(bytes, ends, limits), whole) << "random split, round " << round;
  }
}

struct Refused {
  const char* section;
  ParseError error;
  std::string bytes;
};

const std::vector<Refused>& refused() {
  static const std::vector<Refused> cases = {
      {"9112 7.1", bad_chunk_size, "\r\n0\r\n\r\n"},
      {"9112 7.1", bad_chunk_size, "\n"},
      {"9112 7.1", bad_chunk_size, " 5\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1", bad_chunk_size, "+5\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1", bad_chunk_size, "-5\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1", bad_chunk_size, "0x5\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1", bad_chunk_size, "x\r\n"},
      {"9112 7.1", bad_chunk_size, "g\r\n"},
      {"9112 7.1", bad_chunk_size, "5_0\r\n"},
      {"9112 7.1", bad_chunk_size, "5 \r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_size, "5 ;a\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1", bad_chunk_size, "5\t\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1", bad_chunk_size, "5\0\r\n"s},
      {"9112 7.1", bad_chunk_size, "5,\r\n"},
      {"9112 7.1", bad_chunk_size, ";a\r\n"},
      {"9112 7.1", bad_chunk_size, "\xEF\xBC\x95\r\n"},
      {"9112 7.1", chunk_size_overflow, "00000000000000005\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1", chunk_size_overflow, "10000000000000005\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1", chunk_size_overflow, "8000000000000000\r\n"},
      {"9112 7.1", chunk_size_overflow, "ffffffffffffffff\r\n"},
      {"9112 7.1", chunk_size_overflow, "ffffffffffffffff;a\r\n"},
      {"9112 7.1", chunk_size_overflow, "1\r\na\r\n7fffffffffffffff\r\n"},
      {"9112 2.2", bare_lf, "5\nhello\r\n0\r\n\r\n"},
      {"9112 2.2", bare_cr, "5\rhello\r\n0\r\n\r\n"},
      {"9112 2.2", bare_cr, "5\r\r\nhello\r\n0\r\n\r\n"},
      {"9112 2.2", bare_lf, "5;a\nhello\r\n0\r\n\r\n"},
      {"9112 2.2", bare_lf, "5;a=b\nhello\r\n0\r\n\r\n"},
      {"9112 2.2", bare_lf, "5;a=\"b\"\nhello\r\n0\r\n\r\n"},
      {"9112 2.2", bare_cr, "5;a\rb\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;;\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;=b\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a=\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a=;b\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a b\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a \r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a=b \r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a=b c\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a=\"b\" \r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a=\"b\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a=\"b\nc\"\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a=\"\\\r\"\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a=\"\0\"\r\nhello\r\n0\r\n\r\n"s},
      {"9112 7.1.1", bad_chunk_extension, "5;a\0\r\nhello\r\n0\r\n\r\n"s},
      {"9112 7.1.1", bad_chunk_extension, "5;a\x01\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a\x7F\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", bad_chunk_extension, "5;a\x80\r\nhello\r\n0\r\n\r\n"},
      {"9112 7.1.1", chunk_extension_too_long, "5;" + std::string(256, 'a') + "\r\n"},
      {"9112 7.1", missing_chunk_end, "5\r\nhello0\r\n\r\n"},
      {"9112 7.1", missing_chunk_end, "5\r\nhello\n0\r\n\r\n"},
      {"9112 7.1", missing_chunk_end, "5\r\nhello\r0\r\n\r\n"},
      {"9112 7.1", missing_chunk_end, "5\r\nhello!\r\n0\r\n\r\n"},
      {"9112 7.1", missing_chunk_end, "5\r\nhello \r\n0\r\n\r\n"},
      {"9112 7.1", bad_chunk_size, "5\r\nhello\r\n\r\n0\r\n\r\n"},
      {"9112 7.1.2", bare_lf, "0\n\r\n"},
      {"9112 7.1.2", bare_lf, "0\r\n\n"},
      {"9112 7.1.2", bare_cr, "0\r\n\rX"},
      {"9112 7.1.2", missing_colon, "0\r\nGET\r\n\r\n"},
      {"9112 7.1.2", space_before_colon, "0\r\nGET / HTTP/1.1\r\n\r\n"},
      {"9112 7.1.2", space_before_colon, "0\r\nA : b\r\n\r\n"},
      {"9112 7.1.2", empty_name, "0\r\n: b\r\n\r\n"},
      {"9112 7.1.2", bad_name_char, "0\r\nA\0: b\r\n\r\n"s},
      {"9112 7.1.2", bad_name_char, "0\r\nA(: b\r\n\r\n"},
      {"9112 7.1.2", bad_value_char, "0\r\nA: \0\r\n\r\n"s},
      {"9112 7.1.2", bad_value_char, "0\r\nA: b\x7F\r\n\r\n"},
      {"9112 7.1.2", bare_lf, "0\r\nA: b\n\r\n"},
      {"9112 7.1.2", bare_lf, "0\r\nA\n\r\n"},
      {"9112 7.1.2", bare_cr, "0\r\nA: b\rc\r\n\r\n"},
      {"9112 5.2", obs_fold, "0\r\nA: b\r\n c\r\n\r\n"},
      {"9112 5.2", leading_whitespace, "0\r\n A: b\r\n\r\n"},
      {"9110 6.5.1", forbidden_trailer, "0\r\nContent-Length: 5\r\n\r\n"},
      {"9110 6.5.1", forbidden_trailer, "0\r\nTRANSFER-ENCODING: chunked\r\n\r\n"},
      {"9110 6.5.1", forbidden_trailer, "0\r\nA: b\r\nhost: c\r\n\r\n"},
      {"9110 6.5.1", forbidden_trailer, "0\r\nTrailer: c\r\n\r\n"},
      {"9110 6.5.1", forbidden_trailer, "0\r\nAuthorization: c\r\n\r\n"},
      {"9110 6.5.1", forbidden_trailer, "0\r\nCookie: c\r\n\r\n"},
      {"9110 6.5.1", forbidden_trailer, "0\r\nContent-Encoding: gzip\r\n\r\n"},
      {"9110 6.5.1", forbidden_trailer, "0\r\nConnection: close\r\n\r\n"},
      {"6585 5", trailer_too_large, "0\r\nA: " + std::string(4096, 'b') + "\r\n\r\n"},
      {"6585 5", trailer_too_large, "0\r\n" + std::string(4097, 'b')},
  };
  return cases;
}

struct Accepted {
  const char* section;
  std::string bytes;
  std::string data;
};

const std::vector<Accepted>& accepted() {
  static const std::vector<Accepted> cases = {
      {"9112 7.1", "0\r\n\r\n", ""},
      {"9112 7.1", "000\r\n\r\n", ""},
      {"9112 7.1", "0000000000000000\r\n\r\n", ""},
      {"9112 7.1", "5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"9112 7.1", "0000000000000005\r\nhello\r\n0\r\n\r\n", "hello"},
      {"9112 7.1", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"},
      {"9112 7.1", "a\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
      {"9112 7.1", "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
      {"9112 7.1", "1F\r\n" + std::string(31, 'x') + "\r\n0\r\n\r\n", std::string(31, 'x')},
      {"9112 7.1", "1f\r\n" + std::string(31, 'x') + "\r\n0\r\n\r\n", std::string(31, 'x')},
      {"9112 7.1", "2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
      {"9112 7.1", "3\r\n\0\n\xFF\r\n0\r\n\r\n"s, "\0\n\xFF"s},
      {"9112 7.1.1", "5;a\r\nhello\r\n0\r\n\r\n", "hello"},
      {"9112 7.1.1", "5;a=b\r\nhello\r\n0;c\r\n\r\n", "hello"},
      {"9112 7.1.1", "5;a;b=c;d=\"e\";f\r\nhello\r\n0\r\n\r\n", "hello"},
      {"9112 7.1.1", "5; a = b ; c=\"\" ; d\r\nhello\r\n0\r\n\r\n", "hello"},
      {"9112 7.1.1", "5;\ta\t=\t\"b\"\t;c\r\nhello\r\n0\r\n\r\n", "hello"},
      {"9112 7.1.1", "5;a=\"b;c \\\" \\\\ \t\x80\"\r\nhello\r\n0\r\n\r\n", "hello"},
      {"9112 7.1.1", "5;" + std::string(255, 'a') + "\r\nhello\r\n0\r\n\r\n", "hello"},
      {"9112 7.1.2", "0\r\nA: b\r\n\r\n", ""},
      {"9112 7.1.2", "1\r\nx\r\n0\r\nA:b\r\nX-Sum:\t 1 \r\nC:\r\nD: \x80\r\n\r\n", "x"},
      {"9112 7.1.2", "0\r\nDate: x\r\nETag: y\r\nHostess: z\r\n\r\n", ""},
      {"9112 7.1.2", "0\r\nContent-Length-but-longer-than-every-known-name: z\r\n\r\n", ""},
  };
  return cases;
}

TEST(ChunkedDecoder, what_breaks_a_rule_is_refused_with_that_rule_however_it_arrives) {
  for (auto const& c : refused()) {
    SCOPED_TRACE("RFC " + std::string(c.section) + ": " + testing::PrintToString(c.bytes));
    Outcome const whole = feed_whole(c.bytes);
    EXPECT_EQ(whole.status, ChunkStatus::error);
    EXPECT_EQ(to_string(whole.error), to_string(c.error));
    expect_invariant(c.bytes, {}, whole);
  }
}

TEST(ChunkedDecoder, what_the_grammar_allows_gives_the_same_data_however_it_arrives) {
  for (auto const& c : accepted()) {
    SCOPED_TRACE("RFC " + std::string(c.section) + ": " + testing::PrintToString(c.bytes));
    // What follows belongs to the next request.
    Outcome const whole = feed_whole(c.bytes + "\0GET"s);
    EXPECT_EQ(whole.status, ChunkStatus::done);
    EXPECT_EQ(whole.consumed, c.bytes.size());
    EXPECT_EQ(whole.data, c.data);
    expect_invariant(c.bytes + "\0GET"s, {}, whole);
    for (std::size_t i = 0; i < c.bytes.size(); ++i) {
      ChunkStatus const status = feed_whole(std::string_view(c.bytes).substr(0, i)).status;
      EXPECT_EQ(status, ChunkStatus::need_more) << "prefix of " << i;
    }
  }
}

TEST(ChunkedDecoder, extensions_are_counted_over_the_whole_body) {
  std::string const chunk = "1;" + std::string(200, 'a') + "\r\nx\r\n";
  std::string bytes;
  for (int i = 0; i < 20; ++i) bytes += chunk;  // 20 * 201 = 4,020 bytes of extensions
  EXPECT_EQ(feed_whole(bytes + "0\r\n\r\n").status, ChunkStatus::done);
  Outcome const over = feed_whole(bytes + chunk + "0\r\n\r\n");
  EXPECT_EQ(over.error, chunk_extension_too_long);
  EXPECT_EQ(over.data.size(), 20U);
  expect_invariant(bytes + chunk, {}, over);
}

TEST(ChunkedDecoder, the_sixteenth_trailer_field_is_the_last) {
  std::string trailers;
  for (int i = 0; i < 16; ++i) trailers += "A: b\r\n";
  EXPECT_EQ(feed_whole("0\r\n" + trailers + "\r\n").status, ChunkStatus::done);
  EXPECT_EQ(feed_whole("0\r\n" + trailers + "A: b\r\n\r\n").error, too_many_trailer_fields);
}

TEST(ChunkedDecoder, it_tells_what_a_chunk_announces_and_what_framing_has_cost) {
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.announced(), 0U);
  EXPECT_EQ(decoder.step("ff").status, ChunkStatus::need_more);
  EXPECT_EQ(decoder.announced(), 0U) << "the size may still grow";
  EXPECT_EQ(decoder.step("f\r\n").status, ChunkStatus::need_more);
  EXPECT_EQ(decoder.announced(), 0xFFFU);
  EXPECT_EQ(decoder.framing_bytes(), 5U);
  EXPECT_EQ(decoder.step("abc").data, "abc");
  EXPECT_EQ(decoder.announced(), 0xFFCU);
  EXPECT_EQ(decoder.framing_bytes(), 5U);
  EXPECT_EQ(decoder.step("").status, ChunkStatus::need_more);
}

TEST(ChunkedDecoder, the_largest_size_is_announced_and_waited_for) {
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.step("7fffffffffffffff\r\n").status, ChunkStatus::need_more);
  EXPECT_EQ(decoder.announced(), 0x7FFFFFFFFFFFFFFFU);
  EXPECT_EQ(decoder.step("ab").data, "ab");
}

TEST(ChunkedDecoder, a_hundred_thousand_mutations_are_read_alike_in_pieces_and_never_laxly) {
  std::vector<std::string> seeds;
  for (auto const& c : accepted()) seeds.push_back(c.bytes);
  std::size_t const good = seeds.size();
  for (auto const& c : refused()) {
    if (c.bytes.size() < 200) seeds.push_back(c.bytes);
  }
  static constexpr std::string_view pieces[] = {"\r\n", "\r", "\n", "0",  "5",       "f",
                                                ";",    "=",  "\"", "\\", " ",       "\t",
                                                ":",    "a",  "+",  "x",  "A: b\r\n"};
  std::mt19937 random(20260102);
  auto below = [&random](std::size_t n) { return n == 0 ? 0 : random() % n; };
  std::size_t accepted_count = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string bytes = seeds[below(below(4) == 0 ? seeds.size() : good)];
    for (std::size_t n = 1 + below(2); n != 0; --n) {
      std::size_t const at = below(bytes.size());
      switch (below(5)) {
        case 0:
          bytes.insert(at, pieces[below(std::size(pieces))]);
          break;
        case 1:
          bytes.erase(at, 1 + below(2));
          break;
        case 2:
          bytes.insert(at, bytes.substr(below(bytes.size()), below(12)));
          break;
        case 3:
          bytes.insert(at, 1, static_cast<char>(random()));
          break;
        default:
          if (!bytes.empty()) bytes[at] = static_cast<char>('a' + below(26));
      }
    }
    Outcome const whole = feed_whole(bytes);
    std::vector<std::size_t> ends;
    for (std::size_t at = 0; at < bytes.size();) {
      at = std::min(bytes.size(), at + 1 + below(12));
      ends.push_back(at);
    }
    ASSERT_EQ(feed(bytes, ends, {}), whole) << testing::PrintToString(bytes);
    if (whole.status != ChunkStatus::done) continue;
    ++accepted_count;
    // The plain reading: sizes by line, data by size.
    std::string_view rest = std::string_view(bytes).substr(0, whole.consumed);
    std::string data;
    for (;;) {
      std::string_view const head = rest.substr(0, rest.find("\r\n"));
      std::size_t const digits = std::min(head.find(';'), head.size());
      ASSERT_TRUE(digits >= 1 && digits <= 16) << testing::PrintToString(bytes);
      for (char c : head.substr(0, digits)) ASSERT_TRUE(http::is_hex_digit(c));
      ASSERT_EQ(head.find_first_of(std::string_view("\r\n\0", 3)), std::string_view::npos);
      auto const size = std::stoull(std::string(head.substr(0, digits)), nullptr, 16);
      rest.remove_prefix(head.size() + 2);
      if (size == 0) break;
      ASSERT_LE(size + 2, rest.size());
      data += rest.substr(0, size);
      ASSERT_EQ(rest.substr(size, 2), "\r\n");
      rest.remove_prefix(size + 2);
    }
    ASSERT_EQ(data, whole.data);
    ASSERT_TRUE(rest == "\r\n" || rest.ends_with("\r\n\r\n")) << testing::PrintToString(bytes);
  }
  EXPECT_GT(accepted_count, 10'000U) << "the mutations must not all be garbage";
}

TEST(ChunkEncoder, sizes_are_hexadecimal_without_leading_zeros) {
  auto encode = [](std::uint64_t size) {
    std::string out(max_chunk_head, '?');
    out.resize(encode_chunk_head(out.data(), size));
    return out;
  };
  EXPECT_EQ(encode(1), "1\r\n");
  EXPECT_EQ(encode(10), "a\r\n");
  EXPECT_EQ(encode(16), "10\r\n");
  EXPECT_EQ(encode(0x1F00), "1f00\r\n");
  EXPECT_EQ(encode(UINT64_MAX), "ffffffffffffffff\r\n");
  EXPECT_EQ(encode(0), "") << "an empty chunk would end the body";
}

TEST(ChunkEncoder, what_it_writes_the_decoder_reads) {
  std::string bytes;
  std::string data;
  for (std::size_t size : {1U, 15U, 16U, 17U, 255U, 256U, 4095U, 65536U}) {
    std::string head(max_chunk_head, '?');
    head.resize(encode_chunk_head(head.data(), size));
    std::string const chunk(size, static_cast<char>('a' + size % 26));
    bytes += head + chunk + std::string(chunk_end);
    data += chunk;
  }
  bytes += last_chunk;
  Outcome const outcome = feed_whole(bytes);
  EXPECT_EQ(outcome.status, ChunkStatus::done);
  EXPECT_EQ(outcome.consumed, bytes.size());
  EXPECT_EQ(outcome.data, data);
}

}  // namespace
}  // namespace spate::h1
