// SPDX-License-Identifier: MIT
// Orders from CSV (RFC 4180, without line breaks inside of quotes): lines out of pieces that were
// cut anywhere, and one order out of a line "customer,item,quantity[,note]". Memory is bounded by
// the longest line that is allowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "order.hpp"

namespace orders {

struct Line {
  std::uint64_t number = 0;
  std::string_view text;  // without its end; lifetime: until the next call of the splitter
  bool too_long = false;  // the text is lost
};

class LineSplitter {
 public:
  explicit LineSplitter(std::size_t longest) : longest_(longest) {}

  // Gives the next piece, after all lines of the one before have been taken. lifetime: borrows it
  // until then.
  void feed(std::string_view piece) noexcept { piece_ = piece; }
  // The next line that is complete.
  std::optional<Line> next();
  // The last line, when it has no end. Called once, behind the last piece.
  std::optional<Line> rest();

 private:
  Line take(std::string_view text);

  std::size_t longest_;
  std::string_view piece_;
  std::string begun_;  // a line's beginning, from pieces before
  std::string line_;
  bool too_long_ = false;
  std::uint64_t number_ = 0;
};

// errors: 422 with the reason.
spate::Result<NewOrder> parse_order(const Line& line);

}  // namespace orders
