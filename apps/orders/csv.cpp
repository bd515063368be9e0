// SPDX-License-Identifier: MIT
#include "csv.hpp"

#include <charconv>
#include <utility>
#include <vector>

namespace orders {
namespace {

// The fields of a line; nothing when its quotes are wrong.
std::optional<std::vector<std::string>> split_fields(std::string_view text) {
  std::vector<std::string> fields(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string& field = fields.back();
    if (text[i] == ',') {
      fields.emplace_back();
    } else if (text[i] != '"') {
      field += text[i];
    } else {
      if (!field.empty()) return std::nullopt;
      // To the closing quote; a doubled one stands for itself.
      for (++i;; ++i) {
        if (i == text.size()) return std::nullopt;
        if (text[i] == '"' && (++i == text.size() || text[i] != '"')) break;
        field += text[i];
      }
      if (i < text.size() && text[i] != ',') return std::nullopt;
      --i;
    }
  }
  return fields;
}

}  // namespace

Line LineSplitter::take(std::string_view text) {
  if (text.ends_with('\r')) text.remove_suffix(1);
  const bool lost = std::exchange(too_long_, false) || text.size() > longest_;
  return {++number_, lost ? std::string_view() : text, lost};
}

std::optional<Line> LineSplitter::next() {
  const std::size_t end = piece_.find('\n');
  const std::string_view part = piece_.substr(0, end);
  if (end != std::string_view::npos && begun_.empty()) {
    piece_.remove_prefix(end + 1);
    return take(part);
  }
  // One more than the longest, for the '\r'.
  too_long_ = too_long_ || begun_.size() + part.size() > longest_ + 1;
  if (too_long_) {
    begun_.clear();
  } else {
    begun_ += part;
  }
  if (end == std::string_view::npos) {
    piece_ = {};
    return std::nullopt;
  }
  piece_.remove_prefix(end + 1);
  line_.swap(begun_);
  begun_.clear();
  return take(line_);
}

std::optional<Line> LineSplitter::rest() {
  if (begun_.empty() && !too_long_) return std::nullopt;
  return take(begun_);
}

spate::Result<NewOrder> parse_order(const Line& line) {
  if (line.too_long) return spate::problem(422, "the line is too long");
  auto fields = split_fields(line.text);
  if (!fields) return spate::problem(422, "the quotes do not match");
  if (fields->size() != 3 && fields->size() != 4) {
    return spate::problem(422, "expected customer,item,quantity[,note]");
  }
  NewOrder order{std::move((*fields)[0]), std::move((*fields)[1]), 0, std::nullopt};
  const std::string& quantity = (*fields)[2];
  const char* end = quantity.data() + quantity.size();
  const auto [stop, error] = std::from_chars(quantity.data(), end, order.quantity);
  if (error != std::errc() || stop != end) {
    return spate::problem(422, "quantity must be a whole number");
  }
  if (fields->size() == 4 && !fields->back().empty()) order.note = std::move(fields->back());
  if (auto valid = order.validate(); !valid) return spate::problem(std::move(valid.error()));
  return order;
}

}  // namespace orders
