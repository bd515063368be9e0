// SPDX-License-Identifier: MIT
// What people see: the latest orders and the totals, and one order. All text of customers goes
// through html(), which escapes it.
#pragma once

#include <vector>

#include "order.hpp"

namespace orders {

spate::Html index_page(const std::vector<Total>& totals, const std::vector<Order>& latest);
spate::Html order_page(const Order& order);

}  // namespace orders
