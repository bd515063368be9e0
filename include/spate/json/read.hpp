// SPDX-License-Identifier: MIT
// JSON text to values: `from_json<Order>(body)`. The text is checked as a whole first (RFC 8259,
// UTF-8), then values are taken out of it; the first thing wrong ends it with an Error that names
// the place as an RFC 6901 pointer ("/items/3/price"). Nothing of the text is kept afterwards.
// thread: any; each thread keeps one parser with up to about 1 MiB of working memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <spate/base/error.hpp>
#include <spate/json/enum_name.hpp>
#include <spate/json/reflect.hpp>
#include <spate/json/shape.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace spate {

struct JsonReadOptions {
  bool deny_unknown = false;  // refuse members that the type does not have; else they are ignored
};

// Whether `text` is one JSON value (RFC 8259) and nothing else. Errors as of from_json, status 400.
Result<> check_json(std::string_view text);

namespace json {

// A value inside a parsed Document. What is in the bytes is known to document.cpp alone.
// lifetime: borrows the Document.
struct Value {
  alignas(8) unsigned char bytes[16];
};

// A walk over the elements of an array or the members of an object.
struct Walk {
  alignas(8) unsigned char at[16];
  alignas(8) unsigned char end[16];
};

// Parsed text. Uses the thread's parser, or one of its own while that is in use (a validate() that
// reads JSON itself).
// lifetime: does not need the text after construction. thread: stays on the thread that made it.
class Document {
 public:
  explicit Document(std::string_view text);
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  // The outcome of parsing; `root` has a meaning only after success.
  Result<>& status() noexcept { return status_; }
  const Value& root() const noexcept { return root_; }

  struct Parser;

 private:
  Document();
  int parse(std::string_view text);  // the parser's own error number

  Parser* parser_ = nullptr;
  bool owned_ = false;
  Value root_{};
  Result<> status_;
};

class Reader;

// Where the reader is: a chain on the stack, made into a pointer only when something is wrong.
struct Place {
  Place(Reader& of, bool element);
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  Reader& reader;
  const Place* outer;
  std::string_view name;  // of a member
  std::size_t index = 0;  // of an element
  bool is_element;
};

struct MemberShape {
  std::string_view expected;  // "string", "integer", ...
  bool optional;
};

// An aggregate as a table, so that the walk over its members is compiled once for all types.
struct ObjectShape {
  const char* keys;  // of MemberKeys
  const std::size_t* key_begin;
  const MemberShape* members;
  std::size_t count;
  bool (*read_member)(Reader& reader, const Value& value, void* object, std::size_t member);

  constexpr std::string_view name(std::size_t i) const {
    return {keys + key_begin[i] + 2, key_begin[i + 1] - key_begin[i] - 4};
  }
};

// Takes values out of a document. Every function answers false when something is wrong; the error
// is then in the reader, and reading ends.
class Reader {
 public:
  explicit Reader(JsonReadOptions options) noexcept : options_(options) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  bool read_bool(const Value& value, bool& out);
  bool read_integer(const Value& value, std::int64_t low, std::int64_t high, std::int64_t& out);
  bool read_unsigned(const Value& value, std::uint64_t high, std::uint64_t& out);
  bool read_double(const Value& value, double& out);
  bool read_float(const Value& value, float& out);
  bool read_text(const Value& value, std::string_view& out);  // lives as long as the document
  bool read_object(const Value& value, void* object, const ObjectShape& shape);

  bool begin_array(const Value& value, Walk& walk, std::size_t& size);
  bool begin_object(const Value& value, Walk& walk);
  bool next_element(Walk& walk, Value& value) noexcept;
  bool next_member(Walk& walk, std::string_view& name, Value& value) noexcept;
  bool is_null(const Value& value) const noexcept;

  bool fail_size(std::size_t expected, std::size_t found);
  bool fail_duplicate();
  bool fail_enum(std::string_view (*name)(std::size_t), std::size_t count);
  bool fail_validation(Error error);

  Error take_error() { return std::move(error_.error()); }

 private:
  friend struct Place;

  bool fail(Errc code, std::string detail);
  bool fail_type(std::string_view expected, const Value& value);
  bool fail_range(const Value& value, std::string_view low, std::string_view high);
  std::string pointer() const;

  JsonReadOptions options_;
  const Place* place_ = nullptr;
  Result<> error_;
};

inline Place::Place(Reader& of, bool element) : reader(of), outer(of.place_), is_element(element) {
  of.place_ = this;
}
inline Place::~Place() { reader.place_ = outer; }

template <class T>
bool read_value(Reader& reader, const Value& value, T& out);

// What a value of type T looks like to the one who sends it.
template <class T>
consteval std::string_view expected_word() {
  if constexpr (std::is_same_v<T, bool>) {
    return "true or false";
  } else if constexpr (Integer<T>) {
    return "integer";
  } else if constexpr (Floating<T>) {
    return "number";
  } else if constexpr (Text<T> || std::is_enum_v<T>) {
    return "string";
  } else if constexpr (Nullable<T>) {
    return expected_word<typename Inside<T>::type>();
  } else if constexpr (!TextMap<T> && List<T>) {
    return "array";
  } else {
    return "object";
  }
}

template <class T>
bool read_enum(Reader& reader, const Value& value, T& out) {
  std::string_view text;
  if (!reader.read_text(value, text)) return false;
  if (const auto found = parse_enum<T>(text)) {
    out = *found;
    return true;
  }
  return reader.fail_enum([](std::size_t i) { return enum_table<T>.name(i); },
                          enum_table<T>.kCount);
}

template <class T>
bool read_map(Reader& reader, const Value& value, T& out) {
  Walk walk;
  if (!reader.begin_object(value, walk)) return false;
  Place place(reader, false);
  Value member;
  while (reader.next_member(walk, place.name, member)) {
    const auto [at, added] = out.try_emplace(std::string(place.name));
    if (!added) return reader.fail_duplicate();
    if (!read_value(reader, member, at->second)) return false;
  }
  return true;
}

template <class T>
bool read_list(Reader& reader, const Value& value, T& out) {
  Walk walk;
  std::size_t size = 0;
  if (!reader.begin_array(value, walk, size)) return false;
  if constexpr (FixedList<T>) {
    if (size != std::tuple_size_v<T>) return reader.fail_size(std::tuple_size_v<T>, size);
  } else if constexpr (requires { out.reserve(size); }) {
    // Not more than 64 KiB on trust: short text must not claim much memory before it is read.
    constexpr std::size_t most = 65536 / sizeof(typename T::value_type) + 1;
    out.reserve(size < most ? size : most);
  }
  Place place(reader, true);
  Value element;
  while (reader.next_element(walk, element)) {
    if constexpr (FixedList<T>) {
      if (!read_value(reader, element, out[place.index])) return false;
    } else if constexpr (std::is_same_v<typename T::value_type, bool>) {
      bool bit = false;  // std::vector<bool> has no references to its elements
      if (!reader.read_bool(element, bit)) return false;
      out.push_back(bit);
    } else {
      if (!read_value(reader, element, out.emplace_back())) return false;
    }
    ++place.index;
  }
  return true;
}

template <class T>
struct ShapeOf {
  static bool read_member(Reader& reader, const Value& value, void* object, std::size_t member) {
    return with_members(*static_cast<T*>(object), [&](auto&... out) {
      std::size_t i = 0;
      bool good = false;
      static_cast<void>(((i++ == member && (good = read_value(reader, value, out), true)) || ...));
      return good;
    });
  }

  static constexpr auto members = with_members(unread<T>.value, [](const auto&... member) {
    return std::array<MemberShape, sizeof...(member)>{
        MemberShape{expected_word<std::remove_cvref_t<decltype(member)>>(),
                    Nullable<std::remove_cvref_t<decltype(member)>>}...};
  });

  static constexpr ObjectShape shape{member_keys<T>.text, member_keys<T>.begin, members.data(),
                                     member_count<T>, &read_member};
};

template <class T>
bool read_aggregate(Reader& reader, const Value& value, T& out) {
  if (!reader.read_object(value, &out, ShapeOf<T>::shape)) return false;
  if constexpr (requires { out.validate(); }) {
    static_assert(
        requires(const T& read) { requires std::is_same_v<decltype(read.validate()), Result<>>; },
        "spate: validate() of a type that is read from JSON must be `spate::Result<> validate() "
        "const`");
    if (Result<> valid = std::as_const(out).validate(); !valid) {
      return reader.fail_validation(std::move(valid.error()));
    }
  }
  return true;
}

template <class T>
bool read_value(Reader& reader, const Value& value, T& out) {
  check_readable<T>();
  if constexpr (std::is_same_v<T, bool>) {
    return reader.read_bool(value, out);
  } else if constexpr (Integer<T> && std::is_signed_v<T>) {
    std::int64_t number = 0;
    using Limits = std::numeric_limits<T>;
    if (!reader.read_integer(value, Limits::min(), Limits::max(), number)) return false;
    out = static_cast<T>(number);
    return true;
  } else if constexpr (Integer<T>) {
    std::uint64_t number = 0;
    if (!reader.read_unsigned(value, std::numeric_limits<T>::max(), number)) return false;
    out = static_cast<T>(number);
    return true;
  } else if constexpr (std::is_same_v<T, double>) {
    return reader.read_double(value, out);
  } else if constexpr (std::is_same_v<T, float>) {
    return reader.read_float(value, out);
  } else if constexpr (std::is_same_v<T, std::string>) {
    std::string_view text;
    if (!reader.read_text(value, text)) return false;
    out.assign(text);
    return true;
  } else if constexpr (std::is_enum_v<T>) {
    if constexpr (NamedEnum<T>) return read_enum(reader, value, out);
  } else if constexpr (Nullable<T>) {
    out.reset();
    if (reader.is_null(value)) return true;
    if constexpr (OptionalLike<T>) {
      return read_value(reader, value, out.emplace());
    } else {
      out.reset(new typename T::element_type{});
      return read_value(reader, value, *out);
    }
  } else if constexpr (TextMap<T>) {
    return read_map(reader, value, out);
  } else if constexpr (FixedList<T> || GrowingList<T>) {
    return read_list(reader, value, out);
  } else if constexpr (Reflectable<T> && !Text<T>) {
    return read_aggregate(reader, value, out);
  }
  return false;
}

}  // namespace json

// The value that `text` describes. Every member must be there unless it is a std::optional or a
// std::unique_ptr; unknown members are ignored unless the options say otherwise.
// errors: Errc::malformed, 400: not JSON (the detail has the byte); Errc::too_large, 400: nested
// deeper than 64 levels, 413: 4 GiB or more; Errc::invalid, 422: a value of the wrong type, a
// missing or repeated member, a number that does not fit, a name that the enum does not have, or
// what the type's own `Result<> validate() const` says. `pointer` names the place (RFC 6901).
template <class T>
Result<T> from_json(std::string_view text, JsonReadOptions options = {}) {
  json::Document document(text);
  if (!document.status()) return std::unexpected(std::move(document.status().error()));
  json::Reader reader(options);
  Result<T> out{std::in_place};
  if (!json::read_value(reader, document.root(), *out)) {
    return std::unexpected(reader.take_error());
  }
  return out;
}

}  // namespace spate
