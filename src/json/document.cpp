// SPDX-License-Identifier: MIT
// Parsed JSON: the one file that knows simdjson. Values and walks are simdjson's cursors in opaque
// bytes; they are two words each and trivially copyable, which is checked here.
#include <simdjson.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <spate/json/read.hpp>

#include "json/parser_memory.hpp"
#include "json/syntax_fault.hpp"

namespace spate::json {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxText = 0xFFFFFFFF;  // simdjson counts bytes in 32 bits
constexpr std::size_t kLeastCapacity = 1024;
// simdjson needs about 15 bytes per byte of text; a larger parser is not kept by its thread.
constexpr std::size_t kKeptCapacity = 64 * 1024;

template <class To, class From>
To reshape(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  static_assert(std::is_trivially_copyable_v<To> && std::is_trivially_copyable_v<From>);
  return std::bit_cast<To>(from);
}

dom::element element_of(const Value& value) { return reshape<dom::element>(value); }

struct Bytes {
  alignas(8) unsigned char bytes[16];
};

template <class Iterator>
Iterator load(const unsigned char (&bytes)[16]) {
  Bytes copy;
  std::memcpy(copy.bytes, bytes, sizeof(bytes));
  return reshape<Iterator>(copy);
}

template <class Iterator>
void store(unsigned char (&bytes)[16], const Iterator& iterator) {
  const Bytes copy = reshape<Bytes>(iterator);
  std::memcpy(bytes, copy.bytes, sizeof(bytes));
}

std::string_view name_of_type(dom::element_type type) {
  switch (type) {
    case dom::element_type::ARRAY:
      return "array";
    case dom::element_type::OBJECT:
      return "object";
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
      return "integer";
    case dom::element_type::DOUBLE:
      return "number that is not a 64-bit integer";
    case dom::element_type::STRING:
      return "string";
    case dom::element_type::BOOL:
      return "boolean";
    case dom::element_type::NULL_VALUE:
      return "null";
  }
  return "something else";
}

}  // namespace

struct Document::Parser {
  dom::parser dom;
  std::unique_ptr<char[]> text;  // a copy, since simdjson reads a few bytes behind the end
  std::size_t capacity = 0;
  bool busy = false;

  bool ensure(std::size_t size) {
    if (text && size <= capacity) return true;
    const std::size_t rounded = size < kLeastCapacity ? kLeastCapacity : std::bit_ceil(size);
    const std::size_t wanted = rounded > kKeptCapacity ? size : rounded;
    drop();
    text.reset(new (std::nothrow) char[wanted + simdjson::SIMDJSON_PADDING]);
    if (!text || dom.allocate(wanted, kMaxDepth) != simdjson::SUCCESS ||
        dom.doc.allocate(wanted) != simdjson::SUCCESS) {
      drop();
      return false;
    }
    capacity = wanted;
    return true;
  }

  void drop() {
    dom = dom::parser();
    text.reset();
    capacity = 0;
  }
};

namespace {

Document::Parser& parser_of_thread() {
  thread_local Document::Parser parser;
  return parser;
}

Error error_of(const SyntaxFault& fault) {
  const std::string at = " at byte " + std::to_string(fault.offset) + ": " + fault.detail;
  switch (fault.kind) {
    case SyntaxFault::Kind::too_deep:
      return {Errc::too_large, "JSON too deep" + at, 400};
    case SyntaxFault::Kind::number_range: {
      Error error(Errc::invalid, "JSON number out of range" + at, 422);
      error.pointer = fault.pointer;
      return error;
    }
    default:
      return {Errc::malformed, "malformed JSON" + at, 400};
  }
}

}  // namespace

// Once this has run, the destructor gives the parser back even when the work below throws.
Document::Document() {
  Parser& shared = parser_of_thread();
  owned_ = shared.busy;
  parser_ = owned_ ? new Parser : &shared;
  parser_->busy = true;
}

Document::Document(std::string_view text) : Document() {
  if (text.size() > kMaxText) {
    status_ = std::unexpected(
        Error(Errc::too_large, "JSON of 4 GiB or more cannot be read; send it in parts", 413));
    return;
  }
  auto code = static_cast<simdjson::error_code>(parse(text));
  if (code == simdjson::SUCCESS) return;
  if (code != simdjson::MEMALLOC) {
    const SyntaxFault fault = find_syntax_fault(text, kMaxDepth);
    if (fault.kind != SyntaxFault::Kind::none) {
      status_ = std::unexpected(error_of(fault));
      return;
    }
    if (code == simdjson::NUMBER_ERROR) {
      code = static_cast<simdjson::error_code>(parse(with_exponents(text)));
      if (code == simdjson::SUCCESS) return;
    }
  }
  status_ = std::unexpected(
      code == simdjson::MEMALLOC
          ? Error(Errc::busy, "out of memory while reading JSON", 503)
          : Error(Errc::malformed, std::string("malformed JSON: ") + simdjson::error_message(code),
                  400));
}

int Document::parse(std::string_view text) {
  // RFC 8259 8.1: a byte order mark must not be added, and a parser may refuse it.
  // simdjson does so in 3.0; later versions skip it.
  if (text.starts_with("\xEF\xBB\xBF")) return simdjson::TAPE_ERROR;
  if (!parser_->ensure(text.size())) return simdjson::MEMALLOC;
  if (!text.empty()) std::memcpy(parser_->text.get(), text.data(), text.size());
  std::memset(parser_->text.get() + text.size(), 0, simdjson::SIMDJSON_PADDING);
  dom::element root;
  const simdjson::error_code code =
      parser_->dom.parse(parser_->text.get(), text.size(), false).get(root);
  if (code == simdjson::SUCCESS) root_ = reshape<Value>(root);
  return code;
}

Document::~Document() {
  if (owned_) {
    delete parser_;
    return;
  }
  if (parser_->capacity > kKeptCapacity) parser_->drop();
  parser_->busy = false;
}

std::size_t kept_parser_capacity() { return parser_of_thread().capacity; }

bool Reader::read_bool(const Value& value, bool& out) {
  if (element_of(value).get(out) == simdjson::SUCCESS) return true;
  return fail_type("true or false", value);
}

bool Reader::read_integer(const Value& value, std::int64_t low, std::int64_t high,
                          std::int64_t& out) {
  const dom::element element = element_of(value);
  const auto type = element.type();
  if (type == dom::element_type::INT64) {
    out = std::int64_t(element);
    if (out >= low && out <= high) return true;
  } else if (type != dom::element_type::UINT64) {
    return fail_type("integer", value);
  }
  return fail_range(value, std::to_string(low), std::to_string(high));
}

bool Reader::read_unsigned(const Value& value, std::uint64_t high, std::uint64_t& out) {
  const dom::element element = element_of(value);
  const auto type = element.type();
  if (type == dom::element_type::UINT64) {
    out = std::uint64_t(element);
    if (out <= high) return true;
  } else if (type == dom::element_type::INT64) {
    const std::int64_t number = std::int64_t(element);
    out = static_cast<std::uint64_t>(number);
    if (number >= 0 && out <= high) return true;
  } else {
    return fail_type("integer", value);
  }
  return fail_range(value, "0", std::to_string(high));
}

bool Reader::read_double(const Value& value, double& out) {
  if (element_of(value).get(out) == simdjson::SUCCESS) return true;
  return fail_type("number", value);
}

bool Reader::read_float(const Value& value, float& out) {
  double number = 0;
  if (!read_double(value, number)) return false;
  // Half a step above the largest float: what is below rounds to a float, the rest to infinity.
  if (!(std::abs(number) < 0x1.ffffffp127)) return fail_range(value, "-3.4e38", "3.4e38");
  out = static_cast<float>(number);
  return true;
}

bool Reader::read_text(const Value& value, std::string_view& out) {
  if (element_of(value).get(out) == simdjson::SUCCESS) return true;
  return fail_type("string", value);
}

bool Reader::is_null(const Value& value) const noexcept { return element_of(value).is_null(); }

bool Reader::begin_array(const Value& value, Walk& walk, std::size_t& size) {
  dom::array array;
  if (element_of(value).get(array) != simdjson::SUCCESS) return fail_type("array", value);
  size = array.size();
  store(walk.at, array.begin());
  store(walk.end, array.end());
  return true;
}

bool Reader::next_element(Walk& walk, Value& value) noexcept {
  auto at = load<dom::array::iterator>(walk.at);
  if (!(at != load<dom::array::iterator>(walk.end))) return false;
  value = reshape<Value>(*at);
  store(walk.at, ++at);
  return true;
}

bool Reader::begin_object(const Value& value, Walk& walk) {
  dom::object object;
  if (element_of(value).get(object) != simdjson::SUCCESS) return fail_type("object", value);
  store(walk.at, object.begin());
  store(walk.end, object.end());
  return true;
}

bool Reader::next_member(Walk& walk, std::string_view& name, Value& value) noexcept {
  auto at = load<dom::object::iterator>(walk.at);
  if (!(at != load<dom::object::iterator>(walk.end))) return false;
  name = at.key();
  value = reshape<Value>(at.value());
  store(walk.at, ++at);
  return true;
}

bool Reader::fail_type(std::string_view expected, const Value& value) {
  const dom::element element = element_of(value);
  std::string detail = "expected ";
  detail.append(expected).append(", found ").append(name_of_type(element.type()));
  return fail(Errc::invalid, std::move(detail));
}

bool Reader::fail_range(const Value& value, std::string_view low, std::string_view high) {
  std::string detail(simdjson::minify(element_of(value)));
  detail.append(" is out of range; expected a number from ")
      .append(low)
      .append(" to ")
      .append(high);
  return fail(Errc::invalid, std::move(detail));
}

}  // namespace spate::json

namespace spate {

Result<> check_json(std::string_view text) {
  json::Document document(text);
  return std::move(document.status());
}

}  // namespace spate
