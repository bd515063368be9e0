// SPDX-License-Identifier: MIT
#include <charconv>
#include <spate/app/html.hpp>

namespace spate {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  for (std::size_t at = 0;;) {
    const std::size_t special = text.find_first_of("&<>\"'", at);
    out.append(text.substr(at, special - at));
    if (special == text.npos) return;
    switch (text[special]) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += "&#39;";
        break;
    }
    at = special + 1;
  }
}

template <class T>
void append_number(std::string& out, T value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value);
  out.append(digits, end.ptr);
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_escaped(out, text);
  return out;
}

void app::HtmlPiece::append_to(std::string& out) const {
  switch (kind_) {
    case Kind::raw:
      out += text_;
      break;
    case Kind::text:
      append_escaped(out, text_);
      break;
    case Kind::signed_number:
      append_number(out, signed_);
      break;
    case Kind::unsigned_number:
      append_number(out, unsigned_);
      break;
    case Kind::real:
      append_number(out, real_);
      break;
  }
}

std::string app::fill_html(std::string_view text, const HtmlPiece* pieces, std::size_t count) {
  std::string out;
  out.reserve(text.size() + 16 * count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = text.find("{}");
    out += text.substr(0, place);
    pieces[i].append_to(out);
    text.remove_prefix(place + 2);
  }
  out += text;
  return out;
}

}  // namespace spate
