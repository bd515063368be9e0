// SPDX-License-Identifier: MIT
#include "http/h1/response_writer.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <spate/http/status.hpp>

#include "http/status_table.hpp"

namespace spate::h1 {
namespace {

constexpr std::string_view version = "HTTP/1.1 ";

// Status lines, rendered by the compiler.
struct Line {
  std::array<char, 47> text{};
  std::uint8_t size = 0;
};

constexpr char digit(unsigned n) noexcept { return static_cast<char>('0' + n % 10); }

consteval std::array<Line, http::status_table.size()> make_lines() noexcept {
  std::array<Line, http::status_table.size()> lines{};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    Line& line = lines[i];
    auto put = [&line](char c) { line.text[line.size++] = c; };  // out of bounds does not compile
    auto const& [code, reason] = http::status_table[i];
    for (char c : version) put(c);
    put(digit(code / 100U));
    put(digit(code / 10U));
    put(digit(code));
    put(' ');
    for (char c : reason) put(c);
    put('\r');
    put('\n');
  }
  return lines;
}

constexpr std::array<Line, http::status_table.size()> lines = make_lines();

consteval std::array<char, 200> make_pairs() noexcept {
  std::array<char, 200> pairs{};
  for (unsigned i = 0; i < 100; ++i) {
    pairs[2 * i] = digit(i / 10);
    pairs[2 * i + 1] = digit(i);
  }
  return pairs;
}

constexpr std::array<char, 200> pairs = make_pairs();

char* put(char* out, std::string_view text) noexcept {
  // memcpy of a null pointer is undefined even for no bytes.
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

char* put_pair(char* out, unsigned n) noexcept {
  std::memcpy(out, &pairs[2 * static_cast<std::size_t>(n)], 2);
  return out + 2;
}

constexpr std::string_view colon = ": ";
constexpr std::string_view crlf = "\r\n";
constexpr std::string_view date_name = "Date: ";
constexpr std::string_view type_name = "Content-Type: ";
constexpr std::string_view length_name = "Content-Length: ";
constexpr std::string_view chunked_line = "Transfer-Encoding: chunked\r\n";
constexpr std::string_view close_line = "Connection: close\r\n";
constexpr std::string_view keep_alive_line = "Connection: keep-alive\r\n";

// What is written whatever the spec says; the rest of the bound are the caller's strings.
constexpr std::size_t fixed_bound =
    sizeof(Line::text) + date_name.size() + type_name.size() + 2 * crlf.size() +
    std::max(length_name.size() + max_decimal_digits + crlf.size(), chunked_line.size()) +
    keep_alive_line.size() + crlf.size();

}  // namespace

std::string_view status_line(int status) noexcept {
  std::size_t const entry = http::find_status(status);
  if (entry == 0) return {};
  return {lines[entry - 1].text.data(), lines[entry - 1].size};
}

std::size_t response_head_bound(const ResponseHeadSpec& spec, std::string_view date) noexcept {
  std::size_t bound =
      fixed_bound + date.size() + spec.content_type.size() + spec.rendered_fields.size();
  for (auto const& [name, value] : spec.fields) {
    bound += name.size() + colon.size() + value.size() + crlf.size();
  }
  return bound;
}

std::size_t write_response_head(char* out, std::size_t capacity, const ResponseHeadSpec& spec,
                                std::string_view date) noexcept {
  if (capacity < response_head_bound(spec, date)) return 0;
  char* p = out;

  if (std::string_view const line = status_line(spec.status); !line.empty()) {
    p = put(p, line);
  } else {
    // RFC 9112 4: three digits; the reason phrase may be empty, the space before it may not.
    auto const code =
        static_cast<unsigned>(spec.status >= 100 && spec.status <= 999 ? spec.status : 500);
    p = put(p, version);
    *p++ = digit(code / 100);
    p = put_pair(p, code % 100);
    *p++ = ' ';
    p = put(p, crlf);
  }

  bool const interim = spec.status >= 100 && spec.status < 200;
  bool const content = !never_has_content(spec.status);

  // RFC 9110 6.6.1: a server with a clock sends Date in all but 1xx, where it may leave it out.
  if (!interim && !date.empty()) {
    p = put(p, date_name);
    p = put(p, date);
    p = put(p, crlf);
  }
  if (content && !spec.content_type.empty()) {
    p = put(p, type_name);
    p = put(p, spec.content_type);
    p = put(p, crlf);
  }

  bool close = spec.close;
  // RFC 9110 8.6, RFC 9112 6.1: neither framing field in 1xx and 204; 304 has no content either.
  if (content) {
    switch (spec.framing) {
      case Framing::none:
        break;
      case Framing::content_length:
        p = put(p, length_name);
        p += write_decimal(p, spec.content_length);
        p = put(p, crlf);
        break;
      case Framing::chunked:
        // RFC 9112 6.1: no transfer coding towards HTTP/1.0; the end of the connection ends it.
        if (spec.minor == 0) {
          close = true;
        } else {
          p = put(p, chunked_line);
        }
        break;
      case Framing::close_delimited:
        close = true;
        break;
    }
  }

  // RFC 9112 9.3, 9.6. A 1xx says nothing about the connection; 101 brings its own field.
  if (!interim) {
    if (close) {
      p = put(p, close_line);
    } else if (spec.minor == 0) {
      p = put(p, keep_alive_line);
    }
  }

  p = put(p, spec.rendered_fields);
  for (auto const& [name, value] : spec.fields) {
    p = put(p, name);
    p = put(p, colon);
    p = put(p, value);
    p = put(p, crlf);
  }
  p = put(p, crlf);
  return static_cast<std::size_t>(p - out);
}

std::size_t write_decimal(char* out, std::uint64_t n) noexcept {
  std::array<char, max_decimal_digits> text;
  std::size_t at = text.size();
  while (n >= 100) {
    at -= 2;
    put_pair(&text[at], static_cast<unsigned>(n % 100));
    n /= 100;
  }
  if (n >= 10) {
    at -= 2;
    put_pair(&text[at], static_cast<unsigned>(n));
  } else {
    text[--at] = digit(static_cast<unsigned>(n));
  }
  std::memcpy(out, &text[at], text.size() - at);
  return text.size() - at;
}

void write_date(char* out, std::int64_t unix_seconds) noexcept {
  constexpr std::int64_t first = -62167219200;  // 0000-01-01 00:00:00
  constexpr std::int64_t last = 253402300799;   // 9999-12-31 23:59:59
  std::chrono::sys_seconds const time(std::chrono::seconds(std::clamp(unix_seconds, first, last)));
  auto const day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day const date(day);
  auto const seconds = static_cast<unsigned>((time - day).count());
  auto const year = static_cast<unsigned>(static_cast<int>(date.year()));

  constexpr std::string_view days = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  char* p = put(out, days.substr(3 * std::chrono::weekday(day).c_encoding(), 3));
  p = put(p, ", ");
  p = put_pair(p, static_cast<unsigned>(date.day()));
  *p++ = ' ';
  p = put(p, months.substr(3 * (static_cast<unsigned>(date.month()) - 1), 3));
  *p++ = ' ';
  p = put_pair(p, year / 100);
  p = put_pair(p, year % 100);
  *p++ = ' ';
  p = put_pair(p, seconds / 3600);
  *p++ = ':';
  p = put_pair(p, seconds / 60 % 60);
  *p++ = ':';
  p = put_pair(p, seconds % 60);
  put(p, " GMT");
}

void HeadCache::render(Entry& entry, int status, std::string_view type,
                       std::int64_t unix_seconds) noexcept {
  entry.status = status;
  entry.type = type.data();
  entry.type_size = type.size();
  entry.second = unix_seconds;
  entry.size = 0;
  const std::string_view line = status_line(status);
  if (line.empty() || never_has_content(status)) return;
  const std::size_t size = line.size() + date_name.size() + date_size + 2 * crlf.size() +
                           type_name.size() + type.size() + length_name.size();
  if (size > prefix_capacity) return;
  char* p = put(entry.text.data(), line);
  p = put(p, date_name);
  p = put(p, date_.at(unix_seconds));
  p = put(p, crlf);
  if (!type.empty()) {
    p = put(p, type_name);
    p = put(p, type);
    p = put(p, crlf);
  }
  p = put(p, length_name);
  entry.size = static_cast<std::uint32_t>(p - entry.text.data());
}

void DateCache::render(std::int64_t unix_seconds) noexcept {
  second_ = unix_seconds;
  write_date(text_.data(), unix_seconds);
}

}  // namespace spate::h1
