// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <spate/http/request.hpp>
#include <string>

#include "http/h1/request_parser.hpp"

namespace spate {
namespace {

struct Parsed {
  explicit Parsed(std::string text) : bytes(std::move(text)) {
    EXPECT_EQ(parser.parse(head, bytes, {}).status, h1::ParseStatus::done);
  }
  std::string bytes;
  http::RequestHead head;
  h1::RequestParser parser;
};

TEST(Request, cookies_are_found_by_exact_name_in_every_field) {
  const Parsed parsed(
      "GET / HTTP/1.1\r\nHost: a\r\nCookie: aa=1; a=2;b=\"quoted\"; flag\r\nCookie: c=3\r\n\r\n");
  const Request request(parsed.head);
  EXPECT_EQ(request.cookie("a"), "2");
  EXPECT_EQ(request.cookie("aa"), "1");
  EXPECT_EQ(request.cookie("b"), "quoted");
  EXPECT_EQ(request.cookie("c"), "3");
  EXPECT_EQ(request.cookie("flag"), std::nullopt);
  EXPECT_EQ(request.cookie("A"), std::nullopt);
}

TEST(Request, an_empty_header_is_there_and_a_missing_one_is_not) {
  const Parsed parsed("GET /p?q=1 HTTP/1.1\r\nHost: a\r\nX-Empty:\r\n\r\n");
  const Request request(parsed.head);
  EXPECT_EQ(request.header("x-empty"), "");
  EXPECT_EQ(request.header("x-missing"), std::nullopt);
  EXPECT_EQ(request.header(KnownHeader::host), "a");
  EXPECT_EQ(request.path(), "/p");
  EXPECT_EQ(request.query_string(), "q=1");
  EXPECT_EQ(request.header_count(), 2U);
  EXPECT_EQ(request.header_at(1).name, "X-Empty");
}

}  // namespace
}  // namespace spate
