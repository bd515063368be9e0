// SPDX-License-Identifier: MIT
#include "testing/memory_engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "base/poison.hpp"

namespace spate::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// Sends back what it receives and notes every event.
class EchoClient final : public io::EngineClient {
 public:
  explicit EchoClient(MemoryEngine& engine) : engine_(&engine) {}

  bool on_accept(io::Slot& slot) override {
    events.push_back("accept");
    latest = &slot;
    return accepts;
  }
  void on_data(io::Slot& slot, std::span<char> bytes, bool last) override {
    const std::string text(bytes.data(), bytes.size());
    events.push_back((last ? "last " : "data ") + text);
    received += text;
    lent = bytes;
    if (echoes) engine_->send(slot, bytes);
  }
  void on_eof(io::Slot& slot, bool unread) override {
    events.push_back(unread ? "eof unread" : "eof");
    if (closes) engine_->close(slot);
  }
  void on_error(io::Slot& slot, int error) override {
    events.push_back("error " + std::to_string(error));
    engine_->close(slot);
  }
  void on_drained(io::Slot&) override { events.push_back("drained"); }
  void on_wake() override { events.push_back("wake"); }
  void on_accept_paused(int error) override { events.push_back("paused " + std::to_string(error)); }

  std::vector<std::string> take() { return std::exchange(events, {}); }

  std::vector<std::string> events;
  std::string received;
  std::span<char> lent;
  io::Slot* latest = nullptr;
  bool accepts = true;
  bool echoes = true;
  bool closes = true;

 private:
  MemoryEngine* engine_;
};

struct Bench {
  explicit Bench(const MemoryKnobs& knobs = {}) : engine(knobs), client(engine) {}
  void turn(Duration timeout = Duration::zero()) {
    engine.wait(timeout);
    engine.dispatch(client);
  }
  std::size_t run() {
    std::size_t turns = 0;
    while (engine.has_events() && turns < 100'000) {
      turn();
      ++turns;
    }
    return turns;
  }
  MemoryEngine engine;
  EchoClient client;
};

TEST(MemoryEngine, BytesSentAreEchoedAndTheEndIsTold) {
  Bench bench;
  MemoryPipe pipe = bench.engine.connect();
  pipe.send("hello");
  bench.run();
  EXPECT_EQ(pipe.received(), "hello");
  pipe.close_sending();
  bench.run();
  EXPECT_THAT(bench.client.events, ElementsAre("accept", "data hello", "eof"));
  EXPECT_TRUE(pipe.is_closed_by_server());
  EXPECT_FALSE(pipe.was_reset());
  EXPECT_EQ(bench.engine.slots().size(), 0U);
}

TEST(MemoryEngine, BytesAndEndInOneEventAreTheLast) {
  Bench bench;
  MemoryPipe pipe = bench.engine.connect();
  bench.run();
  pipe.send("bye");
  pipe.close_sending();
  bench.run();
  EXPECT_THAT(bench.client.events, ElementsAre("accept", "last bye", "eof"));
}

TEST(MemoryEngine, AnEventIsToldOnce) {
  Bench bench;
  MemoryPipe pipe = bench.engine.connect();
  pipe.send("a");
  EXPECT_GT(bench.run(), 0U);
  EXPECT_FALSE(bench.engine.has_events());
  bench.client.take();
  bench.turn();
  EXPECT_THAT(bench.client.events, IsEmpty());
}

TEST(MemoryEngine, DripGivesOneByteAtATimeAndTheEndAfterTheLast) {
  Bench bench({.bytes_per_receive = 1});
  MemoryPipe pipe = bench.engine.connect();
  bench.run();
  pipe.send("abc");
  pipe.close_sending();
  bench.run();
  EXPECT_THAT(bench.client.events, ElementsAre("accept", "data a", "data b", "last c", "eof"));
}

TEST(MemoryEngine, SendsOfOneByteLeaveABacklogAndDrain) {
  Bench bench({.bytes_per_send = 1});
  MemoryPipe pipe = bench.engine.connect();
  pipe.send("abc");
  bench.turn();
  EXPECT_EQ(pipe.received(), "a");
  EXPECT_EQ(bench.engine.backlog(*bench.client.latest), 2U);
  bench.turn();
  EXPECT_EQ(pipe.received(), "ab");
  EXPECT_EQ(bench.engine.drained(*bench.client.latest), 1U);
  bench.run();
  EXPECT_EQ(pipe.received(), "abc");
  EXPECT_EQ(bench.engine.backlog(*bench.client.latest), 0U);
  EXPECT_THAT(bench.client.events, ElementsAre("accept", "data abc", "drained"));
}

TEST(MemoryEngine, AFullWindowKeepsBytesBackUntilTheClientTakesSome) {
  Bench bench;
  MemoryPipe pipe = bench.engine.connect();
  pipe.set_receive_window(4);
  pipe.send("0123456789");
  bench.run();
  EXPECT_EQ(pipe.received(), "0123");
  EXPECT_EQ(bench.engine.backlog(*bench.client.latest), 6U);
  EXPECT_FALSE(bench.engine.has_events());
  EXPECT_EQ(pipe.take_received(), "0123");
  bench.run();
  EXPECT_EQ(pipe.take_received(), "4567");
  bench.run();
  EXPECT_EQ(pipe.take_received(), "89");
  EXPECT_EQ(bench.client.events.back(), "drained");
}

TEST(MemoryEngine, AClosedWindowAfterTheClientsEndDoesNotSpin) {
  Bench bench;
  bench.client.closes = false;
  MemoryPipe pipe = bench.engine.connect();
  pipe.set_receive_window(1);
  pipe.send("abc");
  pipe.close_sending();
  EXPECT_LT(bench.run(), 10U);
}

TEST(MemoryEngine, ShuffledEventsDependOnTheSeedAlone) {
  const auto order = [](std::uint64_t seed) {
    Bench bench({.seed = seed});
    bench.client.echoes = false;
    std::vector<MemoryPipe> pipes;
    for (int i = 0; i < 8; ++i) pipes.push_back(bench.engine.connect());
    bench.run();
    bench.client.take();
    for (int i = 0; i < 8; ++i) pipes[static_cast<std::size_t>(i)].send(std::to_string(i));
    bench.run();
    return bench.client.received;
  };
  EXPECT_EQ(order(0), "01234567");
  EXPECT_EQ(order(7), order(7));
  EXPECT_NE(order(7), order(0));
  EXPECT_NE(order(7), order(8));
  std::string sorted = order(7);
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, "01234567");
}

TEST(MemoryEngine, SpuriousEventsCarryNothing) {
  Bench bench({.seed = 3, .spurious_events = true});
  MemoryPipe pipe = bench.engine.connect();
  pipe.set_receive_window(2);
  pipe.send("abcd");
  std::size_t wakes = 0;
  for (int i = 0; i < 200; ++i) bench.turn();
  for (const std::string& event : bench.client.take()) {
    if (event == "wake") {
      ++wakes;
    } else {
      EXPECT_THAT(event, ::testing::AnyOf("accept", "data abcd"));
    }
  }
  EXPECT_GT(wakes, 0U);
  EXPECT_EQ(pipe.received(), "ab");
}

TEST(MemoryEngine, AFailedAcceptPausesAndIsTriedAgainLater) {
  Bench bench;
  bench.engine.fail_accepts(1, EMFILE);
  MemoryPipe pipe = bench.engine.connect();
  bench.run();
  EXPECT_THAT(bench.client.take(), ElementsAre("paused " + std::to_string(EMFILE)));
  EXPECT_FALSE(bench.engine.has_events());
  const TimePoint before = bench.engine.now();
  bench.engine.let_wait_advance_to(before + std::chrono::hours(1));
  bench.turn(std::chrono::seconds(10));
  EXPECT_EQ(bench.engine.now() - before, std::chrono::milliseconds(100));
  bench.run();
  EXPECT_THAT(bench.client.events, ElementsAre("paused 0", "accept"));
}

TEST(MemoryEngine, AnAbortedConnectionIsPassedOver) {
  Bench bench;
  bench.engine.fail_accepts(1, ECONNABORTED);
  MemoryPipe lost = bench.engine.connect();
  MemoryPipe kept = bench.engine.connect();
  bench.run();
  EXPECT_TRUE(lost.was_reset());
  EXPECT_FALSE(kept.is_closed_by_server());
  EXPECT_THAT(bench.client.events, ElementsAre("accept"));
}

TEST(MemoryEngine, AFailedSendIsToldInALaterTurn) {
  Bench bench;
  bench.engine.fail_sends(1, 1, EPIPE);
  MemoryPipe pipe = bench.engine.connect();
  pipe.send("a");
  bench.run();
  EXPECT_EQ(pipe.received(), "a");
  pipe.send("b");
  bench.turn();
  EXPECT_THAT(bench.client.take(), ElementsAre("accept", "data a", "data b"));
  bench.turn();
  EXPECT_THAT(bench.client.events, ElementsAre("error " + std::to_string(EPIPE)));
}

TEST(MemoryEngine, ASendThatIsRefusedForNowIsKeptAndTriedAgain) {
  Bench bench;
  bench.engine.fail_sends(0, 2, ENOBUFS);
  MemoryPipe pipe = bench.engine.connect();
  pipe.send("abc");
  bench.run();
  EXPECT_EQ(pipe.received(), "abc");
  EXPECT_EQ(bench.client.events.back(), "drained");
}

TEST(MemoryEngine, AClientThatIsGoneAnswersWithAReset) {
  Bench bench;
  bench.client.closes = false;
  MemoryPipe pipe = bench.engine.connect();
  bench.run();
  pipe.send("abc");
  pipe.close();
  bench.run();
  EXPECT_THAT(bench.client.events,
              ElementsAre("accept", "last abc", "eof", "error " + std::to_string(EPIPE)));
}

TEST(MemoryEngine, AResetBreaksTheConnectionBeforeItsBytesAreRead) {
  Bench bench;
  MemoryPipe pipe = bench.engine.connect();
  bench.run();
  pipe.send("abc");
  pipe.reset();
  bench.run();
  EXPECT_THAT(bench.client.events, ElementsAre("accept", "error " + std::to_string(ECONNRESET)));
}

TEST(MemoryEngine, ClosingWithUnreceivedBytesIsAReset) {
  Bench bench;
  MemoryPipe pipe = bench.engine.connect();
  bench.run();
  bench.engine.pause_read(*bench.client.latest);
  pipe.send("abc");
  bench.run();
  bench.engine.close(*bench.client.latest);
  EXPECT_TRUE(pipe.was_reset());
}

TEST(MemoryEngine, ARefusedConnectionIsClosed) {
  Bench bench;
  bench.client.accepts = false;
  MemoryPipe pipe = bench.engine.connect();
  bench.run();
  EXPECT_TRUE(pipe.is_closed_by_server());
  EXPECT_TRUE(pipe.is_gone());
}

TEST(MemoryEngine, ClosedListenersTakeWhatWaitsAndRefuseTheRest) {
  Bench bench;
  MemoryPipe waiting = bench.engine.connect();
  bench.engine.close_listeners(bench.client);
  MemoryPipe late = bench.engine.connect();
  EXPECT_THAT(bench.client.events, ElementsAre("accept"));
  EXPECT_FALSE(waiting.is_closed_by_server());
  EXPECT_TRUE(late.was_reset());
}

TEST(MemoryEngine, TheClockMovesOnlyAsFarAsItMay) {
  Bench bench;
  const TimePoint start = bench.engine.now();
  bench.turn(std::chrono::seconds(5));
  EXPECT_EQ(bench.engine.now(), start);
  bench.engine.let_wait_advance_to(start + std::chrono::seconds(3));
  bench.turn(std::chrono::seconds(2));
  EXPECT_EQ(bench.engine.now() - start, std::chrono::seconds(2));
  bench.turn(std::chrono::seconds(5));
  EXPECT_EQ(bench.engine.now() - start, std::chrono::seconds(3));
  EXPECT_EQ(bench.engine.ticks(), 3 * io::ticks_per_second + 1);
  EXPECT_EQ(bench.engine.time_of(bench.engine.ticks()), bench.engine.now());
}

TEST(MemoryEngine, TheClockStaysWhileThereAreEvents) {
  Bench bench;
  const TimePoint start = bench.engine.now();
  bench.engine.let_wait_advance_to(start + std::chrono::seconds(3));
  bench.engine.wake();
  bench.turn(std::chrono::seconds(1));
  EXPECT_EQ(bench.engine.now(), start);
  EXPECT_THAT(bench.client.events, ElementsAre("wake"));
}

TEST(MemoryEngine, DescriptorsAreRefusedWithASentence) {
  Bench bench;
  const Result<> refused = bench.engine.add_listener(3, 0);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(Errc::invalid));
  EXPECT_THAT(refused.error().detail, StartsWith("the memory engine knows no descriptors"));
}

TEST(MemoryEngine, APipeOutlivesItsEngine) {
  auto bench = std::make_unique<Bench>();
  MemoryPipe open = bench->engine.connect();
  bench->run();
  MemoryPipe waiting = bench->engine.connect();
  bench.reset();
  open.send("late");
  waiting.set_receive_window(1);
  EXPECT_TRUE(open.is_closed_by_server());
  EXPECT_TRUE(waiting.was_reset());
}

#if defined(SPATE_POISONS)
TEST(MemoryEngineDeathTest, AViewKeptPastItsCallbackIsFound) {
  EXPECT_DEATH(
      {
        Bench bench;
        MemoryPipe pipe = bench.engine.connect();
        pipe.send("abc");
        bench.run();
        volatile char kept = bench.client.lent[0];
        (void)kept;
      },
      "heap-use-after-free");
}
#endif

}  // namespace
}  // namespace spate::testing
