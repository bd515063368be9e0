// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <spate/server.hpp>
#include <string>
#include <vector>

namespace spate {
namespace {

struct Flags : ::testing::Test {
  Flags() { server.flag("--db FILE", file, "the database"); }

  std::optional<int> read(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "orders");
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const std::optional<int> code = server.read_flags(static_cast<int>(argv.size()), argv.data());
    out = ::testing::internal::GetCapturedStdout();
    err = ::testing::internal::GetCapturedStderr();
    return code;
  }

  Server server;
  std::string file = "default.db";
  std::string out;
  std::string err;
};

TEST_F(Flags, of_the_server_change_its_options) {
  EXPECT_EQ(read({"--listen", "127.0.0.1:1", "--listen=[::1]:2", "--workers", "3", "--engine=epoll",
                  "--drain-delay", "2", "--drain-timeout=5"}),
            std::nullopt);
  const ServerOptions& options = server.options();
  EXPECT_EQ(options.listen, (std::vector<std::string>{"127.0.0.1:1", "[::1]:2"}));
  EXPECT_EQ(options.workers, 3U);
  EXPECT_EQ(options.engine, EngineKind::epoll);
  EXPECT_EQ(options.drain_delay, std::chrono::seconds(2));
  EXPECT_EQ(options.drain_timeout, std::chrono::seconds(5));
  EXPECT_EQ(out + err, "");
}

TEST_F(Flags, of_ones_own_are_read_in_both_forms_and_keep_their_default) {
  EXPECT_EQ(read({}), std::nullopt);
  EXPECT_EQ(file, "default.db");
  EXPECT_EQ(read({"--db", "a.db"}), std::nullopt);
  EXPECT_EQ(file, "a.db");
  EXPECT_EQ(read({"--db=b=c.db"}), std::nullopt);
  EXPECT_EQ(file, "b=c.db");
}

TEST_F(Flags, that_are_wrong_end_the_program_with_one_sentence) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--dbx", "1"}, "orders: unknown flag --dbx; --help lists the flags\n"},
      {{"--db"}, "orders: --db needs a value; --help shows which\n"},
      {{"--workers", "0"}, "orders: --workers takes a number from 1 to 1024, not \"0\"\n"},
      {{"--workers=1x"}, "orders: --workers takes a number from 1 to 1024, not \"1x\"\n"},
      {{"--engine", "warp"}, "orders: --engine takes auto, epoll or uring, not \"warp\"\n"},
      {{"--drain-delay=-1"}, "orders: --drain-delay takes seconds from 0 to 86400, not \"-1\"\n"},
  };
  for (const auto& [arguments, message] : cases) {
    EXPECT_EQ(read(arguments), 2) << message;
    EXPECT_EQ(err, message);
    EXPECT_EQ(out, "");
  }
}

TEST_F(Flags, are_listed_by_help) {
  EXPECT_EQ(read({"--help"}), 0);
  EXPECT_NE(out.find("  --db FILE                the database (now: default.db)\n"),
            std::string::npos)
      << out;
  EXPECT_NE(out.find("  --listen ADDRESS         "), std::string::npos);
  EXPECT_EQ(read({"--version"}), 0);
  EXPECT_NE(out.find("Spate 0."), std::string::npos);
}

}  // namespace
}  // namespace spate
