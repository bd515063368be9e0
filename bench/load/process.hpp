// SPDX-License-Identifier: MIT
// What the kernel says of processes: processor time, waiting for a processor, involuntary switches,
// and how many descriptors this process may have. Reads /proc and asks the kernel; nothing is kept.
// thread: any; own_usage() is of the calling thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

namespace load {

struct Usage {
  std::uint64_t cpu_ns = 0;
  std::uint64_t waited_ns = 0;  // ready to run, but another ran
  std::uint64_t involuntary_switches = 0;

  Usage& operator+=(const Usage& other) {
    cpu_ns += other.cpu_ns;
    waited_ns += other.waited_ns;
    involuntary_switches += other.involuntary_switches;
    return *this;
  }
  Usage operator-(const Usage& other) const {
    return {cpu_ns - other.cpu_ns, waited_ns - other.waited_ns,
            involuntary_switches - other.involuntary_switches};
  }
};

// All threads of the process that live now.
std::expected<Usage, std::string> usage_of(int pid);
Usage own_usage();

// The limit of descriptors, after raising the soft one to the hard one.
std::uint64_t raise_descriptor_limit();

// False when the thread may not run on that core, or there is none.
bool pin_to(int cpu);

}  // namespace load
