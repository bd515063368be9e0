// SPDX-License-Identifier: MIT
// Percent-decoding, exactly once, of path segments (RFC 3986 2.1) and of query strings in the form
// of HTML forms, where '+' is a space (WHATWG URL 5.1). Decoded text is valid UTF-8 without NUL, or
// it is refused. lifetime: results are views into the input or into the scratch buffer that was
// given. thread: pure functions and plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <spate/base/error.hpp>
#include <string_view>

namespace spate::app {

// Why a path, a segment or a query field is refused.
enum class PathFault : std::uint8_t {
  none,
  no_leading_slash,
  bad_escape,     // '%' without two hexadecimal digits
  nul,            // a NUL byte, plain or as %00
  encoded_slash,  // %2F inside a segment
  dot_segment,    // "." or ".." as a segment, plain or encoded
  invalid_utf8,
  no_space,  // the scratch buffer is smaller than the text: a fault of the caller
};

// One sentence for the answer's problem document.
std::string_view describe(PathFault fault) noexcept;

// True for well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing over U+10FFFF.
bool is_utf8(std::string_view text) noexcept;

enum class EncodedSlash : std::uint8_t { refuse, allow };

// A whole path ready to be split on '/'. Where an encoded slash is allowed it is a NUL byte in
// `text` (which no valid path contains), so that it separates nothing.
struct NormalPath {
  PathFault fault = PathFault::none;
  bool has_encoded_slash = false;
  std::string_view text;  // the path itself when it has no '%', else inside scratch
};

// Checks a raw path and decodes it once. `scratch` must be as large as the path if that has a '%'.
NormalPath normalize_path(std::string_view raw, std::span<char> scratch,
                          EncodedSlash slash = EncodedSlash::refuse) noexcept;

// Decodes one path segment into `out`, which has room for in.size() bytes and may be in.data().
// Returns the decoded size. errors: malformed (400).
Result<std::size_t> decode_segment(std::string_view in, char* out);

// One field of a query as it stands there, still encoded.
struct QueryField {
  std::string_view name;
  std::string_view value;  // empty also where there is no '='
};

inline constexpr std::size_t max_query_fields = 1000;
inline constexpr std::size_t max_query_name = 1024;  // bytes of a name as sent

// The fields of a query string (without its '?'), found one by one as they are asked for. Empty
// pieces ("a=1&&b=2") are no fields; empty names ("=1") are. Of repeated names the first counts.
class QueryView {
 public:
  explicit QueryView(std::string_view raw) noexcept : raw_(raw) {}

  // The next raw field; false at the end. Start with `position` 0.
  bool next(std::size_t& position, QueryField& out) const noexcept;

  // The decoded value of the first field of that name, nullopt when there is none. A view into the
  // query itself when nothing is encoded, else into `scratch` (raw().size() bytes are enough).
  // errors: malformed (400) for a bad escape, NUL or invalid UTF-8 in this value, or a bad escape
  // in a name before it; too_large (400) for more than max_query_fields before it or a name over
  // max_query_name.
  Result<std::optional<std::string_view>> find(std::string_view name,
                                               std::span<char> scratch) const;

  // All of the errors that find() can give, for the whole query.
  Result<> check() const;

  std::string_view raw() const noexcept { return raw_; }

 private:
  std::string_view raw_;
};

// Decodes a name or value of a query: '+' and %XX. A view of `raw` itself when nothing is encoded,
// else into `scratch`. errors: as QueryView::find.
Result<std::string_view> decode_query_text(std::string_view raw, std::span<char> scratch);

}  // namespace spate::app
