// SPDX-License-Identifier: MIT
// Compile-time reflection over aggregates, without a macro: how many members, their names, and a
// visit of all of them. It relies on structured bindings, on `T{{}, {}, ...}` for counting, and on
// the compiler's spelling of a pointer to a member of an object that nobody reads.
// Every member must be makeable from `{}`; aggregates with base classes are not reflected, and
// bit-fields do not compile, since nothing can point to them.
#pragma once

#include <array>
#include <cstddef>
#include <spate/json/members.hpp>
#include <string_view>
#include <type_traits>
#include <utility>

namespace spate::json {

// The names of T's members are read off an object of this kind. It is a union so that no T is ever
// constructed: T need not be usable in constant expressions, nor have linkage (local structs work).
template <class T>
union Unread {
  char none;
  T value;
  constexpr Unread() : none{} {}
  constexpr ~Unread() {}
};
template <class T>
inline constexpr Unread<T> unread{};

template <std::size_t I, class M>
struct MemberAddress {
  M* address;
};
template <class Indices, class... M>
struct MemberAddresses;
template <std::size_t... I, class... M>
struct MemberAddresses<std::index_sequence<I...>, M...> : MemberAddress<I, M>... {
  constexpr explicit MemberAddresses(M*... address) : MemberAddress<I, M>{address}... {}
};
template <std::size_t I, class M>
constexpr M* address_of(const MemberAddress<I, M>& leaf) {
  return leaf.address;
}

template <class T>
constexpr auto member_addresses(T& object) {
  return with_members(object, [](auto&... member) {
    return MemberAddresses<std::make_index_sequence<sizeof...(member)>,
                           std::remove_reference_t<decltype(member)>...>(&member...);
  });
}

template <auto Address>
consteval std::string_view spell_address() {
  return __PRETTY_FUNCTION__;
}

struct SpellingProbe {
  int probe;
};

// How many characters follow a member's name in the spelling, learnt from a member we know.
consteval std::size_t spelling_suffix() {
  constexpr auto addresses = member_addresses(unread<SpellingProbe>.value);
  constexpr std::string_view text = spell_address<address_of<0>(addresses)>();
  return text.size() - (text.rfind("probe") + 5);
}

consteval std::string_view name_in_spelling(std::string_view text) {
  text.remove_suffix(spelling_suffix());
  return text.substr(text.find_last_of(":.") + 1);
}

template <class T>
inline constexpr auto unread_addresses = member_addresses(unread<T>.value);

template <class T, std::size_t... I>
consteval auto make_member_names(std::index_sequence<I...>) {
  return std::array<std::string_view, sizeof...(I)>{
      name_in_spelling(spell_address<address_of<I>(unread_addresses<T>)>())...};
}

// The keys of an object as they are written, `,"name":` one behind the other, so that writing a key
// is one copy of known bytes and the compiler's long spellings do not stay in the program.
template <std::size_t Members, std::size_t Bytes>
struct MemberKeys {
  static constexpr std::size_t kAround = 4;  // , " " :
  char text[Bytes + 1] = {};
  std::size_t begin[Members + 1] = {};

  constexpr std::string_view key(std::size_t member) const {
    return {text + begin[member], begin[member + 1] - begin[member]};
  }
  constexpr std::string_view name(std::size_t member) const {
    return key(member).substr(2, key(member).size() - kAround);
  }
};

template <std::size_t Count>
consteval std::size_t bytes_of_keys(const std::array<std::string_view, Count>& names) {
  std::size_t sum = 0;
  for (std::string_view name : names) sum += name.size() + MemberKeys<0, 0>::kAround;
  return sum;
}

template <class T>
consteval auto make_member_keys() {
  constexpr std::size_t count = member_count<T>;
  constexpr auto names = make_member_names<T>(std::make_index_sequence<count>{});
  constexpr std::size_t bytes = bytes_of_keys(names);
  MemberKeys<count, bytes> keys;
  std::size_t at = 0;
  for (std::size_t member = 0; member < count; ++member) {
    keys.begin[member] = at;
    keys.text[at++] = ',';
    keys.text[at++] = '"';
    for (char c : names[member]) keys.text[at++] = c;
    keys.text[at++] = '"';
    keys.text[at++] = ':';
  }
  keys.begin[count] = at;
  return keys;
}

template <class T>
inline constexpr auto member_keys = make_member_keys<T>();

// A member found only in the base of T takes part in `T{...}` but not in a structured binding.
template <class T>
struct BaseOf {
  template <class U>
    requires(std::is_base_of_v<U, T> && !std::is_same_v<U, T>)
  operator U() const;
};
template <class T>
concept HasBase = requires { T{BaseOf<T>{}}; };

// An aggregate whose members can be visited. Everything else has no form as a JSON object.
template <class T>
concept Reflectable = std::is_class_v<T> && std::is_aggregate_v<T> && requires {
  T{};
} && !HasBase<T> && member_count<T> <= kMaxMembers && (member_count<T> > 0 || std::is_empty_v<T>);

}  // namespace spate::json
