// expect: cannot be reflected for JSON; make the base a member
// SPDX-License-Identifier: MIT
#include <spate/json/json.hpp>
#include <string>

struct Entity {
  int id;
};

#ifdef SPATE_REPAIRED
struct User {
  Entity entity;
  std::string name;
};
#else
struct User : Entity {
  std::string name;
};
#endif

std::string text(const User& user) { return spate::to_json(user); }
