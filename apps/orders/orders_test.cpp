// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "service_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using orders::Order;
using orders::OrderList;
using orders::Service;

constexpr const char* bolts = R"({"customer":"Ada","item":"bolt","quantity":2})";

TEST(Orders, an_order_is_created_and_found_again) {
  Service service;
  const auto answer = service.place("1", bolts);
  ASSERT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.header("location"), "/orders/1");
  const auto order = answer.json<Order>();
  EXPECT_EQ(order.customer, "Ada");
  EXPECT_EQ(order.quantity, 2);
  const auto detail = service.client.get("/orders/1");
  EXPECT_EQ(detail.status, 200);
  EXPECT_EQ(detail.body, answer.body);
}

TEST(Orders, the_same_key_and_body_answer_the_same_and_order_once) {
  Service service;
  const auto first = service.place("k", bolts);
  // The same values in other words.
  const auto second =
      service.place("k", R"({ "quantity": 2, "item": "bolt", "customer": "Ada", "note": null })");
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(second.header("location"), first.header("location"));
  EXPECT_EQ(service.store->count(), 1);
}

TEST(Orders, the_same_key_for_another_order_is_refused) {
  Service service;
  service.place("k", bolts);
  const auto answer = service.place("k", R"({"customer":"Ada","item":"bolt","quantity":3})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_NE(answer.body.find("Idempotency-Key"), std::string::npos);
  EXPECT_EQ(service.store->count(), 1);
}

TEST(Orders, a_key_is_needed_and_must_have_a_sane_length) {
  Service service;
  EXPECT_EQ(service.post("/orders").body(bolts, "application/json").send().status, 400);
  EXPECT_EQ(service.place("", bolts).status, 400);
  EXPECT_EQ(service.place(std::string(201, 'k'), bolts).status, 400);
  EXPECT_EQ(service.store->count(), 0);
}

TEST(Orders, bad_orders_are_refused_with_the_place_of_the_fault) {
  Service service;
  const auto missing = service.place("1", R"({"customer":"Ada","item":"bolt"})");
  EXPECT_EQ(missing.status, 422);
  EXPECT_NE(missing.body.find("/quantity"), std::string::npos) << missing.body;
  EXPECT_EQ(service.place("1", R"({"customer":"Ada","item":"bolt","quantity":0})").status, 422);
  EXPECT_EQ(service.place("1", "{").status, 400);
  EXPECT_EQ(service.post("/orders")
                .header("idempotency-key", "1")
                .body(bolts, "text/plain")
                .send()
                .status,
            415);
  EXPECT_EQ(service.place("1", std::string(17'000, ' ')).status, 413);
  EXPECT_EQ(service.store->count(), 0);
}

TEST(Orders, writing_needs_the_token_and_reading_does_not) {
  Service service;
  for (const char* target : {"/orders", "/ingest"}) {
    for (const char* given : {"", "secret", "Bearer secre", "Bearer secret2", "bearer"}) {
      auto request = service.client.request(spate::Method::post, target);
      if (*given != '\0') request.header("authorization", given);
      const auto answer =
          request.header("idempotency-key", "1").body(bolts, "application/json").send();
      EXPECT_EQ(answer.status, 401) << target << " with " << given;
      EXPECT_EQ(answer.header("www-authenticate"), "Bearer");
    }
  }
  EXPECT_EQ(service.store->count(), 0);
  service.place("1", bolts);
  for (const char* target : {"/", "/orders", "/orders/1", "/orders/1/page"}) {
    EXPECT_EQ(service.client.get(target).status, 200) << target;
  }
}

TEST(Orders, the_list_comes_in_pages) {
  Service service;
  service.store->add_all(std::vector<orders::NewOrder>(150, {"Ada", "bolt", 1, std::nullopt}));
  const auto first = service.client.get("/orders?limit=2").json<OrderList>();
  ASSERT_EQ(first.orders.size(), 2U);
  EXPECT_EQ(first.next, 2);
  const auto second = service.client.get("/orders?limit=2&after=2").json<OrderList>();
  EXPECT_EQ(second.orders.at(0).id, 3);
  EXPECT_EQ(service.client.get("/orders").json<OrderList>().orders.size(), 20U);
  EXPECT_EQ(service.client.get("/orders?limit=5000").json<OrderList>().orders.size(), 100U);
  const auto last = service.client.get("/orders?limit=100&after=100").json<OrderList>();
  EXPECT_EQ(last.orders.size(), 50U);
  EXPECT_EQ(last.next, std::nullopt);
  EXPECT_EQ(service.client.get("/orders?limit=many").status, 400);
}

TEST(Orders, what_is_not_there_is_404) {
  Service service;
  for (const char* target : {"/orders/1", "/orders/1/page", "/orders/bolt", "/nothing"}) {
    EXPECT_EQ(service.client.get(target).status, 404) << target;
  }
  const auto wrong_method = service.client.post("/orders/1", "");
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_EQ(wrong_method.header("allow"), "GET, HEAD, OPTIONS");
}

TEST(Orders, pages_show_the_text_of_customers_and_never_run_it) {
  Service service;
  service.place("1", R"({"customer":"<b>Ada</b>","item":"<img src=x>","quantity":2,)"
                     R"("note":"<script>alert('hi')</script> & more"})");
  service.client.advance(6s);  // totals, too
  const auto detail = service.client.get("/orders/1/page");
  EXPECT_EQ(detail.header("content-type"), "text/html; charset=utf-8");
  EXPECT_NE(detail.body.find("&lt;script&gt;alert(&#39;hi&#39;)&lt;/script&gt; &amp; more"),
            std::string::npos)
      << detail.body;
  const auto index = service.client.get("/");
  EXPECT_NE(index.body.find("<td>&lt;img src=x&gt;</td><td>1</td><td>2</td>"), std::string::npos)
      << index.body;
  for (const auto* page : {&detail, &index}) {
    for (const char* tag : {"<script", "<b>", "<img"}) {
      EXPECT_EQ(page->body.find(tag), std::string::npos) << tag;
    }
  }
}

TEST(Orders, a_confirmation_is_written_after_the_answer_and_once) {
  Service service;
  service.place("1", bolts);
  service.client.run();
  EXPECT_EQ(service.store->confirmations(), 1);
  service.place("1", bolts);
  service.client.run();
  EXPECT_EQ(service.store->confirmations(), 1);
}

TEST(Orders, totals_are_rolled_up_every_few_seconds) {
  Service service;
  service.place("1", bolts);
  service.store->add_all(std::vector<orders::NewOrder>(50'000, {"Bo", "nut", 1, std::nullopt}));
  EXPECT_TRUE(service.store->totals(10).empty());
  service.client.advance(4s);
  EXPECT_TRUE(service.store->totals(10).empty());
  service.client.advance(2s);
  auto totals = service.store->totals(10);
  ASSERT_EQ(totals.size(), 2U);
  EXPECT_EQ(totals[0].orders, 50'000);
  EXPECT_EQ(totals[1].quantity, 2);
  service.place("2", bolts);
  service.client.advance(5s);
  service.client.advance(5s);
  totals = service.store->totals(10);
  EXPECT_EQ(totals.at(1).quantity, 4);
  EXPECT_EQ(totals.at(1).orders, 2);
}

TEST(Orders, a_full_pool_is_503_and_the_roll_up_survives_it) {
  Service service;
  service.place("1", bolts);
  service.client.refuse_offload(true);
  EXPECT_EQ(service.place("2", bolts).status, 503);
  EXPECT_EQ(service.client.get("/orders").status, 503);
  service.client.advance(6s);
  service.client.refuse_offload(false);
  EXPECT_TRUE(service.store->totals(10).empty());
  service.client.advance(5s);
  EXPECT_EQ(service.store->totals(10).size(), 1U);
}

TEST(Orders, a_stop_waits_for_orders_under_way) {
  Service service;
  service.client.hold_offload(true);
  auto stream =
      service.post("/orders").header("idempotency-key", "1").body(bolts, "application/json").open();
  service.client.begin_drain();
  EXPECT_FALSE(service.client.is_drained());
  service.client.hold_offload(false);
  EXPECT_EQ(stream.read_all().status, 201);
  EXPECT_EQ(service.store->count(), 1);
  // The connection lingers until its client closes, or 2 s.
  for (int i = 0; i < 10 && !service.client.is_drained(); ++i) service.client.advance(1s);
  EXPECT_TRUE(service.client.is_drained()) << service.client.describe_waits();
  EXPECT_EQ(service.store->confirmations(), 1);
}

// A database file of its own, with a second connection that disturbs.
class DisturbedDatabase : public testing::Test {
 protected:
  DisturbedDatabase()
      : file_(testing::TempDir() + "spate-orders-" +
              testing::UnitTest::GetInstance()->current_test_info()->name() + ".db") {
    remove_files();
    service_ = std::make_unique<Service>(file_);
    sqlite3_open(file_.c_str(), &other_);
  }
  ~DisturbedDatabase() override {
    sqlite3_close(other_);
    service_.reset();
    remove_files();
  }
  void disturb(const char* sql) {
    ASSERT_EQ(sqlite3_exec(other_, sql, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(other_);
  }
  void remove_files() {
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(file_ + end);
  }

  std::string file_;
  std::unique_ptr<Service> service_;
  sqlite3* other_ = nullptr;
};

TEST_F(DisturbedDatabase, a_locked_database_is_503_and_recovers) {
  disturb("BEGIN IMMEDIATE");
  const auto answer = service_->place("1", bolts);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.header("content-type"), "application/problem+json");
  EXPECT_EQ(answer.body.find("SQLite"), std::string::npos) << "details are for the log";
  const auto ingest = service_->post("/ingest").body(orders::csv_rows(3), "text/csv").send();
  EXPECT_EQ(ingest.status, 503);
  EXPECT_EQ(service_->client.get("/orders").status, 200) << "readers go on beside a writer";
  disturb("COMMIT");
  EXPECT_EQ(service_->place("1", bolts).status, 201);
}

TEST_F(DisturbedDatabase, a_broken_database_is_500_on_every_route) {
  disturb("DROP TABLE orders");
  EXPECT_EQ(service_->place("1", bolts).status, 500);
  EXPECT_EQ(service_->post("/ingest").body("a,b,1", "text/csv").send().status, 500);
  for (const char* target : {"/", "/orders", "/orders/1", "/orders/1/page"}) {
    EXPECT_EQ(service_->client.get(target).status, 500) << target;
  }
  service_->client.advance(6s);
  EXPECT_FALSE(service_->client.log_lines().empty());
}

TEST_F(DisturbedDatabase, an_order_is_the_same_after_a_restart) {
  const auto before = service_->place("1", bolts);
  service_.reset();
  service_ = std::make_unique<Service>(file_);
  const auto after = service_->place("1", bolts);
  EXPECT_EQ(after.status, 201);
  EXPECT_EQ(after.body, before.body);
  EXPECT_EQ(service_->store->count(), 1);
}

}  // namespace
