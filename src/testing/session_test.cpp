// SPDX-License-Identifier: MIT
// Faults of the kernel under a whole server: what a client then sees, and that nothing is left.
#include "testing/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <spate/app/app.hpp>
#include <spate/app/context.hpp>
#include <spate/coro/coro.hpp>

namespace spate::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;

struct Faulty {
  explicit Faulty(const TestOptions& options = {}) {
    app.get("/", [] { return "Hello, World!\n"; });
    app.get("/stream", [](Context& ctx) -> Task<> {
      ResponseStream stream = co_await ctx.respond(200).stream();
      const std::string piece(1000, 'x');
      for (int i = 0; i < 100; ++i) {
        co_await stream.write(piece);
        co_await sleep(1ms);
      }
    });
    EXPECT_TRUE(app.seal());
    session = std::make_unique<Session>(app.service(), Limits(), false, options);
  }
  Result<TestResponse> get(std::string_view target) {
    return session->exchange("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n", false);
  }

  app::App app;
  std::unique_ptr<Session> session;
};

TEST(KernelFaults, WantOfDescriptorsDelaysAConnectionAndIsLogged) {
  Faulty faulty;
  faulty.session->engine().fail_accepts(3, EMFILE);
  const TimePoint start = faulty.session->now();
  const Result<TestResponse> answer = faulty.get("/");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(faulty.session->now() - start, 300ms);
  EXPECT_THAT(faulty.session->log_lines(), Contains(HasSubstr("accepting paused")));
}

TEST(KernelFaults, ASendThatFailsEndsTheConnectionAndNothingElse) {
  for (std::size_t sends = 0; sends < 20; ++sends) {
    Faulty faulty;
    faulty.session->engine().fail_sends(sends, 1, EPIPE);
    const Result<TestResponse> cut = faulty.get("/stream");
    ASSERT_FALSE(cut) << sends;
    EXPECT_TRUE(cut.error().is(Errc::closed)) << cut.error().detail;
    EXPECT_EQ(faulty.session->pending_tasks(), 0U) << sends;
    EXPECT_EQ(faulty.session->live_frames(), 0) << sends;
    const Result<TestResponse> next = faulty.get("/");
    ASSERT_TRUE(next);
    EXPECT_EQ(next->body, "Hello, World!\n");
  }
}

TEST(KernelFaults, ASendThatIsRefusedForNowChangesNoAnswer) {
  for (std::size_t sends = 0; sends < 20; ++sends) {
    Faulty faulty;
    faulty.session->engine().fail_sends(sends, 3, sends % 2 == 0 ? ENOBUFS : EAGAIN);
    const Result<TestResponse> answer = faulty.get("/stream");
    ASSERT_TRUE(answer) << sends << answer.error().detail;
    EXPECT_EQ(answer->body.size(), 100'000U);
  }
}

TEST(KernelFaults, ShuffledAndSpuriousEventsChangeNoAnswer) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Faulty faulty(
        {.bytes_per_receive = 5, .bytes_per_send = 700, .seed = seed, .spurious_events = true});
    std::vector<std::unique_ptr<Link>> links;
    for (int i = 0; i < 8; ++i) {
      links.push_back(faulty.session->connect());
      links.back()->parser.begin(false);
      links.back()->pipe.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (const std::unique_ptr<Link>& link : links) {
      const Result<> ended = link->wait_for_end();
      ASSERT_TRUE(ended) << seed << ended.error().detail;
      ASSERT_EQ(link->parser.response().status, 200) << seed;
      EXPECT_TRUE(link->parser.response().body == std::string(100'000, 'x')) << seed;
    }
  }
}

}  // namespace
}  // namespace spate::testing
