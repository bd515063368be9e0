// SPDX-License-Identifier: MIT
// A recursive descent over RFC 8259 that stops at the first byte which does not fit. It must refuse
// exactly what simdjson refuses, whole numbers beyond 64 bits apart; the tests compare the two.
#include "json/syntax_fault.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "json/utf8.hpp"

namespace spate::json {
namespace {

constexpr std::size_t kLongestName = 128;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_utf8(std::string& out, unsigned code) {
  const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 63));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 63));
    put(0x80 | (code & 63));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 63));
    put(0x80 | (code >> 6 & 63));
    put(0x80 | (code & 63));
  }
}

unsigned four_hex(std::string_view text, std::size_t at) {
  unsigned code = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    code = code << 4 | static_cast<unsigned>(hex_digit(text[i]));
  }
  return code;
}

// What stands between the quotes of a string whose escapes are known to be right.
std::string unescape(std::string_view raw) {
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      out.push_back(raw[i]);
      continue;
    }
    switch (raw[++i]) {
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'u': {
        unsigned code = four_hex(raw, i + 1);
        i += 4;
        if (code >= 0xD800 && code < 0xDC00) {
          code = 0x10000 + ((code - 0xD800) << 10) + (four_hex(raw, i + 3) - 0xDC00);
          i += 6;
        }
        append_utf8(out, code);
        break;
      }
      default:
        out.push_back(raw[i]);
    }
  }
  return out;
}

bool is_64_bit(std::string_view whole) {
  const char* const end = whole.data() + whole.size();
  std::int64_t number = 0;
  std::uint64_t natural = 0;
  return std::from_chars(whole.data(), end, number).ec == std::errc() ||
         std::from_chars(whole.data(), end, natural).ec == std::errc();
}

// Whether the magnitude of a number is beyond a double. Too small is not
// a fault: it is zero.
bool overflows(std::string_view number) {
  double value = 0;
  const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
  if (read.ec != std::errc::result_out_of_range) return false;
  // from_chars says the same of too large and too small; the first digit that counts tells.
  const std::size_t exponent_at = number.find_first_of("eE");
  const std::string_view digits = number.substr(0, exponent_at);
  long long scale = 0;
  if (exponent_at != std::string_view::npos) {
    const std::string_view exponent = number.substr(exponent_at + 1);
    const bool negative = exponent.starts_with('-');
    for (const char c : exponent) {
      if (is_digit(c) && scale < 1'000'000'000'000) scale = scale * 10 + (c - '0');
    }
    if (negative) scale = -scale;
  }
  const std::size_t point =
      digits.find('.') == std::string_view::npos ? digits.size() : digits.find('.');
  const std::size_t first = digits.find_first_of("123456789");
  return static_cast<long long>(point) - static_cast<long long>(first) + scale > 0;
}

class Scanner {
 public:
  Scanner(std::string_view text, std::size_t max_depth) : text_(text), max_depth_(max_depth) {}

  SyntaxFault run() {
    if (text_.starts_with("\xEF\xBB\xBF")) {
      fail("found a byte order mark; send UTF-8 without one");
      return fault_;
    }
    skip_space();
    if (!value(nullptr, 0)) return fault_;
    skip_space();
    if (at_ != text_.size()) fail_expected("the end of the text");
    return fault_;
  }

 private:
  struct Step {
    const Step* outer;
    bool member;
    std::string_view name;
    std::size_t index;
  };

  bool fail(std::string detail) {
    fault_.kind = SyntaxFault::Kind::syntax;
    fault_.offset = at_;
    fault_.detail = std::move(detail);
    return false;
  }

  bool fail_expected(std::string_view expected) {
    std::string detail = "expected ";
    detail.append(expected).append(", found ");
    if (at_ == text_.size()) {
      detail += "the end of the text";
    } else if (text_[at_] > 0x20 && text_[at_] < 0x7F) {
      detail.append("'").append(1, text_[at_]).append("'");
    } else {
      constexpr char hex[] = "0123456789abcdef";
      const unsigned byte = static_cast<unsigned char>(text_[at_]);
      detail.append("byte 0x").append(1, hex[byte >> 4]).append(1, hex[byte & 15]);
    }
    return fail(std::move(detail));
  }

  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool next_is_digit() const { return at_ < text_.size() && is_digit(text_[at_]); }

  bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  bool value(const Step* outer, std::size_t depth) {
    if (next_is('{') || next_is('[')) {
      if (depth == max_depth_) {
        fail("nested deeper than " + std::to_string(max_depth_) + " levels");
        fault_.kind = SyntaxFault::Kind::too_deep;
        return false;
      }
      return next_is('{') ? object(outer, depth) : array(outer, depth);
    }
    if (next_is('"')) return string();
    if (next_is('-') || next_is_digit()) return number(outer);
    for (const std::string_view word : {"true", "false", "null"}) {
      if (next_is(word[0])) return literal(word);
    }
    return fail_expected("a value");
  }

  bool literal(std::string_view word) {
    for (const char c : word) {
      if (!take(c)) return fail_expected(word);
    }
    return true;
  }

  bool array(const Step* outer, std::size_t depth) {
    ++at_;
    skip_space();
    if (take(']')) return true;
    Step step{outer, false, {}, 0};
    for (;; ++step.index) {
      skip_space();
      if (!value(&step, depth + 1)) return false;
      skip_space();
      if (take(']')) return true;
      if (!take(',')) return fail_expected("',' or ']' after an element");
    }
  }

  bool object(const Step* outer, std::size_t depth) {
    ++at_;
    skip_space();
    if (take('}')) return true;
    Step step{outer, true, {}, 0};
    for (;;) {
      skip_space();
      if (!next_is('"')) return fail_expected("a member's name in double quotes");
      const std::size_t start = at_ + 1;
      if (!string()) return false;
      step.name = text_.substr(start, at_ - 1 - start);
      skip_space();
      if (!take(':')) return fail_expected("':' after a member's name");
      skip_space();
      if (!value(&step, depth + 1)) return false;
      skip_space();
      if (take('}')) return true;
      if (!take(',')) return fail_expected("',' or '}' after a member");
    }
  }

  bool string() {
    ++at_;
    for (;;) {
      if (at_ == text_.size()) return fail_expected("'\"' at the end of a string");
      const unsigned char c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c < 0x20) return fail_expected("an escape for a control character in a string");
      if (c == '\\') {
        if (!escape()) return false;
        continue;
      }
      const Utf8Step step = next_utf8(text_.data() + at_, text_.data() + text_.size());
      if (!step.valid) return fail_expected("UTF-8 in a string");
      at_ += step.size;
    }
  }

  bool escape() {
    ++at_;
    if (at_ == text_.size() ||
        std::string_view("\"\\/bfnrtu").find(text_[at_]) == std::string_view::npos) {
      return fail_expected("one of \" \\ / b f n r t u after a backslash");
    }
    if (text_[at_++] != 'u') return true;
    const std::size_t start = at_;
    if (!four_digits()) return false;
    const unsigned code = four_hex(text_, start);
    if (code < 0xD800 || code > 0xDFFF) return true;
    // RFC 8259 8.2: a lone surrogate is no character, and software behind us may disagree on it.
    if (code >= 0xDC00 || !next_is('\\') || at_ + 1 == text_.size() || text_[at_ + 1] != 'u') {
      at_ = start - 2;
      return fail("found half of a surrogate pair in a string");
    }
    at_ += 2;
    if (!four_digits()) return false;
    const unsigned second = four_hex(text_, at_ - 4);
    if (second < 0xDC00 || second > 0xDFFF) {
      at_ = start - 2;
      return fail("found half of a surrogate pair in a string");
    }
    return true;
  }

  bool four_digits() {
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == text_.size() || hex_digit(text_[at_]) < 0) {
        return fail_expected("four hexadecimal digits after \\u");
      }
    }
    return true;
  }

  bool number(const Step* outer) {
    const std::size_t start = at_;
    bool whole = true;
    take('-');
    if (!next_is_digit()) return fail_expected("a digit");
    // RFC 8259 6: leading zeros are not allowed.
    if (take('0')) {
      if (next_is_digit()) return fail_expected("no digit after a leading zero");
    } else {
      while (next_is_digit()) ++at_;
    }
    if (take('.')) {
      whole = false;
      if (!next_is_digit()) return fail_expected("a digit after the point");
      while (next_is_digit()) ++at_;
    }
    if (take('e') || take('E')) {
      whole = false;
      if (!take('+')) take('-');
      if (!next_is_digit()) return fail_expected("a digit in the exponent");
      while (next_is_digit()) ++at_;
    }
    const std::string_view digits = text_.substr(start, at_ - start);
    if ((whole && is_64_bit(digits)) || !overflows(digits)) return true;
    at_ = start;
    fail("found a number beyond a 64-bit float");
    fault_.kind = SyntaxFault::Kind::number_range;
    fault_.pointer = pointer(outer);
    return false;
  }

  static std::string pointer(const Step* step) {
    if (step == nullptr) return {};
    std::string text = pointer(step->outer);
    append_pointer(text, step->member ? unescape(step->name) : std::to_string(step->index));
    return text;
  }

  std::string_view text_;
  std::size_t max_depth_;
  std::size_t at_ = 0;
  SyntaxFault fault_;
};

}  // namespace

SyntaxFault find_syntax_fault(std::string_view text, std::size_t max_depth) {
  return Scanner(text, max_depth).run();
}

std::string with_exponents(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::size_t copied = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') {
      for (++at; text[at] != '"'; ++at) {
        if (text[at] == '\\') ++at;
      }
      continue;
    }
    if (text[at] != '-' && !is_digit(text[at])) continue;
    const std::size_t end = std::min(text.find_first_not_of("-+.eE0123456789", at), text.size());
    const std::string_view number = text.substr(at, end - at);
    if (number.find_first_of(".eE") == std::string_view::npos && !is_64_bit(number)) {
      double value = 0;
      std::from_chars(number.data(), number.data() + number.size(), value);
      char digits[32];
      const auto written =
          std::to_chars(digits, digits + sizeof(digits), value, std::chars_format::scientific);
      out.append(text.substr(copied, at - copied)).append(digits, written.ptr);
      copied = end;
    }
    at = end - 1;
  }
  return out.append(text.substr(copied));
}

void append_pointer(std::string& pointer, std::string_view name) {
  pointer.push_back('/');
  std::size_t size = name.size();
  if (size > kLongestName) {
    size = kLongestName;
    // Cut before a character, not in it.
    while (size > 0 && (static_cast<unsigned char>(name[size]) & 0xC0) == 0x80) --size;
  }
  for (const char c : name.substr(0, size)) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer.push_back(c);
    }
  }
  if (size < name.size()) pointer += "...";
}

}  // namespace spate::json
