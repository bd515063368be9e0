// SPDX-License-Identifier: MIT
// The floor over epoll. Naive: every accepted socket goes to epoll, level-triggered. Four-call:
// what is accepted is read at once, and goes to epoll, edge-triggered, only if it stays. A
// kept-alive request costs epoll_wait, recv and send in both.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "floor.hpp"

namespace spate_floor {
namespace {

constexpr std::size_t read_size = 64 * 1024;
constexpr std::size_t head_room = 16;
constexpr int events_per_turn = 256;
constexpr int accepts_per_turn = 64;

class EpollFloor {
 public:
  EpollFloor(int listener, const Options& options)
      : listener_(listener),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        four_call_(options.four_call),
        close_from_(options.close_from != 0 ? options.close_from : read_size + 1),
        answers_(options.answer),
        last_answers_(options.last_answer),
        tails_(std::make_unique<Tail[]>(most_descriptors)),
        block_(std::make_unique<char[]>(head_room + read_size + slack)) {
    if (epoll_ < 0) give_up("epoll_create1", errno);
    watch(listener_, EPOLLIN);
  }

  [[noreturn]] void run() {
    for (;;) {
      const int count = ::epoll_wait(epoll_, events_.data(), events_per_turn, -1);
      if (count < 0 && errno != EINTR) give_up("epoll_wait", errno);
      for (int i = 0; i < count; ++i) {
        const int fd = events_[static_cast<std::size_t>(i)].data.fd;
        if (fd == listener_) {
          accept_some();
        } else {
          serve(fd);
        }
      }
    }
  }

 private:
  void watch(int fd, std::uint32_t what) {
    epoll_event interest{};
    interest.events = what;
    interest.data.fd = fd;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &interest) != 0) give_up("epoll_ctl", errno);
  }

  void accept_some() {
    for (int i = 0; i < accepts_per_turn; ++i) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        if (errno == EAGAIN || errno == ECONNABORTED) return;
        give_up("accept4", errno);
      }
      if (static_cast<std::size_t>(fd) >= most_descriptors) give_up("accept4", EMFILE);
      tails_[static_cast<std::size_t>(fd)] = {};
      if (!four_call_) {
        watch(fd, EPOLLIN);
      } else if (serve(fd)) {
        watch(fd, EPOLLIN | EPOLLRDHUP | EPOLLET);
      }
    }
  }

  // False when the connection is closed.
  bool serve(int fd) {
    char* const bytes = block_.get() + head_room;
    for (;;) {
      const ssize_t got = ::recv(fd, bytes, read_size, 0);
      if (got < 0 && errno == EAGAIN) return true;
      if (got <= 0) return end(fd);
      const auto size = static_cast<std::size_t>(got);
      const std::size_t requests =
          count_requests(bytes, size, tails_[static_cast<std::size_t>(fd)]);
      const bool last = size >= close_from_;
      if (requests != 0) {
        const std::string_view out = (last ? last_answers_ : answers_).first(requests);
        // Who does not read is cut: a floor keeps no backlog.
        if (::send(fd, out.data(), out.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(out.size()))
          return end(fd);
        if (last) return end(fd);
      }
      if (size < read_size) return true;  // a short read has drained the socket
    }
  }

  bool end(int fd) {
    ::close(fd);
    return false;
  }

  int listener_;
  int epoll_;
  bool four_call_;
  std::size_t close_from_;
  Answers answers_;
  Answers last_answers_;
  std::unique_ptr<Tail[]> tails_;
  std::unique_ptr<char[]> block_;
  std::array<epoll_event, events_per_turn> events_{};
};

}  // namespace

void run_epoll(int listener, const Options& options) { EpollFloor(listener, options).run(); }

}  // namespace spate_floor
