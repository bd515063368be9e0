// SPDX-License-Identifier: MIT
#include "io/epoll/epoll_engine.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "base/poison.hpp"
#include "io/backlog.hpp"
#include "io/epoll/plain_calls.hpp"
#include "io/peer_address.hpp"

namespace spate::io {
namespace {

constexpr int events_per_turn = 256;
constexpr int accepts_per_turn = 64;
constexpr int reads_per_turn =
    4;  // full buffers taken from one connection before others have their turn
constexpr std::size_t receive_size = 64 * 1024;
// With Options::short_io.
constexpr std::size_t short_receive = 100;
constexpr std::size_t short_send = 1000;
// When accepting failed for want of memory or descriptors and no connection closes, try again after
// this.
constexpr Duration accept_retry_after = std::chrono::milliseconds(100);

// epoll's 64 bits of data: a kind, then what it is about.
enum class Kind : std::uint64_t { connection = 0, listener = 1, wake = 2, watch = 3 };

std::uint64_t tag(Kind kind, std::uint32_t index, std::uint16_t generation = 0) {
  return static_cast<std::uint64_t>(kind) << 60 | static_cast<std::uint64_t>(generation) << 32 |
         index;
}

Error system_error(int error, std::string what) {
  return Error(std::error_code(error, std::system_category()), std::move(what));
}

}  // namespace

struct EpollEngine::Events {
  epoll_event list[events_per_turn];
};

Result<std::unique_ptr<Engine>> EpollEngine::make(const Options& options) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return std::unexpected(system_error(errno, "epoll_create1 failed"));
  const int event = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (event < 0) {
    const int error = errno;
    ::close(epoll);
    return std::unexpected(system_error(error, "eventfd failed"));
  }
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.u64 = tag(Kind::wake, 0);
  std::unique_ptr<EpollEngine> engine(new EpollEngine(epoll, event, options));
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, event, &interest) != 0) {
    return std::unexpected(system_error(errno, "epoll_ctl failed for the wake-up descriptor"));
  }
  return engine;
}

EpollEngine::EpollEngine(int epoll, int event, const Options& options)
    : epoll_(epoll),
      event_(event),
      receive_size_(options.short_io ? short_receive : receive_size),
      send_size_(options.short_io ? short_send : SIZE_MAX),
      receive_buffer_(new char[receive_size]),
      send_buffer_(new char[send_space_size]),
      events_(new Events) {
  poison(receive_buffer_.get(), receive_size);
}

EpollEngine::~EpollEngine() {
  unpoison(receive_buffer_.get(), receive_size);
  slots_.for_each([this](Slot& slot) { free_slot(slot); });
  for (const Listener& listener : listeners_) ::close(listener.fd);
  ::close(event_);
  ::close(epoll_);
}

void EpollEngine::wait(Duration timeout) {
  if (!again_.is_empty()) timeout = Duration::zero();
  if (accept_paused_by_error_ && (timeout < Duration::zero() || timeout > accept_retry_after)) {
    timeout = accept_retry_after;
  }
  int milliseconds = -1;
  if (timeout >= Duration::zero()) {
    // Rounded up: a wait that ends just before its timer would spin.
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    milliseconds = static_cast<int>(std::min<std::int64_t>(ms, 60'000));
  }
  ++calls_;
  const int count = plain_epoll_wait(epoll_, events_->list, events_per_turn, milliseconds);
  event_count_ = std::max(count, 0);
  clock_.take();
}

void EpollEngine::dispatch(EngineClient& client) {
  if (!again_.is_empty()) look_at_those_queued(client);
  for (int i = 0; i < event_count_; ++i) {
    const std::uint64_t data = events_->list[i].data.u64;
    const std::uint32_t ready = events_->list[i].events;
    const auto number = static_cast<std::uint32_t>(data);
    switch (static_cast<Kind>(data >> 60)) {
      case Kind::connection:
        on_connection_event(number, static_cast<std::uint16_t>(data >> 32), ready, client);
        break;
      case Kind::listener:
        for (std::size_t l = 0; l < listeners_.size(); ++l) {
          if (listeners_[l].fd == static_cast<int>(number))
            accept_from(listeners_[l], client, accepts_per_turn);
        }
        break;
      case Kind::wake: {
        std::uint64_t count = 0;
        (void)!::read(event_, &count, sizeof count);
        ++calls_;
        client.on_wake();
        break;
      }
      case Kind::watch:
        for (std::size_t w = 0; w < watches_.size(); ++w) {
          if (watches_[w].fd != static_cast<int>(number)) continue;
          watches_[w].watch->on_ready((ready & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0,
                                      (ready & (EPOLLOUT | EPOLLERR)) != 0);
          break;
        }
        break;
    }
  }
  event_count_ = 0;
  if (accept_paused_by_error_ && now() >= accept_retry_) {
    accept_paused_by_error_ = false;
    set_accepting(!accept_paused_by_client_);
    client.on_accept_paused(0);
  }
}

void EpollEngine::look_at_those_queued(EngineClient& client) {
  again_.take([&](std::uint32_t index, std::uint16_t generation) {
    Slot* slot = slots_.find(index, generation);
    if (slot == nullptr) return;
    slot->engine_flags &= static_cast<std::uint8_t>(~queued);
    if (slot->engine_flags & broken) {
      client.on_error(*slot, EPIPE);
    } else if ((slot->engine_flags & (paused | unread)) == unread) {
      read(*slot, client);
    }
  });
}

void EpollEngine::on_connection_event(std::uint32_t index, std::uint16_t generation,
                                      std::uint32_t ready, EngineClient& client) {
  Slot* slot = slots_.find(index, generation);
  if (slot == nullptr) return;
  if (ready == EPOLLIN && !(slot->engine_flags & paused)) [[likely]] {
    slot->engine_flags |= unread;
    read(*slot, client);
    return;
  }
  if (ready & EPOLLERR) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    ++calls_;
    if (error != 0) {
      client.on_error(*slot, error);
      return;
    }
  }
  if (ready & EPOLLOUT) {
    flush_backlog(*slot, client);
    slot = slots_.find(index, generation);
    if (slot == nullptr) return;
  }
  if (ready & (EPOLLRDHUP | EPOLLHUP)) slot->engine_flags |= peer_closed;
  if (ready & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) {
    slot->engine_flags |= unread;
    if (!(slot->engine_flags & paused)) {
      read(*slot, client);
    } else if (slot->engine_flags & peer_closed) {
      int waiting = 0;
      ::ioctl(slot->fd, FIONREAD, &waiting);
      ++calls_;
      client.on_eof(*slot, waiting > 0);
    }
  }
}

void EpollEngine::read(Slot& first, EngineClient& client) {
  Slot* slot = &first;
  const std::uint32_t index = first.index;
  const std::uint16_t generation = first.generation;
  for (int i = 0; i < reads_per_turn; ++i) {
    unpoison(receive_buffer_.get(), receive_size);
    ++calls_;
    const ssize_t got = plain_recv(slot->fd, receive_buffer_.get(), receive_size_);
    if (got > 0) {
      const auto size = static_cast<std::size_t>(got);
      const bool full = size == receive_size_;
      // A short read has emptied the socket; if the peer has closed too, this was all of it.
      const bool last = !full && (slot->engine_flags & peer_closed) != 0;
      if (!full) slot->engine_flags &= static_cast<std::uint8_t>(~unread);
      client.on_data(*slot, {receive_buffer_.get(), size}, last);
      poison(receive_buffer_.get(), receive_size);
      slot = slots_.find(index, generation);
      if (slot == nullptr || (slot->engine_flags & broken)) return;
      if (last) {
        client.on_eof(*slot, false);
        return;
      }
      if (!full || (slot->engine_flags & paused)) return;
      continue;
    }
    poison(receive_buffer_.get(), receive_size);
    if (got < 0 && errno == EINTR) continue;
    slot->engine_flags &= static_cast<std::uint8_t>(~unread);
    if (got == 0) {
      slot->engine_flags |= peer_closed;
      client.on_eof(*slot, false);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
      client.on_error(*slot, errno);
    }
    return;
  }
  look_again(*slot);
}

void EpollEngine::look_again(Slot& slot) {
  if (slot.engine_flags & queued) return;
  again_.push(slot);
  slot.engine_flags |= queued;
}

void EpollEngine::wake() noexcept {
  const std::uint64_t one = 1;
  (void)!::write(event_, &one, sizeof one);
}

// --- accepting ---

Result<> EpollEngine::add_listener(int fd, std::uint16_t listener) {
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.u64 = tag(Kind::listener, static_cast<std::uint32_t>(fd));
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &interest) != 0) {
    return std::unexpected(system_error(errno, "epoll_ctl failed for a listening socket"));
  }
  listeners_.push_back({fd, listener});
  return {};
}

void EpollEngine::accept_from(Listener listener, EngineClient& client, int most) {
  for (int i = 0; i < most && !accept_paused_by_client_; ++i) {
    // Without an address: it is asked for when somebody wants it. TCP_NODELAY comes from the
    // listener.
    ++calls_;
    const int fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      start(fd, listener.number, client);
      continue;
    }
    switch (errno) {
      case EINTR:
      case ECONNABORTED:
      case EPROTO:
        continue;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        // Connections wait in the kernel's queue until there is room; asking again and again would
        // spin.
        accept_paused_by_error_ = true;
        accept_retry_ = now() + accept_retry_after;
        set_accepting(false);
        client.on_accept_paused(errno);
        return;
      default:
        return;
    }
  }
}

void EpollEngine::start(int fd, std::uint16_t listener, EngineClient& client) {
  Slot* slot = nullptr;
  try {
    slot = &slots_.allocate();
    // Room for every slot, so that look_again() does not fail.
    again_.reserve(slots_.size());
  } catch (const std::bad_alloc&) {
    if (slot != nullptr) slots_.free(*slot);
    ::close(fd);
    return;
  }
  slot->fd = fd;
  slot->listener = listener;
  slot->born = ticks();
  slot->engine_flags = unread;
  const std::uint32_t index = slot->index;
  const std::uint16_t generation = slot->generation;
  if (!client.on_accept(*slot)) {
    slot = slots_.find(index, generation);
    if (slot != nullptr) free_slot(*slot);
    return;
  }
  slot = slots_.find(index, generation);
  if (slot == nullptr) return;
  read(*slot, client);
  slot = slots_.find(index, generation);
  if (slot != nullptr && !(slot->engine_flags & registered)) set_interest(*slot);
}

Result<> EpollEngine::adopt(int fd, std::uint16_t listener, EngineClient& client) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    return std::unexpected(system_error(errno, "the descriptor cannot be made non-blocking"));
  }
  start(fd, listener, client);
  return {};
}

void EpollEngine::set_accepting(bool on) noexcept {
  for (const Listener& listener : listeners_) {
    epoll_event interest{};
    interest.events = on ? static_cast<std::uint32_t>(EPOLLIN) : 0U;
    interest.data.u64 = tag(Kind::listener, static_cast<std::uint32_t>(listener.fd));
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, listener.fd, &interest);
    ++calls_;
  }
}

void EpollEngine::pause_accept() {
  accept_paused_by_client_ = true;
  set_accepting(false);
}

void EpollEngine::resume_accept() {
  accept_paused_by_client_ = false;
  if (!accept_paused_by_error_) set_accepting(true);
}

void EpollEngine::close_listeners(EngineClient& client) {
  accept_paused_by_client_ = false;
  for (const Listener& listener : listeners_) {
    accept_from(listener, client, INT_MAX);
    ::close(listener.fd);
  }
  listeners_.clear();
}

// --- foreign descriptors ---

Result<> EpollEngine::watch(int fd, bool readable, bool writable, Watch& watch) {
  epoll_event interest{};
  interest.events = (readable ? static_cast<std::uint32_t>(EPOLLIN) : 0U) |
                    (writable ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  interest.data.u64 = tag(Kind::watch, static_cast<std::uint32_t>(fd));
  for (Watched& watched : watches_) {
    if (watched.fd != fd) continue;
    watched.watch = &watch;
    if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &interest) == 0) return {};
    return std::unexpected(system_error(errno, "epoll_ctl failed for a watched descriptor"));
  }
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &interest) != 0) {
    return std::unexpected(system_error(errno, "epoll_ctl failed for a watched descriptor"));
  }
  watches_.push_back({fd, &watch});
  return {};
}

void EpollEngine::unwatch(int fd) noexcept {
  if (std::erase_if(watches_, [fd](const Watched& watched) { return watched.fd == fd; }) > 0) {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  }
}

// --- receiving ---

void EpollEngine::pause_read(Slot& slot) noexcept { slot.engine_flags |= paused; }

void EpollEngine::resume_read(Slot& slot) {
  if (!(slot.engine_flags & paused)) return;
  slot.engine_flags &= static_cast<std::uint8_t>(~paused);
  // The edge that announced these bytes is gone.
  if (slot.engine_flags & unread) look_again(slot);
}

bool EpollEngine::is_read_paused(const Slot& slot) const noexcept {
  return (slot.engine_flags & paused) != 0;
}

bool EpollEngine::has_unread(const Slot& slot) const noexcept {
  return (slot.engine_flags & unread) != 0;
}

// --- sending ---

void EpollEngine::send(Slot& slot, std::span<const char> bytes) noexcept {
  if (slot.engine_flags & broken) return;
  if (slot.backlog == nullptr) {
    ++calls_;
    const ssize_t sent = plain_send(slot.fd, bytes.data(), std::min(bytes.size(), send_size_));
    if (sent == static_cast<ssize_t>(bytes.size())) [[likely]]
      return;
    if (sent > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ENOBUFS) {
      slot.engine_flags |= broken;
      look_again(slot);
      return;
    }
  }
  try {
    keep(slot, bytes);
  } catch (const std::bad_alloc&) {
    // Bytes that cannot be kept are lost, and the connection with them.
    slot.engine_flags |= broken;
    look_again(slot);
  }
}

void EpollEngine::keep(Slot& slot, std::span<const char> bytes) {
  if (slot.backlog == nullptr) {
    slot.backlog = new Backlog;
    slot.backlog->in_kernel = unacknowledged(slot.fd);
    ++calls_;
    slot.engine_flags |= wants_out;
    set_interest(slot);
  }
  std::vector<char>& kept = slot.backlog->bytes;
  if (slot.backlog->sent > kept.size() / 2) {
    kept.erase(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(slot.backlog->sent));
    slot.backlog->sent = 0;
  }
  kept.insert(kept.end(), bytes.begin(), bytes.end());
}

void EpollEngine::flush_backlog(Slot& slot, EngineClient& client) {
  Backlog* backlog = slot.backlog;
  if (backlog == nullptr) return;
  while (backlog->size() > 0) {
    ++calls_;
    const ssize_t sent = ::send(slot.fd, backlog->bytes.data() + backlog->sent,
                                std::min(backlog->size(), send_size_), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS) {
        slot.engine_flags |= broken;
        client.on_error(slot, errno);
      }
      return;
    }
    backlog->sent += static_cast<std::size_t>(sent);
    backlog->drained += static_cast<std::uint64_t>(sent);
  }
  delete std::exchange(slot.backlog, nullptr);
  slot.engine_flags &= static_cast<std::uint8_t>(~wants_out);
  set_interest(slot);
  if (slot.engine_flags & shutdown_due) {
    ::shutdown(slot.fd, SHUT_WR);
    ++calls_;
  }
  client.on_drained(slot);
}

std::size_t EpollEngine::backlog(const Slot& slot) const noexcept {
  return slot.backlog == nullptr ? 0 : slot.backlog->size();
}

std::uint64_t EpollEngine::drained(const Slot& slot) const noexcept {
  if (slot.backlog == nullptr) return 0;
  // The kernel asks for more only when much of its buffer is free; what the peer has acknowledged
  // tells a slow client from a stalled one.
  const std::uint64_t handed_over = slot.backlog->in_kernel + slot.backlog->drained;
  ++calls_;
  return handed_over - std::min(handed_over, unacknowledged(slot.fd));
}

void EpollEngine::set_interest(Slot& slot) {
  epoll_event interest{};
  interest.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  if (slot.engine_flags & wants_out) interest.events |= EPOLLOUT;
  interest.data.u64 = tag(Kind::connection, slot.index, slot.generation);
  const int operation = (slot.engine_flags & registered) != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  ++calls_;
  if (::epoll_ctl(epoll_, operation, slot.fd, &interest) == 0) {
    slot.engine_flags |= registered;
    return;
  }
  // Without events the connection would hang until its deadline; it ends now.
  slot.engine_flags |= broken;
  look_again(slot);
}

void EpollEngine::shutdown_send(Slot& slot) noexcept {
  if (slot.backlog != nullptr) {
    slot.engine_flags |= shutdown_due;
  } else {
    ::shutdown(slot.fd, SHUT_WR);
    ++calls_;
  }
}

void EpollEngine::free_slot(Slot& slot) noexcept {
  delete slot.backlog;
  // Closing the only reference to the file removes it from epoll.
  ::close(slot.fd);
  ++calls_;
  slots_.free(slot);
}

void EpollEngine::close(Slot& slot) noexcept { free_slot(slot); }

void EpollEngine::abort(Slot& slot) noexcept {
  // With a linger time of zero close() sends a reset at once and drops what is unsent.
  const linger now{1, 0};
  ::setsockopt(slot.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ++calls_;
  free_slot(slot);
}

std::string EpollEngine::peer(const Slot& slot) const {
  ++calls_;
  return peer_address(slot.fd);
}

}  // namespace spate::io
