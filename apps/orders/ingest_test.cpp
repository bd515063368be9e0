// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "service_fixture.hpp"

namespace {

using orders::csv_rows;
using orders::IngestReport;
using orders::Service;

TEST(Ingest, good_lines_are_kept_and_bad_ones_reported) {
  Service service;
  const auto answer = service.post("/ingest")
                          .body(
                              "customer,item,quantity,note\r\n"
                              "Ada,bolt,2,\r\n"
                              "Ada,bolt\r\n"
                              "\r\n"
                              "\"Lovelace, Ada\",nut,3,\"a \"\"note\"\"\"\r\n" +
                                  std::string(20'000, 'x') + "\nBo,nut,0\nBo,nut,4",
                              "text/csv")
                          .send();
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto report = answer.json<IngestReport>();
  EXPECT_EQ(report.accepted, 3U);
  EXPECT_EQ(report.bad, 3U);
  ASSERT_EQ(report.first_bad.size(), 3U);
  EXPECT_EQ(report.first_bad[0].line, 3U);
  EXPECT_EQ(report.first_bad[1].reason, "the line is too long");
  EXPECT_EQ(report.first_bad[2].reason, "quantity must be from 1 to 1000000");
  const auto list = service.client.get("/orders").json<orders::OrderList>();
  ASSERT_EQ(list.orders.size(), 3U);
  EXPECT_EQ(list.orders[1].customer, "Lovelace, Ada");
  EXPECT_EQ(list.orders[2].quantity, 4);
}

TEST(Ingest, only_the_first_few_bad_lines_are_told) {
  Service service;
  std::string bad;
  for (int i = 0; i < 500; ++i) bad += "x\n";
  const auto report = service.post("/ingest").body(bad, "text/csv").send().json<IngestReport>();
  EXPECT_EQ(report.bad, 500U);
  EXPECT_EQ(report.first_bad.size(), 10U);
}

TEST(Ingest, nothing_is_lost_wherever_the_network_cuts) {
  for (const std::size_t bytes : {1U, 7U, 64U}) {
    Service service(":memory:", {.bytes_per_receive = bytes});
    const auto answer =
        service.post("/ingest").body(csv_rows(120) + "bad\n" + csv_rows(3), "text/csv").send();
    ASSERT_EQ(answer.status, 200) << answer.body;
    const auto report = answer.json<IngestReport>();
    EXPECT_EQ(report.accepted, 123U);
    ASSERT_EQ(report.bad, 1U);
    EXPECT_EQ(report.first_bad[0].line, 121U);
    EXPECT_EQ(service.store->count(), 123);
  }
}

TEST(Ingest, chunks_may_end_inside_of_lines) {
  Service service;
  auto stream = service.post("/ingest").header("content-type", "text/csv").streamed().open();
  const std::string text = csv_rows(2'500);
  for (std::size_t at = 0; at < text.size(); at += 997) {
    stream.write(std::string_view(text).substr(at, 997));
  }
  stream.finish();
  const auto report = stream.read_all().json<IngestReport>();
  EXPECT_EQ(report.accepted, 2'500U);
  EXPECT_EQ(service.store->count(), 2'500);
}

TEST(Ingest, a_client_that_vanishes_leaves_whole_batches_and_nothing_else) {
  Service service;
  const auto frames = service.client.live_frames();
  auto stream = service.post("/ingest").streamed().open();
  stream.write(csv_rows(2'500));
  stream.abort();
  service.client.run();
  EXPECT_EQ(service.store->count(), 2'000);
  EXPECT_EQ(service.client.live_frames(), frames);
  EXPECT_EQ(service.place("1", R"({"customer":"Ada","item":"bolt","quantity":2})").status, 201);
}

TEST(Ingest, a_client_that_vanishes_while_a_batch_is_written_does_no_harm) {
  Service service;
  const auto frames = service.client.live_frames();
  service.client.hold_offload(true);
  auto stream = service.post("/ingest").streamed().open();
  stream.write(csv_rows(2'500));
  stream.abort();
  service.client.run();
  service.client.hold_offload(false);
  service.client.run();
  EXPECT_EQ(service.store->count(), 1'000) << "the batch that was under way, no other";
  EXPECT_EQ(service.client.live_frames(), frames);
}

TEST(Ingest, an_upload_is_slowed_down_while_the_database_is_busy) {
  Service service;
  service.client.hold_offload(true);
  auto stream = service.post("/ingest").streamed().open();
  for (int i = 0; i < 50; ++i) stream.write(csv_rows(2'000));
  EXPECT_GT(stream.unread(), 500'000U);
  service.client.hold_offload(false);
  stream.finish();
  EXPECT_EQ(stream.read_all().json<IngestReport>().accepted, 100'000U);
}

}  // namespace
