// SPDX-License-Identifier: MIT
// What differs between the engines, seen from outside: how many system calls a request costs, which
// engine is taken and why, and what a kernel that forbids io_uring leads to. The others of these
// tests run on both.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <semaphore>

#include "io/uring/probe.hpp"
#include "support.hpp"

namespace spate::integration {
namespace {

using ::testing::TestWithParam;

// --- system calls ---

constexpr int connections = 64;

struct Budget {
  EngineKind engine;
  double busy;   // per request, while all connections have one under way
  double alone;  // per request of the only connection
  double brief;  // per connection of one request
};

// A server whose only worker can be held, so that what arrives meanwhile is there all at once.
class SystemCalls : public TestWithParam<Budget> {
 protected:
  SystemCalls() : running_(make()), holder_(running_.client()) {}

  // Sends all of this while the worker does nothing else.
  template <class F>
  void at_once(F sends) {
    const int before = held_;
    holder_.send(get("/hold"));
    ASSERT_TRUE(eventually([&] { return held_ > before; }));
    sends();
    gate_.release();
    ASSERT_TRUE(holder_.read());
  }
  // Settled: what the latest answers cost is counted too.
  std::uint64_t calls() {
    std::uint64_t seen = running_->snapshot().system_calls;
    for (int quiet = 0; quiet < 3; ++quiet) {
      std::this_thread::sleep_for(2ms);
      const std::uint64_t now = running_->snapshot().system_calls;
      if (now != seen) quiet = 0;
      seen = now;
    }
    return seen;
  }
  // Waits that end only to look at deadlines cost calls too, by the clock and not by requests.
  static double looks_at_the_clock(Clock::time_point since) {
    return 2 * std::chrono::duration<double>(Clock::now() - since).count() * 17 + 20;
  }

  std::counting_semaphore<> gate_{0};
  std::atomic<int> held_{0};
  Running running_;
  Client holder_;

 private:
  Server make() {
    ServerOptions options = quick_options();
    options.engine = GetParam().engine;
    Server server(options);
    server.get("/", [] { return "hello"; });
    server.get("/hold", [this] {
      ++held_;
      gate_.acquire();
      return "held";
    });
    return server;
  }
};

TEST_P(SystemCalls, OfABusyServerAreFew) {
  constexpr int rounds = is_sanitized ? 10 : 50;
  std::vector<Client> clients;
  for (int i = 0; i < connections; ++i) {
    clients.push_back(running_.client());
    // Two, so that it is known to stay.
    ASSERT_TRUE(clients.back().ask(get("/")));
    ASSERT_TRUE(clients.back().ask(get("/")));
  }
  const auto began = Clock::now();
  const std::uint64_t before = calls();
  for (int round = 0; round < rounds; ++round) {
    at_once([&] {
      for (Client& client : clients) ASSERT_TRUE(client.send(get("/")));
    });
    for (Client& client : clients) ASSERT_TRUE(client.read());
  }
  const auto used = static_cast<double>(calls() - before) - looks_at_the_clock(began);
  const double each = used / (rounds * (connections + 1));
  RecordProperty("system_calls_each", std::to_string(each));
  EXPECT_LE(each, GetParam().busy);
}

TEST_P(SystemCalls, OfTheOnlyConnectionAreFew) {
  constexpr int requests = is_sanitized ? 300 : 3000;
  Client client = running_.client();
  ASSERT_TRUE(client.ask(get("/")));
  ASSERT_TRUE(client.ask(get("/")));
  const auto began = Clock::now();
  const std::uint64_t before = calls();
  for (int i = 0; i < requests; ++i) ASSERT_TRUE(client.ask(get("/")));
  const auto used = static_cast<double>(calls() - before) - looks_at_the_clock(began);
  const double each = used / requests;
  RecordProperty("system_calls_each", std::to_string(each));
  EXPECT_LE(each, GetParam().alone);
}

TEST_P(SystemCalls, OfAShortConnectionAreFew) {
  constexpr int rounds = is_sanitized ? 5 : 25;
  const auto began = Clock::now();
  const std::uint64_t before = calls();
  for (int round = 0; round < rounds; ++round) {
    std::vector<Client> clients;
    at_once([&] {
      for (int i = 0; i < connections; ++i) {
        clients.push_back(running_.client());
        ASSERT_TRUE(clients.back().send(get("/", "Connection: close\r\n")));
      }
    });
    for (Client& client : clients) {
      ASSERT_TRUE(client.read());
      ASSERT_EQ(client.wait_for_end(), Ending::closed);
    }
  }
  const auto used = static_cast<double>(calls() - before) - looks_at_the_clock(began);
  const double each = used / (rounds * (connections + 1));
  RecordProperty("system_calls_each", std::to_string(each));
  EXPECT_LE(each, GetParam().brief);
}

bool has_uring() { return io::uring::why_not().empty(); }

std::vector<Budget> budgets() {
  std::vector<Budget> list = {{EngineKind::epoll, 2.1, 3.0, 4.1}};
  if (has_uring()) list.push_back({EngineKind::uring, 0.3, 1.1, 1.0});
  return list;
}

INSTANTIATE_TEST_SUITE_P(Engines, SystemCalls, ::testing::ValuesIn(budgets()),
                         [](const ::testing::TestParamInfo<Budget>& row) {
                           return row.param.engine == EngineKind::epoll ? "epoll" : "uring";
                         });

// --- which engine ---

TEST(Engine, IsTheOneThatIsAskedFor) {
  for (const auto& [kind, name] :
       {std::pair(EngineKind::epoll, "epoll"), std::pair(EngineKind::uring, "io_uring")}) {
    if (kind == EngineKind::uring && !has_uring()) continue;
    ServerOptions options = quick_options();
    options.engine = kind;
    Server server(options);
    server.get("/", [] { return "hello"; });
    Running running(std::move(server));
    EXPECT_EQ(running->engine(), name);
    EXPECT_EQ(running->engine_reason(), "asked for");
    EXPECT_TRUE(running.client().ask(get("/")));
  }
}

constexpr const char* role = "SPATE_TEST_WITHOUT_URING";

// From here on this process, and what it starts, gets that error from io_uring_setup.
bool forbid_uring(unsigned error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{std::size(program), program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

void expect_epoll_for(std::string_view reason) {
  ServerOptions options = quick_options();
  options.engine = EngineKind::automatic;
  Server server(options);
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  EXPECT_EQ(running->engine(), "epoll");
  EXPECT_EQ(running->engine_reason(), reason);
  EXPECT_EQ(running.client().ask(get("/")).value_or(Answer()).body, "hello");
}

void expect_refusal_of_uring(std::string_view reason) {
  Server server(quick_options());
  server.get("/", [] { return "hello"; });
  char program[] = "program";
  char flag[] = "--engine=uring";
  char* argv[] = {program, flag, nullptr};
  ::testing::internal::CaptureStderr();
  const int code = server.main(2, argv);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, 2);
  EXPECT_EQ(said, "program: engine uring cannot work: " + std::string(reason) +
                      "; choose epoll, or auto to take what works\n");
}

// The filter cannot be taken back: this program once more, told so by its environment.
TEST(Engine, FallsBackAndSaysWhyWhereIoUringIsForbidden) {
  if (const char* error = std::getenv(role)) {
    ASSERT_TRUE(forbid_uring(static_cast<unsigned>(std::atoi(error))));
    const std::string_view reason =
        std::atoi(error) == EPERM
            ? "io_uring is forbidden here (seccomp or container policy: EPERM at io_uring_setup)"
            : "io_uring is not in this kernel, or hidden by seccomp (ENOSYS at io_uring_setup)";
    expect_epoll_for(reason);
    expect_refusal_of_uring(reason);
    return;
  }
  for (const int error : {EPERM, ENOSYS}) {
    const std::string text = std::to_string(error);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::setenv(role, text.c_str(), 1);
      ::execl("/proc/self/exe", "child",
              "--gtest_filter=Engine.FallsBackAndSaysWhyWhereIoUringIsForbidden", "--gtest_brief=1",
              nullptr);
      ::_exit(127);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << "errno " << error << ", status " << status;
  }
}

// --- what both have to bear ---

TEST(UnreadBody, WhoseEndComesWithTheClientsEndsTheConnectionOnce) {
  Server server(quick_options());
  server.post("/", [] { return "not read"; });
  server.get("/", [] { return "hello"; });
  Running running(std::move(server));
  for (int i = 0; i < 20; ++i) {
    Client client = running.client();
    ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n"));
    ASSERT_TRUE(client.read());
    // The bytes are held back until the end is there to go with them.
    const int on = 1;
    ASSERT_EQ(::setsockopt(client.descriptor(), IPPROTO_TCP, TCP_CORK, &on, sizeof on), 0);
    ASSERT_TRUE(client.send(std::string(100, 'x')));
    ASSERT_EQ(::shutdown(client.descriptor(), SHUT_WR), 0);
    EXPECT_EQ(client.wait_for_end(), Ending::closed);
  }
  EXPECT_TRUE(eventually([&] { return running->snapshot().connections == 0; }));
  Client first = running.client();
  Client second = running.client();
  EXPECT_EQ(first.ask(get("/")).value_or(Answer()).body, "hello");
  EXPECT_EQ(second.ask(get("/")).value_or(Answer()).body, "hello");
  EXPECT_EQ(running->snapshot().connections, 2u);
}

}  // namespace
}  // namespace spate::integration
