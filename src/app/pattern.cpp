// SPDX-License-Identifier: MIT
#include "app/pattern.hpp"

#include <utility>

#include "app/percent.hpp"

namespace spate::app {
namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

// Text that cannot disturb a terminal: control bytes, and whatever is not UTF-8, as \xNN.
std::string printable(std::string_view text) {
  const bool keep_high_bytes = is_utf8(text);
  std::string out;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !keep_high_bytes)) {
      out += "\\x";
      out += hex_digits[byte >> 4];
      out += hex_digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

// Columns that the text takes: a continuation byte of UTF-8 takes none.
std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  for (char c : text) columns += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return columns;
}

std::string unescape_braces(std::string_view literal) {
  std::string out;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    out += literal[i];
    if (literal[i] == '{' || literal[i] == '}') ++i;  // its twin
  }
  return out;
}

// The first byte that begins no well-formed character.
std::size_t first_invalid_byte(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t size = 1;
    while (size <= 4 && !is_utf8(text.substr(at, size))) ++size;
    if (size > 4) break;
    at += size;
  }
  return at;
}

}  // namespace

bool Pattern::is_static() const noexcept {
  for (const Segment& segment : segments) {
    if (segment.kind != PatternKind::literal) return false;
  }
  return true;
}

PatternCheck check_run_time_pattern(std::string_view text) noexcept {
  PatternCheck check = check_pattern(text);
  if (check.fault == PatternFault::none && !is_utf8(text)) {
    check = {PatternFault::invalid_utf8, first_invalid_byte(text)};
  }
  return check;
}

FaultText pattern_fault_text(PatternFault fault) noexcept {
  switch (fault) {
    case PatternFault::none:
      break;
    case PatternFault::no_leading_slash:
      return {"a pattern starts with '/'", "put a '/' in front"};
    case PatternFault::unclosed_brace:
      return {"this '{' is not closed; expected '}' before the end of the segment",
              "write {name}, {name:int} or, as the last segment, {name...}; a literal brace is {{"};
    case PatternFault::stray_brace:
      return {"this '}' closes nothing; expected a '{' at the start of the segment",
              "write }} for a literal brace"};
    case PatternFault::not_whole_segment:
      return {"a parameter fills a whole segment; expected '/' or the end beside it",
              "put the text beside the parameter into a segment of its own, or take the whole "
              "segment and split it in the handler; a literal brace is {{ or }}"};
    case PatternFault::bad_name:
      return {"expected a parameter name: a letter or '_', then letters, digits, '_' or '-'",
              "name the parameter, e.g. {id}"};
    case PatternFault::unknown_constraint:
      return {"unknown constraint; expected 'int'",
              "write {name:int}, or take {name} and check its value in the handler"};
    case PatternFault::rest_not_last:
      return {"{name...} takes all that remains, so nothing can follow it; expected the end",
              "make it the last segment, or use {name}, which takes one segment"};
    case PatternFault::duplicate_name:
      return {"a parameter before this one has the same name; expected another",
              "rename one of them"};
    case PatternFault::query_or_fragment:
      return {"a pattern matches the path only; expected no '?' and no '#'",
              "leave it out here and read the query with Query<\"name\">"};
    case PatternFault::percent_escape:
      return {"literals are written decoded; expected no %XX escape",
              "write the character itself, e.g. a space instead of %20"};
    case PatternFault::dot_segment:
      return {"'.' and '..' are never segments of a path that is routed; expected a name",
              "leave the segment out"};
    case PatternFault::control_character:
      return {"expected no control character", "remove it"};
    case PatternFault::too_many_parameters:
      return {"expected at most 16 parameters", "take the remainder with {name...}"};
    case PatternFault::too_many_segments:
      return {"expected at most 64 segments", "take the remainder with {name...}"};
    case PatternFault::invalid_utf8:
      return {"expected UTF-8", "save the source as UTF-8, or repair what makes the pattern"};
  }
  return {"", ""};
}

std::string describe_pattern_fault(std::string_view method, std::string_view pattern,
                                   PatternCheck check, std::source_location where) {
  const std::string before = printable(pattern.substr(0, check.position));
  const std::string shown = printable(pattern);
  const FaultText text = pattern_fault_text(check.fault);
  std::string out = "spate: bad route pattern\n  ";
  out.append(printable(method)).append(" ").append(shown).append("    at ");
  out.append(where.file_name()).append(":").append(std::to_string(where.line())).append("\n");
  out.append(3 + width(method) + width(before), ' ').append("^\n  ");
  out.append(text.what).append("\n  ").append(text.advice);
  return out;
}

Result<Pattern> parse_pattern(std::string_view text, std::source_location where) {
  if (const PatternCheck check = check_run_time_pattern(text); check.fault != PatternFault::none) {
    return std::unexpected(Error(Errc::configuration,
                                 describe_pattern_fault("route", text, check, where), 500, where));
  }
  Pattern out;
  for (std::size_t at = 1; at <= text.size();) {
    const detail::PatternSegment segment = detail::read_pattern_segment(text, at);
    out.segments.push_back({segment.kind, segment.kind == PatternKind::literal
                                              ? unescape_braces(segment.text)
                                              : std::string(segment.text)});
    at = segment.end + 1;
  }
  return out;
}

}  // namespace spate::app
