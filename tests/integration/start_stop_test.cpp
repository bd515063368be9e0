// SPDX-License-Identifier: MIT
// A server starts whole or not at all, says why not, stops without leaving anything behind, and
// shares its process with others.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.hpp"

namespace spate::integration {
namespace {

Server talking_server(std::string text, unsigned workers = 1) {
  Server server(quick_options(workers));
  server.get("/", [text] { return text; });
  return server;
}

bool has_ipv6() {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return bound;
}

TEST(Start, PortZeroTakesAFreePortAndTheAddressNamesIt) {
  Running server(talking_server("hello"));
  EXPECT_NE(server.port(), 0);
  EXPECT_EQ(server->addresses().front(), "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(server->url(), "http://127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(server.client().ask(get("/")).value_or(Answer()).body, "hello");
}

TEST(Start, SeveralServersOfOneProcessAnswerEachWithTheirOwn) {
  Running first(talking_server("first"));
  Running second(talking_server("second", 2));
  Running third(talking_server("third"));
  EXPECT_EQ(third.client().ask(get("/")).value_or(Answer()).body, "third");
  EXPECT_EQ(first.client().ask(get("/")).value_or(Answer()).body, "first");
  EXPECT_EQ(second.client().ask(get("/")).value_or(Answer()).body, "second");
  first->stop();
  first->wait();
  EXPECT_FALSE(first.client().is_connected());
  EXPECT_EQ(second.client().ask(get("/")).value_or(Answer()).body, "second");
}

TEST(Start, OnAPortInUseFailsWithOneSentenceAndLeavesNothingListening) {
  Running owner(talking_server("owner"));
  const std::uint16_t other = free_port();
  const std::size_t descriptors = open_descriptors();
  {
    ServerOptions options = quick_options(2);
    options.listen = {"127.0.0.1:" + std::to_string(other), owner->addresses().front()};
    Server late(options);
    late.get("/", [] { return "late"; });
    Result<ServerControl> control = late.start();
    ASSERT_FALSE(control);
    EXPECT_EQ(control.error().detail,
              "cannot listen on " + owner->addresses().front() +
                  ": the port is in use; stop what listens there (ss -ltnp shows it) or choose "
                  "another port");
    EXPECT_EQ(control.error().code, std::errc::address_in_use);
  }
  EXPECT_FALSE(Client(other).is_connected()) << "the first address still listens";
  EXPECT_EQ(open_descriptors(), descriptors);
  EXPECT_EQ(owner.client().ask(get("/")).value_or(Answer()).body, "owner");
}

TEST(Start, AfterAFailureTheSameServerMayStartElsewhere) {
  Running owner(talking_server("owner"));
  Server late = talking_server("late");
  late.options().listen = {owner->addresses().front()};
  ASSERT_FALSE(late.start());
  late.options().listen = {"127.0.0.1:0"};
  Result<ServerControl> control = late.start();
  ASSERT_TRUE(control) << control.error().describe();
  EXPECT_EQ(Client(port_of(control->addresses().front())).ask(get("/")).value_or(Answer()).body,
            "late");
}

TEST(Start, EveryWrongOptionIsNamedInOneMessage) {
  ServerOptions options = quick_options();
  options.limits.header_fields = 0;
  options.limits.send_backlog = 0;
  options.offload_threads = 0;
  Server server(options);
  server.get("/", [] { return "hello"; });
  const Result<ServerControl> control = server.start();
  ASSERT_FALSE(control);
  EXPECT_NE(control.error().detail.find("limits.header_fields"), std::string::npos);
  EXPECT_NE(control.error().detail.find("limits.send_backlog"), std::string::npos);
  EXPECT_NE(control.error().detail.find("offload_threads"), std::string::npos);
}

TEST(Start, ListensOnIpv4AndIpv6AtOnce) {
  if (!has_ipv6()) GTEST_SKIP() << "this machine has no IPv6";
  ServerOptions options = quick_options(2);
  options.listen = {"127.0.0.1:0", "[::1]:0"};
  Server server(options);
  server.get("/", [](const Connection& connection) { return connection.peer(); });
  Running running(std::move(server));
  ASSERT_EQ(running->addresses().size(), 2u);
  EXPECT_EQ(running->addresses()[1].substr(0, 6), "[::1]:");
  const auto v4 = running.client().ask(get("/"));
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->body.substr(0, 10), "127.0.0.1:");
  const auto v6 = Client(port_of(running->addresses()[1]), {.ipv6 = true}).ask(get("/"));
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->body.substr(0, 6), "[::1]:");
}

TEST(Start, EveryAddressMeansBothFamilies) {
  if (!has_ipv6()) GTEST_SKIP() << "this machine has no IPv6";
  ServerOptions options = quick_options();
  options.listen = {":0"};
  Server server(options);
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  EXPECT_EQ(running.client().ask(get("/")).value_or(Answer()).body, "hello");
  EXPECT_EQ(Client(running.port(), {.ipv6 = true}).ask(get("/")).value_or(Answer()).body, "hello");
}

TEST(Stop, FiftyTimesLeavesNoDescriptorAndNoThread) {
  const auto once = [] {
    Server server(quick_options(2));
    server.get("/", [](Context& ctx) -> Task<> {
      co_await offload([] {});
      ctx.respond(200).body("hello");
    });
    Running running(std::move(server));
    Client client = running.client();
    ASSERT_EQ(client.ask(get("/")).value_or(Answer()).body, "hello");
    running->stop();
  };
  once();
  const std::size_t descriptors = open_descriptors();
  const std::size_t before = threads();
  for (int i = 0; i < 50; ++i) once();
  EXPECT_EQ(open_descriptors(), descriptors);
  // A joined thread leaves /proc a moment later.
  EXPECT_TRUE(eventually([&] { return threads() == before; }, 2s)) << threads() << " " << before;
}

TEST(Stop, ConnectionsInTimeWaitDoNotKeepThePort) {
  const std::uint16_t port = free_port();
  for (int i = 0; i < 3; ++i) {
    ServerOptions options = quick_options();
    options.listen = {"127.0.0.1:" + std::to_string(port)};
    Server server(options);
    server.get("/", [] { return "hello"; });
    Result<ServerControl> control = server.start();
    ASSERT_TRUE(control) << control.error().describe();
    // The server closes first and so keeps the connection in TIME_WAIT.
    Client client(port);
    ASSERT_TRUE(client.ask(get("/", "Connection: close\r\n")));
    EXPECT_EQ(client.wait_for_end(), Ending::closed);
  }
}

TEST(Stop, TheDestructorOfTheControlDrains) {
  std::optional<Answer> answer;
  std::thread asker;
  std::atomic<int> guards{0};
  {
    Server server(quick_options());
    server.get("/", [&](Context& ctx) -> Task<> {
      const Guard guard(guards);
      co_await sleep(200ms);
      ctx.respond(200).body("whole");
    });
    Running running(std::move(server));
    asker = std::thread([&, port = running.port()] { answer = Client(port).ask(get("/")); });
    ASSERT_TRUE(eventually([&] { return guards == 1; }));
  }
  asker.join();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "whole");
}

// The kernel drops the first packet of a handshake then; the client tries again after a second and
// finds the port closed, before it has sent anything that could be lost.
TEST(Drain, DropsNewHandshakesBeforeTheListenerCloses) {
  Running running(talking_server("hello"));
  std::atomic<bool> dropped{false};
  std::atomic<int> last_error{0};
  running->drain();
  const auto end = Clock::now() + 5s * slowness;
  while (Clock::now() < end && !dropped && last_error != ECONNREFUSED) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(running.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int error = 0;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      error = errno;
    }
    if (error == EINPROGRESS) {
      // On the loopback a handshake that is answered at all is answered at once.
      pollfd watched{fd, POLLOUT, 0};
      if (::poll(&watched, 1, 20) == 0) dropped = true;
      socklen_t size = sizeof error;
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    last_error = error;
    ::close(fd);
  }
  EXPECT_TRUE(dropped) << "every handshake was answered until the port was closed";
}

TEST(Drain, AnswersWhatIsUnderWayAndSaysThatTheConnectionEnds) {
  std::atomic<int> guards{0};
  Server server(quick_options());
  server.get("/slow", [&](Context& ctx) -> Task<> {
    const Guard guard(guards);
    co_await sleep(300ms);
    ctx.respond(200).body("whole");
  });
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  Client busy = running.client();
  Client idle = running.client();
  ASSERT_TRUE(idle.ask(get("/")));
  ASSERT_TRUE(busy.send(get("/slow")));
  ASSERT_TRUE(eventually([&] { return guards == 1; }));
  running->drain();
  // A request on a connection that was open before is served, as the last one.
  const auto last = idle.ask(get("/"));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->body, "hello");
  const auto answer = busy.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "whole");
  EXPECT_TRUE(answer->has_field("connection: close"));
  EXPECT_EQ(busy.wait_for_end(), Ending::closed);
  EXPECT_TRUE(running->wait_for(3s * slowness));
  EXPECT_FALSE(running.client().is_connected());
}

TEST(Drain, ARequestOnItsWayOnAnIdleConnectionIsAnsweredAndSeesTheEnd) {
  Server server(quick_options());
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  Client client = running.client();
  ASSERT_TRUE(client.ask(get("/")));
  running->drain();
  std::this_thread::sleep_for(200ms);
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"));
  const auto answer = client.read();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "hello");
  // The worker ends with this connection: its descriptor must not stay with what it leaves behind.
  EXPECT_EQ(client.wait_for_end(), Ending::closed);
  EXPECT_TRUE(running->wait_for(5s * slowness));
}

TEST(Drain, StopEndsThePatienceAtOnce) {
  std::atomic<int> guards{0};
  ServerOptions options = quick_options();
  options.drain_timeout = 60s;
  Server server(options);
  server.get("/", [&](Context&) -> Task<> {
    const Guard guard(guards);
    co_await sleep(1h);
  });
  Running running(std::move(server));
  Client client = running.client();
  ASSERT_TRUE(client.send(get("/")));
  ASSERT_TRUE(eventually([&] { return guards == 1; }));
  running->drain();
  running->stop();
  EXPECT_TRUE(running->wait_for(2s * slowness));
  EXPECT_EQ(guards, 0);
}

}  // namespace
}  // namespace spate::integration
