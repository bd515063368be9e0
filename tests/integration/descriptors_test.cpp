// SPDX-License-Identifier: MIT
// A server without descriptors left: it runs in a process of its own with a low limit, which is
// this program once more, told so by its environment.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "support.hpp"

namespace spate::integration {
namespace {

constexpr const char* role = "SPATE_TEST_LOW_DESCRIPTORS";
constexpr rlim_t descriptor_limit = 64;

// Serves until standard input ends; says its port on standard error's neighbour, descriptor 3.
void serve_with_few_descriptors() {
  ServerOptions options = quick_options();
  options.limits.connections = 100'000;  // the descriptors are to run out first
  std::atomic<ServerControl*> control{nullptr};
  Server server(options);
  server.get("/", [] { return "hello"; });
  server.get("/pauses", [&] { return std::to_string(control.load()->snapshot().accept_pauses); });
  Running running(std::move(server));
  control = &*running;
  const std::string port = std::to_string(running.port()) + "\n";
  if (::write(3, port.data(), port.size()) < 0) return;
  char byte = 0;
  while (::read(0, &byte, 1) > 0) {
  }
}

class Child {
 public:
  Child() {
    int input[2];
    int output[2];
    if (::pipe(input) != 0 || ::pipe(output) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(input[0], 0);
      ::dup2(output[1], 3);
      for (int fd = 4; fd < 256; ++fd) ::close(fd);
      const rlimit limit{descriptor_limit, descriptor_limit};
      ::setrlimit(RLIMIT_NOFILE, &limit);
      ::setenv(role, "1", 1);
      ::execl("/proc/self/exe", "child",
              "--gtest_filter=Descriptors.ThatRunOutPauseAcceptingWithoutSpinning",
              "--gtest_brief=1", nullptr);
      ::_exit(127);
    }
    ::close(input[0]);
    ::close(output[1]);
    input_ = input[1];
    char text[16] = {};
    if (::read(output[0], text, sizeof text - 1) > 0) {
      port_ = static_cast<std::uint16_t>(std::atoi(text));
    }
    ::close(output[0]);
  }
  ~Child() {
    if (input_ >= 0) ::close(input_);
    if (pid_ <= 0) return;
    int status = 0;
    if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; })) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status, 0);
    }
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  std::uint16_t port() const { return port_; }
  // Processor time so far, of all its threads.
  std::chrono::milliseconds processor_time() const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    const char* at = text.c_str() + text.rfind(')') + 2;
    long ticks = 0;
    for (int field = 3; field <= 15; ++field) {
      char* next = nullptr;
      const long value = std::strtol(field == 3 ? at + 1 : at, &next, 10);
      if (field >= 14) ticks += value;
      at = field == 3 ? at + 1 : next;
    }
    return std::chrono::milliseconds(ticks * 1000 / ::sysconf(_SC_CLK_TCK));
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  std::uint16_t port_ = 0;
};

TEST(Descriptors, ThatRunOutPauseAcceptingWithoutSpinning) {
  if (std::getenv(role) != nullptr) {
    serve_with_few_descriptors();
    return;
  }
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  // UBSan opens a pipe to look at a vtable; without a descriptor it reports what is not so.
  GTEST_SKIP() << "the sanitizer itself needs descriptors";
#endif
#endif
  Child child;
  ASSERT_NE(child.port(), 0);
  std::vector<Client> served;
  std::vector<Client> waiting;
  for (int i = 0; i < 100; ++i) {
    Client client(child.port());
    ASSERT_TRUE(client.send(get("/")));
    if (waiting.empty() && client.read(500ms * slowness)) {
      served.push_back(std::move(client));
    } else {
      waiting.push_back(std::move(client));
    }
  }
  ASSERT_GE(served.size(), 20u);
  ASSERT_LT(served.size(), descriptor_limit);

  const auto before = child.processor_time();
  const auto end = Clock::now() + 1s;
  while (Clock::now() < end) {
    // Who is in is served all the while.
    ASSERT_TRUE(served[0].ask(get("/")));
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_LE(child.processor_time() - before, 200ms * slowness) << "accepting spins";
  const auto pauses = served[0].ask(get("/pauses"));
  ASSERT_TRUE(pauses);
  EXPECT_GE(std::atoi(pauses->body.c_str()), 1);

  while (served.size() > 1) served.pop_back();
  const auto freed = Clock::now();
  int recovered = 0;
  for (std::size_t i = 0; i < 10; ++i) recovered += waiting[i].read(1s * slowness).has_value();
  EXPECT_EQ(recovered, 10);
  EXPECT_LE(Clock::now() - freed, 1s * slowness);
}

}  // namespace
}  // namespace spate::integration
