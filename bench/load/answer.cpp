// SPDX-License-Identifier: MIT
#include "answer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace load {
namespace {

constexpr std::size_t longest_head = 64 << 10;
constexpr std::size_t longest_answer = std::size_t{64} << 20;
constexpr std::uint32_t longest_varying_value = 8 << 10;

// RFC 9110 5.6.7, IMF-fixdate: A is a capital, a another letter, 0 a digit.
constexpr std::string_view date_form = "Aaa, 00 Aaa 0000 00:00:00 GMT";
static_assert(date_form.size() == date_length);

bool fits_date(std::size_t at, char c) {
  if (at >= date_length - 3) return c == date_form[at];
  switch (date_form[at]) {
    case 'A':
      return c >= 'A' && c <= 'Z';
    case 'a':
      return c >= 'a' && c <= 'z';
    case '0':
      return c >= '0' && c <= '9';
    default:
      return c == date_form[at];
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_text(char c) { return static_cast<unsigned char>(c) >= ' ' && c != '\x7f'; }

bool is_token_character(char c) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         marks.find(c) != std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return made;
}

class AnswerParser {
 public:
  AnswerParser(std::string_view data, bool answers_head, std::span<const std::string> vary)
      : data_(data), vary_(vary), answers_head_(answers_head) {}

  Parsed run() {
    if (head() && content()) {
      result_.outcome = Parsed::Outcome::complete;
      result_.at = at_;
      result_.made.bytes = data_.substr(0, at_);
      literal_until(at_);
    }
    return std::move(result_);
  }

 private:
  bool wrong(std::size_t at, std::string fault) {
    result_.outcome = Parsed::Outcome::wrong;
    result_.at = at;
    result_.fault = std::move(fault);
    return false;
  }
  bool incomplete() {
    result_.outcome = Parsed::Outcome::incomplete;
    return false;
  }

  bool head() {
    const auto end = data_.find("\r\n\r\n");
    if (end == std::string_view::npos || end > longest_head) {
      if (data_.size() > longest_head) return wrong(longest_head, "a head of at most 64 KiB");
      // The first bytes are judged at once: what speaks no HTTP may never send an empty line.
      constexpr std::string_view begin = "HTTP/1.1 ";
      for (std::size_t i = 0; i < std::min(begin.size(), data_.size()); ++i) {
        if (data_[i] != begin[i]) return wrong(i, "HTTP/1.1, a status line");
      }
      return incomplete();
    }
    if (!status_line()) return false;
    while (at_ < end + 2) {
      if (!field()) return false;
    }
    at_ = end + 4;
    if (chunked_ && has_length_)
      return wrong(at_, "one framing: it has Content-Length and chunked");
    return true;
  }

  bool status_line() {
    constexpr std::string_view begin = "HTTP/1.1 ";
    const auto end = data_.find("\r\n");
    const std::string_view line = data_.substr(0, end);
    if (!line.starts_with(begin)) return wrong(0, "HTTP/1.1, a status line");
    const std::string_view rest = line.substr(begin.size());
    if (rest.size() < 4 || !is_digit(rest[0]) || !is_digit(rest[1]) || !is_digit(rest[2]) ||
        rest[3] != ' ' || !std::all_of(rest.begin(), rest.end(), is_text)) {
      return wrong(begin.size(), "a status of three digits, a space and a reason");
    }
    result_.made.status = (rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0');
    if (result_.made.status < 200)
      return wrong(begin.size(), "a final status: nobody asked for an interim one");
    at_ = end + 2;
    return true;
  }

  bool field() {
    const auto end = data_.find("\r\n", at_);
    const auto colon = data_.find(':', at_);
    if (colon >= end || colon == at_ ||
        !std::all_of(data_.begin() + static_cast<std::ptrdiff_t>(at_),
                     data_.begin() + static_cast<std::ptrdiff_t>(colon), is_token_character)) {
      return wrong(at_, "a field: a name, a colon, a value");
    }
    const std::string name = lower(data_.substr(at_, colon - at_));
    std::size_t first = colon + 1;
    std::size_t last = end;
    while (first < last && (data_[first] == ' ' || data_[first] == '\t')) ++first;
    while (last > first && (data_[last - 1] == ' ' || data_[last - 1] == '\t')) --last;
    const std::string_view value = data_.substr(first, last - first);
    for (std::size_t i = first; i < last; ++i) {
      if (!is_text(data_[i]) && data_[i] != '\t')
        return wrong(i, "no control characters in " + name);
    }
    at_ = end + 2;
    if (name == "date") return date(first, value);
    if (name == "content-length") return content_length(first, value);
    if (name == "transfer-encoding") {
      if (chunked_ || lower(value) != "chunked")
        return wrong(first, "Transfer-Encoding: chunked, once");
      chunked_ = true;
      return true;
    }
    if (std::find(vary_.begin(), vary_.end(), name) != vary_.end()) {
      // Up to the line's end, so that the value may be of any length.
      segment(Template::Kind::varying, first, end);
    }
    return true;
  }

  bool date(std::size_t first, std::string_view value) {
    if (value.size() != date_length)
      return wrong(first, "a Date such as " + std::string(date_form));
    for (std::size_t i = 0; i < date_length; ++i) {
      if (!fits_date(i, value[i]))
        return wrong(first + i, "a Date such as " + std::string(date_form));
    }
    segment(Template::Kind::date, first, first + date_length);
    return true;
  }

  bool content_length(std::size_t first, std::string_view value) {
    if (has_length_) return wrong(first, "one Content-Length");
    if (value.empty() || value.size() > 10 || !std::all_of(value.begin(), value.end(), is_digit)) {
      return wrong(first, "a Content-Length of digits");
    }
    for (const char c : value) length_ = length_ * 10 + static_cast<std::size_t>(c - '0');
    if (length_ > longest_answer) return wrong(first, "an answer of at most 64 MiB");
    has_length_ = true;
    return true;
  }

  bool content() {
    const int status = result_.made.status;
    if (answers_head_ || status == 204 || status == 304) return true;
    if (chunked_) return chunks();
    if (!has_length_)
      return wrong(at_, "Content-Length or chunked: without them the answer has no end");
    if (data_.size() - at_ < length_) return incomplete();
    result_.made.body = data_.substr(at_, length_);
    at_ += length_;
    return true;
  }

  bool chunks() {
    for (;;) {
      const auto end = data_.find("\r\n", at_);
      if (end == std::string_view::npos) {
        return data_.size() - at_ > longest_head ? wrong(at_, "the size of a chunk") : incomplete();
      }
      std::size_t size = 0;
      std::size_t i = at_;
      for (; i < end && i - at_ < 8; ++i) {
        const char c = data_[i];
        if (is_digit(c))
          size = size * 16 + static_cast<std::size_t>(c - '0');
        else if (c >= 'a' && c <= 'f')
          size = size * 16 + static_cast<std::size_t>(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
          size = size * 16 + static_cast<std::size_t>(c - 'A' + 10);
        else
          break;
      }
      if (i == at_ || (i != end && data_[i] != ';')) return wrong(i, "the size of a chunk");
      at_ = end + 2;
      if (size == 0) return trailer();
      if (at_ + size > longest_answer) return wrong(at_, "an answer of at most 64 MiB");
      if (data_.size() - at_ < size + 2) return incomplete();
      result_.made.body += data_.substr(at_, size);
      at_ += size;
      if (data_.substr(at_, 2) != "\r\n") return wrong(at_, "the end of a chunk");
      at_ += 2;
    }
  }

  bool trailer() {
    for (;;) {
      const auto end = data_.find("\r\n", at_);
      if (end == std::string_view::npos) return incomplete();
      const bool is_last = end == at_;
      at_ = end + 2;
      if (is_last) return true;
    }
  }

  void literal_until(std::size_t end) {
    if (end > covered_) {
      result_.made.segments.push_back({Template::Kind::literal,
                                       static_cast<std::uint32_t>(covered_),
                                       static_cast<std::uint32_t>(end)});
    }
    covered_ = end;
  }
  void segment(Template::Kind kind, std::size_t begin, std::size_t end) {
    literal_until(begin);
    result_.made.segments.push_back(
        {kind, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    covered_ = end;
  }

  std::string_view data_;
  std::span<const std::string> vary_;
  bool answers_head_;
  bool chunked_ = false;
  bool has_length_ = false;
  std::size_t length_ = 0;
  std::size_t at_ = 0;
  std::size_t covered_ = 0;
  Parsed result_;
};

}  // namespace

Parsed parse_answer(std::string_view data, bool answers_head, std::span<const std::string> vary) {
  return AnswerParser(data, answers_head, vary).run();
}

Matcher::Outcome Matcher::match_date(Progress& progress, std::string_view& data) {
  if (progress.offset == 0 && data.size() >= date_length &&
      std::memcmp(data.data(), last_date_.data(), date_length) == 0) {
    progress.offset = date_length;
    data.remove_prefix(date_length);
    return Outcome::complete;
  }
  const bool whole = progress.offset == 0 && data.size() >= date_length;
  const std::string_view begin = data;
  while (progress.offset < date_length && !data.empty()) {
    if (!fits_date(progress.offset, data.front())) return Outcome::wrong;
    ++progress.offset;
    data.remove_prefix(1);
  }
  if (whole) std::memcpy(last_date_.data(), begin.data(), date_length);
  return progress.offset == date_length ? Outcome::complete : Outcome::incomplete;
}

Matcher::Outcome Matcher::match(const Template& expected, Progress& progress,
                                std::string_view& data) {
  while (progress.segment < expected.segments.size()) {
    const Template::Segment& segment = expected.segments[progress.segment];
    if (segment.kind == Template::Kind::literal) {
      const std::size_t left = segment.end - segment.begin - progress.offset;
      const std::size_t here = std::min(left, data.size());
      const char* wanted = expected.bytes.data() + segment.begin + progress.offset;
      if (std::memcmp(data.data(), wanted, here) != 0) [[unlikely]] {
        const auto [a, b] = std::mismatch(wanted, wanted + here, data.data());
        progress.offset += static_cast<std::uint32_t>(a - wanted);
        data.remove_prefix(static_cast<std::size_t>(a - wanted));
        return Outcome::wrong;
      }
      progress.offset += static_cast<std::uint32_t>(here);
      data.remove_prefix(here);
      if (here < left) return Outcome::incomplete;
    } else if (segment.kind == Template::Kind::date) {
      const Outcome outcome = match_date(progress, data);
      if (outcome != Outcome::complete) return outcome;
    } else {
      while (!data.empty() && data.front() != '\r') {
        if (!is_text(data.front()) || progress.offset == longest_varying_value) {
          return Outcome::wrong;
        }
        ++progress.offset;
        data.remove_prefix(1);
      }
      if (data.empty()) return Outcome::incomplete;
    }
    ++progress.segment;
    progress.offset = 0;
  }
  progress = {};
  return Outcome::complete;
}

}  // namespace load
