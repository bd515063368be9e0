// SPDX-License-Identifier: MIT
// The request head against RFC 9112 and RFC 9110: a table of raw heads, each fed whole, byte by
// byte, split at every offset and at random, always from heap copies of exactly the bytes given so
// far; and mutations of them against a second, naive reading of the grammar.
#include "http/h1/request_parser.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "http/ascii.hpp"

namespace spate::h1 {
namespace {

using http::RequestHead;
using http::TargetForm;
using namespace std::string_literals;
using enum ParseError;

// What a parse gave, as text, so that any difference shows.
std::string describe_head(const RequestHead& head) {
  std::string text(head.method_text());
  text += ' ';
  text += std::string(to_string(head.method()));
  text += ' ';
  switch (head.target_form()) {
    case TargetForm::origin:
      text += "origin ";
      break;
    case TargetForm::absolute:
      text += "absolute ";
      break;
    case TargetForm::authority:
      text += "authority ";
      break;
    case TargetForm::asterisk:
      text += "asterisk ";
      break;
  }
  text += "target=" + std::string(head.target()) + " path=" + std::string(head.path()) +
          " query=" + std::string(head.query()) + " authority=" + std::string(head.authority()) +
          " 1." + std::to_string(head.version_minor());
  if (head.content_length) text += " length=" + std::to_string(*head.content_length);
  if (head.chunked) text += " chunked";
  if (head.has_body()) text += " body";
  text += head.keep_alive ? " keep" : " close";
  if (head.expect_continue) text += " expect";
  if (head.upgrade) text += " upgrade";
  text += ";";
  for (std::size_t i = 0; i < head.field_count(); ++i) {
    text += " " + std::string(head.name(i)) + "=[" + std::string(head.value(i)) + "]";
  }
  return text;
}

struct Outcome {
  ParseStatus status = ParseStatus::need_more;
  ParseError error = none;
  std::size_t consumed = 0;
  std::string head;

  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  return out << (o.status == ParseStatus::done    ? "done "
                 : o.status == ParseStatus::error ? "error "
                                                  : "need_more ")
             << to_string(o.error) << " at " << o.consumed << " " << o.head;
}

// Feeds the bytes up to each of `ends` in turn, each time from another heap block of exactly that
// size. `fed` receives how many bytes had been given when the outcome came.
Outcome feed(std::string_view bytes, const std::vector<std::size_t>& ends, const HeadLimits& limits,
             std::size_t* fed = nullptr) {
  RequestParser parser;
  RequestHead head;
  std::unique_ptr<char[]> previous;
  for (std::size_t end : ends) {
    auto copy = std::make_unique_for_overwrite<char[]>(end);
    std::copy_n(bytes.data(), end, copy.get());
    previous = std::move(copy);
    ParseResult const result = parser.parse(head, {previous.get(), end}, limits);
    if (fed != nullptr) *fed = end;
    if (result.status == ParseStatus::need_more) {
      EXPECT_EQ(result.consumed, 0U);
      continue;
    }
    EXPECT_LE(result.consumed, end);
    if (result.status == ParseStatus::error) {
      ParseResult const again = parser.parse(head, {previous.get(), end}, limits);
      EXPECT_EQ(again.error, result.error) << "an error is final";
      return {result.status, result.error, result.consumed, ""};
    }
    EXPECT_EQ(head.size(), result.consumed);
    EXPECT_EQ(head.bytes(), bytes.substr(0, result.consumed));
    return {result.status, result.error, result.consumed, describe_head(head)};
  }
  return {};
}

// At every level of vector instructions that this machine has, with one outcome.
Outcome feed_whole(std::string_view bytes, const HeadLimits& limits = {}) {
  Outcome const best = feed(bytes, {bytes.size()}, limits);
  for (base::SimdLevel const level : base::simd_levels) {
    if (!force_scan_head(level)) continue;
    EXPECT_EQ(feed(bytes, {bytes.size()}, limits), best) << to_string(level);
  }
  force_scan_head(base::best_simd_level());
  return best;
}

// The same outcome however the bytes come.
void expect_invariant(std::string_view bytes, const HeadLimits& limits, const Outcome& whole,
                      bool every_offset = true) {
  std::vector<std::size_t> each(bytes.size());
  for (std::size_t i = 0; i < each.size(); ++i) each[i] = i + 1;
  std::size_t fed = 0;
  EXPECT_EQ(feed(bytes, each, limits, &fed), whole) << "byte by byte";
  if (whole.status != ParseStatus::need_more) {
    // As soon as it can be known: an error at its byte, an end at the last byte of the head.
    EXPECT_EQ(fed, whole.consumed + (whole.status == ParseStatus::error ? 1 : 0));
  }
  if (every_offset) {
    for (std::size_t i = 1; i < bytes.size(); ++i) {
      EXPECT_EQ(feed(bytes, {i, bytes.size()}, limits), whole) << "split at " << i;
    }
  }
  std::mt19937 random(static_cast<unsigned>(bytes.size()));
  for (int round = 0; round < 20 && !bytes.empty(); ++round) {
    std::vector<std::size_t> ends;
    for (std::size_t at = 0; at < bytes.size();) {
      at = std::min(bytes.size(), at + 1 + random() % 40);
      ends.push_back(at);
    }
    EXPECT_EQ(feed(bytes, ends, limits), whole) << "random split, round " << round;
  }
}

// Builders for the table.
std::string line(std::string text) { return text + "\r\nHost: a\r\n\r\n"; }
std::string with(std::string fields) { return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"; }
std::string host(std::string value) { return "GET / HTTP/1.1\r\nHost: " + value + "\r\n\r\n"; }
std::string old(std::string fields) { return "GET / HTTP/1.0\r\n" + fields + "\r\n"; }

struct Refused {
  const char* section;  // RFC section
  ParseError error;
  std::string bytes;
};

const std::vector<Refused>& refused() {
  static const std::vector<Refused> cases = {
      // --- request line ---
      {"9112 2.2", empty_lines, "\r\n\r\n" + with("")},
      {"9112 2.2", bare_lf, "\n" + with("")},
      {"9112 2.2", bare_cr, "\r" + with("")},
      {"9112 2.2", leading_whitespace, " " + with("")},
      {"9112 2.2", leading_whitespace, "\t" + with("")},
      {"9112 2.2", leading_whitespace, "\r\n " + with("")},
      {"9112 3.1", bad_method, line("GE\tT / HTTP/1.1")},
      {"9112 3.1", bad_method, line("G(T / HTTP/1.1")},
      {"9112 3.1", bad_method, line("GET\t/ HTTP/1.1")},
      {"9112 3.1", bad_method, line("GE\0T / HTTP/1.1"s)},
      {"9112 3.1", bad_method, line("\x16\x03\x01\x02")},
      {"9112 3.1", bad_method, line("\xEF\xBB\xBFGET / HTTP/1.1")},
      {"9112 3.1", bad_method, line("GET")},
      {"9112 3.1", bad_method, line("G\xC3\x89T / HTTP/1.1")},
      {"9112 3.1", bad_method, line("GET: / HTTP/1.1")},
      {"9112 3.1", bad_method, line("\"GET\" / HTTP/1.1")},
      {"9112 3", method_too_long, line(std::string(33, 'M') + " / HTTP/1.1")},
      {"9112 3", method_too_long, std::string(5000, 'M')},
      {"9112 3", empty_target, line("GET  HTTP/1.1")},
      {"9112 3", empty_target, line("GET  / HTTP/1.1")},
      {"9112 3", missing_version, line("GET /")},
      {"9112 3", missing_version, line("GET /index.html")},
      {"9112 2.3", bad_version, line("GET / ")},
      {"9112 3", bad_version, line("GET /  HTTP/1.1")},
      {"9112 3", bad_version, line("GET / HTTP/1.1 ")},
      {"9112 3", bad_version, line("GET / HTTP/1.1\t")},
      {"9112 3", bad_version, line("GET /a b HTTP/1.1")},
      {"9112 3", bad_target_char, line("GET /\tHTTP/1.1")},
      {"9112 2.3", bad_version, line("GET / http/1.1")},
      {"9112 2.3", bad_version, line("GET / HTTP/1")},
      {"9112 2.3", bad_version, line("GET / HTTP/1.")},
      {"9112 2.3", bad_version, line("GET / HTTP/.1")},
      {"9112 2.3", bad_version, line("GET / HTTP/01.1")},
      {"9112 2.3", bad_version, line("GET / HTTP/1.10")},
      {"9112 2.3", bad_version, line("GET / HTTP/1,1")},
      {"9112 2.3", bad_version, line("GET / HTTP/1.a")},
      {"9112 2.3", bad_version, line("GET / HTTP/-1.1")},
      {"9112 2.3", bad_version, line("GET / HTTP /1.1")},
      {"9112 2.3", bad_version, line("GET / HTTPS/1.1")},
      {"9112 2.3", bad_version, line("GET / SIP/2.0")},
      {"9112 2.3", bad_version, line("GET / HTTP/1.1\0"s)},
      {"9110 15.6.6", unsupported_version, line("GET / HTTP/2.0")},
      {"9110 15.6.6", unsupported_version, line("GET / HTTP/0.9")},
      {"9110 15.6.6", unsupported_version, line("GET / HTTP/3.1")},
      {"9113 3.4", unsupported_version, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"9112 2.2", bare_lf, "GET / HTTP/1.1\nHost: a\n\n"},
      {"9112 2.2", bare_lf, "GET / HTTP/1.\n"},
      {"9112 2.2", bare_lf, "GET /\nHost: a\r\n\r\n"},
      {"9112 2.2", bare_cr, "GET / HTTP/1.1\rHost: a\r\n\r\n"},
      {"9112 2.2", bare_cr, "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"},
      // --- target ---
      {"9112 3.2", bad_target_char, line("GET /a#b HTTP/1.1")},
      {"9112 3.2", bad_target_char, line("GET /?a#b HTTP/1.1")},
      {"9112 3.2", bad_target_char, line("GET # HTTP/1.1")},
      {"9112 3.2", bad_target_char, line("GET /\0 HTTP/1.1"s)},
      {"9112 3.2", bad_target_char, line("GET /a\0b HTTP/1.1"s)},
      {"9112 3.2", bad_target_char, line("GET /\x01 HTTP/1.1")},
      {"9112 3.2", bad_target_char, line("GET /\x1F HTTP/1.1")},
      {"9112 3.2", bad_target_char, line("GET /\x7F HTTP/1.1")},
      {"9112 3.2", bad_target_char, line("GET /\x80 HTTP/1.1")},
      {"9112 3.2", bad_target_char, line("GET /\xFF HTTP/1.1")},
      {"9112 3.2", bad_target_char, line("GET /\xC3\xA9 HTTP/1.1")},
      {"9112 3.2", bad_target_char, line("GET /0123456789abcdefghijklmnop\x0B HTTP/1.1")},
      {"9112 3.2", missing_version, line("GET /a\rb HTTP/1.1")},
      {"9112 3.2.1", bad_target, line("GET a HTTP/1.1")},
      {"9112 3.2.1", bad_target, line("GET a/b HTTP/1.1")},
      {"9112 3.2.1", bad_target, line("GET ?a HTTP/1.1")},
      {"9112 3.2.1", bad_target, line("GET \\ HTTP/1.1")},
      {"9112 3.2.1", bad_target, line("GET a:80 HTTP/1.1")},
      {"9112 3.2.2", bad_target, line("GET ftp://a/ HTTP/1.1")},
      {"9112 3.2.2", bad_target, line("GET http:/a/ HTTP/1.1")},
      {"9112 3.2.2", bad_target, line("GET http:a HTTP/1.1")},
      {"9112 3.2.2", bad_target, line("GET javascript:alert(1) HTTP/1.1")},
      {"9110 4.2.1", bad_authority, line("GET http:// HTTP/1.1")},
      {"9110 4.2.1", bad_authority, line("GET http:/// HTTP/1.1")},
      {"9110 4.2.1", bad_authority, line("GET http://:80/ HTTP/1.1")},
      {"9110 4.2.1", bad_authority, line("GET http://?a HTTP/1.1")},
      {"9110 4.2.4", bad_authority, line("GET http://u@a/ HTTP/1.1")},
      {"9110 4.2.4", bad_authority, line("GET http://u:p@a/ HTTP/1.1")},
      {"9110 4.2.1", bad_authority, line("GET http://a:65536/ HTTP/1.1")},
      {"9110 4.2.1", bad_authority, line("GET http://a:x/ HTTP/1.1")},
      {"9110 4.2.1", bad_authority, line("GET http://a\\b/ HTTP/1.1")},
      {"9112 3.2", host_mismatch, line("GET http://b/ HTTP/1.1")},
      {"9112 3.2", host_mismatch, line("GET http://a:80/ HTTP/1.1")},
      {"9112 3.2", host_mismatch, line("GET https://a.b/ HTTP/1.1")},
      {"9112 3.2", host_mismatch, "GET http://a/ HTTP/1.0\r\nHost: b\r\n\r\n"},
      {"9112 3.2", missing_host, "GET http://a/ HTTP/1.1\r\n\r\n"},
      {"9112 3.2.4", asterisk_target, line("GET * HTTP/1.1")},
      {"9112 3.2.4", asterisk_target, line("OPTIONS *a HTTP/1.1")},
      {"9112 3.2.4", asterisk_target, line("OPTIONS ** HTTP/1.1")},
      {"9112 3.2.4", asterisk_target, line("OPTIONS *?a HTTP/1.1")},
      {"9112 3.2.3", connect_target, line("CONNECT / HTTP/1.1")},
      {"9112 3.2.3", connect_target, line("CONNECT a HTTP/1.1")},
      {"9112 3.2.3", connect_target, line("CONNECT a: HTTP/1.1")},
      {"9112 3.2.3", connect_target, line("CONNECT a:99999 HTTP/1.1")},
      {"9112 3.2.3", connect_target, line("CONNECT a:80/ HTTP/1.1")},
      {"9112 3.2.3", connect_target, line("CONNECT http://a:80 HTTP/1.1")},
      {"9112 3.2.3", connect_target, line("CONNECT u@a:80 HTTP/1.1")},
      {"9112 3.2.3", connect_target, line("CONNECT * HTTP/1.1")},
      {"9112 3.2", host_mismatch, line("CONNECT a:80 HTTP/1.1")},
      // --- field lines ---
      {"9112 2.2", leading_whitespace, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"9112 2.2", leading_whitespace, "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n"},
      {"9112 2.2", leading_whitespace, "GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n"},
      {"9112 5.2", obs_fold, with("A: b\r\n c\r\n")},
      {"9112 5.2", obs_fold, with("A: b\r\n\tc\r\n")},
      {"9112 5.2", obs_fold, with("A:\r\n b\r\n")},
      {"9112 5.2", obs_fold, with(" \r\n")},
      {"9112 5.2", bad_transfer_encoding, with("Transfer-Encoding:\r\n chunked\r\n")},
      {"9112 5.1", space_before_colon, with("A : b\r\n")},
      {"9112 5.1", space_before_colon, with("A\t: b\r\n")},
      {"9112 5.1", space_before_colon, with("Content-Length : 5\r\n")},
      {"9112 5.1", space_before_colon, with("Transfer-Encoding : chunked\r\n")},
      {"9112 5", space_before_colon, with("A b: c\r\n")},
      {"9112 5", empty_name, with(": b\r\n")},
      {"9112 5", missing_colon, with("A\r\n")},
      {"9112 5", missing_colon, with("Transfer-Encoding\r\n")},
      {"9112 5", bare_lf, with("A\n")},
      {"9110 5.1", bad_name_char, with("A(: b\r\n")},
      {"9110 5.1", bad_name_char, with("A\0: b\r\n"s)},
      {"9110 5.1", bad_name_char, with("\0A: b\r\n"s)},
      {"9110 5.1", bad_name_char, with("A\x01: b\r\n")},
      {"9110 5.1", bad_name_char, with("A\x7F: b\r\n")},
      {"9110 5.1", bad_name_char, with("A\x80: b\r\n")},
      {"9110 5.1", bad_name_char, with("\xC3\xA9: b\r\n")},
      {"9110 5.1", bad_name_char, with("A@: b\r\n")},
      {"9110 5.1", bad_name_char, with("A[: b\r\n")},
      {"9110 5.1", bad_name_char, with("{A: b\r\n")},
      {"9110 5.1", bad_name_char, with("A/b: c\r\n")},
      {"9110 5.1", bad_name_char, with("A,b: c\r\n")},
      {"9110 5.1", bad_name_char, with("A;b: c\r\n")},
      {"9110 5.1", bad_name_char, with("A=b: c\r\n")},
      {"9110 5.1", bad_name_char, with("\"A\": c\r\n")},
      {"9110 5.1", bad_name_char, with("Averyveryverylongnamethatneedsblocks\x0C: c\r\n")},
      {"9110 5.5", bad_value_char, with("A: b\0c\r\n"s)},
      {"9110 5.5", bad_value_char, with("A: \0\r\n"s)},
      {"9110 5.5", bad_value_char, with("A: \x01\r\n")},
      {"9110 5.5", bad_value_char, with("A: b\x08\r\n")},
      {"9110 5.5", bad_value_char,
       with("A: b\x0B"
            "c\r\n")},
      {"9110 5.5", bad_value_char,
       with("A: b\x0C"
            "c\r\n")},
      {"9110 5.5", bad_value_char, with("A: \x1B[31m\r\n")},
      {"9110 5.5", bad_value_char, with("A: \x7F\r\n")},
      {"9110 5.5", bad_value_char, with("A: 0123456789abcdefghijklmnopqrstuv\x1F\r\n")},
      {"9110 5.5", bad_value_char,
       with("Transfer-Encoding: \x0B"
            "chunked\r\n")},
      {"9112 2.2", bare_lf, with("A: b\n")},
      {"9112 2.2", bare_lf, with("A:\n")},
      {"9112 2.2", bare_lf, "GET / HTTP/1.1\r\nHost: a\r\n\n"},
      {"9112 2.2", bare_lf, "GET / HTTP/1.1\r\n\nHost: a\r\n\r\n"},
      {"9112 2.2", bare_cr, with("A: b\rc\r\n")},
      {"9112 2.2", bare_cr, with("A: b\r\r\n")},
      {"9112 2.2", bare_cr, with("A:\rb\r\n")},
      {"9112 2.2", bare_cr, with("\r")},
      {"9112 2.2", bare_cr, "GET / HTTP/1.1\r\nHost: a\r\n\rX"},
      {"9110 5.1", missing_colon, with("A\rB: c\r\n")},
      // --- Host ---
      {"9112 3.2", missing_host, "GET / HTTP/1.1\r\n\r\n"},
      {"9112 3.2", missing_host, "GET / HTTP/1.1\r\nHosts: a\r\n\r\n"},
      {"9112 3.2", missing_host, "OPTIONS * HTTP/1.1\r\n\r\n"},
      {"9112 3.2", missing_host, "GET / HTTP/1.2\r\n\r\n"},
      {"9112 3.2", duplicate_host, with("Host: a\r\n")},
      {"9112 3.2", duplicate_host, with("Host: b\r\n")},
      {"9112 3.2", duplicate_host, with("hOST: b\r\n")},
      {"9112 3.2", duplicate_host, old("Host: a\r\nHost: a\r\n")},
      {"9112 3.2", bad_host, host("")},
      {"9112 3.2", bad_host, host("  ")},
      {"9112 3.2", bad_host, host(":80")},
      {"9112 3.2", bad_host, host("a b")},
      {"9112 3.2", bad_host, host("a,b")},
      {"9112 3.2", bad_host, host("a, b")},
      {"9112 3.2", bad_host, host("u@a")},
      {"9112 3.2", bad_host, host("u:p@a")},
      {"9112 3.2", bad_host, host("a/b")},
      {"9112 3.2", bad_host, host("a?b")},
      {"9112 3.2", bad_host, host("a#b")},
      {"9112 3.2", bad_host, host("a\\b")},
      {"9112 3.2", bad_host, host("http://a")},
      {"9112 3.2", bad_host, host("a:80:80")},
      {"9112 3.2", bad_host, host("a:-1")},
      {"9112 3.2", bad_host, host("a:+80")},
      {"9112 3.2", bad_host, host("a:80x")},
      {"9112 3.2", bad_host, host("a:65536")},
      {"9112 3.2", bad_host, host("a:100000")},
      {"9112 3.2", bad_host, host("a\xC3\xA9")},
      {"9112 3.2", bad_host, host("a<b")},
      {"9112 3.2", bad_host, host("a|b")},
      {"9112 3.2", bad_host, host("%")},
      {"9112 3.2", bad_host, host("%4")},
      {"9112 3.2", bad_host, host("a%4g")},
      {"3986 3.2.2", bad_host, host("::1")},
      {"3986 3.2.2", bad_host, host("[")},
      {"3986 3.2.2", bad_host, host("[]")},
      {"3986 3.2.2", bad_host, host("[::1")},
      {"3986 3.2.2", bad_host, host("[::1]x")},
      {"3986 3.2.2", bad_host, host("[::1]80")},
      {"3986 3.2.2", bad_host, host("[::1]:x")},
      {"3986 3.2.2", bad_host, host("[:::1]")},
      {"3986 3.2.2", bad_host, host("[1::2::3]")},
      {"3986 3.2.2", bad_host, host("[1:2:3:4:5:6:7]")},
      {"3986 3.2.2", bad_host, host("[1:2:3:4:5:6:7:]")},
      {"3986 3.2.2", bad_host, host("[1:2:3:4:5:6:7:8:9]")},
      {"3986 3.2.2", bad_host, host("[1:2:3:4:5:6:7:8::]")},
      {"3986 3.2.2", bad_host, host("[12345::]")},
      {"3986 3.2.2", bad_host, host("[g::]")},
      {"3986 3.2.2", bad_host, host("[::1.2.3]")},
      {"3986 3.2.2", bad_host, host("[::1.2.3.256]")},
      {"3986 3.2.2", bad_host, host("[::1.2.3.4.5]")},
      {"3986 3.2.2", bad_host, host("[::01.2.3.4]")},
      {"3986 3.2.2", bad_host, host("[1.2.3.4]")},
      {"3986 3.2.2", bad_host, host("[fe80::1%25eth0]")},
      {"3986 3.2.2", bad_host, host("[v1.a]")},
      {"3986 3.2.2", bad_host, host("a[::1]")},
      {"9112 3.2", bad_host, old("Host: \r\n")},
      {"9112 3.2", bad_host, old("Host: a/b\r\n")},
      // --- Content-Length ---
      {"9110 8.6", bad_content_length, with("Content-Length:\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: +5\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: -5\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: -0\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 0x5\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 5a\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: a\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 5 5\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 5,5\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 5, 5\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 5, 6\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 5;\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 5.0\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 1e3\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 1_000\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: \"5\"\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: \xD9\xA5\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: \xB2\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 9223372036854775808\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 18446744073709551615\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 18446744073709551621\r\n")},
      {"9110 8.6", bad_content_length, with("Content-Length: 00000000000000000005\r\n")},
      {"9110 8.6", bad_content_length, old("Content-Length: x\r\n")},
      {"9112 6.3", duplicate_content_length, with("Content-Length: 5\r\nContent-Length: 5\r\n")},
      {"9112 6.3", duplicate_content_length, with("Content-Length: 5\r\nContent-Length: 6\r\n")},
      {"9112 6.3", duplicate_content_length, with("Content-Length: 0\r\ncontent-length: 0\r\n")},
      // --- Transfer-Encoding ---
      {"9112 6.1", content_length_with_transfer_encoding,
       with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
      {"9112 6.1", content_length_with_transfer_encoding,
       with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")},
      {"9112 6.1", content_length_with_transfer_encoding,
       with("Transfer-Encoding: chunked\r\nA: b\r\nContent-Length: 0\r\n")},
      {"9112 6.1", content_length_with_transfer_encoding,
       with("Content-Length: 5\r\nTransfer-Encoding: identity\r\n")},
      {"9112 6.1", content_length_with_transfer_encoding,
       old("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
      {"9112 6.1", transfer_encoding_in_http10, old("Transfer-Encoding: chunked\r\n")},
      {"9112 6.1", transfer_encoding_in_http10, old("Transfer-Encoding: identity\r\n")},
      {"9112 6.1", unknown_transfer_coding, with("Transfer-Encoding: identity\r\n")},
      {"9112 6.1", unknown_transfer_coding, with("Transfer-Encoding: gzip\r\n")},
      {"9112 6.1", unknown_transfer_coding, with("Transfer-Encoding: xchunked\r\n")},
      {"9112 6.1", unknown_transfer_coding, with("Transfer-Encoding: chunkedx\r\n")},
      {"9112 6.1", unknown_transfer_coding, with("Transfer-Encoding: chunke\r\n")},
      {"9112 6.1", unknown_transfer_coding, with("Transfer-Encoding: gzip, chunked\r\n")},
      {"9112 6.1", unknown_transfer_coding, with("Transfer-Encoding: foo;a=b, chunked\r\n")},
      {"9112 6.1", bad_transfer_encoding, with("Transfer-Encoding:\r\n")},
      {"9112 6.1", bad_transfer_encoding, with("Transfer-Encoding: ,\r\n")},
      {"9112 6.1", bad_transfer_encoding, with("Transfer-Encoding: chunked,\r\n")},
      {"9112 6.1", bad_transfer_encoding, with("Transfer-Encoding: ,chunked\r\n")},
      {"9112 6.1", bad_transfer_encoding, with("Transfer-Encoding: \"chunked\"\r\n")},
      {"9112 6.1", bad_transfer_encoding, with("Transfer-Encoding: 'chunked\xE2\r\n")},
      {"9112 6.1", bad_transfer_encoding, with("Transfer-Encoding: chun ked\r\n")},
      {"9112 6.1", bad_transfer_encoding, with("Transfer-Encoding: chunked\xA0\r\n")},
      {"9112 7.1", bad_transfer_encoding, with("Transfer-Encoding: chunked;a=b\r\n")},
      {"9112 7.1", bad_transfer_encoding, with("Transfer-Encoding: chunked;\r\n")},
      {"9112 6.3", bad_transfer_encoding, with("Transfer-Encoding: chunked, gzip\r\n")},
      {"9112 6.3", bad_transfer_encoding, with("Transfer-Encoding: chunked, identity\r\n")},
      {"9112 7.1", bad_transfer_encoding, with("Transfer-Encoding: chunked, chunked\r\n")},
      {"9112 7.1", bad_transfer_encoding,
       with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
      {"9112 6.3", bad_transfer_encoding,
       with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")},
      {"9112 6.3", unknown_transfer_coding,
       with("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n")},
      // --- Connection, Expect ---
      {"9110 7.6.1", bad_connection, with("Connection: a b\r\n")},
      {"9110 7.6.1", bad_connection, with("Connection: close;\r\n")},
      {"9110 7.6.1", bad_connection, with("Connection: \"close\"\r\n")},
      {"9110 7.6.1", connection_names_end_to_end_field, with("Connection: host\r\n")},
      {"9110 7.6.1", connection_names_end_to_end_field, with("Connection: Content-Length\r\n")},
      {"9110 7.6.1", connection_names_end_to_end_field, with("Connection: transfer-encoding\r\n")},
      {"9110 7.6.1", connection_names_end_to_end_field, with("Connection: close, HOST\r\n")},
      {"9110 7.6.1", connection_names_end_to_end_field, with("Connection: authorization\r\n")},
      {"9110 7.6.1", connection_names_end_to_end_field, with("Connection: cookie\r\n")},
      {"9110 7.6.1", connection_names_end_to_end_field, with("Connection: x-forwarded-for\r\n")},
      {"9110 10.1.1", unknown_expectation, with("Expect: 200-ok\r\n")},
      {"9110 10.1.1", unknown_expectation, with("Expect: 100\r\n")},
      {"9110 10.1.1", unknown_expectation, with("Expect:\r\n")},
      {"9110 10.1.1", unknown_expectation, with("Expect: 100-continue, x\r\n")},
      {"9110 10.1.1", unknown_expectation, with("Expect: 100-continue\r\nExpect: x\r\n")},
  };
  return cases;
}

struct Accepted {
  const char* section;
  std::string bytes;
  const char* contains;  // of describe_head
};

const std::vector<Accepted>& accepted() {
  static const std::vector<Accepted> cases = {
      {"9112 3", with(""), "GET GET origin target=/ path=/ query= authority=a 1.1 keep; Host=[a]"},
      {"9112 2.2", "\r\n" + with(""), "GET GET origin target=/ path=/"},
      {"9110 9.3", line("HEAD / HTTP/1.1"), "HEAD HEAD"},
      {"9110 9.3", line("POST / HTTP/1.1"), "POST POST"},
      {"9110 9.3", line("PUT / HTTP/1.1"), "PUT PUT"},
      {"9110 9.3", line("DELETE / HTTP/1.1"), "DELETE DELETE"},
      {"5789 2", line("PATCH / HTTP/1.1"), "PATCH PATCH"},
      {"9110 9.3", line("TRACE / HTTP/1.1"), "TRACE TRACE"},
      {"9110 9.1", line("get / HTTP/1.1"), "get  origin"},
      {"9110 9.1", line("PROPFIND / HTTP/1.1"), "PROPFIND  origin"},
      {"9110 9.1", line("!#$%&'*+-.^_`|~09 / HTTP/1.1"), "!#$%&'*+-.^_`|~09  origin"},
      {"9112 3", line(std::string(32, 'M') + " / HTTP/1.1"), "MMMM"},
      {"9112 3.2.1", line("GET /a/b?c=d HTTP/1.1"), "path=/a/b query=c=d authority"},
      {"9112 3.2.1", line("GET /? HTTP/1.1"), "path=/ query= authority"},
      {"9112 3.2.1", line("GET /a?b?c HTTP/1.1"), "path=/a query=b?c authority"},
      {"9112 3.2.1", line("GET // HTTP/1.1"), "path=// query"},
      {"9112 3.2.1", line("GET /%00%zz HTTP/1.1"), "path=/%00%zz query"},
      {"9112 3.2.1", line("GET /?a[]=\"<{|}>\\^` HTTP/1.1"), "query=a[]=\"<{|}>\\^` "},
      {"9112 3.2.1", line("GET /http://b/ HTTP/1.1"), "origin target=/http://b/ path=/http://b/"},
      {"9112 3.2.1", line("GET /" + std::string(300, 'x') + "?y HTTP/1.1"), "x query=y"},
      {"9112 3.2.2", line("GET http://a/ HTTP/1.1"),
       "absolute target=http://a/ path=/ query= authority=a"},
      {"9112 3.2.2", line("GET HTTP://A/x?y HTTP/1.1"), "path=/x query=y authority=A"},
      {"9112 3.2.2", line("GET https://a/x HTTP/1.1"), "absolute target=https://a/x path=/x"},
      {"9112 3.2.2", line("GET http://a HTTP/1.1"), "path=/ query= authority=a"},
      {"9112 3.2.2", line("GET http://a?b HTTP/1.1"), "path=/ query=b authority=a"},
      {"9112 3.2.2", "GET http://a:8/ HTTP/1.1\r\nHost: a:8\r\n\r\n", "authority=a:8"},
      {"9112 3.2.2", "GET http://a/ HTTP/1.0\r\n\r\n", "authority=a 1.0 close"},
      {"9112 3.2.4", line("OPTIONS http://a HTTP/1.1"), "absolute target=http://a path=* query="},
      {"9112 3.2.4", line("OPTIONS http://a/ HTTP/1.1"), "path=/ query="},
      {"9112 3.2.4", line("OPTIONS http://a?b HTTP/1.1"), "path=/ query=b"},
      {"9112 3.2.4", line("OPTIONS * HTTP/1.1"), "asterisk target=* path=* query= authority=a"},
      {"9112 3.2.3", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
       "CONNECT CONNECT authority target=a:80 path= query= authority=a:80"},
      {"9112 3.2.3", "CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "authority=[::1]:80"},
      {"9112 2.3", "GET / HTTP/1.0\r\n\r\n", "authority= 1.0 close;"},
      {"9110 2.5", line("GET / HTTP/1.2"), " 1.1 keep"},
      {"9110 2.5", line("GET / HTTP/1.9"), " 1.1 keep"},
      // --- Host ---
      {"9110 7.2", host("a.example"), "authority=a.example 1.1"},
      {"9110 7.2", host("a.example:8080"), "authority=a.example:8080 1.1"},
      {"9110 7.2", host("a:"), "authority=a: 1.1"},
      {"9110 7.2", host("a:0"), "authority=a:0 1.1"},
      {"9110 7.2", host("a:65535"), "authority=a:65535 1.1"},
      {"9110 7.2", host("  a\t "), "authority=a 1.1"},
      {"3986 3.2.2", host("127.0.0.1:80"), "authority=127.0.0.1:80"},
      {"3986 3.2.2", host("a_b-c~d!$&'()*+;=e"), "authority=a_b-c~d!$&'()*+;=e"},
      {"3986 3.2.2", host("%41%7e"), "authority=%41%7e"},
      {"3986 3.2.2", host("[::]"), "authority=[::]"},
      {"3986 3.2.2", host("[::1]"), "authority=[::1]"},
      {"3986 3.2.2", host("[::1]:443"), "authority=[::1]:443"},
      {"3986 3.2.2", host("[1:2:3:4:5:6:7:8]"), "authority=[1:"},
      {"3986 3.2.2", host("[1:2:3:4:5:6:7::]"), "authority=[1:"},
      {"3986 3.2.2", host("[2001:db8::ff00:42:8329]"), "authority=[2001:"},
      {"3986 3.2.2", host("[::ffff:1.2.3.4]"), "authority=[::ffff"},
      {"3986 3.2.2", host("[1:2:3:4:5:6:1.2.3.4]"), "authority=[1:2"},
      {"9112 3.2", old("Host: a\r\n"), "authority=a 1.0 close"},
      // --- fields ---
      {"9112 5.1", with("A:b\r\n"), "A=[b]"},
      {"9112 5.1", with("A: \t b \t \r\n"), "A=[b]"},
      {"9112 5.1", with("A:\r\n"), "A=[]"},
      {"9112 5.1", with("A: \t \r\n"), "A=[]"},
      {"9110 5.5", with("A: b\tc  d\r\n"), "A=[b\tc  d]"},
      {"9110 5.5", with("A: \x80\xFF\r\n"), "A=[\x80\xFF]"},
      {"9110 5.5", with("A: " + std::string(500, 'v') + "\r\n"), "vvv]"},
      {"9110 5.5", with("A: a:b: c\r\n"), "A=[a:b: c]"},
      {"9110 5.1", with("!#$%&'*+-.^_`|~09aZ: x\r\n"), "!#$%&'*+-.^_`|~09aZ=[x]"},
      {"9110 5.3", with("A: 1\r\na: 2\r\n"), "A=[1] a=[2]"},
      {"9110 5.1", with("a-very-long-name-0123456789-of-many-parts: x\r\n"), "parts=[x]"},
      // --- framing ---
      {"9112 6.3", with("Content-Length: 0\r\n"), "length=0 keep"},
      {"9112 6.3", with("Content-Length: 5\r\n"), "length=5 body keep"},
      {"9112 6.3", with("content-LENGTH: \t5 \r\n"), "length=5 body keep"},
      {"9110 8.6", with("Content-Length: 0000000000000000005\r\n"), "length=5 body"},
      {"9110 8.6", with("Content-Length: 9223372036854775807\r\n"),
       "length=9223372036854775807 body"},
      {"9112 6.3", old("Content-Length: 3\r\n"), "1.0 length=3 body close"},
      {"9112 6.3", with("Transfer-Encoding: chunked\r\n"), "1.1 chunked body keep"},
      {"9112 6.1", with("transfer-encoding: CHUNKED\r\n"), "1.1 chunked body keep"},
      {"9112 6.1", with("Transfer-Encoding:\tchunked\t\r\n"), "1.1 chunked body keep"},
      {"9112 7.4", with("TE: trailers\r\nConnection: TE\r\n"), " keep;"},
      {"9112 6.1", line("GET / HTTP/1.9\r\nTransfer-Encoding: chunked"), "chunked body"},
      // --- connection ---
      {"9112 9.3", with("Connection: close\r\n"), " 1.1 close;"},
      {"9112 9.3", with("Connection: Keep-Alive\r\n"), " 1.1 keep;"},
      {"9112 9.3", with("Connection: keep-alive, close\r\n"), " 1.1 close;"},
      {"9112 9.3", with("Connection: keep-alive\r\nConnection: CLOSE\r\n"), " 1.1 close;"},
      {"9112 9.3", with("Connection: closed\r\n"), " 1.1 keep;"},
      {"9112 9.3", with("Connection: x, y ,z\r\n"), " 1.1 keep;"},
      {"9110 5.6.1", with("Connection: ,, close ,\r\n"), " 1.1 close;"},
      {"9110 5.6.1", with("Connection:\r\n"), " 1.1 keep;"},
      {"9112 9.3", old("Connection: keep-alive\r\n"), " 1.0 keep;"},
      {"9112 9.3", old("Connection: keep-alive, close\r\n"), " 1.0 close;"},
      {"9112 9.3", old("Connection: x\r\n"), " 1.0 close;"},
      {"9110 7.8", with("Upgrade: websocket\r\nConnection: Upgrade\r\n"), "keep upgrade;"},
      {"9110 7.8", with("Connection: keep-alive, upgrade\r\nUpgrade: x\r\n"), "keep upgrade;"},
      {"9110 7.8", with("Upgrade: websocket\r\n"), " keep;"},
      {"9110 7.8", with("Connection: upgrade\r\n"), " keep;"},
      {"9110 7.8", old("Upgrade: x\r\nConnection: upgrade\r\n"), " 1.0 close;"},
      {"9110 10.1.1", with("Expect: 100-continue\r\nContent-Length: 1\r\n"), "keep expect;"},
      {"9110 10.1.1", with("Content-Length: 1\r\nexpect: 100-Continue\r\n"), "keep expect;"},
      {"9110 10.1.1", with("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"),
       "keep expect;"},
      {"9110 10.1.1", with("Expect: 100-continue\r\n"), " keep;"},
      {"9110 10.1.1", with("Expect: 100-continue\r\nContent-Length: 0\r\n"), " keep;"},
      {"9110 10.1.1", old("Expect: 100-continue\r\nContent-Length: 1\r\n"), " close;"},
  };
  return cases;
}

TEST(RequestParser, what_breaks_a_rule_is_refused_with_that_rule_however_it_arrives) {
  for (auto const& c : refused()) {
    SCOPED_TRACE("RFC " + std::string(c.section) + ": " + testing::PrintToString(c.bytes));
    Outcome const whole = feed_whole(c.bytes);
    EXPECT_EQ(whole.status, ParseStatus::error) << whole;
    EXPECT_EQ(to_string(whole.error), to_string(c.error));
    expect_invariant(c.bytes, {}, whole, c.bytes.size() < 1000);
  }
}

TEST(RequestParser, what_the_grammar_allows_is_read_the_same_however_it_arrives) {
  for (auto const& c : accepted()) {
    SCOPED_TRACE("RFC " + std::string(c.section) + ": " + testing::PrintToString(c.bytes));
    Outcome const whole = feed_whole(c.bytes);
    EXPECT_EQ(whole.status, ParseStatus::done) << whole;
    EXPECT_EQ(whole.consumed, c.bytes.size());
    EXPECT_NE(whole.head.find(c.contains), std::string::npos)
        << whole.head << "\nlacks " << c.contains;
    expect_invariant(c.bytes, {}, whole);
  }
}

TEST(RequestParser, every_prefix_of_a_good_head_asks_for_more) {
  for (auto const& c : accepted()) {
    for (std::size_t i = 0; i < c.bytes.size(); ++i) {
      EXPECT_EQ(feed_whole(std::string_view(c.bytes).substr(0, i)).status, ParseStatus::need_more);
    }
  }
}

TEST(RequestParser, what_follows_the_head_is_left_alone) {
  std::string const head = with("Content-Length: 3\r\n");
  Outcome const outcome = feed_whole(head + "abc" + with(""));
  EXPECT_EQ(outcome.status, ParseStatus::done);
  EXPECT_EQ(outcome.consumed, head.size());
  // Not even a byte that no request may begin with.
  EXPECT_EQ(feed_whole(head + "\0\n"s).consumed, head.size());
}

TEST(RequestParser, one_parser_and_one_head_read_pipelined_requests_in_order) {
  std::string const bytes =
      with("Content-Length: 0\r\nExpect: 100-continue\r\nConnection: close\r\n") + "\r\n" +
      line("POST /b?c HTTP/1.1") + old("A: b\r\n");
  RequestParser parser;
  RequestHead head;
  std::string_view rest = bytes;
  std::vector<std::string> seen;
  while (!rest.empty()) {
    ParseResult const result = parser.parse(head, rest, {});
    ASSERT_EQ(result.status, ParseStatus::done);
    EXPECT_TRUE(parser.is_idle());
    seen.push_back(describe_head(head));
    rest.remove_prefix(result.consumed);
  }
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[1], "POST POST origin target=/b?c path=/b query=c authority=a 1.1 keep; Host=[a]")
      << "nothing of the first request may show in the second";
  EXPECT_EQ(seen[2], "GET GET origin target=/ path=/ query= authority= 1.0 close; A=[b]");
}

TEST(RequestParser, a_head_that_failed_shows_nothing_of_the_request_before) {
  for (std::string const& bad :
       {"\n"s, "\r\n\r\n"s + with(""), line("G(T / HTTP/1.1"), with("A b\r\n")}) {
    RequestParser parser;
    RequestHead head;
    std::string const good =
        "HEAD /x HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n";
    ASSERT_EQ(parser.parse(head, good, {}).status, ParseStatus::done);
    ASSERT_EQ(parser.parse(head, bad, {}).status, ParseStatus::error);
    EXPECT_NE(head.method(), Method::head);
    EXPECT_EQ(head.version_minor(), 1);
    EXPECT_NE(head.path(), "/x");
    EXPECT_FALSE(head.has(KnownHeader::connection));
    EXPECT_FALSE(head.keep_alive);
    EXPECT_FALSE(head.has_body());
    EXPECT_LE(head.field_count(), 1U);
  }
}

TEST(RequestParser, it_is_idle_until_the_first_byte_of_a_method) {
  RequestParser parser;
  RequestHead head;
  std::string const bytes = "\r\nG";
  EXPECT_TRUE(parser.is_idle());
  parser.parse(head, std::string_view(bytes).substr(0, 2), {});
  EXPECT_TRUE(parser.is_idle());
  parser.parse(head, bytes, {});
  EXPECT_FALSE(parser.is_idle());
  parser.reset();
  EXPECT_TRUE(parser.is_idle());
}

TEST(RequestParser, a_request_line_may_fill_its_limit_and_not_exceed_it) {
  for (std::size_t limit : {64U, 100U, 8192U}) {
    HeadLimits limits;
    limits.request_line = limit;
    std::size_t const around = "GET / HTTP/1.1\r\n"s.size();
    std::string const fits = line("GET /" + std::string(limit - around, 'x') + " HTTP/1.1");
    std::string const over = line("GET /" + std::string(limit - around + 1, 'x') + " HTTP/1.1");
    EXPECT_EQ(feed_whole(fits, limits).status, ParseStatus::done);
    Outcome const outcome = feed_whole(over, limits);
    EXPECT_EQ(outcome.error, request_line_too_long);
    EXPECT_EQ(outcome.consumed, limit);
    expect_invariant(over, limits, outcome, limit <= 100);
    // An ignored empty line does not count.
    EXPECT_EQ(feed_whole("\r\n" + fits, limits).status, ParseStatus::done);
    EXPECT_EQ(feed_whole("\r\n" + over, limits).consumed, limit + 2);
    // A line without end is refused as soon as it is too long.
    EXPECT_EQ(feed_whole("GET /" + std::string(limit, 'x'), limits).error, request_line_too_long);
  }
}

TEST(RequestParser, a_field_section_may_fill_its_limit_and_not_exceed_it) {
  for (std::size_t limit : {64U, 100U, 32768U}) {
    HeadLimits limits;
    limits.header_bytes = limit;
    std::size_t const around = "Host: a\r\nA: \r\n\r\n"s.size();
    std::string const fits = with("A: " + std::string(limit - around, 'x') + "\r\n");
    std::string const over = with("A: " + std::string(limit - around + 1, 'x') + "\r\n");
    EXPECT_EQ(feed_whole(fits, limits).status, ParseStatus::done);
    Outcome const outcome = feed_whole(over, limits);
    EXPECT_EQ(outcome.error, header_too_large);
    expect_invariant(over, limits, outcome, limit <= 100);
    EXPECT_EQ(feed_whole(with("A: " + std::string(limit, 'x')), limits).error, header_too_large);
    EXPECT_EQ(feed_whole(with("A:" + std::string(limit, ' ')), limits).error, header_too_large);
    EXPECT_EQ(feed_whole(with(std::string(limit, 'n')), limits).error, header_too_large);
  }
}

TEST(RequestParser, limits_beyond_sixteen_bit_offsets_are_cut) {
  HeadLimits limits;
  limits.request_line = limits.header_bytes = SIZE_MAX;
  limits.fields = UINT16_MAX;
  Outcome outcome = feed_whole(with("A: " + std::string(70000, 'x') + "\r\n"), limits);
  EXPECT_EQ(outcome.error, header_too_large);
  EXPECT_EQ(outcome.consumed, http::max_head_bytes);
  EXPECT_EQ(feed_whole("GET /" + std::string(70000, 'x'), limits).error, request_line_too_long);
  std::string const fits = with("A: " + std::string(65500, 'x') + "\r\n");
  outcome = feed_whole(fits, limits);
  EXPECT_EQ(outcome.status, ParseStatus::done);
  EXPECT_NE(outcome.head.find("[" + std::string(65500, 'x') + "]"), std::string::npos);
  std::string many;
  for (std::size_t i = 0; i < RequestHead::max_fields; ++i) many += "A: b\r\n";
  EXPECT_EQ(feed_whole(with(many), limits).error, too_many_fields);
  EXPECT_EQ(feed_whole(with(many.substr(6)), limits).status, ParseStatus::done);
}

TEST(RequestParser, the_hundredth_field_is_the_last) {
  std::string fields;
  for (int i = 0; i < 99; ++i) fields += "A" + std::to_string(i) + ": b\r\n";
  EXPECT_EQ(feed_whole(with(fields)).status, ParseStatus::done);
  std::string const over = with(fields + "Z: b\r\n");
  Outcome const outcome = feed_whole(over);
  EXPECT_EQ(outcome.error, too_many_fields);
  EXPECT_EQ(over[outcome.consumed], 'Z');
  expect_invariant(over, {}, outcome, false);
}

TEST(RequestParser, the_number_of_ignored_empty_lines_is_a_limit) {
  HeadLimits limits;
  limits.empty_lines = 0;
  EXPECT_EQ(feed_whole("\r\n" + with(""), limits).error, empty_lines);
  limits.empty_lines = 3;
  EXPECT_EQ(feed_whole("\r\n\r\n\r\n" + with(""), limits).status, ParseStatus::done);
  EXPECT_EQ(feed_whole("\r\n\r\n\r\n\r\n" + with(""), limits).error, empty_lines);
}

TEST(RequestParser, what_was_scanned_is_not_scanned_again) {
  // Bytes that were given before are spoiled: whoever looks at them again finds a control
  // character. This is what keeps a head that comes byte by byte from costing its square.
  std::string const bytes = with("A: " + std::string(3000, 'x') + "\r\n");
  std::size_t const value = bytes.find('x');
  RequestParser parser;
  RequestHead head;
  std::string given;
  for (char c : bytes) {
    if (given.size() > value && c == 'x') given.back() = '\x01';
    given += c;
    ParseResult const result = parser.parse(head, given, {});
    ASSERT_EQ(result.error, none);
    EXPECT_EQ(result.status == ParseStatus::done, given.size() == bytes.size());
  }
}

TEST(RequestHead, fields_are_found_by_number_and_by_name_in_any_case) {
  std::string const bytes =
      with("X-Own: 1\r\nACCEPT: text/html\r\naccept: image/png\r\nx-own: 2\r\n");
  RequestParser parser;
  RequestHead head;
  ASSERT_EQ(parser.parse(head, bytes, {}).status, ParseStatus::done);
  EXPECT_EQ(head.find(KnownHeader::accept), "text/html");
  EXPECT_EQ(head.find("Accept"), "text/html");
  EXPECT_EQ(head.find("x-oWN"), "1");
  EXPECT_EQ(head.find("x-owm"), std::nullopt);
  EXPECT_EQ(head.find(""), std::nullopt);
  EXPECT_EQ(head.find(KnownHeader::cookie), std::nullopt);
  EXPECT_EQ(head.find("cookie"), std::nullopt);
  EXPECT_EQ(head.find(KnownHeader::unknown), std::nullopt);
  EXPECT_FALSE(head.has(KnownHeader::unknown));
  EXPECT_TRUE(head.has(KnownHeader::host));
  EXPECT_EQ(head.id(1), KnownHeader::unknown);
  EXPECT_EQ(head.id(2), KnownHeader::accept);
  EXPECT_EQ(head.field(0).value_size, 1);
}

TEST(RequestHead, its_bytes_can_move) {
  std::string bytes = line("GET http://a/b?c HTTP/1.1");
  RequestParser parser;
  RequestHead head;
  ASSERT_EQ(parser.parse(head, bytes, {}).status, ParseStatus::done);
  std::string const before = describe_head(head);
  std::string const moved = bytes;
  std::fill(bytes.begin(), bytes.end(), '?');
  head.rebase(moved.data());
  EXPECT_EQ(describe_head(head), before);
  RequestHead const copy = head;
  EXPECT_EQ(describe_head(copy), before);
}

TEST(ParseErrors, each_has_a_name_a_sentence_with_its_section_and_a_status_of_its_class) {
  EXPECT_EQ(status_of(none), 0);
  for (unsigned i = 1; i < parse_error_count; ++i) {
    auto const error = static_cast<ParseError>(i);
    EXPECT_FALSE(to_string(error).empty());
    EXPECT_NE(describe(error).find("RFC "), std::string_view::npos) << to_string(error);
    EXPECT_GE(status_of(error), 400);
    EXPECT_LE(status_of(error), 505);
  }
  EXPECT_EQ(status_of(request_line_too_long), 414);
  EXPECT_EQ(status_of(header_too_large), 431);
  EXPECT_EQ(status_of(too_many_fields), 431);
  EXPECT_EQ(status_of(unknown_expectation), 417);
  EXPECT_EQ(status_of(unknown_transfer_coding), 501);
  EXPECT_EQ(status_of(method_too_long), 501);
  EXPECT_EQ(status_of(unsupported_version), 505);
  EXPECT_EQ(status_of(missing_host), 400);
  EXPECT_EQ(status_of(static_cast<ParseError>(255)), 0);
}

// A second reading of the grammar, slow and plain: what the parser accepts must pass it with the
// same framing. Returns what is wrong.
std::string naive_fault(std::string_view head, const RequestHead& parsed) {
  if (head.starts_with("\r\n")) head.remove_prefix(2);
  std::vector<std::string_view> lines;
  while (!head.empty()) {
    std::size_t const end = head.find("\r\n");
    if (end == std::string_view::npos) return "does not end in CRLF";
    lines.push_back(head.substr(0, end));
    head.remove_prefix(end + 2);
  }
  if (lines.size() < 2 || !lines.back().empty()) return "has no empty line";
  lines.pop_back();
  for (auto text : lines) {
    if (text.empty()) return "has an empty line inside";
    if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
      return "has CR, LF or NUL";
  }
  std::string_view const first = lines.front();
  if (std::count(first.begin(), first.end(), ' ') != 2) return "request line without two spaces";
  if (!first.substr(first.size() - 9).starts_with(" HTTP/1.")) return "bad version";
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::string_view const text = lines[i];
    std::size_t const colon = text.find(':');
    if (colon == 0 || colon == std::string_view::npos) return "no name";
    std::string_view const name = text.substr(0, colon);
    for (char c : name) {
      if (!http::is_token_char(c)) return "bad name";
    }
    for (char c : text) {
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F)
        return "control character";
    }
    std::string_view const value = http::trim_ows(text.substr(colon + 1));
    if (i - 1 >= parsed.field_count() || parsed.name(i - 1) != name ||
        parsed.value(i - 1) != value) {
      return "field read otherwise";
    }
    if (http::equals_ignore_case(name, "host")) ++hosts;
    if (http::equals_ignore_case(name, "content-length")) {
      ++lengths;
      if (value.empty() || value.find_first_not_of("0123456789") != std::string_view::npos) {
        return "length is no number";
      }
      if (std::stoull(std::string(value)) != parsed.content_length) return "length read otherwise";
    }
    if (http::equals_ignore_case(name, "transfer-encoding")) {
      ++codings;
      if (!http::equals_ignore_case(value, "chunked")) return "coding is not chunked";
    }
  }
  if (parsed.field_count() != lines.size() - 1) return "number of fields";
  if (hosts > 1 || (hosts == 0 && parsed.version_minor() == 1)) return "Host";
  if (lengths + codings > 1) return "two framings";
  if (parsed.chunked != (codings == 1)) return "chunked read otherwise";
  if (parsed.content_length.has_value() != (lengths == 1)) return "length appears";
  if (codings == 1 && parsed.version_minor() == 0) return "chunked in HTTP/1.0";
  return "";
}

TEST(RequestParser, a_hundred_thousand_mutations_are_read_alike_in_pieces_and_never_laxly) {
  std::vector<std::string> seeds;
  for (auto const& c : accepted()) seeds.push_back(c.bytes);
  for (auto const& c : refused()) {
    if (c.bytes.size() < 200) seeds.push_back(c.bytes);
  }
  static constexpr std::string_view pieces[] = {"\r",
                                                "\n",
                                                "\r\n",
                                                "\r\n\r\n",
                                                " ",
                                                "\t",
                                                ":",
                                                ",",
                                                ";",
                                                "#",
                                                "?",
                                                "/",
                                                "*",
                                                "0",
                                                "5",
                                                "+",
                                                "\x7F",
                                                "\x80",
                                                "\xFF",
                                                "Host: a\r\n",
                                                "Content-Length: 5\r\n",
                                                "Transfer-Encoding: chunked\r\n",
                                                "Connection: close\r\n",
                                                "Expect: 100-continue\r\n",
                                                "chunked",
                                                "HTTP/1.0",
                                                "HTTP/1.1",
                                                "GET ",
                                                "http://a"};
  std::mt19937 random(20260101);
  auto below = [&random](std::size_t n) { return n == 0 ? 0 : random() % n; };
  std::size_t accepted_count = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::string bytes = seeds[below(below(4) == 0 ? seeds.size() : accepted().size())];
    for (std::size_t n = 1 + below(2); n != 0; --n) {
      std::size_t const at = below(bytes.size());
      switch (below(6)) {
        case 0:
          if (!bytes.empty())
            bytes[at] = static_cast<char>(below(2) == 0 ? random() : 'a' + below(26));
          break;
        case 1:
          bytes.erase(at, 1 + below(3));
          break;
        case 2:
          bytes.insert(at, 1, static_cast<char>(0x21 + below(0x60)));
          break;
        case 3:
          bytes.insert(at, pieces[below(std::size(pieces))]);
          break;
        case 4:
          bytes.insert(at, bytes.substr(below(bytes.size()), below(20)));
          break;
        default: {
          std::string const& other = seeds[below(seeds.size())];
          bytes = bytes.substr(0, at) + other.substr(below(other.size()));
        }
      }
    }
    Outcome const whole = feed_whole(bytes);
    std::vector<std::size_t> ends;
    for (std::size_t at = 0; at < bytes.size();) {
      at = std::min(bytes.size(), at + 1 + below(60));
      ends.push_back(at);
    }
    ASSERT_EQ(feed(bytes, ends, {}), whole) << testing::PrintToString(bytes);
    if (whole.status != ParseStatus::done) continue;
    ++accepted_count;
    RequestParser parser;
    RequestHead head;
    parser.parse(head, bytes, {});
    ASSERT_EQ(naive_fault(std::string_view(bytes).substr(0, whole.consumed), head), "")
        << testing::PrintToString(bytes);
  }
  EXPECT_GT(accepted_count, 10'000U) << "the mutations must not all be garbage";
}

}  // namespace
}  // namespace spate::h1
