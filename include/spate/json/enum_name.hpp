// SPDX-License-Identifier: MIT
// Enumerators and their names, at compile time, without a macro: `enum_name(Colour::red)` is "red".
// It relies on the compiler's spelling of values and therefore tries a range: enumerators between
// -128 and 255 are found, others have no name. The enum needs a fixed underlying type (an
// `enum class` has one). Names live as long as the program; all of it may be called by any thread.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace spate::json {

inline constexpr int kEnumChunk = 64;

template <auto... Values>
consteval std::string_view spell_values() {
  return __PRETTY_FUNCTION__;
}

struct ChunkNames {
  int count = 0;
  std::size_t bytes = 0;
  int position[kEnumChunk] = {};
  std::string_view name[kEnumChunk] = {};
};

// Finds the enumerators among the first `limit` spelled values. A value that is none is spelled as
// a cast, "(Colour)7"; both compilers put ", " between values. Written with plain pointers and a
// shortcut for casts because compilers run it for every enum: it is the price of enum names.
constexpr ChunkNames find_enumerators(std::string_view spelling, int limit) {
  ChunkNames found;
  const char* p = spelling.data() + spelling.find("Values = ") + 10;  // behind the opening bracket
  std::size_t cast = 0;  // length of "(Colour)", once seen
  for (int position = 0; position < limit; ++position) {
    const char* name = p;
    if (cast != 0 && *p == '(' && p[cast - 1] == ')' &&
        (p[cast] == '-' || (p[cast] >= '0' && p[cast] <= '9'))) {
      for (p += cast; *p != ',' && *p != '>' && *p != '}'; ++p) {
      }
    } else {
      const char* start = p;
      for (int depth = 0;; ++p) {
        const char c = *p;
        if (c == '(' || c == '<' || c == '{' || c == '[') {
          ++depth;
        } else if (c == ')' || c == '>' || c == '}' || c == ']') {
          if (depth-- == 0) break;
          name = p + 1;
        } else if (c == ':') {
          name = p + 1;
        } else if (c == ',' && depth == 0) {
          break;
        }
      }
      if (*name == '-' || (*name >= '0' && *name <= '9')) {
        cast = static_cast<std::size_t>(name - start);
      } else {
        found.position[found.count] = position;
        found.name[found.count] = {name, static_cast<std::size_t>(p - name)};
        found.bytes += found.name[found.count++].size();
      }
    }
    p += 2;
  }
  return found;
}

template <class E>
struct EnumRange {
  using Number = std::underlying_type_t<E>;
  static constexpr long long kLow =
      std::is_signed_v<Number> && !std::is_same_v<Number, char> ? -128 : 0;
  static constexpr long long kHigh =
      static_cast<unsigned long long>(std::numeric_limits<Number>::max()) < 255
          ? static_cast<long long>(std::numeric_limits<Number>::max())
          : 255;
  static constexpr int kChunks = static_cast<int>((kHigh - kLow) / kEnumChunk) + 1;
};

// Positions behind the end of the range repeat its last value and are not looked at.
template <class E, int Chunk, int... I>
consteval ChunkNames name_chunk(std::integer_sequence<int, I...>) {
  constexpr long long low = EnumRange<E>::kLow + Chunk * kEnumChunk;
  constexpr long long high = EnumRange<E>::kHigh;
  return find_enumerators(
      spell_values<static_cast<E>(low + I <= high ? low + I : high)...>(),
      high - low + 1 < kEnumChunk ? static_cast<int>(high - low + 1) : kEnumChunk);
}

template <class E, int Chunk>
inline constexpr ChunkNames chunk_names =
    name_chunk<E, Chunk>(std::make_integer_sequence<int, kEnumChunk>{});

// All enumerators of E in the order of their values.
template <class E, std::size_t Count, std::size_t Bytes>
struct EnumTable {
  using Number = std::underlying_type_t<E>;
  static constexpr std::size_t kCount = Count;
  Number values[Count + 1] = {};
  std::size_t begin[Count + 1] = {};
  char text[Bytes + 1] = {};

  constexpr std::string_view name(std::size_t i) const {
    return {text + begin[i], begin[i + 1] - begin[i]};
  }
};

template <class E, class Table>
consteval void fill_table(Table& table, std::size_t& count, const ChunkNames& chunk,
                          long long low) {
  for (int i = 0; i < chunk.count; ++i) {
    table.values[count] = static_cast<typename Table::Number>(low + chunk.position[i]);
    std::size_t at = table.begin[count];
    for (char c : chunk.name[i]) table.text[at++] = c;
    table.begin[++count] = at;
  }
}

template <class E, int... Chunk>
consteval auto make_enum_table(std::integer_sequence<int, Chunk...>) {
  constexpr int count = (0 + ... + chunk_names<E, Chunk>.count);
  constexpr std::size_t bytes = (0 + ... + chunk_names<E, Chunk>.bytes);
  EnumTable<E, static_cast<std::size_t>(count), bytes> table;
  std::size_t filled = 0;
  (fill_table<E>(table, filled, chunk_names<E, Chunk>, EnumRange<E>::kLow + Chunk * kEnumChunk),
   ...);
  return table;
}

template <class E>
inline constexpr auto enum_table =
    make_enum_table<E>(std::make_integer_sequence<int, EnumRange<E>::kChunks>{});

// An enum with a fixed underlying type: any value of it may be tried. Without one, a cast to a
// value outside the enumerators' bits is undefined and compilers refuse it.
template <class E>
concept NamedEnum = std::is_enum_v<E> && requires { E{0}; };

}  // namespace spate::json

namespace spate {

// The name of `value`, or an empty view if it is no enumerator between -128 and 255. Of two
// enumerators with one value the compiler names the first.
template <class E>
constexpr std::string_view enum_name(E value) noexcept {
  static_assert(json::NamedEnum<E>,
                "spate: the enum has no fixed underlying type, so its values cannot be named; "
                "declare it as `enum class` or with `: int`");
  constexpr auto& table = json::enum_table<E>;
  const auto number = static_cast<std::underlying_type_t<E>>(value);
  for (std::size_t i = 0; i < table.kCount; ++i) {
    if (table.values[i] == number) return table.name(i);
  }
  return {};
}

// The enumerator called `name` (exact case), or nothing.
template <class E>
constexpr std::optional<E> parse_enum(std::string_view name) noexcept {
  static_assert(json::NamedEnum<E>,
                "spate: the enum has no fixed underlying type, so its values cannot be named; "
                "declare it as `enum class` or with `: int`");
  constexpr auto& table = json::enum_table<E>;
  for (std::size_t i = 0; i < table.kCount; ++i) {
    if (table.name(i) == name) return static_cast<E>(table.values[i]);
  }
  return std::nullopt;
}

}  // namespace spate
