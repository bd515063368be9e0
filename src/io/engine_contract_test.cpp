// SPDX-License-Identifier: MIT
// What every engine promises, as one suite: over the kernel's sockets and over the memory that
// tests run on, so that what is proved on the second holds for the first.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "base/poison.hpp"
#include "io/engine.hpp"
#include "io/epoll/epoll_engine.hpp"
#include "io/uring/probe.hpp"
#include "io/uring/uring_engine.hpp"
#include "testing/memory_engine.hpp"

namespace spate::io {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

// The client's end of a connection.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void send(std::string_view bytes) = 0;
  // Takes what is there.
  virtual std::string receive() = 0;
  virtual void close_sending() = 0;
  virtual void reset() = 0;
  // After receive(): the server has ended the connection, by FIN or by reset.
  virtual bool sees_end() = 0;
  virtual bool sees_reset() = 0;
};

// An engine and the network around it.
class World {
 public:
  virtual ~World() = default;
  virtual Engine& engine() = 0;
  // `narrow`: its network holds few bytes that it has not taken.
  virtual std::unique_ptr<Peer> connect(bool narrow = false) = 0;
  // Whether a connection is still taken by somebody.
  virtual bool is_listening() = 0;
  // The next accept fails for want of descriptors, until relieve().
  virtual void exhaust_descriptors() = 0;
  virtual void relieve_descriptors() = 0;
};

// --- sockets ---

class SocketPeer final : public Peer {
 public:
  explicit SocketPeer(int fd) : fd_(fd) {}
  ~SocketPeer() override {
    if (fd_ >= 0) ::close(fd_);
  }
  void send(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  std::string receive() override {
    std::string all;
    char buffer[16 * 1024];
    while (true) {
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0) {
        all.append(buffer, static_cast<std::size_t>(got));
        continue;
      }
      if (got == 0) ended_ = true;
      if (got < 0 && errno == ECONNRESET) ended_ = reset_ = true;
      return all;
    }
  }
  void close_sending() override { ::shutdown(fd_, SHUT_WR); }
  void reset() override {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(std::exchange(fd_, -1));
  }
  bool sees_end() override { return ended_; }
  bool sees_reset() override { return reset_; }

 private:
  int fd_;
  bool ended_ = false;
  bool reset_ = false;
};

class SocketWorld : public World {
 public:
  explicit SocketWorld(Result<std::unique_ptr<Engine>> made) : engine_(std::move(made).value()) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address_), size), 0);
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address_), &size), 0);
    EXPECT_EQ(::listen(fd, 64), 0);
    // A small send buffer, inherited by what is accepted: a megabyte then never fits.
    const int small = 16 * 1024;
    ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    EXPECT_TRUE(engine_->add_listener(fd, 7));
  }
  ~SocketWorld() override { relieve_descriptors(); }

  Engine& engine() override { return *engine_; }
  std::unique_ptr<Peer> connect(bool narrow) override {
    const int fd = open_connection(narrow);
    EXPECT_GE(fd, 0);
    return std::make_unique<SocketPeer>(fd);
  }
  bool is_listening() override {
    const int fd = open_connection(false);
    if (fd >= 0) ::close(fd);
    return fd >= 0;
  }
  void exhaust_descriptors() override {
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit_), 0);
    const int next = ::dup(0);
    ASSERT_GE(next, 0);
    ::close(next);
    rlimit low = limit_;
    low.rlim_cur = static_cast<rlim_t>(next);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    exhausted_ = true;
    // io_uring looks at the limit when accepting is armed.
    engine_->pause_accept();
    engine_->resume_accept();
  }
  void relieve_descriptors() override {
    if (std::exchange(exhausted_, false)) ::setrlimit(RLIMIT_NOFILE, &limit_);
  }

 private:
  int open_connection(bool narrow) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (narrow) {
      const int small = 4 * 1024;
      ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    }
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address_), sizeof address_) == 0) return fd;
    ::close(fd);
    return -1;
  }

  std::unique_ptr<Engine> engine_;
  sockaddr_in address_{};
  rlimit limit_{};
  bool exhausted_ = false;
};

// --- memory ---

class MemoryPeer final : public Peer {
 public:
  explicit MemoryPeer(testing::MemoryPipe pipe) : pipe_(std::move(pipe)) {}
  void send(std::string_view bytes) override { pipe_.send(bytes); }
  std::string receive() override { return pipe_.take_received(); }
  void close_sending() override { pipe_.close_sending(); }
  void reset() override { pipe_.reset(); }
  bool sees_end() override { return pipe_.is_closed_by_server(); }
  bool sees_reset() override { return pipe_.was_reset(); }

 private:
  testing::MemoryPipe pipe_;
};

class MemoryWorld final : public World {
 public:
  explicit MemoryWorld(const testing::MemoryKnobs& knobs = {}) : engine_(knobs) {
    engine_.let_wait_advance_to(engine_.now() + std::chrono::hours(1));
  }
  Engine& engine() override { return engine_; }
  std::unique_ptr<Peer> connect(bool narrow) override {
    testing::MemoryPipe pipe = engine_.connect(7);
    if (narrow) pipe.set_receive_window(4 * 1024);
    return std::make_unique<MemoryPeer>(std::move(pipe));
  }
  bool is_listening() override { return !engine_.connect().is_closed_by_server(); }
  void exhaust_descriptors() override { engine_.fail_accepts(SIZE_MAX, EMFILE); }
  void relieve_descriptors() override { engine_.fail_accepts(0, 0); }

 private:
  testing::MemoryEngine engine_;
};

// --- the client of the engine ---

class Recorder final : public EngineClient {
 public:
  explicit Recorder(Engine& engine) : engine_(&engine) {}

  bool on_accept(Slot& slot) override {
    note("accept");
    slots.push_back(&slot);
    EXPECT_EQ(slot.listener, 7);
    return accepts;
  }
  void on_data(Slot& slot, std::span<char> bytes, bool last) override {
    EXPECT_FALSE(bytes.empty());
    EXPECT_LE(bytes.size(), 64U * 1024);
    received.append(bytes.data(), bytes.size());
    note("data");
    if (last) saw_last = true;
    if (when_data) when_data(slot, bytes);
  }
  void on_eof(Slot& slot, bool unread) override {
    note(unread ? "eof unread" : "eof");
    if (when_eof) when_eof(slot);
  }
  void on_error(Slot& slot, int error) override {
    EXPECT_NE(error, 0);
    note("error");
    engine_->close(slot);
  }
  void on_drained(Slot& slot) override {
    EXPECT_EQ(engine_->backlog(slot), 0U);
    note("drained");
  }
  void on_wake() override { note("wake"); }
  void on_accept_paused(int error) override { note(error != 0 ? "paused" : "resumed"); }

  // Repeats of the same event count once: how many pieces data comes in is the network's affair.
  void note(std::string_view event) {
    ++count;
    if (events.empty() || events.back() != event) events.emplace_back(event);
  }
  std::vector<std::string> take() { return std::exchange(events, {}); }

  std::vector<std::string> events;
  std::size_t count = 0;
  std::string received;
  bool saw_last = false;
  std::vector<Slot*> slots;
  bool accepts = true;
  std::function<void(Slot&, std::span<char>)> when_data;
  std::function<void(Slot&)> when_eof;

 private:
  Engine* engine_;
};

struct EngineRow {
  const char* name;
  std::unique_ptr<World> (*make)();
};

class EngineContract : public ::testing::TestWithParam<EngineRow> {
 protected:
  EngineContract() : world(GetParam().make()), client(world->engine()) {}

  Engine& engine() { return world->engine(); }
  void turn(Duration timeout = std::chrono::milliseconds(10)) {
    engine().wait(timeout);
    engine().dispatch(client);
  }
  // Turns until it holds; a network that never gets there fails the test.
  void until(const std::function<bool()>& holds) {
    for (int i = 0; i < 1'000; ++i) {
      if (holds()) return;
      turn();
    }
    ADD_FAILURE() << "what was waited for never came; events: "
                  << ::testing::PrintToString(client.events);
  }
  // Turns until nothing has happened for a few of them.
  void settle() {
    for (int quiet = 0; quiet < 3;) {
      const std::size_t before = client.count;
      turn();
      quiet = client.count == before ? quiet + 1 : 0;
    }
  }
  bool happened(std::string_view event) {
    for (const std::string& seen : client.events) {
      if (seen == event) return true;
    }
    return false;
  }
  std::unique_ptr<Peer> accepted(bool narrow = false) {
    std::unique_ptr<Peer> peer = world->connect(narrow);
    const std::size_t before = client.slots.size();
    until([&] { return client.slots.size() > before; });
    settle();
    client.take();
    return peer;
  }
  Slot& slot() { return *client.slots.back(); }
  bool takes_sends_whole() {
    return !std::string_view(GetParam().name).ends_with("short_io") &&
           std::string_view(GetParam().name) != "memory_shuffled";
  }

  std::unique_ptr<World> world;
  Recorder client;
};

TEST_P(EngineContract, AConnectionIsAcceptedAndItsBytesComeAndGo) {
  client.when_data = [&](Slot& slot, std::span<char> bytes) { engine().send(slot, bytes); };
  auto peer = world->connect();
  peer->send("hello");
  until([&] { return client.received == "hello"; });
  EXPECT_EQ(client.events.front(), "accept");
  EXPECT_EQ(engine().slots().size(), 1U);
  std::string echo;
  until([&] { return (echo += peer->receive()) == "hello"; });
  EXPECT_NE(engine().peer(slot()), "");
}

TEST_P(EngineContract, AConnectionThatIsRefusedEnds) {
  client.accepts = false;
  auto peer = world->connect();
  until([&] {
    peer->receive();
    return peer->sees_end();
  });
  EXPECT_EQ(engine().slots().size(), 0U);
}

TEST_P(EngineContract, MuchDataComesWholeAndInOrder) {
  std::string sent;
  for (int i = 0; sent.size() < 300'000; ++i) sent += std::to_string(i) + ",";
  auto peer = accepted();
  for (std::size_t at = 0; at < sent.size();) {
    // No more at once than the smallest network holds.
    const std::size_t size = std::min<std::size_t>(sent.size() - at, 100'000);
    peer->send(std::string_view(sent).substr(at, size));
    at += size;
    until([&] { return client.received.size() == at; });
  }
  EXPECT_EQ(client.received, sent);
}

TEST_P(EngineContract, AfterTheClientsEndTheServerMayStillSend) {
  auto peer = accepted();
  peer->send("question");
  peer->close_sending();
  until([&] { return happened("eof"); });
  EXPECT_EQ(client.received, "question");
  EXPECT_EQ(client.events.back(), "eof");
  engine().send(slot(), std::string_view("answer"));
  std::string answer;
  until([&] { return (answer += peer->receive()) == "answer"; });
  engine().close(slot());
  until([&] {
    peer->receive();
    return peer->sees_end();
  });
  EXPECT_FALSE(peer->sees_reset());
}

TEST_P(EngineContract, BytesAndEndThatComeTogetherAreMarkedAsTheLast) {
  auto peer = accepted();
  peer->send("bye");
  peer->close_sending();
  until([&] { return happened("eof"); });
  EXPECT_TRUE(client.saw_last);
  EXPECT_THAT(client.events, ElementsAre("data", "eof"));
}

TEST_P(EngineContract, AResetIsAnError) {
  auto peer = accepted();
  peer->reset();
  until([&] { return happened("error"); });
  EXPECT_EQ(engine().slots().size(), 0U);
}

TEST_P(EngineContract, AResetIsToldWhileReadingIsPaused) {
  auto peer = accepted();
  engine().pause_read(slot());
  peer->send("unread");
  settle();
  peer->reset();
  until([&] { return happened("error"); });
  EXPECT_EQ(client.received, "");
}

TEST_P(EngineContract, ThePeersEndIsToldWhileReadingIsPausedAndItsBytesFollow) {
  auto peer = accepted();
  engine().pause_read(slot());
  EXPECT_TRUE(engine().is_read_paused(slot()));
  peer->send("late");
  peer->close_sending();
  until([&] { return happened("eof unread"); });
  EXPECT_EQ(client.received, "");
  EXPECT_TRUE(engine().has_unread(slot()));
  engine().resume_read(slot());
  until([&] { return happened("eof"); });
  EXPECT_EQ(client.received, "late");
}

TEST_P(EngineContract, AnEndIsNotToldBeforeTheLastBytesThatCameWithIt) {
  for (int round = 0; round < 10; ++round) {
    client.received.clear();
    auto peer = accepted();
    bool early = false;
    client.when_eof = [&](Slot&) {
      early = early || (client.events.back() == "eof" && client.received != "firstlaterlast");
    };
    peer->send("first");
    until([&] { return client.received == "first"; });
    engine().pause_read(slot());
    peer->send("later");
    settle();
    // Resumed for a turn: receiving and watching for the end may both be under way.
    engine().resume_read(slot());
    turn();
    engine().pause_read(slot());
    peer->send("last");
    peer->close_sending();
    settle();
    EXPECT_FALSE(early);
    engine().resume_read(slot());
    until([&] { return client.received == "firstlaterlast" && happened("eof"); });
    EXPECT_FALSE(early);
    engine().close(slot());
  }
}

TEST_P(EngineContract, AResetAfterTheEndIsToldToo) {
  auto peer = accepted();
  peer->send("first");
  until([&] { return client.received == "first"; });
  peer->send("last");
  peer->close_sending();
  until([&] { return happened("eof"); });
  peer->reset();
  until([&] { return happened("error"); });
  EXPECT_EQ(engine().slots().size(), 0U);
}

TEST_P(EngineContract, SendSpaceIsWholeWhateverWasSentBefore) {
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 5; ++i) peers.push_back(accepted());
  for (int round = 0; round < 20; ++round) {
    // The last two go to one connection, behind a batch that is nearly full.
    constexpr std::size_t sizes[] = {8'000, 8'000, 8'000, 8'000, 700, 7'400};
    for (std::size_t i = 0; i < std::size(sizes); ++i) {
      const std::span<char> space = engine().send_space();
      ASSERT_GE(space.size(), Engine::send_space_size);
      // All of it may be written: the sanitizer sees where it may not.
      std::ranges::fill(space, 'x');
      engine().send(*client.slots[std::min<std::size_t>(i, 4)], space.first(sizes[i]));
    }
    for (int turns = 0; turns < 3; ++turns) {
      turn(std::chrono::milliseconds(1));
      for (auto& peer : peers) peer->receive();
    }
  }
}

TEST_P(EngineContract, PausedReadingKeepsBytesBackAndResumingBringsThem) {
  auto peer = accepted();
  engine().pause_read(slot());
  peer->send("abc");
  settle();
  EXPECT_THAT(client.events, IsEmpty());
  engine().resume_read(slot());
  EXPECT_FALSE(engine().is_read_paused(slot()));
  until([&] { return client.received == "abc"; });
}

TEST_P(EngineContract, PausingInsideACallbackHoldsTheNextBytes) {
  client.when_data = [&](Slot& slot, std::span<char>) { engine().pause_read(slot); };
  auto peer = accepted();
  peer->send("a");
  until([&] { return client.received == "a"; });
  peer->send("b");
  settle();
  EXPECT_EQ(client.received, "a");
  engine().resume_read(slot());
  until([&] { return client.received == "ab"; });
}

TEST_P(EngineContract, WhatTheNetworkDoesNotTakeIsKeptAndDrained) {
  const std::string much(1'000'000, 'x');
  auto peer = accepted(true);
  engine().send(slot(), much);
  const std::size_t backlog = engine().backlog(slot());
  EXPECT_GT(backlog, 0U);
  engine().send(slot(), std::string_view("end"));
  EXPECT_EQ(engine().backlog(slot()), backlog + 3);
  settle();
  EXPECT_THAT(client.events, Not(Contains("drained")));
  std::string received;
  until([&] { return (received += peer->receive()).size() > 500'000; });
  EXPECT_GT(engine().drained(slot()), 0U);
  until([&] {
    received += peer->receive();
    return happened("drained") && received.size() == much.size() + 3;
  });
  EXPECT_TRUE(received == much + "end");
  EXPECT_EQ(engine().backlog(slot()), 0U);
}

TEST_P(EngineContract, ShutdownComesAfterTheBacklogAndReceivingGoesOn) {
  const std::string much(300'000, 'x');
  auto peer = accepted(true);
  engine().send(slot(), much);
  engine().shutdown_send(slot());
  std::string received;
  until([&] {
    received += peer->receive();
    return peer->sees_end();
  });
  received += peer->receive();
  EXPECT_EQ(received.size(), much.size());
  EXPECT_FALSE(peer->sees_reset());
  peer->send("thanks");
  until([&] { return client.received == "thanks"; });
}

TEST_P(EngineContract, ClosingDropsTheBacklogAndTheSlot) {
  auto peer = accepted(true);
  engine().send(slot(), std::string(1'000'000, 'x'));
  engine().close(slot());
  EXPECT_EQ(engine().slots().size(), 0U);
  std::size_t received = 0;
  until([&] {
    received += peer->receive().size();
    return peer->sees_end();
  });
  EXPECT_LT(received, 1'000'000U);
  settle();
  EXPECT_THAT(client.events, IsEmpty());
}

TEST_P(EngineContract, WhatWasSentBeforeClosingArrivesWhole) {
  // Out of the send space, as a short connection is answered: more connections than one batch has.
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 40; ++i) peers.push_back(world->connect());
  until([&] { return client.slots.size() == peers.size(); });
  const std::string answer(3'000, 'a');
  for (Slot* slot : client.slots) {
    std::ranges::copy(answer, engine().send_space().begin());
    engine().send(*slot, engine().send_space().first(answer.size()));
    engine().close(*slot);
  }
  EXPECT_EQ(engine().slots().size(), 0U);
  for (auto& peer : peers) {
    std::string received;
    until([&] {
      received += peer->receive();
      return peer->sees_end();
    });
    EXPECT_FALSE(peer->sees_reset());
    if (takes_sends_whole()) {
      EXPECT_EQ(received, answer);
    }
  }
}

TEST_P(EngineContract, PiecesSentInOneTurnArriveInOrder) {
  auto peer = accepted(true);
  std::string expected;
  for (int i = 0; expected.size() < 60'000; ++i) {
    const std::string piece = std::to_string(i) + std::string(500, '.');
    const std::span<char> space = engine().send_space();
    std::ranges::copy(piece, space.begin());
    engine().send(slot(), space.first(piece.size()));
    expected += piece;
  }
  std::string received;
  until([&] { return (received += peer->receive()).size() >= expected.size(); });
  EXPECT_TRUE(received == expected);
}

TEST_P(EngineContract, ManyConnectionsAtOnceAreEachAnsweredWithTheirOwn) {
  client.when_data = [&](Slot& slot, std::span<char> bytes) {
    const std::span<char> space = engine().send_space();
    std::ranges::copy(bytes, space.begin());
    engine().send(slot, space.first(bytes.size()));
  };
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 50; ++i) peers.push_back(world->connect());
  until([&] { return client.slots.size() == peers.size(); });
  std::vector<std::string> expected(peers.size());
  std::vector<std::string> received(peers.size());
  for (int round = 0; round < 4; ++round) {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      const std::string word = std::to_string(round) + ":" + std::to_string(i) + ";";
      peers[i]->send(word);
      expected[i] += word;
    }
    until([&] {
      for (std::size_t i = 0; i < peers.size(); ++i) received[i] += peers[i]->receive();
      return received == expected;
    });
  }
}

TEST_P(EngineContract, AnAbortedConnectionIsReset) {
  auto peer = accepted();
  engine().abort(slot());
  until([&] {
    peer->receive();
    return peer->sees_reset();
  });
  EXPECT_EQ(engine().slots().size(), 0U);
}

TEST_P(EngineContract, ClosingInsideACallbackEndsTheEventsOfTheSlot) {
  client.when_data = [&](Slot& slot, std::span<char>) { engine().close(slot); };
  auto peer = accepted();
  peer->send("a");
  peer->close_sending();
  until([&] { return happened("data"); });
  settle();
  EXPECT_THAT(client.events, ElementsAre("data"));
  EXPECT_EQ(engine().slots().size(), 0U);
}

TEST_P(EngineContract, EventsOfAConnectionClosedInTheSameTurnAreDropped) {
  auto first = accepted();
  auto second = accepted();
  Slot* const slots[] = {client.slots[0], client.slots[1]};
  client.when_data = [&](Slot& slot, std::span<char>) {
    engine().close(&slot == slots[0] ? *slots[1] : *slots[0]);
  };
  first->send("1");
  second->send("2");
  settle();
  EXPECT_EQ(client.received.size(), 1U);
  EXPECT_EQ(engine().slots().size(), 1U);
}

TEST_P(EngineContract, AFailedSendIsToldInALaterTurn) {
  auto peer = accepted();
  peer->reset();
  // The first may still be taken; neither throws, and nothing is told before the next turn.
  engine().send(slot(), std::string_view("a"));
  engine().send(slot(), std::string_view("b"));
  EXPECT_THAT(client.events, IsEmpty());
  until([&] { return happened("error"); });
  EXPECT_EQ(engine().slots().size(), 0U);
}

TEST_P(EngineContract, WakeFromAnotherThreadEndsTheWait) {
  std::thread other([&] {
    engine().wake();
    engine().wake();
  });
  // Longer than the test may take: without wake() this would run into its time limit.
  if (engine().name() == "memory") other.join();
  engine().wait(std::chrono::minutes(10));
  engine().dispatch(client);
  if (other.joinable()) other.join();
  settle();
  EXPECT_THAT(client.events, ElementsAre("wake"));
}

TEST_P(EngineContract, PausedAcceptingLeavesConnectionsInTheQueue) {
  engine().pause_accept();
  auto peer = world->connect();
  settle();
  EXPECT_THAT(client.events, IsEmpty());
  engine().resume_accept();
  until([&] { return happened("accept"); });
}

TEST_P(EngineContract, WantOfDescriptorsPausesAcceptingAndItIsTriedAgain) {
#if defined(SPATE_POISONS)
  // UBSan opens a pipe to look at a vtable; without a descriptor it reports what is not so.
  if (engine().name() != "memory") {
    GTEST_SKIP() << "the sanitizer itself needs descriptors";
  }
#endif
  auto peer = world->connect();
  world->exhaust_descriptors();
  until([&] { return happened("paused"); });
  EXPECT_THAT(client.events, ElementsAre("paused"));
  world->relieve_descriptors();
  until([&] { return happened("accept"); });
  EXPECT_THAT(client.events, ElementsAre("paused", "resumed", "accept"));
}

TEST_P(EngineContract, ClosedListenersTakeWhatWaitsAndNoMore) {
  auto peer = world->connect();
  engine().close_listeners(client);
  EXPECT_THAT(client.events, ElementsAre("accept"));
  EXPECT_FALSE(world->is_listening());
  peer->send("still here");
  until([&] { return client.received == "still here"; });
}

TEST_P(EngineContract, TheClockGoesForwardOnly) {
  const TimePoint before = engine().now();
  const Tick ticks = engine().ticks();
  EXPECT_GE(ticks, 1U);
  // A wait may end early.
  until([&] { return engine().now() - before >= std::chrono::milliseconds(70); });
  EXPECT_GT(engine().ticks(), ticks);
  EXPECT_GT(engine().unix_seconds(), 1'600'000'000);
}

std::unique_ptr<World> epoll_world(bool short_io) {
  return std::make_unique<SocketWorld>(EpollEngine::make({.short_io = short_io}));
}
std::unique_ptr<World> uring_world(const UringEngine::Options& options) {
  return std::make_unique<SocketWorld>(UringEngine::make(options));
}

// Where the machine forbids io_uring its rows are left out.
template <class Row>
std::vector<Row> that_work_here(std::vector<Row> rows) {
  if (!uring::why_not().empty()) {
    std::erase_if(rows, [](const Row& row) { return std::string(row.name).starts_with("uring"); });
  }
  return rows;
}

INSTANTIATE_TEST_SUITE_P(
    Engines, EngineContract,
    ::testing::ValuesIn(that_work_here<EngineRow>({
        {"epoll", [] { return epoll_world(false); }},
        {"epoll_short_io", [] { return epoll_world(true); }},
        {"uring", [] { return uring_world({}); }},
        {"uring_ring_of_8", [] { return uring_world({.entries = 8, .completions = 8}); }},
        {"uring_4_buffers", [] { return uring_world({.buffers = 4, .large_buffers = 1}); }},
        {"uring_short_io",
         [] {
           return uring_world({.buffer_size = 64, .large_buffer_size = 500, .short_io = true});
         }},
        {"memory", []() -> std::unique_ptr<World> { return std::make_unique<MemoryWorld>(); }},
        {"memory_shuffled",
         []() -> std::unique_ptr<World> {
           return std::make_unique<MemoryWorld>(testing::MemoryKnobs{
               .bytes_per_receive = 50'000, .bytes_per_send = 1'000, .seed = 11});
         }},
    })),
    [](const ::testing::TestParamInfo<EngineRow>& row) { return std::string(row.param.name); });

// --- what only an engine of the kernel can do ---

class CountingWatch final : public Watch {
 public:
  void on_ready(bool readable, bool writable) override {
    reads += readable;
    writes += writable;
  }
  int reads = 0;
  int writes = 0;
};

struct KernelRow {
  const char* name;
  Result<std::unique_ptr<Engine>> (*make)();
};
class KernelEngine : public ::testing::TestWithParam<KernelRow> {};
INSTANTIATE_TEST_SUITE_P(
    Engines, KernelEngine,
    ::testing::ValuesIn(that_work_here<KernelRow>({
        {"epoll", [] { return EpollEngine::make(); }},
        {"uring", [] { return UringEngine::make(); }},
        {"uring_ring_of_8", [] { return UringEngine::make({.entries = 8, .completions = 8}); }},
    })),
    [](const ::testing::TestParamInfo<KernelRow>& row) { return std::string(row.param.name); });

TEST_P(KernelEngine, WatchesAForeignDescriptorUntilItIsToldNotTo) {
  auto engine = GetParam().make().value();
  Recorder client(*engine);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
  CountingWatch watch;
  ASSERT_TRUE(engine->watch(ends[0], true, false, watch));
  const auto turn = [&] {
    engine->wait(Duration::zero());
    engine->dispatch(client);
  };
  turn();
  EXPECT_EQ(watch.reads, 0);
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  turn();
  turn();
  // Level-triggered: told as long as it is so.
  EXPECT_EQ(watch.reads, 2);
  EXPECT_EQ(watch.writes, 0);
  engine->unwatch(ends[0]);
  turn();
  EXPECT_EQ(watch.reads, 2);
  CountingWatch writable;
  ASSERT_TRUE(engine->watch(ends[1], false, true, writable));
  turn();
  EXPECT_EQ(writable.writes, 1);
  engine->unwatch(ends[1]);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_FALSE(engine->watch(ends[0], true, false, watch));
}

TEST_P(KernelEngine, TakesAnAdoptedDescriptorAsAConnection) {
  auto engine = GetParam().make().value();
  Recorder client(*engine);
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  SocketPeer peer(ends[1]);
  peer.send("early");
  ASSERT_TRUE(engine->adopt(ends[0], 7, client));
  const auto turn = [&] {
    engine->wait(Duration::zero());
    engine->dispatch(client);
  };
  turn();
  EXPECT_THAT(client.events, ElementsAre("accept", "data"));
  EXPECT_EQ(client.received, "early");
  engine->send(*client.slots.front(), std::string_view("answer"));
  turn();
  EXPECT_EQ(peer.receive(), "answer");
}

// Small sends are taken before the kernel has seen them: closing right behind one must not lose
// what the kernel did not take of it.
TEST(UringEngine, FinishesInTheBackgroundWhatWasSentRightBeforeClosing) {
  if (const std::string reason = uring::why_not(); !reason.empty()) GTEST_SKIP() << reason;
  for (const bool armed : {false, true}) {
    SocketWorld world(UringEngine::make());
    Engine& engine = world.engine();
    Recorder client(engine);
    const std::string piece(3'000, 'p');
    const auto turn = [&] {
      engine.wait(std::chrono::milliseconds(5));
      engine.dispatch(client);
    };
    const auto send_piece = [&](Slot& slot) {
      const std::span<char> space = engine.send_space();
      std::ranges::copy(piece, space.begin());
      engine.send(slot, space.first(piece.size()));
    };
    // A peer that does not read, and how many pieces its network holds.
    const auto connect = [&] {
      auto peer = world.connect(true);
      const std::size_t before = client.slots.size();
      while (client.slots.size() == before) turn();
      // From the second receive on it stays armed, and has to be cancelled before closing.
      if (armed) {
        peer->send("x");
        const std::size_t heard = client.received.size();
        while (client.received.size() == heard) turn();
      }
      return peer;
    };
    auto measured = connect();
    int fit = 0;
    for (; fit < 10'000; ++fit) {
      send_piece(*client.slots.back());
      turn();
      if (engine.backlog(*client.slots.back()) > 0) break;
    }
    ASSERT_GT(fit, 0);
    ASSERT_LT(fit, 10'000);
    engine.close(*client.slots.back());
    for (const int count : {fit - 1, fit, fit + 1}) {
      auto peer = connect();
      Slot& slot = *client.slots.back();
      int sent = 0;
      for (; sent < count && engine.backlog(slot) == 0; ++sent) {
        send_piece(slot);
        turn();
      }
      if (engine.backlog(slot) > 0) {
        engine.close(slot);
        continue;
      }
      send_piece(slot);
      engine.close(slot);
      EXPECT_EQ(engine.slots().size(), 0U);
      std::size_t received = 0;
      for (int i = 0; i < 1'000 && !peer->sees_end(); ++i) {
        turn();
        received += peer->receive().size();
      }
      EXPECT_EQ(received, (static_cast<std::size_t>(sent) + 1) * piece.size());
      EXPECT_TRUE(peer->sees_end());
      EXPECT_FALSE(peer->sees_reset());
    }
  }
}

TEST_P(KernelEngine, IsNotWokenByAHalfClosedConnectionThatStaysOpen) {
  for (const bool paused : {false, true}) {
    auto engine = GetParam().make().value();
    Recorder client(*engine);
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    SocketPeer peer(ends[1]);
    ASSERT_TRUE(engine->adopt(ends[0], 7, client));
    const auto turns = [&](int count) {
      for (int i = 0; i < count; ++i) {
        engine->wait(std::chrono::milliseconds(5));
        engine->dispatch(client);
      }
    };
    peer.send("first");
    turns(5);
    if (paused) engine->pause_read(*client.slots.front());
    peer.close_sending();
    turns(5);
    const auto begin = std::chrono::steady_clock::now();
    turns(20);
    // A wait may end early now and then, but not every one.
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(50))
        << (paused ? "paused" : "reading");
  }
}

TEST_P(KernelEngine, CountsItsSystemCalls) {
  auto engine = GetParam().make().value();
  Recorder client(*engine);
  engine->wait(std::chrono::milliseconds(1));
  engine->dispatch(client);
  const std::uint64_t before = engine->system_calls();
  EXPECT_GE(before, 1U);
  engine->wait(std::chrono::milliseconds(1));
  engine->dispatch(client);
  EXPECT_EQ(engine->system_calls(), before + 1);
}

TEST_P(KernelEngine, EndsOnAnotherThreadThanTheOneThatTurnedIt) {
  auto engine = GetParam().make().value();
  Recorder client(*engine);
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  SocketPeer peer(ends[1]);
  ASSERT_TRUE(engine->adopt(ends[0], 7, client));
  std::thread worker([&] {
    for (int i = 0; i < 3; ++i) {
      engine->wait(std::chrono::milliseconds(1));
      engine->dispatch(client);
    }
    const std::span<char> space = engine->send_space();
    std::ranges::copy(std::string_view("from the worker,"), space.begin());
    engine->send(*client.slots.front(), space.first(16));
    engine->leave_thread();
  });
  worker.join();
  EXPECT_EQ(peer.receive(), "from the worker,");
  engine->send(*client.slots.front(), std::string_view("from its heir"));
  engine->wait(Duration::zero());
  engine->dispatch(client);
  EXPECT_EQ(peer.receive(), "from its heir");
  engine->close(*client.slots.front());
  // The kernel lets go of what was armed in its own time.
  for (int i = 0; i < 10'000 && !peer.sees_end(); ++i) {
    peer.receive();
    std::this_thread::yield();
    ::usleep(100);
  }
  EXPECT_TRUE(peer.sees_end());
  EXPECT_EQ(engine->slots().size(), 0U);
}

}  // namespace
}  // namespace spate::io
