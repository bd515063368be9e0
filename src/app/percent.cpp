// SPDX-License-Identifier: MIT
#include "app/percent.hpp"

#include <array>
#include <cstring>
#include <string>

namespace spate::app {
namespace {

// The value of a hexadecimal digit, or -1.
constexpr std::array<signed char, 256> hex_values = [] {
  std::array<signed char, 256> table{};
  table.fill(-1);
  for (int i = 0; i < 10; ++i)
    table[static_cast<std::size_t>('0' + i)] = static_cast<signed char>(i);
  for (int i = 0; i < 6; ++i) {
    table[static_cast<std::size_t>('a' + i)] = static_cast<signed char>(10 + i);
    table[static_cast<std::size_t>('A' + i)] = static_cast<signed char>(10 + i);
  }
  return table;
}();

int hex_value(char c) { return hex_values[static_cast<unsigned char>(c)]; }

// The byte that the escape at text[at] ('%') stands for, or -1.
int escaped_byte(std::string_view text, std::size_t at) {
  if (text.size() - at < 3) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  if (high < 0 || low < 0) return -1;
  return high * 16 + low;
}

constexpr std::uint64_t every_byte(unsigned char byte) { return 0x0101010101010101U * byte; }

// Not zero when a byte of the word is zero.
constexpr std::uint64_t zero_bytes(std::uint64_t word) {
  return (word - every_byte(0x01)) & ~word & every_byte(0x80);
}

// What a path holds that needs a closer look; most paths hold none of it but dots.
struct Traits {
  bool percent = false;
  bool dot = false;
  bool high = false;
  bool nul = false;
};

Traits inspect(std::string_view text) {
  std::uint64_t percent = 0;
  std::uint64_t dot = 0;
  std::uint64_t high = 0;
  std::uint64_t nul = 0;
  const auto look = [&](std::uint64_t word) {
    percent |= zero_bytes(word ^ every_byte('%'));
    dot |= zero_bytes(word ^ every_byte('.'));
    high |= word & every_byte(0x80);
    nul |= zero_bytes(word);
  };
  const auto load = [](const char* p) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    return word;
  };
  if (text.size() >= 8) {
    const char* const last = text.data() + text.size() - 8;
    for (const char* p = text.data(); p < last; p += 8) look(load(p));
    look(load(last));  // may look at bytes twice, which changes nothing
  } else {
    for (char c : text) look(every_byte(static_cast<unsigned char>(c)));
  }
  return {percent != 0, dot != 0, high != 0, nul != 0};
}

// RFC 3986 3.3: "." and ".." are relative references. What one program removes and the next does
// not is how a path escapes its root, so they are refused and never resolved. A NUL stands for an
// encoded slash and ends a piece too.
bool has_dot_segment(std::string_view path) {
  std::size_t at = 0;
  while ((at = path.find('.', at)) != path.npos) {
    const std::size_t begin = at;
    while (at < path.size() && path[at] == '.') ++at;
    const auto separates = [](char c) { return c == '/' || c == '\0'; };
    if (at - begin <= 2 && (begin == 0 || separates(path[begin - 1])) &&
        (at == path.size() || separates(path[at]))) {
      return true;
    }
  }
  return false;
}

Error fault_error(PathFault fault) {
  return Error(Errc::malformed, std::string(describe(fault)), 400);
}

// Whether the encoded `raw` means `name`. Compares while decoding, so it needs no buffer.
// errors: malformed, for a bad escape even behind the first difference.
enum class Same : std::uint8_t { no, yes, bad_escape };
Same means(std::string_view raw, std::string_view name) {
  std::size_t matched = 0;
  bool same = true;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '+') {
      c = ' ';
    } else if (c == '%') {
      const int byte = escaped_byte(raw, i);
      if (byte < 0) return Same::bad_escape;
      c = static_cast<char>(byte);
      i += 2;
    }
    same = same && matched < name.size() && name[matched] == c;
    ++matched;
  }
  return same && matched == name.size() ? Same::yes : Same::no;
}

Error limit_error(std::string_view what) { return Error(Errc::too_large, std::string(what), 400); }

// Decodes escapes and '+'; in and out may be the same place.
struct QueryDecoded {
  PathFault fault = PathFault::none;
  std::size_t size = 0;
};
QueryDecoded decode_query(std::string_view raw, char* out) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '+') {
      c = ' ';
    } else if (c == '%') {
      const int byte = escaped_byte(raw, i);
      if (byte < 0) return {PathFault::bad_escape, 0};
      c = static_cast<char>(byte);
      i += 2;
    }
    if (c == '\0') return {PathFault::nul, 0};
    out[size++] = c;
  }
  if (!is_utf8({out, size})) return {PathFault::invalid_utf8, 0};
  return {PathFault::none, size};
}

}  // namespace

std::string_view describe(PathFault fault) noexcept {
  switch (fault) {
    case PathFault::none:
      break;
    case PathFault::no_leading_slash:
      return "the path does not start with '/'";
    case PathFault::bad_escape:
      return "a '%' is not followed by two hexadecimal digits; a literal percent sign is %25";
    case PathFault::nul:
      return "a NUL byte is not allowed";
    case PathFault::encoded_slash:
      return "an encoded slash (%2F) is not allowed in the path";
    case PathFault::dot_segment:
      return "'.' and '..' are not allowed as segments of the path; send the path resolved";
    case PathFault::invalid_utf8:
      return "the decoded text is not UTF-8";
    case PathFault::no_space:
      return "the buffer for the decoded text is too small";
  }
  return "";
}

bool is_utf8(std::string_view text) noexcept {
  std::size_t i = 0;
  const std::size_t size = text.size();
  while (i < size) {
    if (size - i >= 8) {
      std::uint64_t word;
      std::memcpy(&word, text.data() + i, 8);
      if ((word & every_byte(0x80)) == 0) {
        i += 8;
        continue;
      }
    }
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    // RFC 3629 4: the second byte's range shuts out overlong forms, surrogates and the far end.
    std::size_t follow;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
      follow = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      follow = 2;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      follow = 3;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (size - i <= follow) return false;
    for (std::size_t k = 1; k <= follow; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if (byte < low || byte > high) return false;
      low = 0x80;
      high = 0xbf;
    }
    i += follow + 1;
  }
  return true;
}

NormalPath normalize_path(std::string_view raw, std::span<char> scratch,
                          EncodedSlash slash) noexcept {
  NormalPath out;
  if (!raw.starts_with('/')) {
    out.fault = PathFault::no_leading_slash;
    return out;
  }
  Traits traits = inspect(raw);
  if (traits.nul) {
    out.fault = PathFault::nul;
    return out;
  }
  out.text = raw;
  if (traits.percent) {
    if (scratch.size() < raw.size()) {
      out.fault = PathFault::no_space;
      return out;
    }
    std::size_t size = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      char c = raw[i];
      if (c == '%') {
        const int byte = escaped_byte(raw, i);
        if (byte < 0) {
          out.fault = PathFault::bad_escape;
          return out;
        }
        if (byte == 0) {
          out.fault = PathFault::nul;
          return out;
        }
        c = static_cast<char>(byte);
        i += 2;
        if (c == '/') {
          if (slash == EncodedSlash::refuse) {
            out.fault = PathFault::encoded_slash;
            return out;
          }
          out.has_encoded_slash = true;
          c = '\0';
        } else if (c == '.') {
          traits.dot = true;
        } else if (byte >= 0x80) {
          traits.high = true;
        }
      }
      scratch[size++] = c;
    }
    out.text = {scratch.data(), size};
  }
  if (traits.high && !is_utf8(out.text)) {
    out.fault = PathFault::invalid_utf8;
  } else if (traits.dot && has_dot_segment(out.text)) {
    out.fault = PathFault::dot_segment;
  }
  return out;
}

Result<std::size_t> decode_segment(std::string_view in, char* out) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    char c = in[i];
    if (c == '%') {
      const int byte = escaped_byte(in, i);
      if (byte < 0) return std::unexpected(fault_error(PathFault::bad_escape));
      c = static_cast<char>(byte);
      i += 2;
      if (c == '/') return std::unexpected(fault_error(PathFault::encoded_slash));
    }
    if (c == '\0') return std::unexpected(fault_error(PathFault::nul));
    out[size++] = c;
  }
  const std::string_view text(out, size);
  if (!is_utf8(text)) return std::unexpected(fault_error(PathFault::invalid_utf8));
  if (text == "." || text == "..") return std::unexpected(fault_error(PathFault::dot_segment));
  return size;
}

bool QueryView::next(std::size_t& position, QueryField& out) const noexcept {
  while (position < raw_.size()) {
    std::size_t end = raw_.find('&', position);
    if (end == raw_.npos) end = raw_.size();
    const std::string_view piece = raw_.substr(position, end - position);
    position = end + 1;
    if (piece.empty()) continue;
    const std::size_t equals = piece.find('=');
    out.name = piece.substr(0, equals);
    out.value = equals == piece.npos ? std::string_view() : piece.substr(equals + 1);
    return true;
  }
  return false;
}

Result<std::optional<std::string_view>> QueryView::find(std::string_view name,
                                                        std::span<char> scratch) const {
  std::size_t position = 0;
  std::size_t fields = 0;
  QueryField field;
  while (next(position, field)) {
    if (++fields > max_query_fields) {
      return std::unexpected(limit_error("the query has more than 1000 fields"));
    }
    if (field.name.size() > max_query_name) {
      return std::unexpected(limit_error("a name in the query is longer than 1024 bytes"));
    }
    const Same same = means(field.name, name);
    if (same == Same::bad_escape) return std::unexpected(fault_error(PathFault::bad_escape));
    if (same == Same::no) continue;
    auto value = decode_query_text(field.value, scratch);
    if (!value) return std::unexpected(std::move(value).error());
    return *value;
  }
  return std::nullopt;
}

Result<> QueryView::check() const {
  std::size_t position = 0;
  std::size_t fields = 0;
  QueryField field;
  std::string scratch(raw_.size(), '\0');
  while (next(position, field)) {
    if (++fields > max_query_fields) {
      return std::unexpected(limit_error("the query has more than 1000 fields"));
    }
    if (field.name.size() > max_query_name) {
      return std::unexpected(limit_error("a name in the query is longer than 1024 bytes"));
    }
    for (std::string_view text : {field.name, field.value}) {
      if (auto decoded = decode_query_text(text, scratch); !decoded) {
        return std::unexpected(std::move(decoded).error());
      }
    }
  }
  return {};
}

Result<std::string_view> decode_query_text(std::string_view raw, std::span<char> scratch) {
  if (raw.find_first_of("%+") == raw.npos) {
    if (raw.find('\0') != raw.npos) return std::unexpected(fault_error(PathFault::nul));
    if (!is_utf8(raw)) return std::unexpected(fault_error(PathFault::invalid_utf8));
    return raw;
  }
  if (scratch.size() < raw.size()) {
    return std::unexpected(Error(Errc::internal, std::string(describe(PathFault::no_space)), 500));
  }
  const QueryDecoded decoded = decode_query(raw, scratch.data());
  if (decoded.fault != PathFault::none) return std::unexpected(fault_error(decoded.fault));
  return std::string_view(scratch.data(), decoded.size);
}

}  // namespace spate::app
