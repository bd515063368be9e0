// SPDX-License-Identifier: MIT
// JSON by reflection: `to_json(value)`, `write_json(sink, value)`, `from_json<T>(text)`, and names
// of enumerators. A plain struct is enough; there is no macro and nothing to register:
//   struct Order { int id; std::vector<Item> items; std::optional<std::string> note; };
//   Result<Order> order = from_json<Order>(body);
#pragma once

#include <spate/json/enum_name.hpp>
#include <spate/json/read.hpp>
#include <spate/json/write.hpp>
