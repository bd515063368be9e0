// SPDX-License-Identifier: MIT
// The part of the JSON reader that depends neither on types nor on the parser: the walk over the
// members of an aggregate, and the making of errors.
#include <spate/json/read.hpp>

#include "json/syntax_fault.hpp"

namespace spate::json {
namespace {

constexpr std::size_t kMostNames = 16;  // listed in an error

// Adds `"a", "b" or "c"`.
template <class Name>
void append_choices(std::string& out, std::size_t count, Name name) {
  const std::size_t listed = count < kMostNames ? count : kMostNames;
  for (std::size_t i = 0; i < listed; ++i) {
    if (i != 0) out += i + 1 == count ? " or " : ", ";
    out.append("\"").append(name(i)).append("\"");
  }
  if (listed < count) out += ", ...";
}

}  // namespace

bool Reader::read_object(const Value& value, void* object, const ObjectShape& shape) {
  Walk walk;
  if (!begin_object(value, walk)) return false;
  Place place(*this, false);
  Value member;
  std::uint64_t seen = 0;
  static_assert(kMaxMembers <= 64, "one bit per member");
  std::size_t next = 0;  // clients mostly send members in the order in which we wrote them
  while (next_member(walk, place.name, member)) {
    std::size_t i = next;
    if (i >= shape.count || shape.name(i) != place.name) {
      for (i = 0; i < shape.count && shape.name(i) != place.name; ++i) {
      }
    }
    if (i == shape.count) {
      if (!options_.deny_unknown) continue;
      std::string detail = "unknown member";
      if (shape.count != 0) {
        detail += "; expected ";
        append_choices(detail, shape.count, [&shape](std::size_t n) { return shape.name(n); });
      }
      return fail(Errc::invalid, std::move(detail));
    }
    const std::uint64_t bit = std::uint64_t{1} << i;
    // RFC 8259 4: software disagrees on which of two members with one name counts.
    if ((seen & bit) != 0) return fail_duplicate();
    seen |= bit;
    next = i + 1;
    if (!shape.read_member(*this, member, object, i)) return false;
  }
  for (std::size_t i = 0; i < shape.count; ++i) {
    if ((seen >> i & 1) != 0 || shape.members[i].optional) continue;
    place.name = shape.name(i);
    std::string detail = "missing member; expected ";
    detail.append(shape.members[i].expected);
    return fail(Errc::invalid, std::move(detail));
  }
  return true;
}

bool Reader::fail_size(std::size_t expected, std::size_t found) {
  return fail(Errc::invalid, "expected array of " + std::to_string(expected) + ", found array of " +
                                 std::to_string(found));
}

bool Reader::fail_duplicate() {
  return fail(Errc::invalid, "duplicate member; expected each name once");
}

bool Reader::fail_enum(std::string_view (*name)(std::size_t), std::size_t count) {
  std::string detail = "unknown name; expected ";
  append_choices(detail, count, name);
  return fail(Errc::invalid, std::move(detail));
}

bool Reader::fail_validation(Error error) {
  // 500 is what an Error says when nobody chose a status; the fault here is the sender's, unless
  // the check itself could not be made.
  if (error.status == 500 && !error.is(Errc::system) && !error.is(Errc::internal)) {
    error.status = 422;
  }
  error.pointer.insert(0, pointer());
  error_ = std::unexpected(std::move(error));
  return false;
}

bool Reader::fail(Errc code, std::string detail) {
  Error error(code, std::move(detail), 422);
  error.pointer = pointer();
  error_ = std::unexpected(std::move(error));
  return false;
}

std::string Reader::pointer() const {
  // From the innermost place outwards; depth is bounded by the parser.
  const Place* chain[64 + 1];
  std::size_t depth = 0;
  for (const Place* place = place_; place != nullptr && depth < 65; place = place->outer) {
    chain[depth++] = place;
  }
  std::string text;
  while (depth != 0) {
    const Place& place = *chain[--depth];
    append_pointer(text, place.is_element ? std::to_string(place.index) : std::string(place.name));
  }
  return text;
}

}  // namespace spate::json
