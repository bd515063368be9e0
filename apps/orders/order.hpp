// SPDX-License-Identifier: MIT
// The words of this service: what a client orders, what an order is. The same types are read from
// JSON, filled from CSV lines and written as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <spate/spate.hpp>
#include <string>
#include <vector>

namespace orders {

struct NewOrder {
  std::string customer;
  std::string item;
  int quantity = 0;
  std::optional<std::string> note;

  spate::Result<> validate() const {
    if (customer.empty() || customer.size() > 100) {
      return spate::problem(422, "customer must have 1 to 100 bytes");
    }
    if (item.empty() || item.size() > 100) {
      return spate::problem(422, "item must have 1 to 100 bytes");
    }
    if (quantity < 1 || quantity > 1'000'000) {
      return spate::problem(422, "quantity must be from 1 to 1000000");
    }
    if (note && note->size() > 2'000) {
      return spate::problem(422, "note must have at most 2000 bytes");
    }
    return {};
  }
};

struct Order {
  std::int64_t id = 0;
  std::string customer;
  std::string item;
  int quantity = 0;
  std::optional<std::string> note;
  std::string placed;  // UTC, "2026-01-31 12:00:00"
};

struct OrderList {
  std::vector<Order> orders;
  std::optional<std::int64_t> next;  // the `after` of the next page
};

struct Total {
  std::string item;
  std::int64_t orders = 0;
  std::int64_t quantity = 0;
};

struct BadLine {
  std::uint64_t line = 0;
  std::string reason;
};

struct IngestReport {
  std::uint64_t accepted = 0;
  std::uint64_t bad = 0;
  std::vector<BadLine> first_bad;
};

}  // namespace orders
