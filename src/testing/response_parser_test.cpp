// SPDX-License-Identifier: MIT
#include "testing/response_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace spate::testing {
namespace {

using ::testing::HasSubstr;

struct Outcome {
  Result<> result;
  TestResponse response;
  bool complete = false;
  std::string rest;
};

Outcome parse(std::string text, bool ended = false, bool to_head = false,
              std::size_t most = 1 << 20) {
  ResponseParser parser;
  parser.begin(to_head);
  Outcome outcome;
  outcome.result = parser.parse(text, ended, most);
  outcome.response = parser.response();
  outcome.complete = parser.is_complete();
  outcome.rest = text;
  return outcome;
}

TEST(ResponseParser, AnAnswerWithLengthIsReadAndWhatFollowsStays) {
  const Outcome outcome = parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA:  b \r\n\r\nhelloHTTP");
  ASSERT_TRUE(outcome.result);
  EXPECT_TRUE(outcome.complete);
  EXPECT_EQ(outcome.response.status, 200);
  EXPECT_EQ(outcome.response.body, "hello");
  EXPECT_EQ(outcome.response.header("a"), "b");
  EXPECT_EQ(outcome.rest, "HTTP");
}

TEST(ResponseParser, EverySplitGivesTheSameAnswer) {
  const std::string text =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\nA\r\n0123456789\r\n0\r\nX-Sum: 7\r\n\r\n";
  for (std::size_t split = 0; split <= text.size(); ++split) {
    ResponseParser parser;
    parser.begin(false);
    std::string input = text.substr(0, split);
    ASSERT_TRUE(parser.parse(input, false, 1 << 20)) << split;
    EXPECT_EQ(parser.is_complete(), split == text.size());
    input += text.substr(split);
    ASSERT_TRUE(parser.parse(input, false, 1 << 20)) << split;
    ASSERT_TRUE(parser.is_complete()) << split;
    EXPECT_EQ(parser.response().body, "hello0123456789");
    EXPECT_TRUE(parser.response().chunked);
    ASSERT_EQ(parser.response().informational.size(), 1U);
    EXPECT_EQ(find_field(parser.response().trailers, "x-sum"), "7");
  }
}

TEST(ResponseParser, AnswersWithoutContentEndWithTheirHead) {
  EXPECT_TRUE(parse("HTTP/1.1 204 No Content\r\n\r\n").complete);
  EXPECT_TRUE(parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n").complete);
  EXPECT_TRUE(parse("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", false, true).complete);
}

TEST(ResponseParser, ContentWithoutLengthGoesToTheEndOfTheConnection) {
  EXPECT_FALSE(parse("HTTP/1.1 200 OK\r\n\r\nabc").complete);
  const Outcome outcome = parse("HTTP/1.1 200 OK\r\n\r\nabc", true);
  EXPECT_TRUE(outcome.complete);
  EXPECT_EQ(outcome.response.body, "abc");
}

TEST(ResponseParser, AnAnswerThatIsCutIsAnError) {
  for (const char* text : {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"}) {
    const Outcome outcome = parse(text, true);
    ASSERT_FALSE(outcome.result) << text;
    EXPECT_TRUE(outcome.result.error().is(Errc::closed)) << text;
  }
}

TEST(ResponseParser, TooMuchContentIsAnError) {
  const Outcome outcome =
      parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, false, 4);
  ASSERT_FALSE(outcome.result);
  EXPECT_TRUE(outcome.result.error().is(Errc::too_large));
}

struct Broken {
  const char* text;
  const char* what;
};

class ResponseParserRefuses : public ::testing::TestWithParam<Broken> {};

TEST_P(ResponseParserRefuses, AnAnswerThatBreaksTheRules) {
  const Outcome outcome = parse(GetParam().text);
  ASSERT_FALSE(outcome.result) << GetParam().text;
  EXPECT_TRUE(outcome.result.error().is(Errc::malformed));
  EXPECT_THAT(outcome.result.error().detail, HasSubstr(GetParam().what));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ResponseParserRefuses,
    ::testing::Values(
        Broken{"HTTP/1.0 200 OK\r\n\r\n", "no HTTP/1.1"},
        Broken{"HTTP/1.1 2x0 OK\r\n\r\n", "three digits"},
        Broken{"HTTP/1.1 200\r\n\r\n", "no space"}, Broken{"HTTP/1.1 700 No\r\n\r\n", "range"},
        Broken{"HTTP/1.1 200 O\nK\r\n\r\n", "reason"},
        Broken{"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "without a name"},
        Broken{"HTTP/1.1 200 OK\r\nname : x\r\n\r\n", "no token"},
        Broken{"HTTP/1.1 200 OK\r\nname: x\ny\r\n\r\n", "control character"},
        Broken{"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", "not a number"},
        Broken{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
               "more than one"},
        Broken{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
               "beside"},
        Broken{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "not chunked"},
        Broken{"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "without content"},
        Broken{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\n", "chunk size"},
        Broken{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", "longer"}));

}  // namespace
}  // namespace spate::testing
