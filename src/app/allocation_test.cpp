// SPDX-License-Identifier: MIT
// The steady state of plain handlers and of Tasks that do not wait takes nothing from the heap.
#if !defined(SPATE_SANITIZE) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <spate/testing/fake_runtime.hpp>

#include "app/fake_web.hpp"

namespace {
thread_local long allocations = 0;
}

// Not inlined: GCC 12 takes inlined halves for a mismatched pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* block = std::malloc(size)) return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace spate::app {
namespace {

struct Allocation : ::testing::Test, FakeWeb<spate::testing::FakeRuntime> {};

struct Message {
  std::string_view message;
};

struct Measured {
  long allocations;
  int status;
};

TEST_F(Allocation, of_a_warm_request_is_none) {
  app.before([](Context&) -> Verdict { return pass; });
  app.after([](Context& ctx) { (void)ctx.request_id(); });
  app.get("/literal", [] { return "Hello, World!"; });
  app.get("/json", [] { return Message{"Hello, World!"}; });
  app.get("/view/{name}",
          [](Path<"name"> name, Query<"q"> q) { return name->size() > 3 ? *name : *q; });
  app.get("/context", [](Context& ctx) {
    ctx.set(7);
    return ctx.path();
  });
  app.get("/task", []() -> Task<std::string_view> { co_return "Hello, World!"; });
  app.get("/task-json", [](Context&) -> Task<Message> { co_return Message{"Hello, World!"}; });
  for (const char* line : {"GET /literal", "GET /json", "GET /view/a%20b%20c?q=%41", "GET /context",
                           "GET /task", "GET /task-json"}) {
    plan(line);
    Measured last{};
    for (int round = 0; round < 3; ++round) {
      exchange->arena.reset();
      exchange->response.clear();
      const long before = allocations;
      app.service().plan(exchange->head, exchange->arena, exchange->plan);
      start();
      last = {allocations - before, status()};
      EXPECT_EQ(run_state, http::RunState::done) << line;
    }
    EXPECT_EQ(last.status, 200) << line;
    EXPECT_EQ(last.allocations, 0) << line;
  }
}

}  // namespace
}  // namespace spate::app

#endif
