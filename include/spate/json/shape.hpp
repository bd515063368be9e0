// SPDX-License-Identifier: MIT
// Which types have a form in JSON, and which one: the concepts that reader and writer share, and
// the sentences that stop the build for types that have none. Containers are recognised by what
// they offer (key_type, emplace_back, has_value, ...), so their headers are not needed here.
#pragma once

#include <cstddef>
#include <spate/json/enum_name.hpp>
#include <spate/json/reflect.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace spate::json {

template <class T, class... Options>
concept OneOf = (std::is_same_v<T, Options> || ...);

// Characters are left out: 'a' as 97 is what nobody means.
template <class T>
concept Integer = OneOf<T, signed char, unsigned char, short, unsigned short, int, unsigned int,
                        long, unsigned long, long long, unsigned long long>;

template <class T>
concept Floating = OneOf<T, float, double>;

template <class T>
concept Character = OneOf<T, char, wchar_t, char8_t, char16_t, char32_t>;

template <class T>
concept Text = OneOf<T, std::string, std::string_view>;

template <class T>
concept CText = OneOf<T, const char*, char*>;

template <class T>
concept OptionalLike = requires(T& t) {
  typename T::value_type;
  t.has_value();
  t.reset();
  t.emplace();
  *t;
};

template <class T>
concept UniquePointer = requires(T& t) {
  typename T::element_type;
  typename T::deleter_type;
  t.release();
  *t;
};

// Has an empty state, which is null in JSON and may be missing from an object.
template <class T>
concept Nullable = OptionalLike<T> || UniquePointer<T>;

template <class T>
struct Inside;
template <OptionalLike T>
struct Inside<T> {
  using type = typename T::value_type;
};
template <UniquePointer T>
struct Inside<T> {
  using type = typename T::element_type;
};

// `at` keeps out multimaps: a name must not be written twice.
template <class T>
concept TextMap = requires(const T& t, const typename T::key_type& key) {
  typename T::mapped_type;
  requires Text<typename T::key_type>;
  t.at(key);
  t.begin();
  t.end();
};

// Iterates over its own value_type; this keeps out std::filesystem::path, a range of paths.
template <class T>
concept List = !Text<T> && !requires { typename T::mapped_type; } && requires(const T& t) {
  typename T::value_type;
  requires !std::is_same_v<T, typename T::value_type>;
  t.end();
  requires std::is_convertible_v<decltype(*t.begin()), const typename T::value_type&>;
};

template <class T>
concept FixedList = List<T> && requires(T& t) {
  std::tuple_size<T>::value;
  t[0];
};

template <class T>
concept GrowingList = List<T> && requires(T& t) { t.emplace_back(); };

template <class T>
consteval bool writable();
template <class T>
consteval bool readable();

// Whether T itself has a form. Members of aggregates are looked at when they are written, so that a
// bad one is named by its own sentence (and a type may contain itself).
template <class T>
consteval bool writable() {
  if constexpr (std::is_same_v<T, bool> || Integer<T> || Floating<T> || Text<T> || CText<T>) {
    return true;
  } else if constexpr (std::is_enum_v<T>) {
    return NamedEnum<T>;
  } else if constexpr (Nullable<T>) {
    return writable<std::remove_cv_t<typename Inside<T>::type>>();
  } else if constexpr (TextMap<T>) {
    return writable<typename T::mapped_type>();
  } else if constexpr (List<T>) {
    return writable<typename T::value_type>();
  } else {
    return Reflectable<T>;
  }
}

template <class T>
consteval bool readable() {
  if constexpr (std::is_same_v<T, bool> || Integer<T> || Floating<T> ||
                std::is_same_v<T, std::string>) {
    return true;
  } else if constexpr (std::is_enum_v<T>) {
    return NamedEnum<T>;
  } else if constexpr (Nullable<T>) {
    return readable<typename Inside<T>::type>();
  } else if constexpr (TextMap<T>) {
    return std::is_same_v<typename T::key_type, std::string> && readable<typename T::mapped_type>();
  } else if constexpr (FixedList<T> || GrowingList<T>) {
    return readable<typename T::value_type>();
  } else {
    return Reflectable<T> && !Text<T> && !List<T>;
  }
}

// The sentences. Each names one mistake and its cure; the compiler names the type beside it.
template <class T>
consteval void check_enum() {
  static_assert(NamedEnum<T>,
                "spate: this enum has no fixed underlying type, so its values cannot be named; "
                "declare it as `enum class` or with `: int`");
  if constexpr (NamedEnum<T>) {
    static_assert(enum_table<T>.kCount > 0,
                  "spate: this enum has no enumerator between -128 and 255, so it has no names for "
                  "JSON");
  }
}

template <class T>
consteval void check_aggregate() {
  if constexpr (!std::is_class_v<T> || !std::is_aggregate_v<T>) {
    static_assert(Reflectable<T>,
                  "spate: this type has no form in JSON; it must be a bool, number, string, enum, "
                  "optional, list, map with string keys, or an aggregate (a struct without "
                  "constructors, private members or bases)");
  } else if constexpr (!requires { T{}; }) {
    static_assert(Reflectable<T>,
                  "spate: this aggregate has a member that cannot be made from {}, so it cannot be "
                  "reflected for JSON; give every member a default constructor");
  } else if constexpr (HasBase<T>) {
    static_assert(
        Reflectable<T>,
        "spate: this aggregate has a base class, so it cannot be reflected for JSON; make "
        "the base a member");
  } else if constexpr (member_count<T> > kMaxMembers) {
    static_assert(Reflectable<T>,
                  "spate: this aggregate has more than 64 members, so it cannot be reflected for "
                  "JSON; group some of them in a nested struct");
  } else {
    static_assert(
        Reflectable<T>,
        "spate: the members of this aggregate cannot be counted, so it cannot be reflected "
        "for JSON; every member must be makeable from {}");
  }
}

template <class T>
consteval void check_writable() {
  if constexpr (std::is_enum_v<T>) {
    check_enum<T>();
  } else if constexpr (Character<T>) {
    static_assert(!Character<T>,
                  "spate: a single character has no form in JSON; use std::string for text or "
                  "std::int8_t for a number");
  } else if constexpr (std::is_array_v<T>) {
    static_assert(
        !std::is_array_v<T>,
        "spate: a C array has no form in JSON; use std::array, std::vector or std::string");
  } else if constexpr (!(std::is_same_v<T, bool> || Integer<T> || Floating<T> || Text<T> ||
                         CText<T> || Nullable<T> || TextMap<T> || List<T>)) {
    check_aggregate<T>();
  }
}

template <class T>
consteval void check_readable() {
  if constexpr (std::is_same_v<T, std::string_view> || CText<T>) {
    static_assert(!std::is_same_v<T, T>,
                  "spate: a view of text can be written as JSON but not read, since it would point "
                  "into a body that is gone; use std::string");
  } else if constexpr (TextMap<T>) {
    static_assert(std::is_same_v<typename T::key_type, std::string>,
                  "spate: a map that is read from JSON must own its keys; use std::string");
  } else if constexpr (List<T>) {
    static_assert(FixedList<T> || GrowingList<T>,
                  "spate: this list can be written as JSON but not read, since it cannot grow at "
                  "its end; use std::vector");
  } else {
    check_writable<T>();
  }
}

}  // namespace spate::json

namespace spate {

// Types that write_json takes. A true answer says nothing of the members of an aggregate.
template <class T>
concept JsonWritable = json::writable<std::remove_cvref_t<T>>();

// Types that from_json makes. A true answer says nothing of the members of an aggregate.
template <class T>
concept JsonReadable = json::readable<std::remove_cvref_t<T>>();

}  // namespace spate
