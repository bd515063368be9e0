// SPDX-License-Identifier: MIT
// Typed JSON in and out. The types say what a request must look like: a wrong
// type, a missing member, an unknown name of the enum or what validate()
// refuses is answered before the handler runs.
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "themes.hpp"

namespace showcase {
namespace {

// [create_user]
enum class Role : std::uint8_t { member, editor, admin };

struct NewUser {
  std::string name;
  int age;
  Role role;
  std::optional<std::string> email;

  spate::Result<> validate() const {
    if (name.empty()) return spate::problem(422, "a user needs a name");
    if (age < 0 || age > 150)
      return spate::problem(422, "an age lies between 0 and 150");
    return {};
  }
};
// [/create_user]

// [get_user]
struct User {
  std::int64_t id;
  std::string name;
  int age;
  Role role;
  std::optional<std::string> email;
};
// [/get_user]

// In memory, and only the latest: whoever posts for a day must not fill the
// machine.
class Users {
 public:
  Users() {
    for (int i = 1; i <= 100; ++i)
      add({"User " + std::to_string(i), 20 + i % 60, {}, {}});
  }

  User add(NewUser user) {
    const std::lock_guard lock(mutex_);
    if (users_.size() == most) {
      users_.pop_front();
      ++first_;
    }
    const std::int64_t id = first_ + static_cast<std::int64_t>(users_.size());
    users_.push_back(
        {id, std::move(user.name), user.age, user.role, std::move(user.email)});
    return users_.back();
  }

  std::optional<User> find(std::int64_t id) const {
    const std::lock_guard lock(mutex_);
    if (id < first_ || id - first_ >= static_cast<std::int64_t>(users_.size()))
      return {};
    return users_[static_cast<std::size_t>(id - first_)];
  }

 private:
  static constexpr std::size_t most = 10'000;

  mutable std::mutex mutex_;
  std::deque<User> users_;
  std::int64_t first_ = 1;
};

// [get_user]
spate::Result<User> get_user(spate::Path<"id", std::int64_t> id,
                             spate::State<Users> users) {
  auto user = users->find(*id);
  if (!user)
    return spate::problem(404, "there is no user " + std::to_string(*id));
  return *user;
}
// [/get_user]

// [create_user]
spate::Created<User> create_user(spate::Json<NewUser> in,
                                 spate::State<Users> users) {
  User user = users->add(std::move(*in));
  std::string path = "/users/" + std::to_string(user.id);
  return spate::Created(std::move(user)).at(path);
}
// [/create_user]

}  // namespace

void add_users(spate::Server& server) {
  server.state(std::make_shared<Users>());
  // [get_user]
  server.get<"/users/{id:int}">(get_user);
  // [/get_user]
  // [create_user]
  using namespace spate::literals;
  server.post("/users", create_user).with(spate::body_limit(64_KiB));
  // [/create_user]
}

}  // namespace showcase
