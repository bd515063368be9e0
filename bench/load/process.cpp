// SPDX-License-Identifier: MIT
#include "process.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

namespace load {
namespace {

Usage usage_of_thread(const std::string& folder) {
  Usage usage;
  std::ifstream schedstat(folder + "/schedstat");
  schedstat >> usage.cpu_ns >> usage.waited_ns;
  std::ifstream status(folder + "/status");
  constexpr std::string_view wanted = "nonvoluntary_ctxt_switches:";
  for (std::string word; status >> word;) {
    if (word == wanted) status >> usage.involuntary_switches;
  }
  return usage;
}

}  // namespace

std::expected<Usage, std::string> usage_of(int pid) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/task";
  std::error_code error;
  std::filesystem::directory_iterator threads(folder, error);
  if (error) {
    return std::unexpected("there is no process " + std::to_string(pid) + " to watch (" + folder +
                           ": " + error.message() + ")");
  }
  Usage sum;
  for (const auto& thread : threads) sum += usage_of_thread(thread.path().string());
  return sum;
}

Usage own_usage() {
  Usage usage = usage_of_thread("/proc/thread-self");
  // schedstat is as old as the last tick for a thread that runs; this clock is exact.
  timespec spent{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  usage.cpu_ns = static_cast<std::uint64_t>(spent.tv_sec) * 1'000'000'000 +
                 static_cast<std::uint64_t>(spent.tv_nsec);
  return usage;
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  rlimit raised = limit;
  raised.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return limit.rlim_cur;
}

bool pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(cpu), &set);
  return ::sched_setaffinity(0, sizeof set, &set) == 0;
}

}  // namespace load
