// SPDX-License-Identifier: MIT
#include "generator.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace load {
namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t millisecond = 1'000'000;
constexpr std::uint32_t most_in_air = 256;  // below every sane backlog of a listener
constexpr std::size_t receive_bytes = 256 << 10;
constexpr std::uint32_t dispatched_at_once = 256;  // then answers are read before more is sent
constexpr std::size_t events_at_once = 256;
constexpr std::size_t details_kept = 5;
constexpr std::int64_t retry_delay = 10 * millisecond;
constexpr std::int64_t progress_interval = second / 2;
constexpr std::int64_t patience_in_opening = 10 * second;  // and --timeout, without one more open
// Reading /proc takes a tenth of a millisecond. Requests due while it is read are not counted.
constexpr std::int64_t reading_margin = 2 * millisecond;
constexpr double busy_share = 0.85;
constexpr double behind_share = 0.01;
constexpr std::uint64_t gate_event = UINT64_MAX;
constexpr std::uint32_t small_request = 16 << 10;

std::int64_t clock_now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::int64_t>(time.tv_sec) * second + time.tv_nsec;
}

std::int64_t nanoseconds(double seconds) { return static_cast<std::int64_t>(seconds * 1e9); }

std::string escaped(std::string_view text) {
  std::string made = "\"";
  for (const char c : text) {
    if (c == '\r')
      made += "\\r";
    else if (c == '\n')
      made += "\\n";
    else if (c == '"' || c == '\\')
      (made += '\\') += c;
    else if (static_cast<unsigned char>(c) >= ' ' && static_cast<unsigned char>(c) < 0x7f)
      made += c;
    else {
      char code[8];
      std::snprintf(code, sizeof code, "\\x%02x",
                    static_cast<unsigned>(static_cast<unsigned char>(c)));
      made += code;
    }
  }
  return made + '"';
}

}  // namespace

std::expected<Addresses, std::string> resolve(const Options& options) {
  Addresses made;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(options.host.c_str(), std::to_string(options.port).c_str(), &hints, &found);
  if (error != 0) {
    return std::unexpected("the host '" + options.host +
                           "' cannot be resolved: " + ::gai_strerror(error));
  }
  std::memcpy(&made.server, found->ai_addr, found->ai_addrlen);
  made.server_length = found->ai_addrlen;
  ::freeaddrinfo(found);
  if (options.source_first.empty()) return made;

  in_addr first{};
  in_addr last{};
  if (::inet_pton(AF_INET, options.source_first.c_str(), &first) != 1 ||
      ::inet_pton(AF_INET, options.source_last.c_str(), &last) != 1 ||
      ntohl(first.s_addr) > ntohl(last.s_addr) ||
      ntohl(last.s_addr) - ntohl(first.s_addr) > 65'535) {
    return std::unexpected("--source-addresses: '" + options.source_first + "-" +
                           options.source_last +
                           "' are not two IPv4 addresses in order, at most 65,536 of them");
  }
  if (made.server.ss_family != AF_INET) {
    return std::unexpected("--source-addresses are IPv4, but the server's address is not");
  }
  for (std::uint32_t host = ntohl(first.s_addr); host <= ntohl(last.s_addr); ++host) {
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(host);
    made.sources.push_back(source);
  }
  return made;
}

Generator::Generator(const Options& options, const Requests& requests, const Addresses& addresses,
                     std::string expected_body)
    : options_(options),
      requests_(requests),
      addresses_(addresses),
      expected_body_(std::move(expected_body)),
      random_(options.seed) {}

Generator::~Generator() {
  for (const Connection& connection : connections_) {
    if (connection.fd >= 0) ::close(connection.fd);
  }
  if (epoll_ >= 0) ::close(epoll_);
}

std::expected<void, std::string> Generator::set_up() {
  connections_.resize(options_.most_connections());
  flights_.resize(std::size_t{options_.most_connections()} * options_.pipeline);
  templates_.resize(requests_.all.size() * 2);
  buffer_.resize(receive_bytes);
  free_.reserve(connections_.size());
  pieces_.reserve(options_.pipeline);
  const double share = options_.short_share * options_.connections;
  const auto short_lived = static_cast<std::uint32_t>(share + 0.5);
  for (std::uint32_t i = 0; i < connections_.size(); ++i) {
    connections_[i].reconnect = i < short_lived ? 1 : options_.reconnect;
    reconnects_ = reconnects_ || connections_[i].reconnect > 0;
  }
  if (options_.window > 0) {
    const double all = options_.holds() ? options_.hold : options_.duration;
    result_.windows.resize(static_cast<std::size_t>(all / options_.window + 0.999));
  }
  timeout_ = nanoseconds(options_.timeout);
  // A sleep until the next request is due ends when it should, not 50 us later.
  ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return std::unexpected(std::string("epoll_create1: ") + std::strerror(errno));
  if (options_.gate) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = gate_event;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0) {
      return std::unexpected("--gate: standard input is neither a pipe nor a terminal");
    }
  }
  return {};
}

std::expected<Result, std::string> Generator::run() {
  if (auto ready = set_up(); !ready) return std::unexpected(ready.error());
  now_ = clock_now();
  started_ = last_opened_ = now_;
  next_sweep_ = now_;
  if (!options_.quiet && ::isatty(STDERR_FILENO) == 1) next_progress_ = now_ + progress_interval;
  while (phase_ != Phase::done) {
    turn(advance());
    if (!failure_.empty()) break;
  }
  if (next_progress_ != INT64_MAX) std::fputs("\r\033[K", stderr);
  if (!failure_.empty()) return std::unexpected(failure_);
  return finish();
}

// ---- the loop -------------------------------------------------------------------------------

void Generator::turn(Nanoseconds wake) {
  if (phase_ == Phase::done || !failure_.empty()) return;
  std::array<epoll_event, events_at_once> events;
  const Nanoseconds wait = std::max<Nanoseconds>(0, wake - now_);
  const timespec patience{.tv_sec = static_cast<time_t>(wait / second),
                          .tv_nsec = static_cast<long>(wait % second)};
  int count = ::epoll_pwait2(epoll_, events.data(), events.size(), &patience, nullptr);
  if (count < 0 && errno == ENOSYS) {
    // valgrind, kernels before 5.11: the last part of a millisecond is spun away.
    count = ::epoll_wait(epoll_, events.data(), events.size(),
                         static_cast<int>(std::min<Nanoseconds>(wait / millisecond, 1000)));
  }
  now_ = clock_now();
  for (int i = 0; i < count && failure_.empty(); ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == gate_event) {
      read_gate();
      continue;
    }
    const auto index = static_cast<std::uint32_t>(event.data.u64);
    // An event of a connection that ended earlier in this turn.
    if (connections_[index].life != static_cast<std::uint32_t>(event.data.u64 >> 32)) continue;
    handle(index, event.events);
  }
}

Generator::Nanoseconds Generator::advance() {
  Nanoseconds wake = INT64_MAX;
  const auto at = [&wake](Nanoseconds time) { wake = std::min(wake, time); };

  if (!failed_.empty()) {
    reopen_failed();
    if (!failed_.empty()) at(failed_.front().again_at);
  }
  if (next_to_open_ < connections_.size()) {
    open_more();
    const bool is_paced =
        phase_ == Phase::opening ? options_.open_rate > 0 : phase_ == Phase::measuring;
    if (is_paced) at(now_ + millisecond);
  }
  if (phase_ == Phase::opening && ready_ >= options_.connections) {
    if (!result_.hold) result_.hold.emplace();
    result_.hold->open_seconds = static_cast<double>(now_ - started_) * 1e-9;
    if (options_.gate) {
      std::printf("open %u\n", ready_);
      std::fflush(stdout);
      phase_ = Phase::gate;
    } else {
      begin_load();
    }
  }
  if (phase_ == Phase::warming && now_ >= load_begin_ + nanoseconds(options_.warmup)) {
    begin_window();
  }
  if (phase_ == Phase::warming || phase_ == Phase::measuring) {
    at(phase_ == Phase::warming ? load_begin_ + nanoseconds(options_.warmup) : stop_at_);
    if (options_.is_open_loop()) {
      schedule();
      at(load_begin_ + static_cast<Nanoseconds>(due_offset_));
    }
    if (now_ >= stop_at_) end_window();
  }
  if (phase_ == Phase::draining && finished_ >= counted_) phase_ = Phase::done;
  if (now_ >= next_sweep_) sweep();
  at(next_sweep_);
  if (now_ >= next_progress_) say_progress();
  at(next_progress_);
  return wake;
}

void Generator::begin_load() {
  load_begin_ = now_;
  due_offset_ = 0;
  phase_ = Phase::warming;
}

void Generator::begin_window() {
  phase_ = Phase::measuring;
  if (reconnects_) result_.connect.reset();
  bytes_in_ = bytes_out_ = 0;
  for (const int pid : options_.watch_pids) {
    if (auto usage = usage_of(pid))
      watched_before_ += *usage;
    else
      failure_ = usage.error();
  }
  own_before_ = own_usage();
  now_ = clock_now();
  first_reading_ = now_;
  const bool open = options_.is_open_loop();
  window_begin_ = now_ + (open ? reading_margin : 0);
  window_end_ = window_begin_ + nanoseconds(options_.holds() ? options_.hold : options_.duration);
  stop_at_ = window_end_ + (open ? reading_margin : 0);
}

void Generator::end_window() {
  const Nanoseconds next_due = load_begin_ + static_cast<Nanoseconds>(due_offset_);
  if (options_.is_open_loop() && next_due < window_end_) {
    // It could not even take up what was due: those requests are still to be counted.
    behind_ = behind_ || static_cast<double>(window_end_ - next_due) >
                             behind_share * static_cast<double>(window_end_ - window_begin_);
    if (!behind_) return;
  }
  result_.own = own_usage() - own_before_;
  Usage watched;
  for (const int pid : options_.watch_pids) {
    if (auto usage = usage_of(pid))
      watched += *usage;
    else
      note(usage.error());
  }
  if (!options_.watch_pids.empty()) result_.watched = watched - watched_before_;
  now_ = clock_now();
  second_reading_ = now_;
  result_.window_ns = static_cast<std::uint64_t>(second_reading_ - first_reading_);
  result_.bytes_in = bytes_in_;
  result_.bytes_out = bytes_out_;
  phase_ = options_.is_open_loop() && !behind_ ? Phase::draining : Phase::done;
}

Result Generator::finish() {
  Result& r = result_;
  const double seconds = static_cast<double>(r.window_ns) * 1e-9;
  r.responses = r.latency.count();
  r.requests = options_.is_open_loop() ? counted_ : r.responses + finished_;
  r.offered_per_s = options_.is_open_loop() ? options_.rate : 0;
  r.achieved_per_s = seconds > 0 ? static_cast<double>(r.answered) / seconds : 0;
  const bool busy = r.own_share() > busy_share;
  if (options_.is_open_loop()) {
    if (busy || behind_) r.verdict = Verdict::generator_bound;
  } else {
    r.generator_busy = busy;
  }
  if (!options_.holds()) {
    r.hold.reset();
  } else {
    if (!r.hold) r.hold.emplace();
    r.hold->asked = options_.most_connections();
    r.hold->opened = ready_;
    for (const Connection& connection : connections_) {
      r.hold->alive += connection.is_warm && connection.state == State::open ? 1 : 0;
    }
  }
  if (r.errors.sum() > 0 || (r.hold && r.hold->lost > 0)) r.verdict = Verdict::errors;
  return std::move(result_);
}

void Generator::read_gate() {
  char text[64];
  const auto count = ::read(STDIN_FILENO, text, sizeof text);
  if (count <= 0) {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, STDIN_FILENO, nullptr);
    phase_ = Phase::done;
  } else if (phase_ == Phase::gate && std::memchr(text, '\n', static_cast<std::size_t>(count))) {
    begin_load();
  }
}

void Generator::say_progress() {
  next_progress_ = now_ + progress_interval;
  const auto errors = static_cast<unsigned long long>(result_.errors.sum());
  if (phase_ == Phase::opening || phase_ == Phase::gate) {
    std::fprintf(stderr, "\r\033[Kspate-load: %u of %u connections open, %llu errors", ready_,
                 options_.connections, errors);
  } else {
    std::fprintf(stderr, "\r\033[Kspate-load: second %.0f of %.0f, %llu answers, %llu errors",
                 window_begin_ == INT64_MAX
                     ? 0.0
                     : static_cast<double>(std::max<Nanoseconds>(0, now_ - window_begin_)) * 1e-9,
                 options_.holds() ? options_.hold : options_.duration,
                 static_cast<unsigned long long>(result_.answered), errors);
  }
}

// ---- opening --------------------------------------------------------------------------------

void Generator::open_more() {
  double allowed = options_.connections;
  if (phase_ == Phase::opening && options_.open_rate > 0) {
    allowed = std::min(allowed, static_cast<double>(now_ - started_) * 1e-9 * options_.open_rate);
  }
  if (options_.grow_to > 0 && phase_ == Phase::measuring && now_ > window_begin_) {
    const double share = static_cast<double>(now_ - window_begin_) /
                         static_cast<double>(window_end_ - window_begin_);
    allowed += share * (options_.grow_to - options_.connections);
  }
  while (next_to_open_ < connections_.size() && next_to_open_ < allowed && in_air_ < most_in_air &&
         failure_.empty()) {
    const std::uint32_t index = next_to_open_++;
    Connection& connection = connections_[index];
    if (is_lazy(connection)) {
      connection.is_warm = true;
      ++ready_;
      add_free(index);
      continue;
    }
    connection.in_air = true;
    ++in_air_;
    connect(index);
  }
}

// Short connections of an open loop connect when a request is due.
bool Generator::is_lazy(const Connection& connection) const {
  return options_.is_open_loop() && connection.reconnect == 1;
}

// What it is sent now is to warm it, and is not counted: nobody was due to send it.
bool Generator::is_warming(const Connection& connection) const {
  return options_.holds() && !connection.is_warm;
}

void Generator::reopen_failed() {
  while (!failed_.empty() && failed_.front().again_at <= now_) {
    const std::uint32_t index = failed_.front().index;
    failed_.pop_front();
    restart(index);
  }
}

void Generator::connect(std::uint32_t index) {
  Connection& connection = connections_[index];
  const int family = addresses_.server.ss_family;
  const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    failure_ = std::string("no socket for one more connection: ") + std::strerror(errno);
    return;
  }
  const int one = 1;
  connection.fd = fd;
  connection.state = State::connecting;
  const bool is_one_small_send =
      connection.reconnect == 1 && requests_.all.front().closing.size() <= small_request;
  if (!is_one_small_send) ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (!addresses_.sources.empty()) {
    // The port is chosen with the peer known, so that all ports serve every peer.
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    const sockaddr_in& source = addresses_.sources[index % addresses_.sources.size()];
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0) {
      failure_ =
          std::string("--source-addresses: an address cannot be bound: ") + std::strerror(errno);
      return;
    }
  }
  connection.since = clock_now();
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&addresses_.server),
                addresses_.server_length) != 0 &&
      errno != EINPROGRESS) {
    connect_failed(index, errno);
    return;
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = std::uint64_t{connection.life} << 32 | index;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    failure_ = std::string("epoll_ctl: ") + std::strerror(errno);
    return;
  }
  // On the same machine the handshake is mostly over by now: the first send tries.
  if (connection.in_flight > 0)
    flush(index);
  else if (!options_.is_open_loop() && !options_.holds())
    fill(index);
}

void Generator::connect_failed(std::uint32_t index, int error) {
  const std::string detail =
      std::string("connect: ") + std::strerror(error) +
      (error == EADDRNOTAVAIL
           ? "; the ports of the local address are in use: --source-addresses gives more"
           : "");
  if (!ever_connected_) {
    failure_ = "http://" + options_.authority + ": " + detail +
               (error == ECONNREFUSED ? "; nothing listens there" : "");
    return;
  }
  fail(index, Kind::connect, Kind::cut, detail);
}

void Generator::established(std::uint32_t index) {
  Connection& connection = connections_[index];
  connection.state = State::open;
  ever_connected_ = true;
  now_ = clock_now();
  result_.connect.record(
      static_cast<std::uint64_t>(std::max<Nanoseconds>(0, now_ - connection.since)));
}

// The connection may take one more request.
void Generator::became_free(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (!connection.is_warm) {
    if (options_.holds() && connection.warmed < options_.warm_requests) {
      if (connection.in_flight == 0) {
        push(index, now_);
        flush(index);
      }
      return;
    }
    connection.is_warm = true;
    ++ready_;
    last_opened_ = now_;
    if (connection.in_air) {
      connection.in_air = false;
      --in_air_;
    }
  }
  if (!options_.is_open_loop()) {
    if (!options_.holds()) fill(index);
    return;
  }
  while (!waiting_.empty() && connection.in_flight < options_.pipeline && !connection.last_begun) {
    const Nanoseconds due = waiting_.front();
    waiting_.pop_front();
    push(index, due);
  }
  if (!pieces_.empty()) flush(index);
  if (connection.state == State::open && connection.in_flight < options_.pipeline &&
      !connection.last_begun) {
    add_free(index);
  }
}

// ---- sending --------------------------------------------------------------------------------

void Generator::schedule() {
  const Nanoseconds until = std::min(now_, stop_at_ - 1);
  const double mean = 1e9 / options_.rate;
  for (std::uint32_t i = 0; i < dispatched_at_once; ++i) {
    const Nanoseconds due = load_begin_ + static_cast<Nanoseconds>(due_offset_);
    if (due > until) return;
    ++due_count_;
    if (options_.mode == Mode::poisson)
      due_offset_ += random_.exponential(mean);
    else
      due_offset_ = mean * static_cast<double>(due_count_);
    now_ = clock_now();
    if (is_counted(due)) {
      ++counted_;
      result_.lag.record(static_cast<std::uint64_t>(std::max<Nanoseconds>(0, now_ - due)));
    }
    dispatch(due);
  }
}

void Generator::dispatch(Nanoseconds due) {
  if (free_.empty()) {
    waiting_.push_back(due);
    return;
  }
  const std::uint32_t index = free_[random_.below(static_cast<std::uint32_t>(free_.size()))];
  Connection& connection = connections_[index];
  push(index, due);
  if (connection.in_flight == options_.pipeline || connection.last_begun) remove_free(index);
  if (connection.state == State::open) {
    flush(index);
  } else {
    connect(index);
  }
}

void Generator::add_free(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.place != nowhere) return;
  connection.place = static_cast<std::uint32_t>(free_.size());
  free_.push_back(index);
}

void Generator::remove_free(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.place == nowhere) return;
  const std::uint32_t moved = free_.back();
  free_[connection.place] = moved;
  connections_[moved].place = connection.place;
  free_.pop_back();
  connection.place = nowhere;
}

void Generator::fill(std::uint32_t index) {
  Connection& connection = connections_[index];
  while (connection.in_flight < options_.pipeline && !connection.last_begun) push(index, now_);
  if (!pieces_.empty()) flush(index);
}

// The caller flushes.
void Generator::push(std::uint32_t index, Nanoseconds begin) {
  Connection& connection = connections_[index];
  std::uint32_t request;
  if (is_warming(connection)) {
    // Each connection has all of them.
    request = requests_.warm[connection.warmed % requests_.warm.size()];
  } else {
    request = requests_.order[order_at_];
    if (++order_at_ == requests_.order.size()) order_at_ = 0;
  }
  ++connection.begun;
  const bool closing = connection.reconnect > 0 && connection.begun >= connection.reconnect;
  connection.last_begun = closing;
  std::uint32_t place = connection.head + connection.in_flight;
  if (place >= options_.pipeline) place -= options_.pipeline;
  flights_[std::size_t{index} * options_.pipeline + place] = {begin, request, closing};
  ++connection.in_flight;
  const Request& sent = requests_.all[request];
  const std::string& bytes = closing ? sent.closing : sent.keeping;
  if (connection.state == State::unopened)
    connection.unsent = bytes;
  else
    pieces_.push_back(bytes);
}

void Generator::flush(std::uint32_t index) {
  Connection& connection = connections_[index];
  std::string_view bytes;
  const bool was_unsent = !connection.unsent.empty();
  if (was_unsent) {
    for (const std::string_view piece : pieces_) connection.unsent += piece;
    bytes = connection.unsent;
  } else if (pieces_.size() == 1) {
    bytes = pieces_.front();
  } else {
    joined_.clear();
    for (const std::string_view piece : pieces_) joined_ += piece;
    bytes = joined_;
  }
  pieces_.clear();
  if (bytes.empty()) return;
  ssize_t sent;
  do {
    sent = ::send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    const int error = errno;
    // The edge that says it is writable again, or connected, comes with the next event.
    if (error == EAGAIN) {
      sent = 0;
    } else if (connection.state == State::connecting) {
      connect_failed(index, error);
      return;
    } else {
      fail(index, Kind::reset, Kind::reset, std::string("send: ") + std::strerror(error));
      return;
    }
  }
  bytes_out_ += static_cast<std::uint64_t>(sent);
  if (was_unsent) {
    connection.unsent.erase(0, static_cast<std::size_t>(sent));
  } else if (static_cast<std::size_t>(sent) < bytes.size()) {
    connection.unsent = bytes.substr(static_cast<std::size_t>(sent));
  }
  if (sent > 0 && connection.state == State::connecting) {
    established(index);
    became_free(index);
  }
}

// ---- receiving ------------------------------------------------------------------------------

void Generator::handle(std::uint32_t index, std::uint32_t events) {
  Connection& connection = connections_[index];
  const std::uint32_t life = connection.life;
  if (connection.state == State::connecting) {
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
      int error = 0;
      socklen_t length = sizeof error;
      ::getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &length);
      connect_failed(index, error != 0 ? error : ECONNRESET);
      return;
    }
    if ((events & EPOLLOUT) == 0) return;
    established(index);
    if (!connection.unsent.empty()) flush(index);
    if (connection.life == life) became_free(index);
  } else if ((events & EPOLLOUT) != 0 && !connection.unsent.empty()) {
    flush(index);
  }
  if (connection.life != life || !failure_.empty()) return;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) receive(index, events);
}

void Generator::receive(std::uint32_t index, std::uint32_t events) {
  Connection& connection = connections_[index];
  const std::uint32_t life = connection.life;
  for (;;) {
    const ssize_t count = ::recv(connection.fd, buffer_.data(), buffer_.size(), 0);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return;
      const int error = errno;
      if (connection.state == State::ending && connection.in_flight == 0)
        ended(index);
      else
        fail(index, Kind::reset, Kind::reset, std::string("receive: ") + std::strerror(error));
      return;
    }
    if (count == 0) {
      ended(index);
      return;
    }
    now_ = clock_now();
    bytes_in_ += static_cast<std::uint64_t>(count);
    if (!take(index, {buffer_.data(), static_cast<std::size_t>(count)})) return;
    const bool is_drained = static_cast<std::size_t>(count) < buffer_.size();
    const bool has_end = (events & EPOLLRDHUP) != 0;
    if (connection.state == State::ending && connection.in_flight == 0 &&
        (options_.client_closes || (is_drained && has_end))) {
      // Its end had come before these bytes were read, so there are no more behind them.
      ended(index);
      return;
    }
    if (!has_end && connection.in_flight < options_.pipeline && connection.state == State::open) {
      became_free(index);
    }
    // With edges, what came since is a new event; a full buffer may have left some of the old.
    if (is_drained && !has_end) return;
    if (connection.life != life || !failure_.empty()) return;
  }
}

// False when the connection has failed by it.
bool Generator::take(std::uint32_t index, std::string_view data) {
  Connection& connection = connections_[index];
  while (!data.empty()) {
    if (connection.in_flight == 0) {
      fail(index, Kind::mismatch, Kind::cut,
           "bytes that no request asked for: " + escaped(data.substr(0, 40)));
      return false;
    }
    const Flight& flight = front(index);
    const Template* expected =
        templates_[std::size_t{flight.request} * 2 + (flight.closing ? 1 : 0)].get();
    if (connection.rest != nullptr || expected == nullptr) [[unlikely]] {
      if (!learn(index, data)) return false;
      if (connection.rest != nullptr) return true;
    } else {
      const Matcher::Outcome outcome = matcher_.match(*expected, connection.progress, data);
      if (outcome == Matcher::Outcome::incomplete) return true;
      if (outcome == Matcher::Outcome::wrong) {
        const std::size_t at = offset_of(*expected, connection.progress);
        const bool is_status = at >= 9 && at < 12;
        const std::size_t context = at < 16 ? 0 : at - 16;
        fail(index, is_status ? Kind::status : Kind::mismatch, Kind::cut,
             name_of(flight) + ": the answer differs at byte " + std::to_string(at) + ": after " +
                 escaped(std::string_view(expected->bytes).substr(context, at - context)) +
                 " expected " + escaped(std::string_view(expected->bytes).substr(at, 32)) +
                 ", got " + escaped(data.substr(0, 32)));
        return false;
      }
    }
    completed(index);
  }
  return true;
}

// Gathers a whole answer where there is no template yet. `data` is then what follows it; while it
// is not whole, it is kept in `rest`.
bool Generator::learn(std::uint32_t index, std::string_view& data) {
  Connection& connection = connections_[index];
  const Flight flight = front(index);
  if (connection.rest == nullptr) connection.rest = std::make_unique<std::string>();
  connection.rest->append(data);
  data = {};
  Parsed parsed =
      parse_answer(*connection.rest, requests_.all[flight.request].is_head, options_.vary);
  if (parsed.outcome == Parsed::Outcome::incomplete) return true;
  if (parsed.outcome == Parsed::Outcome::wrong) {
    const std::string_view all = *connection.rest;
    fail(index, Kind::mismatch, Kind::cut,
         name_of(flight) + ": the first answer is wrong at byte " + std::to_string(parsed.at) +
             ": expected " + parsed.fault + ", got " +
             escaped(all.substr(std::min(parsed.at, all.size()), 40)));
    return false;
  }
  if (parsed.made.status != options_.expect_status) {
    fail(index, Kind::status, Kind::cut,
         name_of(flight) + ": status " + std::to_string(parsed.made.status) + ", expected " +
             std::to_string(options_.expect_status) + "; its body begins " +
             escaped(std::string_view(parsed.made.body).substr(0, 80)));
    return false;
  }
  if (!options_.expect_body_file.empty() && parsed.made.body != expected_body_) {
    const auto [a, b] = std::mismatch(parsed.made.body.begin(), parsed.made.body.end(),
                                      expected_body_.begin(), expected_body_.end());
    fail(index, Kind::mismatch, Kind::cut,
         name_of(flight) + ": the first body of " + std::to_string(parsed.made.body.size()) +
             " bytes differs from " + options_.expect_body_file + " at byte " +
             std::to_string(a - parsed.made.body.begin()));
    return false;
  }
  auto& made = templates_[std::size_t{flight.request} * 2 + (flight.closing ? 1 : 0)];
  std::string whole = std::move(*connection.rest);
  connection.rest.reset();
  if (made == nullptr) {
    made = std::make_unique<Template>(std::move(parsed.made));
  } else {
    // Another connection was first: compare, as always.
    std::string_view again(whole.data(), parsed.at);
    Progress progress;
    if (matcher_.match(*made, progress, again) != Matcher::Outcome::complete || !again.empty()) {
      fail(index, Kind::mismatch, Kind::cut,
           name_of(flight) + ": the answer differs from the first one, got " +
               escaped(again.substr(0, 40)));
      return false;
    }
  }
  spare_ = std::move(whole);
  data = std::string_view(spare_).substr(parsed.at);
  return true;
}

void Generator::completed(std::uint32_t index) {
  Connection& connection = connections_[index];
  const Flight& flight = front(index);
  const Nanoseconds begin = flight.begin;
  const bool closing = flight.closing;
  if (++connection.head == options_.pipeline) connection.head = 0;
  --connection.in_flight;
  const bool was_warming = is_warming(connection);
  if (was_warming) ++connection.warmed;
  if (closing) {
    connection.state = State::ending;
    connection.since = now_;
  }
  if (now_ >= first_reading_ && now_ < second_reading_) ++result_.answered;
  const bool open = options_.is_open_loop();
  if (was_warming || !is_counted(open ? begin : now_)) return;
  const auto latency = static_cast<std::uint64_t>(std::max<Nanoseconds>(0, now_ - begin));
  result_.latency.record(latency);
  if (open) ++finished_;
  if (Window* window = window_at(open ? begin : now_)) {
    ++window->responses;
    window->latency.record(latency);
  }
}

// The server has closed, or we may.
void Generator::ended(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (connection.in_flight > 0) {
    fail(index, Kind::reset, Kind::reset,
         name_of(front(index)) + ": the server closed before the answer was whole");
    return;
  }
  if (connection.state == State::open) {
    ++result_.idle_closes;
    if (options_.holds()) {
      fail(index, Kind::reset, Kind::reset, "");
      return;
    }
  }
  close(index);
  restart(index);
}

// ---- ends -----------------------------------------------------------------------------------

void Generator::close(std::uint32_t index) {
  Connection& connection = connections_[index];
  remove_free(index);
  if (connection.fd >= 0) ::close(connection.fd);
  connection.fd = -1;
  ++connection.life;
  connection.state = State::unopened;
  connection.in_flight = 0;
  connection.head = 0;
  connection.begun = 0;
  connection.warmed = 0;
  connection.last_begun = false;
  connection.progress = {};
  connection.rest.reset();
  connection.unsent.clear();
}

void Generator::restart(std::uint32_t index) {
  Connection& connection = connections_[index];
  if (phase_ == Phase::draining && waiting_.empty()) return;
  if (!is_lazy(connection)) {
    connect(index);
    return;
  }
  if (waiting_.empty()) {
    add_free(index);
    return;
  }
  const Nanoseconds due = waiting_.front();
  waiting_.pop_front();
  push(index, due);
  connect(index);
}

void Generator::fail(std::uint32_t index, Kind kind, Kind behind, std::string detail) {
  Connection& connection = connections_[index];
  note(std::move(detail));
  const bool was_idle = connection.in_flight == 0;
  const bool is_held = options_.holds() && connection.is_warm;
  if (was_idle && !(is_held && kind == Kind::reset)) count_error(kind, INT64_MIN);
  for (std::uint32_t i = 0; i < connection.in_flight; ++i) {
    std::uint32_t place = connection.head + i;
    if (place >= options_.pipeline) place -= options_.pipeline;
    const Flight& flight = flights_[std::size_t{index} * options_.pipeline + place];
    count_error(i == 0 ? kind : behind, is_warming(connection) ? INT64_MIN : flight.begin);
  }
  pieces_.clear();
  close(index);
  if (is_held) {
    connection.state = State::lost;
    if (!result_.hold) result_.hold.emplace();
    ++result_.hold->lost;
    return;
  }
  failed_.push_back({clock_now() + retry_delay, index});
}

void Generator::count_error(Kind kind, Nanoseconds begin) {
  switch (kind) {
    case Kind::connect:
      ++result_.errors.connect;
      break;
    case Kind::reset:
      ++result_.errors.reset;
      break;
    case Kind::timeout:
      ++result_.errors.timeout;
      break;
    case Kind::mismatch:
      ++result_.errors.mismatch;
      break;
    case Kind::status:
      ++result_.errors.status;
      break;
    case Kind::cut:
      ++result_.errors.cut;
      break;
  }
  if (begin == INT64_MIN) return;  // of no request, or of one that is not counted
  const Nanoseconds time = options_.is_open_loop() ? begin : now_;
  if (!is_counted(time)) return;
  ++finished_;
  if (Window* window = window_at(time)) ++window->errors;
}

bool Generator::is_counted(Nanoseconds begin) const {
  return begin >= window_begin_ && begin < window_end_;
}

Window* Generator::window_at(Nanoseconds time) {
  if (result_.windows.empty()) return nullptr;
  const auto number =
      static_cast<std::size_t>(static_cast<double>(time - window_begin_) / (options_.window * 1e9));
  return number < result_.windows.size() ? &result_.windows[number] : nullptr;
}

std::string Generator::name_of(const Flight& flight) const {
  return requests_.all[flight.request].name;
}

void Generator::note(std::string detail) {
  if (!detail.empty() && result_.details.size() < details_kept) {
    result_.details.push_back(std::move(detail));
  }
}

void Generator::sweep() {
  next_sweep_ = now_ + std::clamp<Nanoseconds>(timeout_ / 4, 10 * millisecond, second);
  const Nanoseconds oldest = now_ - timeout_;
  if (phase_ == Phase::opening && now_ - last_opened_ > timeout_ + patience_in_opening) {
    failure_ = "only " + std::to_string(ready_) + " of " + std::to_string(options_.connections) +
               " connections could be opened" +
               (result_.details.empty() ? "" : ": " + result_.details.front());
    return;
  }
  while (!waiting_.empty() && waiting_.front() < oldest) {
    const Nanoseconds due = waiting_.front();
    waiting_.pop_front();
    note("no connection became free within --timeout");
    count_error(Kind::timeout, due);
  }
  for (std::uint32_t index = 0; index < next_to_open_; ++index) {
    Connection& connection = connections_[index];
    if (connection.state == State::connecting && connection.since < oldest) {
      if (!ever_connected_) {
        connect_failed(index, ETIMEDOUT);
        return;
      }
      fail(index, Kind::timeout, Kind::cut, "no connection within --timeout");
    } else if (connection.in_flight > 0 && front(index).begin < oldest) {
      fail(index, Kind::timeout, Kind::cut,
           name_of(front(index)) + ": no whole answer within --timeout");
    } else if (connection.state == State::ending && connection.since < oldest) {
      fail(index, Kind::timeout, Kind::cut,
           "the server did not close a connection after Connection: close; --client-closes does "
           "not wait for it");
    }
  }
}

}  // namespace load
