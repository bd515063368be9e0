// SPDX-License-Identifier: MIT
#include "store.hpp"

#include <sqlite3.h>

#include <string_view>
#include <utility>

namespace orders {
namespace {

[[noreturn]] void fail(sqlite3* db) {
  const int code = sqlite3_errcode(db);
  bool passing = false;
  for (int c : {SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL, SQLITE_IOERR, SQLITE_NOMEM,
                SQLITE_CANTOPEN, SQLITE_READONLY}) {
    passing = passing || c == (code & 0xFF);
  }
  throw spate::ErrorException(spate::Error(passing ? spate::Errc::busy : spate::Errc::internal,
                                           std::string("SQLite: ") + sqlite3_errmsg(db),
                                           passing ? 503 : 500));
}

class Statement {
 public:
  template <class... A>
  Statement(sqlite3* db, std::string_view sql, const A&... values) : db_(db) {
    if (sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr) !=
        SQLITE_OK) {
      fail(db);
    }
    bind(values...);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  template <class... A>
  void bind(const A&... values) {
    sqlite3_reset(statement_);
    int index = 0;
    (bind_one(++index, values), ...);
  }
  // Runs to the next row; false at the end.
  bool next() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) fail(db_);
    return code == SQLITE_ROW;
  }
  std::int64_t integer(int column) { return sqlite3_column_int64(statement_, column); }
  std::string text(int column) {
    const unsigned char* text = sqlite3_column_text(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text), size);
  }
  bool is_null(int column) { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

 private:
  void bind_one(int index, std::int64_t value) {
    if (sqlite3_bind_int64(statement_, index, value) != SQLITE_OK) fail(db_);
  }
  void bind_one(int index, const std::string& value) {
    if (sqlite3_bind_text64(statement_, index, value.data(), value.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8) != SQLITE_OK) {
      fail(db_);
    }
  }
  void bind_one(int index, const std::optional<std::string>& value) {
    if (value) return bind_one(index, *value);
    if (sqlite3_bind_null(statement_, index) != SQLITE_OK) fail(db_);
  }

  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
};

template <class... A>
void run(sqlite3* db, std::string_view sql, const A&... values) {
  Statement statement(db, sql, values...);
  while (statement.next()) continue;
}

std::int64_t number(sqlite3* db, std::string_view sql) {
  Statement statement(db, sql);
  return statement.next() ? statement.integer(0) : 0;
}

// Rolled back unless committed.
class Transaction {
 public:
  explicit Transaction(sqlite3* db) : db_(db) { run(db, "BEGIN IMMEDIATE"); }
  ~Transaction() {
    if (!sqlite3_get_autocommit(db_)) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() { run(db_, "COMMIT"); }

 private:
  sqlite3* db_;
};

constexpr const char* schema = R"(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS orders(
    id INTEGER PRIMARY KEY AUTOINCREMENT, customer TEXT NOT NULL, item TEXT NOT NULL,
    quantity INTEGER NOT NULL, note TEXT, placed TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
  CREATE TABLE IF NOT EXISTS requests(
    key TEXT PRIMARY KEY, request TEXT NOT NULL, order_id INTEGER NOT NULL) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS requests_by_order ON requests(order_id);
  CREATE TABLE IF NOT EXISTS outbox(order_id INTEGER PRIMARY KEY, message TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS totals(
    item TEXT PRIMARY KEY, orders INTEGER NOT NULL, quantity INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS rolled(up_to INTEGER NOT NULL);
)";
constexpr std::string_view select =
    "SELECT id, customer, item, quantity, note, placed FROM orders ";
constexpr std::string_view insert =
    "INSERT INTO orders(customer, item, quantity, note) VALUES(?, ?, ?, ?)";
constexpr std::string_view confirmations_of =
    "INSERT OR IGNORE INTO outbox SELECT id, 'To ' || customer || ': ' || quantity || ' x ' || "
    "item || ' is on its way' FROM orders ";

std::vector<Order> read_orders(Statement& rows) {
  std::vector<Order> out;
  while (rows.next()) {
    out.push_back({.id = rows.integer(0),
                   .customer = rows.text(1),
                   .item = rows.text(2),
                   .quantity = static_cast<int>(rows.integer(3)),
                   .note = rows.is_null(4) ? std::nullopt : std::optional(rows.text(4)),
                   .placed = rows.text(5)});
  }
  return out;
}

template <class... A>
std::vector<Order> read_orders(sqlite3* db, std::string_view where, const A&... values) {
  Statement rows(db, std::string(select) + std::string(where), values...);
  return read_orders(rows);
}

}  // namespace

void Store::Close::operator()(sqlite3* db) const noexcept { sqlite3_close(db); }

Store::Store(const std::string& file, std::chrono::milliseconds patience) {
  sqlite3* db = nullptr;
  const int opened = sqlite3_open(file.c_str(), &db);
  db_.reset(db);
  if (opened != SQLITE_OK) fail(db);
  sqlite3_busy_timeout(db, static_cast<int>(patience.count()));
  if (sqlite3_exec(db, schema, nullptr, nullptr, nullptr) != SQLITE_OK) fail(db);
}

Order Store::place(const std::string& key, const NewOrder& wanted) {
  const std::scoped_lock lock(mutex_);
  const std::string request = spate::to_json(wanted);
  Transaction transaction(db_.get());
  std::int64_t id = 0;
  if (Statement known(db_.get(), "SELECT request, order_id FROM requests WHERE key = ?", key);
      known.next()) {
    if (known.text(0) != request) {
      throw spate::ErrorException(spate::Error(
          spate::Errc::conflict, "this Idempotency-Key was used for another order", 422));
    }
    id = known.integer(1);
  } else {
    run(db_.get(), insert, wanted.customer, wanted.item, wanted.quantity, wanted.note);
    id = sqlite3_last_insert_rowid(db_.get());
    run(db_.get(), "INSERT INTO requests VALUES(?, ?, ?)", key, request, id);
  }
  std::vector<Order> found = read_orders(db_.get(), "WHERE id = ?", id);
  transaction.commit();
  return std::move(found.at(0));
}

void Store::add_all(const std::vector<NewOrder>& batch) {
  const std::scoped_lock lock(mutex_);
  Transaction transaction(db_.get());
  Statement add(db_.get(), insert);
  for (const NewOrder& order : batch) {
    add.bind(order.customer, order.item, order.quantity, order.note);
    add.next();
  }
  transaction.commit();
}

std::optional<Order> Store::find(std::int64_t id) {
  const std::scoped_lock lock(mutex_);
  std::vector<Order> found = read_orders(db_.get(), "WHERE id = ?", id);
  if (found.empty()) return std::nullopt;
  return std::move(found[0]);
}

std::vector<Order> Store::list(std::int64_t after, std::size_t most) {
  const std::scoped_lock lock(mutex_);
  return read_orders(db_.get(), "WHERE id > ? ORDER BY id LIMIT ?", after,
                     static_cast<std::int64_t>(most));
}

std::vector<Order> Store::latest(std::size_t most) {
  const std::scoped_lock lock(mutex_);
  return read_orders(db_.get(), "ORDER BY id DESC LIMIT ?", static_cast<std::int64_t>(most));
}

std::int64_t Store::count() {
  const std::scoped_lock lock(mutex_);
  return number(db_.get(), "SELECT count(*) FROM orders");
}

void Store::confirm(std::int64_t id) {
  const std::scoped_lock lock(mutex_);
  run(db_.get(), std::string(confirmations_of) + "WHERE id = ?", id);
}

std::int64_t Store::confirmations() {
  const std::scoped_lock lock(mutex_);
  return number(db_.get(), "SELECT count(*) FROM outbox");
}

bool Store::roll_up() {
  constexpr std::int64_t most = 20'000;
  const std::scoped_lock lock(mutex_);
  // Ids are given in the order of commits, by one writer: what is at or below `from` is rolled up.
  const std::int64_t from = number(db_.get(), "SELECT max(up_to) FROM rolled");
  const std::int64_t last = number(db_.get(), "SELECT max(id) FROM orders");
  if (last <= from) return false;
  const std::int64_t to = last - from > most ? from + most : last;
  Transaction transaction(db_.get());
  run(db_.get(),
      "INSERT INTO totals SELECT item, count(*), sum(quantity) FROM orders WHERE id > ? AND id <= "
      "? "
      "GROUP BY item ON CONFLICT(item) DO UPDATE SET orders = orders + excluded.orders, "
      "quantity = quantity + excluded.quantity",
      from, to);
  run(db_.get(),
      std::string(confirmations_of) +
          "WHERE id IN (SELECT order_id FROM requests WHERE order_id > ? AND order_id <= ?)",
      from, to);
  run(db_.get(), "DELETE FROM rolled");
  run(db_.get(), "INSERT INTO rolled VALUES(?)", to);
  transaction.commit();
  return to < last;
}

std::vector<Total> Store::totals(std::size_t most) {
  const std::scoped_lock lock(mutex_);
  Statement rows(db_.get(),
                 "SELECT item, orders, quantity FROM totals ORDER BY quantity DESC, item LIMIT ?",
                 static_cast<std::int64_t>(most));
  std::vector<Total> out;
  while (rows.next()) out.push_back({rows.text(0), rows.integer(1), rows.integer(2)});
  return out;
}

}  // namespace orders
