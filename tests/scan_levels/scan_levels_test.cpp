// SPDX-License-Identifier: MIT
// Every level of the head scan, forced one after the other, against the state machine of the
// parser: each byte value at each place of heads of many shapes, heads that are cut, and random
// ones, with a page that cannot be read right behind the bytes and another right before them. A
// level that this machine lacks is skipped, which the report shows.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/cpu_features.hpp"
#include "http/h1/request_parser.hpp"

namespace spate::base {

void PrintTo(SimdLevel level, std::ostream* out) { *out << to_string(level); }

}  // namespace spate::base

namespace spate::h1 {
namespace {

using base::SimdLevel;
using http::RequestHead;

// Pages between two that cannot be read.
class GuardedPages {
 public:
  GuardedPages() {
    size_ = 4 * page_;
    void* const all =
        mmap(nullptr, size_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) return;
    char* const begin = static_cast<char*>(all) + page_;
    if (mprotect(begin, size_, PROT_READ | PROT_WRITE) == 0) begin_ = begin;
  }
  ~GuardedPages() {
    if (begin_ != nullptr) munmap(begin_ - page_, size_ + 2 * page_);
  }
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;

  bool is_there() const { return begin_ != nullptr; }
  // The bytes as the last, or the first, that can be read.
  std::string_view at_end(std::string_view bytes) const {
    return copy(begin_ + size_ - bytes.size(), bytes);
  }
  std::string_view at_begin(std::string_view bytes) const { return copy(begin_, bytes); }

 private:
  static std::string_view copy(char* to, std::string_view bytes) {
    std::copy(bytes.begin(), bytes.end(), to);
    return {to, bytes.size()};
  }

  std::size_t const page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  std::size_t size_ = 0;
  char* begin_ = nullptr;
};

class ScanLevels : public testing::TestWithParam<SimdLevel> {
 protected:
  void SetUp() override {
    if (!force_scan_head(GetParam())) {
      GTEST_SKIP() << "this machine or build lacks " << to_string(GetParam());
    }
    ASSERT_TRUE(pages_.is_there());
  }
  void TearDown() override { force_scan_head(base::best_simd_level()); }

  GuardedPages pages_;
};

void append(std::string& out, std::string_view text) { out.append(text).push_back('\0'); }

std::string describe(const ParseResult& result, const RequestHead& head) {
  std::string out(to_string(result.error));
  out += " " + std::to_string(result.consumed) + " ";
  if (result.status != ParseStatus::done) return out;
  append(out, head.method_text());
  append(out, to_string(head.method()));
  append(out, head.target());
  append(out, head.path());
  append(out, head.query());
  append(out, head.authority());
  append(out, head.bytes());
  out += std::to_string(static_cast<int>(head.target_form()));
  out += std::to_string(head.version_minor());
  out += head.content_length ? std::to_string(*head.content_length) : "no length";
  for (bool const flag :
       {head.chunked, head.keep_alive, head.expect_continue, head.upgrade, head.has_body()}) {
    out += flag ? '1' : '0';
  }
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    append(out, head.name(i));
    append(out, head.value(i));
    append(out, to_string(head.id(i)));
  }
  for (std::size_t i = 0; i < known_header_count; ++i) {
    auto const id = static_cast<KnownHeader>(i);
    append(out, head.has(id) ? "has" : "no");
    append(out, head.find(id).value_or("none"));
  }
  return out;
}

std::string parse_at_once(std::string_view bytes) {
  RequestParser parser;
  RequestHead head;
  ParseResult const result = parser.parse(head, bytes, {});
  return describe(result, head);
}

// What was fed in two pieces never passes the scan.
std::string parse_by_state_machine(std::string_view bytes) {
  RequestParser parser;
  RequestHead head;
  ParseResult result = parser.parse(head, bytes.substr(0, 1), {});
  if (result.status == ParseStatus::need_more) result = parser.parse(head, bytes, {});
  return describe(result, head);
}

const std::vector<std::string>& plain_heads() {
  static const std::vector<std::string> heads = {
      "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
      "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n",
      "GET /plaintext HTTP/1.1\r\nHost: a:65535\r\nuser-agent: h2load nghttp2/1.52.0\r\n\r\n",
      "GET /a/b?c=d&e=%20 HTTP/1.1\r\nhOST: www.example.com\r\nX: 1\r\nConnection: Keep-Alive\r\n"
      "Accept: */*\r\n\r\n",
      "GET /tabs HTTP/1.1\r\nHost:a\r\nX-Tabs:\t a\tb\t\tc \t\r\nEmpty:\r\nEmpty-Too: \r\n\r\n",
      "POST /notes HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 12\r\nExpect: "
      "100-continue\r\n\r\n",
      "PUT /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close, te\r\nHost: a.b\r\n\r\n",
      "OPTIONS /old/path HTTP/1.0\r\nUser-Agent: " + std::string(70, 'u') + "\r\n\r\n",
      "BREW /pot HTTP/1.1\r\nHost: a%20b\r\nUpgrade: x\r\nConnection: upgrade, keep-alive\r\n"
      "A-Name-Of-More-Than-Thirty-Two-Characters: yes\r\nAccess-Control-Request-Headers: x\r\n\r\n",
      "DELETE /x HTTP/1.1\r\nHost: a\r\nAccept: 1\r\naccept: 2\r\n\xE2\x82\xAC: no\r\n\r\n",
      "GET /" + std::string(100, 'p') + "?" + std::string(100, 'q') + " HTTP/1.1\r\nHost: " +
          std::string(40, 'h') + "\r\nCookie: " + std::string(100, 'c') + "\r\n\r\n",
  };
  return heads;
}

TEST_P(ScanLevels, usual_heads_are_read_without_the_state_machine) {
  ScanHead const scan = scan_head_of(GetParam());
  for (std::string const& bytes : plain_heads()) {
    if (bytes.find('\xE2') != std::string::npos) continue;
    RequestHead head;
    ConnectionOptions options;
    EXPECT_EQ(scan(head, pages_.at_end(bytes), {}, options), bytes.size()) << bytes;
    EXPECT_FALSE(options.close || options.keep_alive || options.upgrade);
  }
}

TEST_P(ScanLevels, every_byte_at_every_place_means_what_it_means_to_the_state_machine) {
  for (std::string const& plain : plain_heads()) {
    for (std::size_t at = 0; at < plain.size(); ++at) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        std::string bytes = plain;
        bytes[at] = static_cast<char>(byte);
        ASSERT_EQ(parse_at_once(pages_.at_end(bytes)), parse_by_state_machine(bytes))
            << "byte " << byte << " at " << at << " of " << plain;
      }
      std::string bytes = plain;
      bytes[at] = '\x7F';
      ASSERT_EQ(parse_at_once(pages_.at_begin(bytes)), parse_by_state_machine(bytes));
    }
  }
}

TEST_P(ScanLevels, a_head_that_is_cut_or_followed_by_more_is_read_alike) {
  for (std::string const& plain : plain_heads()) {
    std::string const more = plain + plain_heads()[1] + std::string(100, 'b');
    for (std::size_t size = 0; size <= more.size(); ++size) {
      std::string_view const bytes = std::string_view(more).substr(0, size);
      std::string const expected = parse_by_state_machine(bytes);
      ASSERT_EQ(parse_at_once(pages_.at_end(bytes)), expected) << size << " bytes of " << more;
      ASSERT_EQ(parse_at_once(pages_.at_begin(bytes)), expected) << size << " bytes of " << more;
    }
  }
}

TEST_P(ScanLevels, random_heads_are_read_alike) {
  static constexpr std::string_view pieces[] = {"\r\n",
                                                "\r\n\r\n",
                                                "\r",
                                                "\n",
                                                ":",
                                                ": ",
                                                " ",
                                                "\t",
                                                "GET /",
                                                " HTTP/1.1\r\n",
                                                "?",
                                                "#",
                                                "Host: a\r\n",
                                                "Host: 1.2.3.4:99999\r\n",
                                                "Accept: x\r\n",
                                                "Content-Length: 3\r\n",
                                                "Connection: keep-alive\r\n",
                                                "Transfer-Encoding: chunked\r\n",
                                                "X-Long: "};
  std::mt19937 random(7);
  auto below = [&random](std::size_t n) { return random() % n; };
  std::size_t done = 0;
  for (int round = 0; round < 30'000; ++round) {
    std::string bytes = "GET /" + std::string(below(40), 'p') + " HTTP/1.1\r\nHost: a\r\n";
    for (std::size_t n = below(12); n != 0; --n) {
      std::string name(1 + below(40), 'n');
      if (below(2) == 0) {
        name = to_string(static_cast<KnownHeader>(1 + below(known_header_count - 1)));
      }
      bytes += name + ": " + std::string(below(80), 'v') + "\r\n";
    }
    bytes += "\r\n" + std::string(below(50), 'b');
    for (std::size_t n = below(3); n != 0; --n) {
      std::size_t const at = below(bytes.size());
      if (below(2) == 0) {
        bytes.insert(at, pieces[below(std::size(pieces))]);
      } else {
        bytes[at] = static_cast<char>(random());
      }
    }
    std::string const expected = parse_by_state_machine(bytes);
    if (!expected.starts_with("none 0")) done += expected.starts_with("none ");
    ASSERT_EQ(parse_at_once(pages_.at_end(bytes)), expected) << testing::PrintToString(bytes);
  }
  EXPECT_GT(done, 5'000U) << "they must not all be wrong";
}

TEST_P(ScanLevels, limits_end_a_head_at_the_same_byte) {
  std::string const bytes = plain_heads()[3];
  for (std::size_t limit = 1; limit < 120; ++limit) {
    for (int which = 0; which < 3; ++which) {
      HeadLimits limits;
      if (which == 0) limits.request_line = limit;
      if (which == 1) limits.header_bytes = limit;
      if (which == 2) limits.fields = static_cast<std::uint16_t>(limit);
      RequestParser whole;
      RequestParser pieces;
      RequestHead head;
      RequestHead other;
      ParseResult const expected_first = pieces.parse(other, bytes.substr(0, 1), limits);
      ASSERT_NE(expected_first.status, ParseStatus::done);
      ParseResult const expected = pieces.parse(other, bytes, limits);
      ParseResult const result = whole.parse(head, pages_.at_end(bytes), limits);
      ASSERT_EQ(describe(result, head), describe(expected, other)) << which << " " << limit;
    }
  }
}

TEST_P(ScanLevels, the_longest_head_is_read_and_one_byte_more_is_not) {
  HeadLimits limits;
  limits.request_line = limits.header_bytes = SIZE_MAX;
  std::string const front = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
  for (std::size_t size : {http::max_head_bytes, http::max_head_bytes + 1}) {
    std::string const bytes = front + std::string(size - front.size() - 4, 'x') + "\r\n\r\n";
    RequestHead head;
    ConnectionOptions options;
    bool const fits = size <= http::max_head_bytes;
    EXPECT_EQ(scan_head_of(GetParam())(head, bytes, limits, options), fits ? size : 0);
  }
}

std::string name_of(const testing::TestParamInfo<SimdLevel>& info) {
  return std::string(to_string(info.param));
}

INSTANTIATE_TEST_SUITE_P(Each, ScanLevels, testing::ValuesIn(base::simd_levels), name_of);

TEST(SimdLevels, the_parser_uses_the_best_level_of_the_machine) {
  EXPECT_EQ(scan_head(), scan_head_of(base::best_simd_level()));
  EXPECT_NE(scan_head_of(SimdLevel::scalar), nullptr);
  EXPECT_FALSE(force_scan_head(static_cast<SimdLevel>(99)));
  EXPECT_EQ(scan_head(), scan_head_of(base::best_simd_level()));
}

}  // namespace
}  // namespace spate::h1
