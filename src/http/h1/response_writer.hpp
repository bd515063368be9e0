// SPDX-License-Identifier: MIT
// The HTTP/1.1 response head, values to bytes, into memory of the caller. What may not be combined
// (content framing of 204, chunked to HTTP/1.0) is left out here, whatever the caller asked for.
// Names and values are written as given: who takes them from others has asked
// <spate/http/field_rules.hpp>. Pure and without allocation. thread: DateCache is one per worker.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace spate::h1 {

struct Field {
  std::string_view name;
  std::string_view value;
};

// How the end of the content is told (RFC 9112 6.3).
enum class Framing : std::uint8_t {
  none,            // says nothing: HEAD with unknown length, upgrades
  content_length,  // also for HEAD, with the length GET would have
  chunked,         // close_delimited towards HTTP/1.0
  close_delimited
};

struct ResponseHeadSpec {
  int status = 200;
  std::string_view content_type = {};  // left out when empty, and for 1xx, 204, 304
  std::span<const Field> fields = {};
  std::string_view rendered_fields = {};  // more fields, as "name: value\r\n" each
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool close = false;  // the connection ends after this response
  int minor = 1;       // version of the request: 0 or 1
};

// An upper bound of what write_response_head writes, exact within 64 bytes.
std::size_t response_head_bound(const ResponseHeadSpec& spec, std::string_view date) noexcept;

// Writes status line, Date (`date` is the value; none when empty, and for 1xx), framing, connection
// and the fields with the empty line. Returns the length, or 0 when `capacity` is below the bound:
// then nothing was written.
std::size_t write_response_head(char* out, std::size_t capacity, const ResponseHeadSpec& spec,
                                std::string_view date) noexcept;

// "HTTP/1.1 404 Not Found\r\n", prerendered; "" for a status without reason phrase.
// RFC 9110 6.2: the version is ours, whatever the client's.
std::string_view status_line(int status) noexcept;

// What answers Expect: 100-continue.
inline constexpr std::string_view continue_response = "HTTP/1.1 100 Continue\r\n\r\n";

inline constexpr std::size_t date_size = 29;
inline constexpr std::size_t max_decimal_digits = 20;

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7), exactly date_size bytes. Other years than
// 0 to 9999 give the nearest second of those.
void write_date(char* out, std::int64_t unix_seconds) noexcept;

// Decimal digits of n, returns how many (at most max_decimal_digits).
std::size_t write_decimal(char* out, std::uint64_t n) noexcept;

// The Date value, rendered when the second changes. lifetime: the view lives until the next at().
class DateCache {
 public:
  DateCache() noexcept { render(0); }
  std::string_view at(std::int64_t unix_seconds) noexcept {
    if (unix_seconds != second_) render(unix_seconds);
    return {text_.data(), text_.size()};
  }

 private:
  void render(std::int64_t unix_seconds) noexcept;

  std::int64_t second_ = 0;
  std::array<char, date_size> text_{};
};

// Heads of the usual kind, a final answer to HTTP/1.1 with content of known length. What repeats of
// them, from the status line to the name of Content-Length, is rendered once a second for each
// status and type in use. thread: one per worker.
class HeadCache {
 public:
  // What write() may touch of `out`.
  static std::size_t bound(std::string_view rendered_fields) noexcept {
    return prefix_capacity + fixed_rest + rendered_fields.size();
  }
  // The same bytes as write_response_head. Returns their number, or 0 where the answer is not of
  // that kind. `type` is static text: it is told by its address.
  std::size_t write(char* out, int status, std::string_view type, std::uint64_t content_length,
                    bool close, std::string_view rendered_fields,
                    std::int64_t unix_seconds) noexcept {
    Entry& entry = entries_[(static_cast<std::size_t>(status) + type.size()) % entries];
    if (entry.status != status || entry.type != type.data() || entry.type_size != type.size() ||
        entry.second != unix_seconds) [[unlikely]] {
      render(entry, status, type, unix_seconds);
    }
    if (entry.size == 0) return 0;
    // All of it: a copy of fixed size is a few wide moves.
    std::memcpy(out, entry.text.data(), prefix_capacity);
    char* p = out + entry.size;
    p += write_decimal(p, content_length);
    if (close) {
      constexpr std::string_view line = "\r\nConnection: close";
      static_assert(fixed_rest >= max_decimal_digits + line.size() + 4);
      p = std::copy_n(line.data(), line.size(), p);
    }
    *p++ = '\r';
    *p++ = '\n';
    // memcpy of a null pointer is undefined even for no bytes.
    if (!rendered_fields.empty()) {
      std::memcpy(p, rendered_fields.data(), rendered_fields.size());
      p += rendered_fields.size();
    }
    *p++ = '\r';
    *p++ = '\n';
    return static_cast<std::size_t>(p - out);
  }

 private:
  static constexpr std::size_t prefix_capacity = 192;
  static constexpr std::size_t fixed_rest = 48;  // digits, Connection, ends of lines
  static constexpr std::size_t entries = 8;
  struct Entry {
    std::array<char, prefix_capacity> text;
    const char* type = nullptr;
    std::size_t type_size = 0;
    std::int64_t second = 0;
    int status = 0;
    std::uint32_t size = 0;
  };
  void render(Entry& entry, int status, std::string_view type, std::int64_t unix_seconds) noexcept;

  DateCache date_;
  std::array<Entry, entries> entries_;
};

}  // namespace spate::h1
