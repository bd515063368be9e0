// SPDX-License-Identifier: MIT
#include "app/router.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "base/byte_block.hpp"

namespace spate::app {
namespace {

constexpr std::uint32_t unknown_method = 32;
constexpr std::uint32_t named_methods = static_cast<std::uint32_t>(Method::other);
constexpr std::uint32_t max_other_methods = 32 - named_methods;
// Sets of methods that an Allow list is rendered for at start. A service has a handful.
constexpr std::size_t max_allow_texts = 4096;

constexpr std::uint32_t bit_of(Method method) { return 1U << static_cast<std::uint32_t>(method); }

constexpr std::uint32_t always_known =
    bit_of(Method::get) | bit_of(Method::head) | bit_of(Method::options);

// Where the segments of a path end, a bit for each; 0 for a path that needs a closer look than
// this: one of more than 63 bytes, or with an escape, a NUL, a byte from 0x80 on, or a segment that
// begins with a dot.
inline std::uint64_t segment_ends(std::string_view path) {
  using base::ByteBlock;
  const std::size_t size = path.size();
  if (size == 0 || size > 63 || path[0] != '/') return 0;
  std::uint64_t slashes = 0;
  std::uint64_t dots = 0;
  std::uint32_t odd = 0;
  const auto look = [&](ByteBlock block, std::size_t at) {
    slashes |= static_cast<std::uint64_t>(block.equal('/')) << at;
    dots |= static_cast<std::uint64_t>(block.equal('.')) << at;
    return block.equal('%') | block.equal('\0') | block.high();
  };
  if (size < ByteBlock::size) {
    odd = look(ByteBlock::load_part(path.data(), size), 0) & ((1U << size) - 1);
  } else {
    // The last block may look at bytes twice, which changes nothing.
    const std::size_t last = size - ByteBlock::size;
    for (std::size_t at = 0; at < last; at += ByteBlock::size) {
      odd |= look(ByteBlock::load(path.data() + at), at);
    }
    odd |= look(ByteBlock::load(path.data() + last), last);
  }
  if (odd != 0 || (dots & slashes << 1) != 0) return 0;
  return (slashes | std::uint64_t{1} << size) & ~std::uint64_t{1};  // the first one ends nothing
}

// One spelling for each number, so that one resource has one address: no '+', no leading zeros, no
// "-0", and the number fits in 64 bits.
[[gnu::noinline]] bool is_canonical_integer(std::string_view text) {
  std::uint64_t limit = 0x7fffffffffffffffU;
  if (text.starts_with('-')) {
    text.remove_prefix(1);
    ++limit;
    if (text == "0") return false;
  }
  if (text.empty() || text.size() > 19 || (text[0] == '0' && text.size() > 1)) return false;
  std::uint64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');  // 19 digits cannot overflow
  }
  return value <= limit;
}

// RFC 9110 5.6.2
bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  for (char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    if (!letter && !digit && marks.find(c) == marks.npos) return false;
  }
  return !text.empty();
}

// A decoded segment as it would stand in a path. RFC 3986 3.3: pchar needs no escape.
void append_encoded(std::string& out, std::string_view segment) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  constexpr std::string_view plain = "-._~!$&'()*+,;=:@";
  for (char c : segment) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter || (c >= '0' && c <= '9') || plain.find(c) != plain.npos) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += hex[byte >> 4];
      out += hex[byte & 15];
    }
  }
}

std::string place(const RouteInfo& route) {
  return std::string(route.where.file_name()) + ":" + std::to_string(route.where.line());
}

}  // namespace

// The tree while it grows, and the faults found on the way.
struct RouteTable::Builder {
  struct BuildNode {
    std::map<std::string, std::uint32_t> literals;
    std::uint32_t integer_child = 0;
    std::uint32_t text_child = 0;
    std::vector<std::size_t> ends;   // routes, by index, whose pattern ends here
    std::vector<std::size_t> rests;  // and those that end here with {rest...}
  };

  struct Fault {
    std::size_t route;  // by which they are sorted
    std::string text;
  };

  explicit Builder(RouteTable& the_table)
      : table(the_table),
        nodes(1),
        patterns(the_table.routes_.size()),
        bits(the_table.routes_.size()) {}

  RouteTable& table;
  std::vector<BuildNode> nodes;
  std::vector<Pattern> patterns;
  std::vector<std::uint32_t> bits;
  std::vector<Fault> faults;

  void read_routes();
  bool read_method(std::size_t i);
  void insert(std::size_t i);
  void find_conflicts(const std::vector<std::size_t>& routes);
  std::string describe_conflict(std::span<const std::size_t> routes) const;
  std::string example_path(const Pattern& pattern) const;
  std::string example_value(const BuildNode& node) const;
  std::string with_constraint(std::size_t i) const;

  void flatten();
  std::uint32_t make_terminal(const std::vector<std::size_t>& routes);
  std::uint32_t keep_text(std::string_view text);
  bool make_allow_texts();
  std::string render_allow(MethodSet methods) const;

  std::vector<std::pair<std::uint32_t, std::uint32_t>> names;  // offset and size in texts_
};

void RouteTable::Builder::read_routes() {
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const RouteInfo& route = table.routes_[i];
    const bool method_is_good = read_method(i);
    const PatternCheck check = check_run_time_pattern(route.pattern);
    if (check.fault != PatternFault::none) {
      faults.push_back(
          {i, describe_pattern_fault(route.method_text, route.pattern, check, route.where)});
    } else if (method_is_good) {
      patterns[i] = *parse_pattern(route.pattern, route.where);
      insert(i);
    }
  }
  for (const BuildNode& node : nodes) {
    find_conflicts(node.ends);
    find_conflicts(node.rests);
  }
}

bool RouteTable::Builder::read_method(std::size_t i) {
  const RouteInfo& route = table.routes_[i];
  if (route.method != Method::other) {
    bits[i] = static_cast<std::uint32_t>(route.method);
  } else if (!is_token(route.method_text)) {
    faults.push_back({i, "spate: bad route method\n  \"" + route.method_text + "\" " +
                             route.pattern + "    at " + place(route) +
                             "\n  a method is a token (RFC 9110 5.6.2): letters, digits and any of "
                             "!#$%&'*+-.^_`|~\n  correct its name"});
    return false;
  } else {
    auto& others = table.other_methods_;
    const auto found = std::find(others.begin(), others.end(), route.method_text);
    if (found == others.end() && others.size() == max_other_methods) {
      faults.push_back({i, "spate: too many methods\n  " + route.method_text + " " + route.pattern +
                               "    at " + place(route) + "\n  expected at most " +
                               std::to_string(max_other_methods) +
                               " methods beside those of HTTP itself\n  tell requests apart by "
                               "path or body instead"});
      return false;
    }
    bits[i] = named_methods + static_cast<std::uint32_t>(found - others.begin());
    if (found == others.end()) others.push_back(route.method_text);
  }
  table.known_ |= 1U << bits[i];
  return true;
}

void RouteTable::Builder::insert(std::size_t i) {
  std::uint32_t at = 0;
  const auto grow = [this] {
    nodes.emplace_back();
    return static_cast<std::uint32_t>(nodes.size() - 1);
  };
  for (const Segment& segment : patterns[i].segments) {
    std::uint32_t child = 0;
    switch (segment.kind) {
      case PatternKind::literal:
        if (auto it = nodes[at].literals.find(segment.text); it != nodes[at].literals.end()) {
          child = it->second;
        } else {
          child = grow();
          nodes[at].literals.emplace(segment.text, child);
        }
        break;
      case PatternKind::integer:
        child = nodes[at].integer_child;
        if (child == 0) nodes[at].integer_child = child = grow();
        break;
      case PatternKind::text:
        child = nodes[at].text_child;
        if (child == 0) nodes[at].text_child = child = grow();
        break;
      case PatternKind::rest:
      case PatternKind::none:
        nodes[at].rests.push_back(i);  // always the last segment
        return;
    }
    at = child;
  }
  nodes[at].ends.push_back(i);
}

// Precedence orders any two patterns that differ in kind or literal at some segment, so only routes
// at the same place of the tree, with the same method, contradict each other.
void RouteTable::Builder::find_conflicts(const std::vector<std::size_t>& routes) {
  std::vector<std::size_t> sorted = routes;
  std::sort(sorted.begin(), sorted.end(), [this](std::size_t a, std::size_t b) {
    return bits[a] != bits[b] ? bits[a] < bits[b] : a < b;
  });
  for (std::size_t first = 0; first < sorted.size();) {
    std::size_t end = first + 1;
    while (end < sorted.size() && bits[sorted[end]] == bits[sorted[first]]) ++end;
    if (end - first > 1) {
      const std::span<const std::size_t> group(sorted.data() + first, end - first);
      faults.push_back({group[0], describe_conflict(group)});
    }
    first = end;
  }
}

std::string RouteTable::Builder::describe_conflict(std::span<const std::size_t> routes) const {
  std::size_t width = 0;
  bool same_text = true;
  const RouteInfo& first = table.routes_[routes[0]];
  for (std::size_t i : routes) {
    width = std::max(width, table.routes_[i].pattern.size());
    same_text = same_text && table.routes_[i].pattern == first.pattern;
  }
  std::string out = "spate: route conflict\n";
  for (std::size_t i : routes) {
    const RouteInfo& route = table.routes_[i];
    out.append("  ").append(route.method_text).append(" ").append(route.pattern);
    out.append(width - route.pattern.size() + 4, ' ').append("at ").append(place(route));
    out += '\n';
  }
  out.append(routes.size() == 2 ? "  both match " : "  all match ");
  out.append(example_path(patterns[routes[0]]));
  if (same_text) {
    out.append("; a method and a pattern make one route\n  remove all but one of them");
    return out;
  }
  out.append("; parameter names do not distinguish routes\n  give one of them a literal segment");
  const std::string advice = with_constraint(routes[0]);
  if (!advice.empty()) out.append(" or a constraint, e.g. ").append(advice);
  return out;
}

std::string RouteTable::Builder::example_path(const Pattern& pattern) const {
  std::string path;
  std::uint32_t at = 0;
  for (const Segment& segment : pattern.segments) {
    path += '/';
    const BuildNode& node = nodes[at];
    switch (segment.kind) {
      case PatternKind::literal:
        append_encoded(path, segment.text);
        at = node.literals.at(segment.text);
        break;
      case PatternKind::integer:
        path += '7';
        at = node.integer_child;
        break;
      case PatternKind::text:
        append_encoded(path, example_value(node));
        at = node.text_child;
        break;
      case PatternKind::rest:
      case PatternKind::none:
        append_encoded(path, example_value(node));
        break;
    }
  }
  return path;
}

// A value that no other child of the node takes before {name} does.
std::string RouteTable::Builder::example_value(const BuildNode& node) const {
  std::string value = node.integer_child == 0 ? "7" : "x";
  while (node.literals.contains(value)) value += value.back();
  return value;
}

// The pattern with ":int" at its first parameter that can have it; empty when there is none. Where
// an integer stands beside the parameter already, the advice would make the next conflict.
std::string RouteTable::Builder::with_constraint(std::size_t i) const {
  std::uint32_t at = 0;
  for (const Segment& segment : patterns[i].segments) {
    const BuildNode& node = nodes[at];
    if (segment.kind == PatternKind::text && node.integer_child == 0) {
      const std::string plain = "/{" + segment.text + "}";
      std::string text = table.routes_[i].pattern;
      return text.replace(text.find(plain), plain.size(), "/{" + segment.text + ":int}");
    }
    if (segment.kind == PatternKind::rest) break;
    at = segment.kind == PatternKind::literal   ? node.literals.at(segment.text)
         : segment.kind == PatternKind::integer ? node.integer_child
                                                : node.text_child;
  }
  return {};
}

std::uint32_t RouteTable::Builder::keep_text(std::string_view text) {
  const std::size_t offset = table.texts_.size();
  table.texts_.insert(table.texts_.end(), text.begin(), text.end());
  return static_cast<std::uint32_t>(offset);
}

std::uint32_t RouteTable::Builder::make_terminal(const std::vector<std::size_t>& routes) {
  if (routes.empty()) return 0;
  std::map<std::uint32_t, std::size_t> by_bit;
  for (std::size_t i : routes) by_bit.emplace(bits[i], i);
  // RFC 9110 9.3.2: HEAD is GET without the content, so a GET route answers both.
  const auto get = by_bit.find(static_cast<std::uint32_t>(Method::get));
  bool head_of_get = false;
  if (get != by_bit.end()) {
    head_of_get = by_bit.emplace(static_cast<std::uint32_t>(Method::head), get->second).second;
  }
  Terminal terminal;
  terminal.first_entry = static_cast<std::uint32_t>(table.entries_.size());
  for (const auto& [bit, i] : by_bit) {
    terminal.methods |= 1U << bit;
    Entry entry;
    entry.id = table.routes_[i].id;
    entry.head_of_get = head_of_get && bit == static_cast<std::uint32_t>(Method::head);
    entry.first_name = static_cast<std::uint32_t>(names.size());
    for (const Segment& segment : patterns[i].segments) {
      if (segment.kind == PatternKind::literal) continue;
      names.emplace_back(keep_text(segment.text), static_cast<std::uint32_t>(segment.text.size()));
      ++entry.name_count;
    }
    table.entries_.push_back(entry);
  }
  table.terminals_.push_back(terminal);
  const auto index = static_cast<std::uint32_t>(table.terminals_.size() - 1);
  const Pattern& pattern = patterns[routes[0]];
  if (pattern.is_static()) {
    std::string path;
    for (const Segment& segment : pattern.segments) path.append("/").append(segment.text);
    // A '%' in the table would be found by a raw path that must be decoded first.
    if (path.find('%') == path.npos) table.statics_.add(0, path, index);
  }
  return index;
}

void RouteTable::Builder::flatten() {
  table.nodes_.resize(nodes.size());
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const BuildNode& from = nodes[n];
    Node& to = table.nodes_[n];
    to.integer_child = from.integer_child;
    to.text_child = from.text_child;
    to.terminal = make_terminal(from.ends);
    to.rest_terminal = make_terminal(from.rests);
    to.has_literals = !from.literals.empty();
    to.is_inner = to.has_literals || (to.integer_child | to.text_child | to.rest_terminal) != 0;
    for (const auto& [text, child] : from.literals) {
      table.literals_.add(static_cast<std::uint32_t>(n), text, child);
    }
  }
  table.literals_.seal();
  table.statics_.seal();
  for (const auto& [offset, size] : names) {
    table.names_.emplace_back(table.texts_.data() + offset, size);
  }
}

std::string RouteTable::Builder::render_allow(MethodSet methods) const {
  std::string out;
  for (std::uint32_t bit = 0; bit < 32; ++bit) {
    if ((methods & 1U << bit) == 0) continue;
    if (!out.empty()) out += ", ";
    out += bit < named_methods ? to_string(static_cast<Method>(bit))
                               : std::string_view(table.other_methods_[bit - named_methods]);
  }
  return out;
}

// A path may match several patterns, so every union of their sets can be an answer. All are
// rendered now: match() then allocates nothing.
bool RouteTable::Builder::make_allow_texts() {
  std::map<MethodSet, std::string> texts;
  for (const Terminal& terminal : table.terminals_) {
    if (terminal.methods == 0) continue;
    const MethodSet set = terminal.methods | bit_of(Method::options);
    if (texts.contains(set)) continue;
    std::vector<MethodSet> unions{set};
    for (const auto& known : texts) unions.push_back(known.first | set);
    for (MethodSet methods : unions) texts.try_emplace(methods);
    if (texts.size() > max_allow_texts) return false;
  }
  texts.try_emplace(table.known_);
  for (auto& [methods, text] : texts) {
    table.allows_.push_back({methods, render_allow(methods)});
  }
  return true;
}

void RouteTable::add(Method method, std::string method_text, std::string pattern, RouteId id,
                     std::source_location where) {
  if (method == Method::other) {
    method = parse_method(method_text);
  }
  if (method != Method::other) method_text = to_string(method);
  routes_.push_back({method, std::move(method_text), std::move(pattern), id, where});
}

void RouteTable::clear() {
  nodes_.assign(1, {});
  statics_ = {};
  literals_ = {};
  terminals_.assign(1, {});
  entries_.clear();
  names_.clear();
  texts_.clear();
  other_methods_.clear();
  known_ = always_known;
  allows_.clear();
}

Result<> RouteTable::seal() {
  clear();
  Builder builder(*this);
  builder.read_routes();
  auto& faults = builder.faults;
  if (faults.empty()) {
    builder.flatten();
    if (builder.make_allow_texts()) return {};
    faults.push_back({0, "spate: too many combinations of methods\n  expected at most " +
                             std::to_string(max_allow_texts) +
                             " different sets of methods that one path can have\n  use fewer "
                             "methods of your own"});
  }
  std::sort(faults.begin(), faults.end(), [](const auto& a, const auto& b) {
    return a.route != b.route ? a.route < b.route : a.text < b.text;
  });
  std::string text;
  for (const auto& fault : faults) {
    if (!text.empty()) text += '\n';
    text += fault.text;
  }
  clear();
  return std::unexpected(
      Error(Errc::configuration, std::move(text), 500, routes_[faults[0].route].where));
}

std::uint32_t RouteTable::method_bit(Method method, std::string_view text) const noexcept {
  if (method != Method::other) return static_cast<std::uint32_t>(method);
  for (std::size_t i = 0; i < other_methods_.size(); ++i) {
    if (other_methods_[i] == text) return named_methods + static_cast<std::uint32_t>(i);
  }
  return unknown_method;
}

// Depth first, alternatives in order of precedence. Each node of the tree is the end of one way
// from the root and is entered at most once, so backtracking is bounded by the table: a path cannot
// make it worse. Segments are located once each, by depth.
const RouteTable::Entry* RouteTable::search(std::string_view text, MethodSet wanted,
                                            MethodSet& seen, ParamValues& out) const noexcept {
  // The next alternative to try at a node.
  enum Stage : std::uint8_t { literal, integer, any_text, rest };
  struct Level {
    std::uint32_t node;
    Stage stage;
    std::uint8_t params;
  };
  // Not initialised: written before they are read, level by level.
  std::array<Level, max_pattern_segments> levels;
  std::array<std::size_t, max_pattern_segments + 1> begins;
  std::array<std::size_t, max_pattern_segments> ends;
  begins[0] = 1;
  std::size_t located = 0;
  std::size_t depth = 0;
  Level here{0, literal, 0};
  for (;;) {
    const Node& node = nodes_[here.node];
    if (depth == located) {
      const std::size_t slash = text.find('/', begins[depth]);
      ends[depth] = slash == text.npos ? text.size() : slash;
      begins[depth + 1] = ends[depth] + 1;
      ++located;
    }
    const std::string_view segment(text.data() + begins[depth], ends[depth] - begins[depth]);
    std::uint32_t child = 0;
    std::uint8_t captured = 1;
    switch (here.stage) {
      case literal:
        if (node.has_literals) child = literals_.find(here.node, segment);
        if (child != 0) {
          here.stage = integer;
          captured = 0;
          break;
        }
        [[fallthrough]];
      case integer:
        if (node.integer_child != 0 && is_canonical_integer(segment)) {
          child = node.integer_child;
          here.stage = any_text;
          break;
        }
        [[fallthrough]];
      case any_text:
        if (node.text_child != 0 && !segment.empty()) {
          child = node.text_child;
          here.stage = rest;
          break;
        }
        [[fallthrough]];
      case rest:
        if (node.rest_terminal != 0) {
          out.set_value(here.params, text.substr(begins[depth]));
          if (const Entry* const entry = entry_of(node.rest_terminal, wanted)) return entry;
          seen |= terminals_[node.rest_terminal].methods;
        }
        if (depth == 0) return nullptr;
        here = levels[--depth];
        continue;
    }
    if (captured != 0) out.set_value(here.params, segment);
    const Node& next = nodes_[child];
    if (ends[depth] == text.size()) {
      if (const Entry* const entry = entry_of(next.terminal, wanted)) return entry;
      seen |= terminals_[next.terminal].methods;
    } else if (next.is_inner) {
      levels[depth++] = here;
      here = {child, literal, static_cast<std::uint8_t>(here.params + captured)};
    }
  }
}

std::string_view RouteTable::allow(MethodSet methods) const noexcept {
  const auto found =
      std::lower_bound(allows_.begin(), allows_.end(), methods,
                       [](const AllowText& a, MethodSet set) { return a.methods < set; });
  if (found == allows_.end() || found->methods != methods) return {};
  return found->text;
}

std::string_view RouteTable::allow_all() const noexcept { return allow(known_); }

// The way that search() tries first, and nearly always the one: the best alternative at each node,
// with no way back. It only ever says yes; what it says, search() would.
[[gnu::always_inline]] inline const RouteTable::Entry* RouteTable::descend(
    const char* path, std::uint64_t ends, MethodSet wanted, ParamValues& out) const noexcept {
  std::uint32_t at = 0;
  std::size_t params = 0;
  for (std::size_t begin = 1;;) {
    const auto end = static_cast<std::size_t>(std::countr_zero(ends));
    const std::string_view segment(path + begin, end - begin);
    const Node& node = nodes_[at];
    std::uint32_t child = 0;
    if (node.has_literals) {
      child = segment.size() <= TextIndex::max_short ? literals_.find_short(at, segment)
                                                     : literals_.find_long(at, segment);
    }
    if (child == 0) {
      if (node.integer_child != 0 && is_canonical_integer(segment)) {
        child = node.integer_child;
      } else if (!segment.empty()) {
        child = node.text_child;
      }
      if (child == 0) return nullptr;
      out.set_value(params++, segment);
    }
    at = child;
    ends &= ends - 1;
    if (ends == 0) return entry_of(nodes_[at].terminal, wanted);
    begin = end + 1;
  }
}

// perf: a longer route, and one with parameters if nothing in the path is odd.
[[gnu::noinline]] Match RouteTable::match_plain(const Asked& asked) const noexcept {
  if (asked.method != Method::other) {
    const MethodSet wanted = bit_of(asked.method);
    if (asked.path.size() > TextIndex::max_short) {
      if (const Entry* const entry = entry_of(statics_.find_long(0, asked.path), wanted)) {
        return found(*entry, asked.out);
      }
    }
    if (const std::uint64_t ends = segment_ends(asked.path); ends != 0) {
      if (const Entry* const entry = descend(asked.path.data(), ends, wanted, asked.out)) {
        return found(*entry, asked.out);
      }
    }
  }
  return match_slowly(asked);
}

[[gnu::noinline]] Match RouteTable::match_slowly(const Asked& asked) const noexcept {
  Match match;
  const std::uint32_t bit = method_bit(asked.method, asked.method_text);
  if (bit == unknown_method || (known_ & 1U << bit) == 0) {
    match.kind = MatchKind::method_unknown;
    return match;
  }
  const MethodSet wanted = 1U << bit;
  const NormalPath normal = normalize_path(asked.path, asked.scratch, options_.encoded_slash);
  if (normal.fault != PathFault::none) {
    match.kind = MatchKind::bad_path;
    match.fault = normal.fault;
    return match;
  }
  MethodSet seen = 0;
  if (const Entry* const entry = search(normal.text, wanted, seen, asked.out)) {
    if (normal.has_encoded_slash) {
      for (char& c : asked.scratch.first(normal.text.size())) {
        if (c == '\0') c = '/';
      }
    }
    return found(*entry, asked.out);
  }
  if (seen != 0) {
    match.kind =
        wanted == bit_of(Method::options) ? MatchKind::options : MatchKind::method_not_allowed;
    match.allow = allow(seen | bit_of(Method::options));
  }
  return match;
}

}  // namespace spate::app
