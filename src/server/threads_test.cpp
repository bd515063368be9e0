// SPDX-License-Identifier: MIT
// The parts that threads share: inbox, pool for blocking calls, log queue.
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "server/async_log.hpp"
#include "server/blocking_pool.hpp"
#include "server/inbox.hpp"

namespace spate::server {
namespace {

struct Numbered final : coro::Job {
  int thread = 0;
  int number = 0;
  void run() noexcept override {}
  void drop() noexcept override {}
};

TEST(Inbox, loses_nothing_and_keeps_the_order_of_each_sender) {
  constexpr int senders = 4;
  constexpr int each = 20'000;
  Inbox inbox(SIZE_MAX);
  std::vector<std::vector<Numbered>> jobs(senders);
  for (int s = 0; s < senders; ++s) {
    jobs[static_cast<std::size_t>(s)] = std::vector<Numbered>(each);
  }
  std::vector<std::jthread> threads;
  for (int s = 0; s < senders; ++s) {
    threads.emplace_back([&, s] {
      for (int i = 0; i < each; ++i) {
        Numbered& job = jobs[static_cast<std::size_t>(s)][static_cast<std::size_t>(i)];
        job.thread = s;
        job.number = i;
        inbox.push(job);
      }
    });
  }
  int next[senders] = {};
  for (int taken = 0; taken < senders * each;) {
    for (coro::Job* job = inbox.take(); job != nullptr; job = job->next) {
      const auto& numbered = static_cast<Numbered&>(*job);
      ASSERT_EQ(numbered.number, next[numbered.thread]++);
      ++taken;
    }
  }
  EXPECT_TRUE(inbox.is_empty());
}

TEST(Inbox, refuses_more_posts_than_its_limit_and_takes_them_again_when_emptied) {
  Inbox inbox(2);
  Numbered a;
  EXPECT_TRUE(inbox.try_reserve());
  EXPECT_TRUE(inbox.push(a));
  EXPECT_TRUE(inbox.try_reserve());
  EXPECT_FALSE(inbox.try_reserve());
  (void)inbox.take();
  EXPECT_TRUE(inbox.try_reserve());
  inbox.close();
  EXPECT_FALSE(inbox.try_reserve());
}

struct Blocking final : coro::Job {
  std::latch* begun = nullptr;
  std::latch* go_on = nullptr;
  std::atomic<int>* ran = nullptr;
  void run() noexcept override {
    if (begun != nullptr) begun->count_down();
    if (go_on != nullptr) go_on->wait();
    ran->fetch_add(1);
  }
  void drop() noexcept override {}
};

TEST(BlockingPool, refuses_when_its_queue_is_full_and_runs_all_that_it_took) {
  std::atomic<int> ran = 0;
  std::latch begun(1);
  std::latch go_on(1);
  Blocking first;
  first.begun = &begun;
  first.go_on = &go_on;
  Blocking second;
  Blocking third;
  Blocking fourth;
  for (Blocking* job : {&first, &second, &third, &fourth}) job->ran = &ran;
  {
    BlockingPool pool(1, 2);
    EXPECT_TRUE(pool.submit(first));
    begun.wait();
    EXPECT_TRUE(pool.submit(second));
    EXPECT_TRUE(pool.submit(third));
    EXPECT_FALSE(pool.submit(fourth));
    go_on.count_down();
  }
  EXPECT_EQ(ran, 3);
}

struct Collecting final : LogSink {
  std::vector<std::string>* lines;
  std::latch* hold;
  Collecting(std::vector<std::string>* to, std::latch* until) : lines(to), hold(until) {}
  void write(const LogRecord& record) override {
    hold->wait();
    lines->push_back(record.line);
  }
};

TEST(AsyncLog, a_slow_sink_costs_lines_that_are_counted_and_never_a_wait) {
  std::vector<std::string> lines;
  std::latch hold(1);
  {
    AsyncLog log(std::make_unique<Collecting>(&lines, &hold));
    for (std::size_t i = 0; i < 3 * AsyncLog::most_queued; ++i) log.write(LogLevel::info, "line");
    hold.count_down();
    log.flush();
  }
  std::size_t dropped = 0;
  std::size_t written = 0;
  for (const std::string& line : lines) {
    constexpr std::string_view prefix = "log queue full lines_dropped=";
    if (line.starts_with(prefix)) {
      dropped += std::stoul(line.substr(prefix.size()));
    } else {
      ++written;
    }
  }
  EXPECT_GT(dropped, 0U);
  EXPECT_EQ(dropped + written, 3 * AsyncLog::most_queued);
}

}  // namespace
}  // namespace spate::server
