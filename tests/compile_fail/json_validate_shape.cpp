// expect: must be `spate::Result<> validate() const`
// SPDX-License-Identifier: MIT
#include <spate/json/json.hpp>
#include <string_view>

struct Amount {
  int cents;
#ifdef SPATE_REPAIRED
  spate::Result<> validate() const { return {}; }
#else
  bool validate() const { return cents > 0; }
#endif
};

bool good(std::string_view body) { return spate::from_json<Amount>(body).has_value(); }
