// SPDX-License-Identifier: MIT
// The part of the JSON writer that does not depend on types: windows, strings, numbers.
// perf: strings are copied 16 bytes at a time while they are looked at, integers two digits at a
// time.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <spate/json/write.hpp>

#include "json/utf8.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace spate {

namespace {
constexpr std::size_t kFirstWindow = 96;  // most small objects fit without a second allocation
}

void JsonSink::next_window(std::size_t bytes) {
  if (!overflowed_) {
    const Window window = more(position_, bytes);
    if (static_cast<std::size_t>(window.end - window.begin) >= bytes && window.begin != nullptr) {
      position_ = window.begin;
      end_ = window.end;
      return;
    }
    overflowed_ = true;
  }
  position_ = waste_;
  end_ = waste_ + kStep;
}

void JsonSink::append_in_pieces(std::string_view text) {
  while (!text.empty()) {
    char* to = reserve(1);
    const std::size_t room = static_cast<std::size_t>(end_ - to);
    const std::size_t part = room < text.size() ? room : text.size();
    std::memcpy(to, text.data(), part);
    commit(to + part);
    text.remove_prefix(part);
  }
}

JsonStringSink::JsonStringSink(std::string& out)
    : JsonSink(out.data() + out.size(), out.data() + out.size()), out_(out) {}

JsonSink::Window JsonStringSink::more(char* written, std::size_t bytes) {
  const std::size_t used = static_cast<std::size_t>(written - out_.data());
  // Doubling keeps the copies linear in the length of the text; what the string has already is
  // free.
  const std::size_t wanted = std::max({used + bytes + kFirstWindow, 2 * used, out_.capacity()});
  // Nothing behind `used` is read before it is written, so it need not be cleared.
  out_.resize_and_overwrite(wanted, [](char*, std::size_t size) { return size; });
  return {out_.data() + used, out_.data() + out_.size()};
}

void JsonStringSink::finish() { out_.resize(static_cast<std::size_t>(position() - out_.data())); }

namespace json {
namespace {

constexpr char kDigits[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546"
    "4"
    "7484950515253545556575859606162636465666768697071727374757677787980818283848586878889909192939"
    "4"
    "9596979899";
constexpr std::size_t kLongestInteger = 20;   // 18446744073709551615, -9223372036854775808
constexpr std::size_t kLongestFloating = 32;  // shortest round trip of a double has at most 24
constexpr char kHex[] = "0123456789abcdef";

char* put_digits(char* to, std::uint64_t value) {
  char digits[kLongestInteger];
  char* first = digits + kLongestInteger;
  while (value >= 100) {
    first -= 2;
    std::memcpy(first, kDigits + 2 * (value % 100), 2);
    value /= 100;
  }
  if (value >= 10) {
    first -= 2;
    std::memcpy(first, kDigits + 2 * value, 2);
  } else {
    *--first = static_cast<char>('0' + value);
  }
  const std::size_t size = static_cast<std::size_t>(digits + kLongestInteger - first);
  std::memcpy(to, first, size);
  return to + size;
}

template <class T>
void write_floating(JsonSink& out, T value) {
  if (!std::isfinite(value)) {
    out.append("null");
    return;
  }
  char* to = out.reserve(kLongestFloating);
  out.commit(std::to_chars(to, to + kLongestFloating, value).ptr);
}

// How many bytes from `at` can be copied as they are, at most `size`. Not: controls, quote,
// backslash (RFC 8259 7), and bytes outside ASCII, which must be checked.
std::size_t plain_prefix(const char* at, std::size_t size) {
  std::size_t i = 0;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i space = _mm_set1_epi8(' ');
  for (; i + 16 <= size; i += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + i));
    // A signed comparison: bytes of 0x80 and more are negative and so below the space as well.
    const __m128i special =
        _mm_or_si128(_mm_cmplt_epi8(bytes, space),
                     _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
    const unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(special));
    if (mask != 0) return i + static_cast<std::size_t>(__builtin_ctz(mask));
  }
#endif
  for (; i < size; ++i) {
    const unsigned char c = static_cast<unsigned char>(at[i]);
    if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') break;
  }
  return i;
}

void write_escape(JsonSink& out, unsigned char c) {
  char* to = out.reserve(6);
  *to++ = '\\';
  switch (c) {
    case '"':
    case '\\':
      *to++ = static_cast<char>(c);
      break;
    case '\b':
      *to++ = 'b';
      break;
    case '\f':
      *to++ = 'f';
      break;
    case '\n':
      *to++ = 'n';
      break;
    case '\r':
      *to++ = 'r';
      break;
    case '\t':
      *to++ = 't';
      break;
    default:
      std::memcpy(to, "u00", 3);
      to[3] = kHex[c >> 4];
      to[4] = kHex[c & 15];
      to += 5;
  }
  out.commit(to);
}

}  // namespace

void write_text(JsonSink& out, std::string_view text) {
  out.put('"');
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const std::size_t plain = plain_prefix(at, static_cast<std::size_t>(end - at));
    if (plain != 0) {
      out.append({at, plain});
      at += plain;
      continue;
    }
    const unsigned char c = static_cast<unsigned char>(*at);
    if (c < 0x80) {
      write_escape(out, c);
      ++at;
      continue;
    }
    const Utf8Step step = next_utf8(at, end);
    // RFC 8259 8.1: text between systems is UTF-8; each maximal wrong part becomes one U+FFFD.
    out.append(step.valid ? std::string_view(at, step.size) : std::string_view("\xEF\xBF\xBD"));
    at += step.size;
  }
  out.put('"');
}

void write_integer(JsonSink& out, std::int64_t value) {
  char* to = out.reserve(kLongestInteger);
  std::uint64_t magnitude = static_cast<std::uint64_t>(value);
  if (value < 0) {
    *to++ = '-';
    magnitude = 0 - magnitude;
  }
  out.commit(put_digits(to, magnitude));
}

void write_unsigned(JsonSink& out, std::uint64_t value) {
  out.commit(put_digits(out.reserve(kLongestInteger), value));
}

void write_double(JsonSink& out, double value) { write_floating(out, value); }
void write_float(JsonSink& out, float value) { write_floating(out, value); }

}  // namespace json
}  // namespace spate
