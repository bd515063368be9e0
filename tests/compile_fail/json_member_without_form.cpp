// expect: spate: this type has no form in JSON; it must be a bool, number, string, enum,
// SPDX-License-Identifier: MIT
// A pointer that owns nothing has no form; the compiler names `Account*` beside the sentence.
#include <spate/json/json.hpp>
#include <string>

class Account {
 public:
  explicit Account(int id) : id_(id) {}

 private:
  int id_;
};

struct Answer {
#ifdef SPATE_REPAIRED
  int account;
#else
  Account* account;
#endif
};

std::string text(const Answer& answer) { return spate::to_json(answer); }
