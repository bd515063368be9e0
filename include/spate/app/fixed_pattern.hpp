// SPDX-License-Identifier: MIT
// Route patterns as the compiler sees them: a string that can be a template argument, so that
// get<"/hello/{name}"> is checked while it compiles, and the one reader of the pattern syntax,
// which run-time patterns share. A pattern starts with '/'; between slashes stands a literal,
// written decoded ({{ and }} are braces), or one parameter: {name}, {name:int}, or as the last
// {name...}. lifetime: views point into the pattern's own text. thread: all pure functions.
#pragma once

#include <cstddef>
#include <string_view>

namespace spate {

// A string literal as a template argument: `template <FixedString pattern> void get();`.
template <std::size_t N>
struct FixedString {
  char text[N]{};

  // Not explicit: a literal must convert where a template argument is expected.
  consteval FixedString(const char (&literal)[N]) {
    for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
  }

  // The text without the terminating NUL.
  constexpr std::string_view view() const { return {text, N - 1}; }
  constexpr operator std::string_view() const { return view(); }
};

// What one segment of a pattern matches. Where several could match, the first named here wins.
enum class PatternKind : unsigned char {
  literal,  // exactly this text
  integer,  // {name:int}: a signed 64-bit number in canonical decimal digits
  text,     // {name}: one segment that is not empty
  rest,     // {name...}: all that remains, which may be empty
  none,     // the answer of pattern_param() for a name that the pattern lacks
};

// Why a text is no pattern; one sentence for each stands in require_pattern() below.
enum class PatternFault : unsigned char {
  none,
  no_leading_slash,
  unclosed_brace,
  stray_brace,
  not_whole_segment,
  bad_name,
  unknown_constraint,
  rest_not_last,
  duplicate_name,
  query_or_fragment,
  percent_escape,
  dot_segment,
  control_character,
  too_many_parameters,
  too_many_segments,
  invalid_utf8,  // found for run-time patterns only
};

inline constexpr std::size_t max_pattern_parameters = 16;
inline constexpr std::size_t max_pattern_segments = 64;

// The first fault of a pattern, and the byte at which it was found.
struct PatternCheck {
  PatternFault fault = PatternFault::none;
  std::size_t position = 0;
};

namespace detail {

// One segment as it was read. `text` is a parameter's name or a literal whose braces are still
// doubled; `end` is the '/' or the end of the pattern.
struct PatternSegment {
  PatternKind kind = PatternKind::literal;
  std::string_view text;
  std::size_t end = 0;
  PatternCheck check;
};

constexpr bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

constexpr bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

constexpr bool is_pattern_name(std::string_view name) {
  if (name.empty() || !is_name_start(name[0])) return false;
  for (char c : name) {
    if (!is_name_start(c) && !(c >= '0' && c <= '9') && c != '-') return false;
  }
  return true;
}

// Reads "{name}", "{name:int}" or "{name...}"; pattern[begin] is the opening brace.
constexpr PatternSegment read_pattern_parameter(std::string_view pattern, std::size_t begin) {
  PatternSegment out;
  std::size_t close = begin + 1;
  while (close < pattern.size() && pattern[close] != '}' && pattern[close] != '/' &&
         pattern[close] != '{') {
    ++close;
  }
  if (close == pattern.size() || pattern[close] != '}') {
    out.check = {PatternFault::unclosed_brace, begin};
    return out;
  }
  std::string_view name = pattern.substr(begin + 1, close - begin - 1);
  out.kind = PatternKind::text;
  if (name.ends_with("...")) {
    name.remove_suffix(3);
    out.kind = PatternKind::rest;
  } else if (std::size_t colon = name.find(':'); colon != std::string_view::npos) {
    if (name.substr(colon + 1) != "int") {
      out.check = {PatternFault::unknown_constraint, begin + 2 + colon};
      return out;
    }
    name = name.substr(0, colon);
    out.kind = PatternKind::integer;
  }
  out.text = name;
  out.end = close + 1;
  if (!is_pattern_name(name)) {
    out.check = {PatternFault::bad_name, begin + 1};
  } else if (out.end < pattern.size() && pattern[out.end] != '/') {
    out.check = {PatternFault::not_whole_segment, out.end};
  } else if (out.kind == PatternKind::rest && out.end < pattern.size()) {
    out.check = {PatternFault::rest_not_last, begin};
  }
  return out;
}

// Reads the segment that starts at `begin`, the byte after a slash.
constexpr PatternSegment read_pattern_segment(std::string_view pattern, std::size_t begin) {
  if (begin < pattern.size() && pattern[begin] == '{' && !pattern.substr(begin).starts_with("{{")) {
    return read_pattern_parameter(pattern, begin);
  }
  PatternSegment out;
  std::size_t at = begin;
  for (; at < pattern.size() && pattern[at] != '/'; ++at) {
    const char c = pattern[at];
    const std::string_view tail = pattern.substr(at);
    PatternFault fault = PatternFault::none;
    if (c == '{' || c == '}') {
      if (tail.starts_with("{{") || tail.starts_with("}}")) {
        ++at;
      } else {
        fault = c == '{' ? PatternFault::not_whole_segment : PatternFault::stray_brace;
      }
    } else if (c == '?' || c == '#') {
      fault = PatternFault::query_or_fragment;
    } else if (c == '%' && tail.size() > 2 && is_hex_digit(tail[1]) && is_hex_digit(tail[2])) {
      fault = PatternFault::percent_escape;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fault = PatternFault::control_character;
    }
    if (fault != PatternFault::none) {
      out.check = {fault, at};
      return out;
    }
  }
  out.text = pattern.substr(begin, at - begin);
  out.end = at;
  if (out.text == "." || out.text == "..") out.check = {PatternFault::dot_segment, begin};
  return out;
}

}  // namespace detail

// The kind of the parameter of that name, or PatternKind::none. The pattern must be free of faults.
constexpr PatternKind pattern_param(std::string_view pattern, std::string_view name) {
  for (std::size_t at = 1; at <= pattern.size();) {
    const detail::PatternSegment segment = detail::read_pattern_segment(pattern, at);
    if (segment.check.fault != PatternFault::none) break;
    if (segment.kind != PatternKind::literal && segment.text == name) return segment.kind;
    at = segment.end + 1;
  }
  return PatternKind::none;
}

// Whether the pattern has a parameter of that name.
consteval bool pattern_has_param(std::string_view pattern, std::string_view name) {
  return pattern_param(pattern, name) != PatternKind::none;
}

// The number of parameters of a pattern that is free of faults.
constexpr std::size_t pattern_param_count(std::string_view pattern) {
  std::size_t count = 0;
  for (std::size_t at = 1; at <= pattern.size();) {
    const detail::PatternSegment segment = detail::read_pattern_segment(pattern, at);
    if (segment.check.fault != PatternFault::none) break;
    if (segment.kind != PatternKind::literal) ++count;
    at = segment.end + 1;
  }
  return count;
}

// The first fault of the text, or PatternFault::none when it is a pattern.
constexpr PatternCheck check_pattern(std::string_view pattern) {
  if (!pattern.starts_with('/')) return {PatternFault::no_leading_slash, 0};
  std::size_t segments = 0;
  std::size_t parameters = 0;
  for (std::size_t at = 1; at <= pattern.size();) {
    const detail::PatternSegment segment = detail::read_pattern_segment(pattern, at);
    if (segment.check.fault != PatternFault::none) return segment.check;
    if (++segments > max_pattern_segments) return {PatternFault::too_many_segments, at};
    if (segment.kind != PatternKind::literal) {
      if (++parameters > max_pattern_parameters) return {PatternFault::too_many_parameters, at};
      // Everything before `at` is free of faults, so the name can be looked for there.
      if (pattern_param(pattern.substr(0, at - 1), segment.text) != PatternKind::none) {
        return {PatternFault::duplicate_name, at + 1};
      }
    }
    at = segment.end + 1;
  }
  return {};
}

// The first fault of a pattern known to the compiler, for a static_assert at the place of use.
consteval PatternFault pattern_fault(std::string_view pattern) {
  return check_pattern(pattern).fault;
}

// Refuses to compile with one sentence when the pattern has a fault. Returns true, so that it can
// stand in a static_assert or an initialiser.
template <FixedString pattern>
consteval bool require_pattern() {
  constexpr PatternFault fault = pattern_fault(pattern.view());
  using enum PatternFault;
  static_assert(fault != no_leading_slash, "spate: a route pattern starts with '/'");
  static_assert(fault != unclosed_brace,
                "spate: a '{' in a route pattern is not closed; write {name}, {name:int} or "
                "{name...}, and {{ for a brace that is meant literally");
  static_assert(fault != stray_brace,
                "spate: a '}' in a route pattern closes nothing; write }} for a brace that is "
                "meant literally");
  static_assert(fault != not_whole_segment,
                "spate: a parameter of a route pattern fills the whole segment between two "
                "slashes; put the text beside it into a segment of its own");
  static_assert(fault != bad_name,
                "spate: the name of a route parameter is a letter or '_', then letters, digits, "
                "'_' or '-'");
  static_assert(fault != unknown_constraint,
                "spate: the only constraint of a route parameter is :int, as in {id:int}");
  static_assert(fault != rest_not_last,
                "spate: {name...} takes all that remains of the path, so it must be the last "
                "segment of the route pattern");
  static_assert(fault != duplicate_name,
                "spate: two parameters of one route pattern have the same name");
  static_assert(fault != query_or_fragment,
                "spate: a route pattern matches the path only; leave '?' and '#' out and read the "
                "query with Query<\"name\">");
  static_assert(fault != percent_escape,
                "spate: literals of a route pattern are written decoded; write the character "
                "itself instead of its %XX escape");
  static_assert(fault != dot_segment,
                "spate: '.' and '..' are never segments of a path that is routed; leave them out "
                "of the route pattern");
  static_assert(fault != control_character, "spate: a route pattern has no control characters");
  static_assert(fault != too_many_parameters, "spate: a route pattern has at most 16 parameters");
  static_assert(fault != too_many_segments, "spate: a route pattern has at most 64 segments");
  return fault == none;
}

}  // namespace spate
