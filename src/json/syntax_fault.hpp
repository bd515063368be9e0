// SPDX-License-Identifier: MIT
// Finds what is wrong with text that the fast parser has refused, and where: a plain reading of the
// grammar (RFC 8259 2-7) that runs on the error path alone, since simdjson's DOM names no position.
// Pure; recursion is bounded by the depth that is allowed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spate::json {

struct SyntaxFault {
  enum class Kind { none, syntax, too_deep, number_range };
  Kind kind = Kind::none;
  std::size_t offset = 0;  // of the byte at which the text stops being right
  std::string detail;      // "expected ',' or '}', found 'x'"
  std::string pointer;     // RFC 6901, of a number that is out of range
};

// The first fault of `text`, in the order of its bytes.
SyntaxFault find_syntax_fault(std::string_view text, std::size_t max_depth);

// Text without fault, with each whole number beyond 64 bits rewritten as the double that it is
// ("1e+20"): RFC 8259 6 allows such numbers, JavaScript writes them, and simdjson refuses them.
std::string with_exponents(std::string_view text);

// Appends "/name" to an RFC 6901 pointer, escaped (RFC 6901 3) and cut when it is very long, so
// that a client cannot make an error as large as its body.
void append_pointer(std::string& pointer, std::string_view name);

}  // namespace spate::json
