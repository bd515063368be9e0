// SPDX-License-Identifier: MIT
// The floor: what a server costs that reads, counts blank lines and sends as many canned answers.
// It does no HTTP. Frozen: figures of different days are ratios to this source, so it changes only
// together with a note in docs/benchmarks.md. Nothing of Spate is used.
// Two forms: naive (accept4, epoll_ctl, recv, send, close) and four-call (accept4, recv, send,
// close, with the socket options of Spate), each over epoll and io_uring. One thread.
#pragma once

#include <emmintrin.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace spate_floor {

// More blank lines than one read of 64 KiB can hold of any request that a client sends.
constexpr std::size_t most_answers = 4096;
constexpr std::size_t most_descriptors = 65536;
constexpr std::size_t tail_size = 3;
// Bytes after a read that counting may look at, though what it finds there is not counted.
constexpr std::size_t slack = 32;

struct Options {
  std::uint16_t port = 0;
  bool four_call = true;
  // A read of at least this many bytes is the last of its connection; this is how a floor that
  // reads no header knows a request that says `Connection: close`. 0: connections stay.
  std::size_t close_from = 0;
  std::string answer;
  std::string last_answer;  // to what ends a connection
};

// Canned answers one behind the other: any number of them is one send.
class Answers {
 public:
  explicit Answers(std::string_view one) : size_(one.size()) {
    all_.reserve(one.size() * most_answers);
    for (std::size_t i = 0; i < most_answers; ++i) all_ += one;
  }
  std::string_view first(std::size_t count) const {
    return {all_.data(), size_ * (count < most_answers ? count : most_answers)};
  }

 private:
  std::size_t size_;
  std::string all_;
};

// How many "\r\n\r\n" lie in the bytes. Looks at up to `slack` bytes behind them.
inline std::size_t count_blank_lines(const char* bytes, std::size_t size) {
  const __m128i cr = _mm_set1_epi8('\r');
  const __m128i lf = _mm_set1_epi8('\n');
  const auto at = [bytes](std::size_t place) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + place));
  };
  std::size_t found = 0;
  for (std::size_t i = 0; i + 3 < size; i += 16) {
    const __m128i crs = _mm_and_si128(_mm_cmpeq_epi8(at(i), cr), _mm_cmpeq_epi8(at(i + 2), cr));
    const __m128i lfs = _mm_and_si128(_mm_cmpeq_epi8(at(i + 1), lf), _mm_cmpeq_epi8(at(i + 3), lf));
    auto mask = static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(crs, lfs)));
    const std::size_t places = size - 3 - i;
    if (places < 16) mask &= (1U << places) - 1;
    found += static_cast<unsigned>(std::popcount(mask));
  }
  return found;
}

// The last bytes of a connection's former read, so that a blank line in two reads is counted, once.
using Tail = std::array<char, tail_size>;

// `bytes` has room for the tail before it.
inline std::size_t count_requests(char* bytes, std::size_t size, Tail& tail) {
  std::memcpy(bytes - tail_size, tail.data(), tail_size);
  const std::size_t found = count_blank_lines(bytes - tail_size, size + tail_size);
  std::memcpy(tail.data(), bytes + size - tail_size, tail_size);
  return found;
}

// A listening socket on 127.0.0.1, not blocking. Ends the program with a message when there is
// none.
int listen_on(std::uint16_t port, bool options_of_spate);
[[noreturn]] void give_up(const char* what, int error);

[[noreturn]] void run_epoll(int listener, const Options& options);
[[noreturn]] void run_uring(int listener, const Options& options);

}  // namespace spate_floor
