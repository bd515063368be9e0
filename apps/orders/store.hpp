// SPDX-License-Identifier: MIT
// Orders in one SQLite file. Every call blocks, so the service makes them through offload. What
// returns has been committed: the journal is a WAL with synchronous=FULL, which syncs at every
// commit, so that an acknowledged order survives a power cut too (NORMAL would survive only a
// crash of the process). throws, all of it: spate::ErrorException, with status 503 for what may
// pass (busy, disk full, I/O), 500 for the rest. thread: any; calls take turns.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "order.hpp"

struct sqlite3;

namespace orders {

class Store {
 public:
  // ":memory:" lives as long as the Store. `patience`: how long to wait for other processes.
  explicit Store(const std::string& file,
                 std::chrono::milliseconds patience = std::chrono::seconds(5));

  // The order of that key: a new one at first, later the same again. throws: 422 when the key was
  // used for another order.
  Order place(const std::string& key, const NewOrder& wanted);
  // All of them in one transaction.
  void add_all(const std::vector<NewOrder>& batch);
  std::optional<Order> find(std::int64_t id);
  std::vector<Order> list(std::int64_t after, std::size_t most);
  std::vector<Order> latest(std::size_t most);
  std::int64_t count();

  // Puts the confirmation of an order into the outbox, once.
  void confirm(std::int64_t id);
  std::int64_t confirmations();

  // Adds orders that are not yet in the totals, a bounded number at a time; true: there are more.
  // Confirms what was not.
  bool roll_up();
  std::vector<Total> totals(std::size_t most);

 private:
  struct Close {
    void operator()(sqlite3* db) const noexcept;
  };

  std::mutex mutex_;
  std::unique_ptr<sqlite3, Close> db_;
};

}  // namespace orders
