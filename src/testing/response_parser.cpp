// SPDX-License-Identifier: MIT
#include "testing/response_parser.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <spate/http/status.hpp>
#include <utility>

#include "http/ascii.hpp"

namespace spate {

std::string_view find_field(const std::vector<TestField>& fields, std::string_view name) noexcept {
  for (const TestField& field : fields) {
    if (http::equals_ignore_case(field.name, name)) return field.value;
  }
  return {};
}

std::size_t TestResponse::header_count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(std::count_if(
      headers.begin(), headers.end(),
      [name](const TestField& field) { return http::equals_ignore_case(field.name, name); }));
}

namespace testing {
namespace {

// No line of an answer needs to be longer.
constexpr std::size_t most_line = 64 * 1024;

std::unexpected<Error> malformed(std::string_view what, std::string_view text = {}) {
  std::string detail = "the server's answer breaks RFC 9112: ";
  detail.append(what);
  if (!text.empty()) {
    detail.append(": \"");
    for (const char c : text.substr(0, 80)) {
      if (c == '\r') {
        detail.append("\\r");
      } else if (c == '\n') {
        detail.append("\\n");
      } else {
        detail.push_back(c >= ' ' && c < 0x7F ? c : '?');
      }
    }
    detail.push_back('"');
  }
  return std::unexpected(Error(Errc::malformed, std::move(detail)));
}

template <class T>
std::optional<T> number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void ResponseParser::begin(bool to_head) {
  response_ = {};
  state_ = State::status_line;
  to_head_ = to_head;
  has_begun_ = false;
  left_ = 0;
}

// A line up to CRLF. False when it is not there yet; a lone CR or LF stays in the line and is
// refused by whoever reads it.
bool ResponseParser::take_line(std::string_view& rest, std::string_view& line) {
  const std::size_t end = rest.find("\r\n");
  if (end == rest.npos) return false;
  line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return true;
}

Result<> ResponseParser::status_line(std::string_view line) {
  // RFC 9112 4: HTTP-version SP status-code SP [ reason-phrase ].
  if (!line.starts_with("HTTP/1.1 ")) return malformed("the status line has no HTTP/1.1", line);
  const std::string_view code = line.substr(9, 3);
  if (code.size() != 3 || !std::all_of(code.begin(), code.end(), http::is_digit)) {
    return malformed("the status is not three digits", line);
  }
  if (line.size() < 13 || line[12] != ' ') return malformed("no space follows the status", line);
  const std::string_view phrase = line.substr(13);
  if (!std::all_of(phrase.begin(), phrase.end(), http::is_value_char)) {
    return malformed("a control character in the reason phrase", line);
  }
  response_.status = *number<int>(code);
  if (response_.status < 100 || response_.status > 599) {
    return malformed("the status is out of range", line);
  }
  state_ = State::fields;
  return {};
}

Result<> ResponseParser::field_line(std::string_view line, std::vector<TestField>& fields) {
  const std::size_t colon = line.find(':');
  if (colon == line.npos || colon == 0) return malformed("a field line without a name", line);
  const std::string_view name = line.substr(0, colon);
  if (!std::all_of(name.begin(), name.end(), http::is_token_char)) {
    return malformed("a field name that is no token", line);
  }
  const std::string_view value = http::trim_ows(line.substr(colon + 1));
  if (!std::all_of(value.begin(), value.end(), http::is_value_char)) {
    return malformed("a control character in a field value", line);
  }
  fields.push_back({std::string(name), std::string(value)});
  return {};
}

Result<> ResponseParser::end_of_head() {
  const int status = response_.status;
  const std::size_t lengths = response_.header_count("content-length");
  const std::size_t codings = response_.header_count("transfer-encoding");
  if (lengths > 1) return malformed("more than one Content-Length");
  if (lengths > 0 && codings > 0) {
    return malformed("Content-Length beside Transfer-Encoding (RFC 9112 6.2)");
  }
  if (status < 200 || status == 204) {
    // RFC 9110 8.6, RFC 9112 6.1.
    if (lengths + codings > 0) return malformed("framing fields in an answer without content");
  }
  if (status < 200 && status != 101) {
    response_.informational.push_back({status, std::move(response_.headers)});
    response_.headers.clear();
    state_ = State::status_line;
    return {};
  }
  if (codings > 0) {
    if (codings > 1 ||
        !http::equals_ignore_case(response_.header("transfer-encoding"), "chunked")) {
      return malformed("a transfer coding that is not chunked",
                       response_.header("transfer-encoding"));
    }
    response_.chunked = true;
  }
  std::optional<std::uint64_t> length;
  if (lengths > 0) {
    const std::string_view text = response_.header("content-length");
    length = number<std::uint64_t>(text);
    if (!length || !std::all_of(text.begin(), text.end(), http::is_digit)) {
      return malformed("Content-Length is not a number", text);
    }
  }
  // RFC 9112 6.3, in its order.
  if (to_head_ || never_has_content(status)) {
    state_ = State::complete;
  } else if (response_.chunked) {
    state_ = State::chunk_size;
  } else if (length) {
    left_ = *length;
    state_ = left_ == 0 ? State::complete : State::content;
  } else {
    state_ = State::until_close;
  }
  return {};
}

Result<> ResponseParser::chunk_size(std::string_view line) {
  // RFC 9112 7.1. Extensions are allowed there; this server has none to send.
  if (line.empty() || !std::all_of(line.begin(), line.end(), http::is_hex_digit)) {
    return malformed("a chunk size that is not hexadecimal", line);
  }
  const auto size = number<std::uint64_t>(line, 16);
  if (!size) return malformed("a chunk size out of range", line);
  left_ = *size;
  state_ = left_ == 0 ? State::trailers : State::chunk_content;
  return {};
}

void ResponseParser::take_content(std::string_view& rest) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
  response_.body.append(rest.substr(0, size));
  rest.remove_prefix(size);
  left_ -= size;
}

Result<> ResponseParser::parse(std::string& input, bool ended, std::size_t most_content) {
  std::string_view rest = input;
  if (!rest.empty() && !is_complete()) has_begun_ = true;
  Result<> outcome;
  for (bool more = true; more && outcome && state_ != State::complete;) {
    std::string_view line;
    switch (state_) {
      case State::status_line:
        more = take_line(rest, line);
        if (more) outcome = status_line(line);
        break;
      case State::fields:
        more = take_line(rest, line);
        if (more) outcome = line.empty() ? end_of_head() : field_line(line, response_.headers);
        break;
      case State::content:
      case State::chunk_content:
        take_content(rest);
        more = left_ == 0;
        if (more) state_ = state_ == State::content ? State::complete : State::chunk_end;
        break;
      case State::chunk_size:
        more = take_line(rest, line);
        if (more) outcome = chunk_size(line);
        break;
      case State::chunk_end:
        more = rest.size() >= 2;
        if (!more) break;
        if (!rest.starts_with("\r\n")) {
          outcome = malformed("a chunk is longer than its size says", rest);
          break;
        }
        rest.remove_prefix(2);
        state_ = State::chunk_size;
        break;
      case State::trailers:
        more = take_line(rest, line);
        if (!more) break;
        if (line.empty()) {
          state_ = State::complete;
        } else {
          outcome = field_line(line, response_.trailers);
        }
        break;
      case State::until_close:
        response_.body.append(rest);
        rest = {};
        more = false;
        if (ended) state_ = State::complete;
        break;
      case State::complete:
        break;
    }
  }
  input.erase(0, input.size() - rest.size());
  if (!outcome) return outcome;
  if (response_.body.size() > most_content) {
    return std::unexpected(
        Error(Errc::too_large, "the answer has more content than TestOptions::max_answer, " +
                                   std::to_string(most_content) + " bytes"));
  }
  const bool in_line = state_ != State::content && state_ != State::chunk_content;
  if (in_line && !is_complete() && input.size() > most_line) {
    return malformed("a line without an end", input);
  }
  if (ended && !is_complete()) {
    return std::unexpected(
        Error(Errc::closed, has_begun_ ? "the connection ended in the middle of the answer"
                                       : "the connection ended without an answer"));
  }
  return {};
}

}  // namespace testing
}  // namespace spate
