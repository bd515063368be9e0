// expect: spate: a view of text can be written as JSON but not read, since it would
// SPDX-License-Identifier: MIT
#include <spate/json/json.hpp>
#include <string>
#include <string_view>

struct Login {
#ifdef SPATE_REPAIRED
  std::string name;
#else
  std::string_view name;
#endif
};

bool good(std::string_view body) { return spate::from_json<Login>(body).has_value(); }
