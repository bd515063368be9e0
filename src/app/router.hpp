// SPDX-License-Identifier: MIT
// The route table: built at start, sealed, then only read. A request's method and path give a route
// and the values of its parameters without allocation, or the exact refusal (400, 404, 405, 501).
// Precedence is fixed, segment by segment from the left: literal, {name:int}, {name}, {rest...};
// the order of registration never matters. Only routes of the request's method take part. lifetime:
// results point into the table, the path and the scratch buffer. thread: after seal() any number of
// threads may match; before, one thread builds.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <span>
#include <spate/base/error.hpp>
#include <spate/http/method.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "app/pattern.hpp"
#include "app/percent.hpp"
#include "app/text_index.hpp"
#include "http/path_params.hpp"

namespace spate::app {

// Chosen by the caller of add(), given back by match().
using RouteId = std::uint32_t;

// One registered route, for listings and messages.
struct RouteInfo {
  Method method = Method::get;
  std::string method_text;  // "GET"; for Method::other the method itself
  std::string pattern;
  RouteId id = 0;
  std::source_location where;
};

// The parameters of a found route. Not cleared by refusals: meaningful only after MatchKind::found.
using ParamValues = http::PathParams;
static_assert(http::PathParams::max_params >= max_pattern_parameters);

enum class MatchKind : std::uint8_t {
  found,
  options,             // OPTIONS that no route handles: answer 204 with Allow
  not_found,           // 404
  method_not_allowed,  // 405 with Allow
  method_unknown,      // 501: no route at all has this method
  bad_path,            // 400, see `fault`
};

struct Match {
  MatchKind kind = MatchKind::not_found;
  PathFault fault = PathFault::none;
  bool head_of_get = false;  // HEAD that a GET route answers: send its head only
  RouteId route = 0;
  std::string_view allow;  // "GET, HEAD, OPTIONS" for options and method_not_allowed
};

struct RouteTableOptions {
  // Whether %2F may stand inside a segment. In the value of {rest...} it can then no longer be told
  // from a separator.
  EncodedSlash encoded_slash = EncodedSlash::refuse;
};

class RouteTable {
 public:
  explicit RouteTable(RouteTableOptions options = {}) : options_(options) {}
  RouteTable(RouteTable&&) = default;
  RouteTable& operator=(RouteTable&&) = default;

  // Notes a route; nothing is checked before seal(). `method_text` is read for Method::other only.
  void add(Method method, std::string method_text, std::string pattern, RouteId id,
           std::source_location where = std::source_location::current());

  // Checks everything that was added and builds the table. Two routes conflict when they have the
  // same method and differ in nothing but parameter names. errors: configuration, one message that
  // holds every bad pattern and every conflict; the table then matches nothing.
  Result<> seal();

  // The route of a request. `path` is the target's path as received: without query, still encoded.
  // `method_text` is read for Method::other only. `scratch` must hold path.size() bytes when the
  // path has a '%'; `out` then points into it, else into `path`. The method is judged first (501),
  // then the path (400), then both together. "OPTIONS *" is not a path: the caller answers it.
  // cost: one hash of the path and one comparison for a route without parameters; else one pass
  // over the path and at most one visit to each node of the tree, however long or hostile the path
  // is.
  [[gnu::always_inline]] Match match(Method method, std::string_view method_text,
                                     std::string_view path, ParamValues& out,
                                     std::span<char> scratch) const noexcept {
    if (const Match match = match_short(method, path, out); match.kind == MatchKind::found) {
      return match;
    }
    return match_plain({method, method_text, path, out, scratch});
  }
  // The same, but only a short path of a route without parameters is found, without a call. A raw
  // path in this table is equal to a literal that was checked at start: it needs no decoding and no
  // check, and literals come first, so nothing else can win.
  [[gnu::always_inline]] Match match_short(Method method, std::string_view path,
                                           ParamValues& out) const noexcept {
    if (path.size() <= TextIndex::max_short && method != Method::other) {
      const MethodSet wanted = MethodSet{1} << static_cast<unsigned>(method);
      if (const Entry* const entry = entry_of(statics_.find_short(0, path), wanted)) {
        return found(*entry, out);
      }
    }
    return {};
  }

  // Every route in the order of registration.
  std::span<const RouteInfo> routes() const noexcept { return routes_; }

  // Every method that this table knows, as an Allow list: the answer to "OPTIONS *".
  std::string_view allow_all() const noexcept;

 private:
  // A bit for each method: those with a name by their number in Method, others behind them.
  using MethodSet = std::uint32_t;

  // Index 0 means "none" in every field: the root is nobody's child, terminal 0 is never used.
  struct Node {
    std::uint32_t integer_child = 0;
    std::uint32_t text_child = 0;
    std::uint32_t terminal = 0;       // routes whose pattern ends here
    std::uint32_t rest_terminal = 0;  // routes whose pattern ends here with {rest...}
    bool has_literals = false;        // its literal children stand in literals_
    bool is_inner = false;            // it has any child or a rest
  };

  // The routes of one shape of pattern. `methods` has HEAD beside GET; entries lie in bit order.
  struct Terminal {
    MethodSet methods = 0;
    std::uint32_t first_entry = 0;
  };

  struct Entry {
    RouteId id = 0;
    std::uint32_t first_name = 0;
    std::uint16_t name_count = 0;
    bool head_of_get = false;
  };

  struct AllowText {
    MethodSet methods = 0;
    std::string text;
  };

  struct Builder;

  std::uint32_t method_bit(Method method, std::string_view text) const noexcept;
  // The arguments of match(), which are too many for registers.
  struct Asked {
    Method method;
    std::string_view method_text;
    std::string_view path;
    ParamValues& out;
    std::span<char> scratch;
  };

  // What the terminal has for the method, or nullptr. Terminal 0 has nothing.
  const Entry* entry_of(std::uint32_t terminal, MethodSet wanted) const noexcept {
    const Terminal& here = terminals_[terminal];
    if ((here.methods & wanted) == 0) return nullptr;
    return &entries_[here.first_entry +
                     static_cast<std::uint32_t>(std::popcount(here.methods & (wanted - 1)))];
  }
  Match found(const Entry& entry, ParamValues& out) const noexcept {
    out.set_names({names_.data() + entry.first_name, entry.name_count});
    return {MatchKind::found, PathFault::none, entry.head_of_get, entry.id, {}};
  }
  Match match_plain(const Asked& asked) const noexcept;
  Match match_slowly(const Asked& asked) const noexcept;
  const Entry* descend(const char* path, std::uint64_t ends, MethodSet wanted,
                       ParamValues& out) const noexcept;
  const Entry* search(std::string_view text, MethodSet wanted, MethodSet& seen,
                      ParamValues& out) const noexcept;
  std::string_view allow(MethodSet methods) const noexcept;
  void clear();

  RouteTableOptions options_;
  std::vector<RouteInfo> routes_;
  std::vector<Node> nodes_{1};
  TextIndex statics_;                   // paths without parameters: their terminals
  TextIndex literals_;                  // by node and segment: literal children
  std::vector<Terminal> terminals_{1};  // the first has no method
  std::vector<Entry> entries_;
  std::vector<std::string_view> names_;
  std::vector<char> texts_;
  std::vector<std::string> other_methods_;
  MethodSet known_ = 1U << static_cast<unsigned>(Method::get) |
                     1U << static_cast<unsigned>(Method::head) |
                     1U << static_cast<unsigned>(Method::options);
  std::vector<AllowText> allows_;  // sorted by `methods`
};

}  // namespace spate::app
