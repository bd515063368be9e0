// SPDX-License-Identifier: MIT
// A route pattern read at run time: a list of segments, literals decoded. The syntax itself lives
// in <spate/app/fixed_pattern.hpp>, so that the compiler and the running program agree about it;
// this adds the sentences for people. lifetime: a Pattern owns its text. thread: a plain value.
#pragma once

#include <source_location>
#include <spate/app/fixed_pattern.hpp>
#include <spate/base/error.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace spate::app {

struct Segment {
  PatternKind kind = PatternKind::literal;
  std::string text;  // the decoded literal, or the parameter's name
};

struct Pattern {
  std::vector<Segment> segments;  // "/" is one empty literal, "/a/" is "a" and an empty literal

  bool is_static() const noexcept;  // only literals
};

// check_pattern() and, beyond it, valid UTF-8.
PatternCheck check_run_time_pattern(std::string_view text) noexcept;

// What is wrong and what to do about it, two sentences without full stop.
struct FaultText {
  std::string_view what;
  std::string_view advice;
};
FaultText pattern_fault_text(PatternFault fault) noexcept;

// The message for a bad pattern: method, pattern and place; a caret under the fault; what was
// expected; what to do. Lines are separated by '\n', the last one has none.
std::string describe_pattern_fault(std::string_view method, std::string_view pattern,
                                   PatternCheck check, std::source_location where);

// errors: configuration, with the message above.
Result<Pattern> parse_pattern(std::string_view text,
                              std::source_location where = std::source_location::current());

}  // namespace spate::app
