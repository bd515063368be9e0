// SPDX-License-Identifier: MIT
// Values to JSON text (RFC 8259): aggregates, containers, strings, numbers, enums by name. Text
// goes into a JsonSink, whose owner decides where bytes live: a string, or a server's send buffer.
// An empty optional or unique_ptr is written as null. Text in strings that is not UTF-8 becomes
// U+FFFD, numbers that JSON cannot say (NaN, infinities) become null, so that what is written is
// always valid JSON. Nothing here waits or locks; any thread may write to its own sink.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <spate/json/enum_name.hpp>
#include <spate/json/reflect.hpp>
#include <spate/json/shape.hpp>
#include <string>
#include <string_view>
#include <type_traits>

namespace spate {

// Where JSON text goes: a window of memory that is asked for more when it is full.
// The next window may lie elsewhere, so a chain of send blocks is as good as one growing buffer.
// lifetime: borrows the memory that its owner hands out. thread: one at a time.
class JsonSink {
 public:
  // The most bytes that are asked for in one piece.
  static constexpr std::size_t kStep = 256;

  JsonSink(const JsonSink&) = delete;
  JsonSink& operator=(const JsonSink&) = delete;

  // Room for `bytes` (at most kStep) more; `commit` says how far it was used.
  char* reserve(std::size_t bytes) {
    if (static_cast<std::size_t>(end_ - position_) < bytes) [[unlikely]] {
      next_window(bytes);
    }
    return position_;
  }
  void commit(char* position) noexcept { position_ = position; }

  void put(char c) {
    *reserve(1) = c;
    ++position_;
  }

  // inline: keys are literals of known size, so the copy becomes a few stores.
  void append(std::string_view text) {
    if (static_cast<std::size_t>(end_ - position_) < text.size()) [[unlikely]] {
      append_in_pieces(text);
      return;
    }
    if (text.empty()) return;  // an empty view may be null, which memcpy must not be given
    std::memcpy(position_, text.data(), text.size());
    position_ += text.size();
  }

  // True when the owner refused memory: what was written after that is lost, and the text is to be
  // thrown away.
  bool overflowed() const noexcept { return overflowed_; }

 protected:
  struct Window {
    char* begin = nullptr;
    char* end = nullptr;
  };

  JsonSink(char* begin, char* end) noexcept : position_(begin), end_(end) {}
  ~JsonSink() = default;

  // One past the last byte written.
  char* position() const noexcept { return position_; }

  // Called when fewer than `bytes` (at most kStep) are left. Everything before `written` is final;
  // the answer is the next window, of at least `bytes`, or an empty one to refuse.
  virtual Window more(char* written, std::size_t bytes) = 0;

 private:
  void next_window(std::size_t bytes);
  void append_in_pieces(std::string_view text);

  char* position_;
  char* end_;
  bool overflowed_ = false;
  char waste_[kStep];  // takes what is written after a refusal
};

// A sink that appends to a string. The string is complete after `finish`, not before.
// lifetime: borrows the string, which nobody else may touch until `finish`.
class JsonStringSink final : public JsonSink {
 public:
  explicit JsonStringSink(std::string& out);
  void finish();

 private:
  Window more(char* written, std::size_t bytes) override;

  std::string& out_;
};

namespace json {

void write_text(JsonSink& out, std::string_view text);
void write_integer(JsonSink& out, std::int64_t value);
void write_unsigned(JsonSink& out, std::uint64_t value);
void write_double(JsonSink& out, double value);
void write_float(JsonSink& out, float value);

template <class T>
void write_value(JsonSink& out, const T& value);

template <class E>
void write_enum(JsonSink& out, E value) {
  const std::string_view name = enum_name(value);
  if (name.empty()) {
    write_integer(out, static_cast<std::int64_t>(value));
    return;
  }
  out.put('"');
  out.append(name);  // an identifier needs no escapes
  out.put('"');
}

template <class T>
void write_map(JsonSink& out, const T& map) {
  char before = '{';
  for (const auto& [key, value] : map) {
    out.put(before);
    before = ',';
    write_text(out, key);
    out.put(':');
    write_value(out, value);
  }
  if (before == '{') out.put('{');
  out.put('}');
}

template <class T>
void write_list(JsonSink& out, const T& list) {
  char before = '[';
  for (const auto& value : list) {
    out.put(before);
    before = ',';
    write_value<typename T::value_type>(out, value);
  }
  if (before == '[') out.put('[');
  out.put(']');
}

template <class T>
void write_object(JsonSink& out, const T& object) {
  static constexpr const auto& keys = member_keys<T>;
  if constexpr (member_count<T> == 0) {
    out.append("{}");
  } else {
    with_members(object, [&out](const auto&... member) {
      out.put('{');
      std::size_t i = 0;
      // The first key is written without its leading comma.
      ((out.append(keys.key(i).substr(i == 0 ? 1 : 0)), write_value(out, member), ++i), ...);
      out.put('}');
    });
  }
}

template <class T>
void write_value(JsonSink& out, const T& value) {
  check_writable<T>();
  if constexpr (std::is_same_v<T, bool>) {
    out.append(value ? std::string_view("true") : std::string_view("false"));
  } else if constexpr (Integer<T> && std::is_signed_v<T>) {
    write_integer(out, value);
  } else if constexpr (Integer<T>) {
    write_unsigned(out, value);
  } else if constexpr (std::is_same_v<T, double>) {
    write_double(out, value);
  } else if constexpr (std::is_same_v<T, float>) {
    write_float(out, value);
  } else if constexpr (std::is_enum_v<T>) {
    if constexpr (NamedEnum<T>) write_enum(out, value);
  } else if constexpr (Text<T>) {
    write_text(out, value);
  } else if constexpr (CText<T>) {
    value == nullptr ? out.append("null") : write_text(out, value);
  } else if constexpr (Nullable<T>) {
    value ? write_value(out, *value) : out.append("null");
  } else if constexpr (TextMap<T>) {
    write_map(out, value);
  } else if constexpr (List<T>) {
    write_list(out, value);
  } else if constexpr (Reflectable<T>) {
    write_object(out, value);
  }
}

}  // namespace json

// Writes `value` as JSON text. A type that has no form in JSON stops the build with a sentence.
template <class T>
void write_json(JsonSink& out, const T& value) {
  json::write_value(out, value);
}

// `value` as JSON text.
template <class T>
std::string to_json(const T& value) {
  std::string text;
  JsonStringSink out(text);
  json::write_value(out, value);
  out.finish();
  return text;
}

}  // namespace spate
