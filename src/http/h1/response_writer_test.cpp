// SPDX-License-Identifier: MIT
#include "http/h1/response_writer.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <spate/http/status.hpp>
#include <string>

namespace spate::h1 {
namespace {

constexpr std::string_view date = "Sun, 06 Nov 1994 08:49:37 GMT";

// Into a heap block of exactly the bound, so that a byte too many is seen.
std::string write(const ResponseHeadSpec& spec, std::string_view when = date) {
  std::size_t const bound = response_head_bound(spec, when);
  auto const out = std::make_unique_for_overwrite<char[]>(bound);
  std::size_t const size = write_response_head(out.get(), bound, spec, when);
  EXPECT_GT(size, 0U);
  EXPECT_LE(size, bound);
  return {out.get(), size};
}

TEST(ResponseWriter, a_full_head_has_its_parts_in_this_order) {
  Field const fields[] = {{"X-A", "1"}, {"X-B", ""}};
  EXPECT_EQ(write({.status = 200,
                   .content_type = "text/plain",
                   .fields = fields,
                   .framing = Framing::content_length,
                   .content_length = 13,
                   .close = true}),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
            "Content-Length: 13\r\nConnection: close\r\nX-A: 1\r\nX-B: \r\n\r\n");
}

TEST(ResponseWriter, rendered_fields_are_copied_and_counted_in_the_bound) {
  ResponseHeadSpec spec;
  std::size_t const before = response_head_bound(spec, "");
  spec.rendered_fields = "X-A: 1\r\nX-B: 2\r\n";
  Field const fields[] = {{"X-C", "3"}};
  EXPECT_EQ(response_head_bound(spec, ""), before + spec.rendered_fields.size());
  spec.fields = fields;
  EXPECT_EQ(write(spec, ""), "HTTP/1.1 200 OK\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n\r\n");
}

TEST(ResponseWriter, the_largest_head_fills_its_bound_within_sixty_four_bytes) {
  Field const fields[] = {{"Server", "Spate"}};
  ResponseHeadSpec const spec{.status = 431,
                              .content_type = "application/problem+json",
                              .fields = fields,
                              .framing = Framing::content_length,
                              .content_length = UINT64_MAX,
                              .minor = 0};
  std::string const head = write(spec);
  EXPECT_NE(head.find("Content-Length: 18446744073709551615\r\n"), std::string::npos);
  EXPECT_NE(head.find("Connection: keep-alive\r\n"), std::string::npos);
  EXPECT_LE(response_head_bound(spec, date) - head.size(), 64U);
}

TEST(ResponseWriter, a_buffer_below_the_bound_is_left_alone) {
  ResponseHeadSpec const spec;
  std::string out(response_head_bound(spec, date) - 1, '?');
  EXPECT_EQ(write_response_head(out.data(), out.size(), spec, date), 0U);
  EXPECT_EQ(out.find_first_not_of('?'), std::string::npos);
}

TEST(ResponseWriter, chunked_is_announced_to_http11_only) {
  EXPECT_EQ(write({.framing = Framing::chunked}, ""),
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  // RFC 9112 6.1
  EXPECT_EQ(write({.framing = Framing::chunked, .minor = 0}, ""),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
}

TEST(ResponseWriter, content_that_ends_with_the_connection_says_close) {
  EXPECT_EQ(write({.framing = Framing::close_delimited}, ""),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
}

TEST(ResponseWriter, http10_clients_are_told_when_the_connection_stays) {
  EXPECT_EQ(write({.framing = Framing::content_length, .minor = 0}, ""),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(write({.framing = Framing::content_length, .close = true, .minor = 0}, ""),
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(ResponseWriter, statuses_without_content_have_no_framing_whatever_was_asked) {
  for (Framing framing : {Framing::content_length, Framing::chunked, Framing::close_delimited}) {
    // RFC 9110 8.6, RFC 9112 6.1
    EXPECT_EQ(
        write({.status = 204, .content_type = "a/b", .framing = framing, .content_length = 5}, ""),
        "HTTP/1.1 204 No Content\r\n\r\n");
    EXPECT_EQ(
        write({.status = 304, .content_type = "a/b", .framing = framing, .content_length = 5}, ""),
        "HTTP/1.1 304 Not Modified\r\n\r\n");
    EXPECT_EQ(write({.status = 103, .framing = framing, .close = true}),
              "HTTP/1.1 103 Early Hints\r\n\r\n");
  }
  Field const fields[] = {{"Connection", "upgrade"}, {"Upgrade", "websocket"}};
  EXPECT_EQ(
      write({.status = 101, .fields = fields}),
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
}

TEST(ResponseWriter, statuses_without_a_reason_phrase_keep_the_space_before_it) {
  EXPECT_EQ(write({.status = 299}, ""), "HTTP/1.1 299 \r\n\r\n");
  EXPECT_EQ(write({.status = 799}, ""), "HTTP/1.1 799 \r\n\r\n");
  EXPECT_EQ(write({.status = 7}, ""), "HTTP/1.1 500 \r\n\r\n");
  EXPECT_EQ(write({.status = 1000}, ""), "HTTP/1.1 500 \r\n\r\n");
  EXPECT_EQ(write({.status = -1}, ""), "HTTP/1.1 500 \r\n\r\n");
}

TEST(StatusLine, it_agrees_with_the_reason_phrase_of_every_status) {
  int known = 0;
  for (int status = -1; status < 1100; ++status) {
    std::string const phrase(reason(status));
    if (phrase.empty()) {
      EXPECT_EQ(status_line(status), "");
      continue;
    }
    ++known;
    EXPECT_EQ(status_line(status), "HTTP/1.1 " + std::to_string(status) + " " + phrase + "\r\n");
  }
  EXPECT_EQ(known, 60);
  EXPECT_EQ(reason(404), "Not Found");
  EXPECT_EQ(reason(413), "Content Too Large");
  EXPECT_EQ(continue_response, std::string(status_line(100)) + "\r\n");
}

TEST(Decimal, every_width_is_written_in_full) {
  std::uint64_t n = 0;
  for (int width = 1; width <= 20; ++width) {
    for (std::uint64_t value : {n, n + 1, n * 10 + 9}) {
      char out[max_decimal_digits];
      EXPECT_EQ(std::string(out, write_decimal(out, value)), std::to_string(value));
    }
    n = n * 10 + 1;
  }
  char out[max_decimal_digits];
  EXPECT_EQ(std::string(out, write_decimal(out, UINT64_MAX)), "18446744073709551615");
}

std::string date_of(std::int64_t seconds) {
  std::string out(date_size, '?');
  write_date(out.data(), seconds);
  return out;
}

TEST(Date, it_has_the_form_of_rfc_9110_section_5_6_7) {
  EXPECT_EQ(date_of(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date_of(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date_of(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
  EXPECT_EQ(date_of(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(date_of(4107542400), "Mon, 01 Mar 2100 00:00:00 GMT");
  EXPECT_EQ(date_of(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(date_of(INT64_MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
  EXPECT_EQ(date_of(INT64_MIN), "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST(DateCache, it_follows_the_clock_forwards_and_backwards) {
  DateCache cache;
  EXPECT_EQ(cache.at(0), date_of(0));
  EXPECT_EQ(cache.at(784111777), date);
  EXPECT_EQ(cache.at(784111777), date);
  EXPECT_EQ(cache.at(784111778), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(cache.at(784111776), "Sun, 06 Nov 1994 08:49:36 GMT");
}

TEST(HeadCache, WritesWhatTheGeneralWriterWrites) {
  constexpr std::string_view types[] = {"", "text/plain; charset=utf-8", "application/json"};
  constexpr std::string_view fields[] = {"", "x-a: 1\r\n", "x-a: 1\r\nx-b: 2\r\n"};
  HeadCache cache;
  // Seconds change and come back, so that entries are rendered anew and found again.
  for (const std::int64_t second : {0L, 1'000'000'000L, 1'000'000'001L, 1'000'000'000L}) {
    DateCache dates;
    for (const int status : {200, 201, 404, 500, 503}) {
      for (const std::string_view type : types) {
        for (const std::string_view more : fields) {
          for (const std::uint64_t length : {0ULL, 9ULL, 10ULL, 99ULL, 100ULL, ~0ULL}) {
            for (const bool close : {false, true}) {
              ResponseHeadSpec spec;
              spec.status = status;
              spec.content_type = type;
              spec.rendered_fields = more;
              spec.framing = Framing::content_length;
              spec.content_length = length;
              spec.close = close;
              std::string expected(response_head_bound(spec, dates.at(second)), ' ');
              expected.resize(
                  write_response_head(expected.data(), expected.size(), spec, dates.at(second)));
              std::string written(HeadCache::bound(more), ' ');
              written.resize(
                  cache.write(written.data(), status, type, length, close, more, second));
              ASSERT_EQ(written, expected);
            }
          }
        }
      }
    }
  }
}

TEST(HeadCache, LeavesTheUnusualToTheGeneralWriter) {
  HeadCache cache;
  char out[4096];
  EXPECT_EQ(cache.write(out, 204, "", 0, false, "", 1), 0U);
  EXPECT_EQ(cache.write(out, 299, "", 0, false, "", 1), 0U);
  const std::string type(200, 'x');
  EXPECT_EQ(cache.write(out, 200, type, 0, false, "", 1), 0U);
}

}  // namespace
}  // namespace spate::h1
