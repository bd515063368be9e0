// SPDX-License-Identifier: MIT
// Tests of the load generator's pure parts: histogram, command line, requests, judgement of
// answers. A program of its own kind, as the generator shares nothing with the library and its
// tests: it runs all of its table and says what failed. What needs a server: tests/load.
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "answer.hpp"
#include "histogram.hpp"
#include "options.hpp"
#include "random.hpp"
#include "requests.hpp"

namespace {

using namespace load;

int failures = 0;

void check(bool holds, const std::string& what) {
  if (holds) return;
  ++failures;
  std::printf("  failed: %s\n", what.c_str());
}

std::expected<Options, std::string> options_of(std::vector<const char*> arguments) {
  return parse_options(arguments);
}

// ---- histogram ------------------------------------------------------------------------------

void every_value_is_known_to_half_a_percent() {
  for (std::uint64_t value = 1; value < (std::uint64_t{1} << 39); value += value / 7 + 1) {
    const std::size_t bucket = Histogram::bucket_of(value);
    const double middle = static_cast<double>(Histogram::middle_of(bucket));
    const double off = middle / static_cast<double>(value) - 1;
    check(bucket < Histogram::buckets, "in the table: " + std::to_string(value));
    check(off < 0.005 && off > -0.005, "close: " + std::to_string(value));
    check(Histogram::lowest_of(bucket) <= value, "begins at or below " + std::to_string(value));
    check(bucket + 1 == Histogram::buckets || Histogram::lowest_of(bucket + 1) > value,
          "ends above " + std::to_string(value));
  }
}

void quantiles_are_those_of_the_sorted_values() {
  Histogram h;
  for (std::uint64_t i = 1; i <= 100; ++i) h.record(i);
  check(h.quantile(0.5) == 50, "the median of 1..100 is 50");
  check(h.quantile(0.99) == 99, "p99 of 1..100 is 99");
  check(h.quantile(1) == 100 && h.max() == 100, "the end is the maximum");
  check(h.quantile(0) == 1, "the begin is the least");
  check(h.count() == 100 && h.mean() == 50.5, "count and mean");
  check(Histogram().quantile(0.99) == 0, "of nothing it is 0");
}

void sums_of_histograms_are_histograms_of_all() {
  Histogram a;
  Histogram b;
  Histogram both;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    (i % 3 == 0 ? a : b).record(i * i * i);
    both.record(i * i * i);
  }
  a.add(b);
  for (const double share : {0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    check(a.quantile(share) == both.quantile(share), "quantile " + std::to_string(share));
  }
  check(a.count() == both.count() && a.max() == both.max() && a.mean() == both.mean(), "totals");
}

void what_is_beyond_the_table_counts_in_its_last_bucket() {
  Histogram h;
  h.record(UINT64_MAX / 2);
  check(h.count() == 1 && h.quantile(0.5) == UINT64_MAX / 2, "one huge value is its own maximum");
  check(h.count_in(Histogram::buckets - 1) == 1, "in the last bucket");
}

void exponential_times_have_their_mean() {
  Random random(7);
  double sum = 0;
  constexpr int draws = 200'000;
  for (int i = 0; i < draws; ++i) sum += random.exponential(100);
  check(sum / draws > 99 && sum / draws < 101, "mean " + std::to_string(sum / draws));
}

// ---- command line ---------------------------------------------------------------------------

void an_address_has_host_port_and_path() {
  const auto plain = options_of({"http://127.0.0.1:8080/a?b=c#d"});
  check(plain && plain->host == "127.0.0.1" && plain->port == 8080 && plain->target == "/a?b=c",
        "IPv4 with query, without fragment");
  const auto six = options_of({"http://[::1]:99"});
  check(six && six->host == "::1" && six->port == 99 && six->target == "/" &&
            six->authority == "[::1]:99",
        "IPv6 in brackets, no path");
  for (const char* wrong :
       {"https://x/", "x", "http://", "http://:80/", "http://x:0/", "http://x:99999/",
        "http://a b/", "http://u@x/", "http://[::1/", "http://x:y/"}) {
    check(!options_of({wrong}), std::string("refused: ") + wrong);
  }
}

void every_fault_of_the_command_line_is_one_line_that_names_it() {
  const std::vector<std::pair<std::vector<const char*>, std::string>> wrong = {
      {{}, "address is missing"},
      {{"http://a/", "http://b/"}, "second"},
      {{"--nothing", "1", "http://a/"}, "--nothing"},
      {{"http://a/", "--connections"}, "--connections"},
      {{"--connections", "0", "http://a/"}, "--connections"},
      {{"--connections", "1e3", "http://a/"}, "--connections"},
      {{"--pipeline", "-1", "http://a/"}, "--pipeline"},
      {{"--duration", "nan", "http://a/"}, "--duration"},
      {{"--short-share", "1.5", "http://a/"}, "--short-share"},
      {{"--mode", "fast", "http://a/"}, "closed, constant, poisson"},
      {{"--mode", "constant", "http://a/"}, "--rate"},
      {{"--rate", "5", "http://a/"}, "--mode"},
      {{"--header", "no colon", "http://a/"}, "--header"},
      {{"--header", "a: b\r\nc: d", "http://a/"}, "--header"},
      {{"--method", "GE T", "http://a/"}, "--method"},
      {{"--body-size", "1", "--body-file", "x", "http://a/"}, "--body-file"},
      {{"--requests", "x", "--method", "GET", "http://a/"}, "--requests"},
      {{"--reconnect", "1", "--pipeline", "2", "http://a/"}, "--pipeline"},
      {{"--hold", "1", "--reconnect", "2", "http://a/"}, "--hold"},
      {{"--grow-to", "9", "http://a/"}, "--hold"},
      {{"--hold", "1", "--connections", "9", "--grow-to", "9", "http://a/"}, "--grow-to"},
      {{"--window", "0.01", "--duration", "3600", "http://a/"}, "--window"},
      {{"--source-addresses", "-", "http://a/"}, "--source-addresses"},
  };
  for (const auto& [arguments, named] : wrong) {
    const auto options = options_of(arguments);
    check(!options, "refused: " + named);
    if (options) continue;
    check(options.error().find(named) != std::string::npos, named + " in: " + options.error());
    check(options.error().find('\n') == std::string::npos, "one line: " + options.error());
  }
}

void flags_take_their_value_in_both_forms() {
  const auto options = options_of({"--connections=7", "--rate", "2.5", "--mode=poisson",
                                   "--watch-pid=1", "--watch-pid", "2", "http://a/"});
  check(options && options->connections == 7 && options->rate == 2.5 &&
            options->mode == Mode::poisson && options->watch_pids == std::vector<int>{1, 2},
        "values");
  const auto holding = options_of({"--hold", "1", "--rate", "5", "http://a/"});
  check(holding && holding->mode == Mode::constant, "a rate while holding is constant");
}

// ---- requests -------------------------------------------------------------------------------

void a_plain_request_is_what_http_asks_for() {
  const auto made = make_requests(*options_of({"http://h:1/x", "--header", "A: b"}));
  check(made && made->all.size() == 1, "one");
  check(made->all[0].keeping == "GET /x HTTP/1.1\r\nHost: h:1\r\nA: b\r\n\r\n", "keeping");
  check(made->all[0].closing == "GET /x HTTP/1.1\r\nHost: h:1\r\nA: b\r\nConnection: close\r\n\r\n",
        "closing");
  const auto post =
      make_requests(*options_of({"http://h/", "--body-size", "3", "--content-type", "text/plain"}));
  check(post && post->all[0].keeping ==
                    "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n"
                    "Content-Length: 3\r\n\r\nxxx",
        "a body makes it a POST");
}

void requests_of_a_file_take_turns() {
  const auto options = *options_of({"http://h/", "--numbers", "2", "--header", "X: y"});
  const auto made = parse_requests(
      "# two\nGET /plain\nAccept: */*\n\n\n# other\nPOST /n/{n}\nHost: own\n@text {\"n\":{n}}\n",
      "file", options);
  check(made.has_value(), made ? "" : made.error());
  if (!made) return;
  check(made->all.size() == 3, "one without and two with numbers");
  check(made->order == std::vector<std::uint32_t>{0, 1, 0, 2}, "in turn");
  check(made->all[0].keeping == "GET /plain HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nX: y\r\n\r\n",
        "the first");
  check(made->all[2].keeping ==
            "POST /n/1 HTTP/1.1\r\nHost: own\r\nX: y\r\nContent-Length: "
            "7\r\n\r\n{\"n\":1}",
        "the number also in the body, Host kept: " + made->all[2].keeping);
}

void faults_in_a_file_of_requests_name_their_line() {
  const auto options = *options_of({"http://h/"});
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "holds no request"},          {"GET\n", "f:1"},
      {"GET / HTTP/1.1\n", "f:1"},       {"GET /\n\nPOST /\nno field\n", "f:4"},
      {"POST /\n@size x\n", "f:2"},      {"POST /\n@file /nonexistent\n", "f:2"},
      {"POST /\n@text a\nA: b\n", "f:3"}};
  for (const auto& [text, named] : wrong) {
    const auto made = parse_requests(text, "f", options);
    check(!made && made.error().find(named) != std::string::npos,
          named + (made ? " was taken" : " in " + made.error()));
  }
}

// ---- answers --------------------------------------------------------------------------------

const std::string hello =
    "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 00:00:00 GMT\r\nX-Id: 1234\r\n"
    "Content-Length: 5\r\n\r\nhello";

Parsed parse(std::string_view text, std::vector<std::string> vary = {}, bool head = false) {
  return parse_answer(text, head, vary);
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  text.replace(text.find(what), what.size(), by);
  return text;
}

void an_answer_ends_where_its_framing_says() {
  const Parsed plain = parse(hello + "HTTP/1.1 next");
  check(plain.outcome == Parsed::Outcome::complete && plain.at == hello.size() &&
            plain.made.body == "hello" && plain.made.status == 200,
        "Content-Length");
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n";
  const Parsed chunks = parse(chunked);
  check(chunks.outcome == Parsed::Outcome::complete && chunks.at == chunked.size() &&
            chunks.made.body == "abc0123456789",
        "chunked");
  const Parsed head = parse("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", {}, true);
  check(head.outcome == Parsed::Outcome::complete, "an answer to HEAD has no content");
  check(parse("HTTP/1.1 204 \r\n\r\n").outcome == Parsed::Outcome::complete, "204 has none");
  for (std::size_t i = 0; i < hello.size(); ++i) {
    check(parse(hello.substr(0, i)).outcome == Parsed::Outcome::incomplete,
          "not whole after " + std::to_string(i) + " bytes");
  }
  for (std::size_t i = 0; i < chunked.size(); ++i) {
    check(parse(chunked.substr(0, i)).outcome == Parsed::Outcome::incomplete,
          "chunks not whole after " + std::to_string(i) + " bytes");
  }
}

void what_is_no_answer_is_wrong() {
  const std::vector<std::string> wrong = {
      "SSH-2.0-x",
      "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 200 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
      "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
      "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: \x01\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
  };
  for (const std::string& text : wrong) {
    check(parse(text).outcome == Parsed::Outcome::wrong, "wrong: " + text);
  }
}

// The outcome of matching `text` in pieces of `step` bytes.
Matcher::Outcome match(const Template& made, std::string_view text, std::size_t step,
                       std::size_t* at = nullptr) {
  Matcher matcher;
  Progress progress;
  while (!text.empty()) {
    std::string_view piece = text.substr(0, step);
    text.remove_prefix(piece.size());
    const auto outcome = matcher.match(made, progress, piece);
    if (outcome == Matcher::Outcome::wrong && at != nullptr) *at = offset_of(made, progress);
    if (outcome != Matcher::Outcome::incomplete) return outcome;
  }
  return Matcher::Outcome::incomplete;
}

void every_single_wrong_byte_is_found_where_it_is() {
  const Template made = parse(hello).made;
  const std::size_t date = hello.find("Sat,");
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, hello.size()}) {
    check(match(made, hello, step) == Matcher::Outcome::complete, "the same is the same");
    for (std::size_t i = 0; i < hello.size(); ++i) {
      std::string other = hello;
      other[i] = other[i] == '#' ? '?' : '#';
      std::size_t at = 0;
      check(match(made, other, step, &at) == Matcher::Outcome::wrong,
            "wrong byte " + std::to_string(i));
      check(at == i, "found at " + std::to_string(at) + ", it is at " + std::to_string(i));
    }
    std::string later = hello;
    later.replace(date, date_length, "Sun, 22 Nov 2026 13:14:15 GMT");
    check(match(made, later, step) == Matcher::Outcome::complete, "another Date is the same");
  }
  check(match(made, hello.substr(0, hello.size() - 1), 100) == Matcher::Outcome::incomplete,
        "one byte short is not whole");
}

void fields_that_vary_may_have_any_value_and_length() {
  const Template made = parse(hello, {"x-id"}).made;
  for (const std::size_t step : {std::size_t{1}, std::size_t{5}, std::size_t{1000}}) {
    for (const char* value : {"", "1", "4321", "something longer"}) {
      check(match(made, replaced(hello, "1234", value), step) == Matcher::Outcome::complete,
            std::string("X-Id: ") + value);
    }
    check(match(made, replaced(hello, "X-Id", "Y-Id"), step) == Matcher::Outcome::wrong,
          "the name may not vary");
    check(match(made, replaced(hello, "hello", "hallo"), step) == Matcher::Outcome::wrong,
          "nor the body");
  }
}

}  // namespace

int main() {
#define TEST_OF(name) {#name, name}
  const std::vector<std::pair<const char*, void (*)()>> tests = {
      TEST_OF(every_value_is_known_to_half_a_percent),
      TEST_OF(quantiles_are_those_of_the_sorted_values),
      TEST_OF(sums_of_histograms_are_histograms_of_all),
      TEST_OF(what_is_beyond_the_table_counts_in_its_last_bucket),
      TEST_OF(exponential_times_have_their_mean),
      TEST_OF(an_address_has_host_port_and_path),
      TEST_OF(every_fault_of_the_command_line_is_one_line_that_names_it),
      TEST_OF(flags_take_their_value_in_both_forms),
      TEST_OF(a_plain_request_is_what_http_asks_for),
      TEST_OF(requests_of_a_file_take_turns),
      TEST_OF(faults_in_a_file_of_requests_name_their_line),
      TEST_OF(an_answer_ends_where_its_framing_says),
      TEST_OF(what_is_no_answer_is_wrong),
      TEST_OF(every_single_wrong_byte_is_found_where_it_is),
      TEST_OF(fields_that_vary_may_have_any_value_and_length),
  };
#undef TEST_OF
  for (const auto& [name, run] : tests) {
    std::printf("%s\n", name);
    run();
  }
  std::printf("%zu tests, %d failures\n", tests.size(), failures);
  return failures == 0 ? 0 : 1;
}
