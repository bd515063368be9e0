// expect: cannot be reflected for JSON; give every member a default constructor
// SPDX-License-Identifier: MIT
#include <spate/json/json.hpp>
#include <string>

struct Id {
#ifndef SPATE_REPAIRED
  Id() = delete;
  explicit Id(int n) : number(n) {}
#endif
  int number;
};

struct Order {
  Id id;
};

std::string text(const Order& order) { return spate::to_json(order); }
