// SPDX-License-Identifier: MIT
// A running server takes nothing from the general allocator for a request in its steady state:
// counted are the calls of operator new on all threads but the client's, over thousands of requests
// on a socket. Not in sanitizer builds, where pools are plain malloc on purpose.
#if !defined(SPATE_SANITIZE)

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "../integration/support.hpp"

namespace {
// Threads of the server count; the test's own does not.
thread_local bool is_client = false;
constinit std::atomic<long> allocations{0};

void* allocate(std::size_t size, std::size_t alignment) {
  if (!is_client) allocations.fetch_add(1, std::memory_order_relaxed);
  void* block = nullptr;
  if (::posix_memalign(&block, alignment, size) != 0) throw std::bad_alloc();
  return block;
}
}  // namespace

// Not inlined: GCC 12 takes inlined halves for a mismatched pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  return allocate(size, __STDCPP_DEFAULT_NEW_ALIGNMENT__);
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  std::free(block);
}

namespace spate::integration {
namespace {

constexpr int warm_up = 500;
constexpr int counted = 5000;

struct Message {
  std::string_view message;
};

Server service() {
  Server server(quick_options());
  server.before([](Context&) { return pass; });
  server.after([](Context& ctx) { ctx.response().header("x-served-by", "spate"); });
  server.get("/plaintext", [] { return "Hello, World!"; });
  server.get("/allocates", [] { return std::string(1000, 'x'); });
  server.get("/json", [] { return Message{"Hello, World!"}; });
  server.get<"/hello/{name}">([](Path<"name"> name) { return Message{*name}; });
  server.post("/body", [](Body body) { return body->substr(0, 16); });
  server.get("/task", []() -> Task<std::string_view> { co_return "Hello, World!"; });
  server.get("/yield", []() -> Task<std::string_view> {
    co_await yield();
    co_return "Hello, World!";
  });
  server.get("/timer", []() -> Task<std::string_view> {
    co_await sleep(Duration::zero());
    co_return "Hello, World!";
  });
  return server;
}

class Allocations : public ::testing::Test {
 protected:
  Allocations() : running_(service()), client_(running_.client()) { is_client = true; }
  ~Allocations() override { is_client = false; }

  // Of the server, while it answers `counted` requests of a connection that is warm.
  long during(std::string_view request) {
    for (int i = 0; i < warm_up; ++i) ask(request);
    const long before = allocations;
    for (int i = 0; i < counted; ++i) ask(request);
    return allocations - before;
  }

 private:
  void ask(std::string_view request) {
    const auto answer = client_.ask(request);
    ASSERT_TRUE(answer) << "the connection ended";
    ASSERT_EQ(answer->status, 200) << answer->body;
  }

  Running running_;
  Client client_;
};

TEST_F(Allocations, of_a_handler_that_makes_some_are_counted) {
  EXPECT_GE(during(get("/allocates")), counted);
}

TEST_F(Allocations, of_plain_handlers_are_none) {
  EXPECT_EQ(during(get("/plaintext")), 0);
  EXPECT_EQ(during(get("/json")), 0);
  EXPECT_EQ(during(get("/hello/Ada")), 0);
}

TEST_F(Allocations, of_a_request_with_many_headers_are_none) {
  std::string fields;
  for (int i = 0; i < 15; ++i) {
    fields += "x-field-" + std::to_string(i) + ": a value that is not that short\r\n";
  }
  EXPECT_EQ(during(get("/plaintext", fields)), 0);
}

TEST_F(Allocations, of_a_whole_body_are_none) {
  const std::string body(1024, 'x');
  EXPECT_EQ(during("POST /body HTTP/1.1\r\nHost: test\r\nContent-Length: 1024\r\n\r\n" + body), 0);
}

TEST_F(Allocations, of_a_task_are_none) { EXPECT_EQ(during(get("/task")), 0); }

TEST_F(Allocations, of_a_task_that_waits_are_none) {
  EXPECT_EQ(during(get("/yield")), 0);
  EXPECT_EQ(during(get("/timer")), 0);
}

}  // namespace
}  // namespace spate::integration

#endif
