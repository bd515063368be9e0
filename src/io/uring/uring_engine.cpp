// SPDX-License-Identifier: MIT
#include "io/uring/uring_engine.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/poison.hpp"
#include "io/backlog.hpp"
#include "io/peer_address.hpp"

namespace spate::io {
namespace {

constexpr std::size_t events_per_turn = 256;
// A batch of sends is handed over when it has so many, or so many bytes: the first of a long turn
// does not wait for the last.
constexpr std::size_t sends_per_batch = 32;
constexpr std::size_t bytes_per_batch = 32 * 1024;
// What is longer is sent by a call of its own: the call is small beside it, and the client learns
// at once how much was taken.
constexpr std::size_t longest_queued_send = 8 * 1024;
// After so many full buffers in a row a connection gets large ones.
constexpr unsigned full_reads_to_grow = 4;
constexpr std::uint16_t full_read = 0x1000;  // one of UringEngine::full_reads
// How long the rest of an answer may take whose connection the client has closed; then the peer
// sees a reset, because an answer that is cut must not look whole.
constexpr Duration orphan_time = std::chrono::seconds(30);
constexpr Duration accept_retry_after = std::chrono::milliseconds(100);
// A send of Options::short_io.
constexpr std::size_t short_send = 1000;
// At the end of the thread: how long the kernel may take to let go of what was closed.
constexpr Duration last_words = std::chrono::seconds(1);
// Calls for one hand-over; more than one only when memory or the completion queue is short.
constexpr int most_tries = 1000;

// What a completion is about: four bits of its 64. Then come twelve bits of its own, the generation
// and the index.
enum class Op : std::uint64_t {
  none,
  wake,
  accept,
  receive,
  receive_large,
  send,
  backlog,
  poll,
  watch,
};

std::uint64_t tag(Op op, std::uint32_t index = 0, std::uint16_t generation = 0,
                  std::uint64_t aux = 0) noexcept {
  return static_cast<std::uint64_t>(op) << 60 | aux << 48 |
         static_cast<std::uint64_t>(generation) << 32 | index;
}
std::uint64_t tag(Op op, const Slot& slot) noexcept { return tag(op, slot.index, slot.generation); }
Op op_of(std::uint64_t data) noexcept { return static_cast<Op>(data >> 60); }
std::uint32_t index_of(std::uint64_t data) noexcept { return static_cast<std::uint32_t>(data); }
std::uint16_t generation_of(std::uint64_t data) noexcept {
  return static_cast<std::uint16_t>(data >> 32);
}
std::size_t aux_of(std::uint64_t data) noexcept { return data >> 48 & 0xfff; }

// No completion unless it fails, and nobody asks which of those failed.
void unobserved(io_uring_sqe* entry) noexcept {
  entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  entry->user_data = tag(Op::none);
}

Error system_error(int error, std::string what) {
  return Error(std::error_code(error, std::system_category()), std::move(what));
}

bool is_transient(int error) noexcept {
  return error == EAGAIN || error == EINTR || error == ENOBUFS || error == ENOMEM;
}

// The kernel's tick, of one to four milliseconds. cost: a few loads.
std::int64_t coarse_moment() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
  return t.tv_nsec;
}

__kernel_timespec to_timespec(Duration time) noexcept {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  __kernel_timespec t{};
  t.tv_sec = seconds.count();
  t.tv_nsec = std::chrono::nanoseconds(time - seconds).count();
  return t;
}

// Hears what is left of connections that have no client any more.
class Nobody final : public EngineClient {
 public:
  bool on_accept(Slot&) override { return false; }
  void on_data(Slot&, std::span<char>, bool) override {}
  void on_eof(Slot&, bool) override {}
  void on_error(Slot&, int) override {}
  void on_drained(Slot&) override {}
  void on_wake() override {}
  void on_accept_paused(int) override {}
};

// With a linger time of zero the end is a reset, and what is unsent is dropped.
void reset_at_close(int fd) noexcept {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace

// What the kernel works on stays where it is; what is added meanwhile waits beside it.
struct UringEngine::RingBacklog final : Backlog {
  std::vector<char> more;
  __kernel_timespec deadline{};  // of an orphan

  std::size_t left() const noexcept { return size() + more.size(); }
};

UringEngine::RingBacklog& UringEngine::backlog_of(const Slot& slot) noexcept {
  return static_cast<RingBacklog&>(*slot.backlog);
}

// --- making and unmaking ---

Result<std::unique_ptr<Engine>> UringEngine::make(const Options& options) {
  std::unique_ptr<UringEngine> engine(new UringEngine(options));
  if (Result<> opened = engine->open(); !opened) return std::unexpected(std::move(opened.error()));
  return engine;
}

UringEngine::UringEngine(const Options& options)
    : options_(options), arena_(new char[bytes_per_batch + send_space_size]) {
  batch_.reserve(sends_per_batch);
  finished_.reserve(sends_per_batch);
  completions_.reserve(std::min(options.completions, 1024U));
}

Result<> UringEngine::open() {
  event_ = ::eventfd(0, EFD_CLOEXEC);
  if (event_ < 0) return std::unexpected(system_error(errno, "eventfd failed"));
  if (const int error = ring_.open(options_.entries, options_.completions); error != 0) {
    return std::unexpected(system_error(error, "io_uring_setup failed"));
  }
  int error = small_.open(ring_, 0, options_.buffers, options_.buffer_size);
  if (error == 0) {
    error = large_group_.open(ring_, 1, options_.large_buffers, options_.large_buffer_size);
  }
  if (error != 0) return std::unexpected(system_error(error, "io_uring takes no receive buffers"));
  return {};
}

UringEngine::~UringEngine() {
  if (state_ != State::detached) detach();
  slots_.for_each([this](Slot& slot) { close(slot); });
  for (const Listener& listener : listeners_) ::close(listener.fd);
  if (event_ >= 0) ::close(event_);
}

void UringEngine::bind() noexcept {
  owner_ = std::this_thread::get_id();
  state_ = State::bound;
  calls_ += 2;
  if (ring_.enable() != 0) detach();
}

// The kernel lets one thread only use the ring. Whoever comes later goes on without it.
bool UringEngine::owns_ring() noexcept {
  if (state_ == State::bound && owner_ != std::this_thread::get_id()) detach();
  return state_ == State::bound;
}

void UringEngine::leave_thread() noexcept {
  if (!owns_ring()) return;
  submit();
  Nobody nobody;
  const __kernel_timespec step = to_timespec(std::chrono::milliseconds(10));
  clock_.take();
  for (const TimePoint end = now() + last_words; now() < end; clock_.take()) {
    again_.for_each([&](std::uint32_t index, std::uint16_t generation) {
      Slot* slot = slots_.find_retired(index, generation);
      if (slot != nullptr && (slot->engine_more & leaving)) look(*slot, nobody);
    });
    // Handling one may add others.
    for (const Completion& completion : std::exchange(completions_, {})) {
      Slot* slot = slots_.find_retired(index_of(completion.data), generation_of(completion.data));
      const Op op = op_of(completion.data);
      if (op == Op::accept && completion.result >= 0) ::close(completion.result);
      const bool is_of_slot =
          op == Op::receive || op == Op::receive_large || op == Op::poll || op == Op::backlog;
      if (!is_of_slot || slot == nullptr) continue;
      if (slot->engine_more & leaving) {
        handle(completion, nobody);
      } else if (op == Op::backlog) {
        note_backlog_sent(*slot, completion.result);
      }
    }
    std::size_t left = 0;
    slots_.for_each_retired([&left](Slot&) { ++left; });
    if (left == 0 && ring_.queued() == 0 && !ring_.has_pending()) break;
    enter(1, true, &step);
  }
  detach();
}

void UringEngine::detach() noexcept {
  if (state_ == State::bound) take_completions();
  state_ = State::detached;
  do_queued_plainly(true);
  for (; next_ < completions_.size(); ++next_) {
    const Completion& completion = completions_[next_];
    if (op_of(completion.data) == Op::accept && completion.result >= 0) ::close(completion.result);
    if (op_of(completion.data) != Op::backlog) continue;
    Slot* slot = slots_.find(index_of(completion.data), generation_of(completion.data));
    if (slot != nullptr && slot->backlog != nullptr) note_backlog_sent(*slot, completion.result);
  }
  completions_.clear();
  next_ = 0;
  for (const Accepted& waiting : accepted_) ::close(waiting.fd);
  accepted_.clear();
  ring_.close();
  finish_batch();
  slots_.for_each_retired([this](Slot& slot) {
    if (slot.fd >= 0) {
      if ((slot.engine_more & orphaned) && backlog(slot) > 0) reset_at_close(slot.fd);
      ::close(slot.fd);
    }
    slot.fd = -1;
    slot.in_flight = 0;
    release_when_done(slot);
  });
  slots_.for_each([](Slot& slot) {
    slot.in_flight = 0;
    slot.engine_more &= static_cast<std::uint16_t>(~(receiving | polling | sending | cancelling));
  });
}

// --- the turn ---

void UringEngine::wait(Duration timeout) {
  if (state_ == State::unbound) bind();
  if (!owns_ring()) {
    wait_detached(timeout);
    clock_.take();
    return;
  }
  if (!event_armed_) {
    if (io_uring_sqe* armed = entry()) {
      io_uring_prep_read(armed, event_, &event_count_, sizeof event_count_, 0);
      armed->user_data = tag(Op::wake);
      event_armed_ = true;
    }
  }
  if (listeners_changed_) arm_listeners();
  if (watches_changed_) arm_watches();
  // Whether those were sent whole is known only afterwards; their descriptors are closed by the
  // call that waits.
  if (closes_wait_) submit();
  if (!again_.is_empty() || next_ < completions_.size() ||
      (!accepted_.empty() && !accept_paused_by_client_)) {
    timeout = Duration::zero();
  }
  if (accept_paused_by_error_ && (timeout < Duration::zero() || timeout > accept_retry_after)) {
    timeout = accept_retry_after;
  }
  if (timeout == Duration::zero()) {
    if (ring_.queued() > 0 || ring_.has_pending()) enter(0, true, nullptr);
  } else if (timeout < Duration::zero()) {
    enter(1, true, nullptr);
  } else {
    const __kernel_timespec most = to_timespec(timeout);
    enter(1, true, &most);
  }
  clock_.take();
}

void UringEngine::submit() noexcept {
  if (owns_ring()) {
    if (ring_.queued() > 0) enter(0, false, nullptr);
    return;
  }
  do_queued_plainly(false);
  finish_batch();
}

void UringEngine::enter(unsigned wait_for, bool collect,
                        const __kernel_timespec* timeout) noexcept {
  for (int tries = 0; tries < most_tries; ++tries) {
    ++calls_;
    ring_.enter(wait_for, collect, timeout);
    take_completions();
    if (ring_.queued() == 0 && !ring_.has_overflown()) break;
    wait_for = 0;
    collect = true;
  }
  if (ring_.queued() > 0) do_queued_plainly(false);
  finish_batch();
}

// Sends that were not taken whole are seen to at once, before their bytes can be written over. All
// else waits for dispatch().
void UringEngine::take_completions() noexcept {
  ring_.take([this](const io_uring_cqe& completion) {
    const Op op = op_of(completion.user_data);
    if (op == Op::none) return true;
    if (op == Op::send) {
      on_residue(completion.user_data, completion.res);
      return true;
    }
    try {
      completions_.push_back({completion.user_data, completion.res, completion.flags});
    } catch (const std::bad_alloc&) {
      return false;
    }
    return true;
  });
}

// The kernel has seen all sends of the batch and told what it did not take.
void UringEngine::finish_batch() noexcept {
  arena_used_ = 0;
  closes_wait_ = false;
  if (batch_.empty()) return;
  finished_.swap(batch_);
  for (const Sent& sent : finished_) {
    Slot* slot = slots_.find_retired(sent.index, sent.generation);
    if (slot == nullptr) continue;
    slot->engine_more &= static_cast<std::uint16_t>(~in_batch);
    if (!(slot->engine_more & leaving)) continue;
    if (sent.closes) {
      slot->fd = -1;
      release_when_done(*slot);
    } else if (slot->backlog != nullptr && state_ == State::bound) {
      slot->engine_more |= orphaned;
      backlog_of(*slot).deadline = to_timespec((clock_.now() + orphan_time).time_since_epoch());
      look_again(*slot);
    } else {
      queue_close(*slot);
    }
  }
  finished_.clear();
}

// What the ring cannot do for want of memory, or because it is gone, is done by plain calls.
void UringEngine::do_queued_plainly(bool all) noexcept {
  bool link_cut = false;
  for (unsigned i = 0; ring_.is_open() && i < ring_.queued(); ++i) {
    io_uring_sqe& queued_entry = ring_.queued_entry(i);
    const bool is_send = op_of(queued_entry.user_data) == Op::send;
    const bool is_close = queued_entry.opcode == IORING_OP_CLOSE;
    if (is_send) {
      const ssize_t sent = ::send(queued_entry.fd, reinterpret_cast<const char*>(queued_entry.addr),
                                  queued_entry.len, MSG_NOSIGNAL | MSG_DONTWAIT);
      ++calls_;
      link_cut = sent != static_cast<ssize_t>(queued_entry.len);
      if (link_cut) {
        on_residue(queued_entry.user_data, sent < 0 ? -errno : static_cast<std::int32_t>(sent));
      }
    } else if (is_close && (all || link_cut)) {
      if (!link_cut) ::close(queued_entry.fd);
      link_cut = false;
    } else {
      link_cut = false;
      continue;
    }
    io_uring_prep_nop(&queued_entry);
    unobserved(&queued_entry);
  }
}

io_uring_sqe* UringEngine::entry() noexcept {
  if (state_ == State::detached) return nullptr;
  io_uring_sqe* next = ring_.next();
  if (next == nullptr && state_ == State::bound) {
    submit();
    if (state_ == State::bound) next = ring_.next();
  }
  return next;
}

void UringEngine::cancel(std::uint64_t data) noexcept {
  io_uring_sqe* cancelling_entry = entry();
  if (cancelling_entry == nullptr) return;
  io_uring_prep_cancel64(cancelling_entry, data, 0);
  unobserved(cancelling_entry);
}

void UringEngine::wake() noexcept {
  const std::uint64_t one = 1;
  (void)!::write(event_, &one, sizeof one);
}

void UringEngine::dispatch(EngineClient& client) {
  again_.take([&](std::uint32_t index, std::uint16_t generation) {
    if (Slot* slot = slots_.find_retired(index, generation)) look(*slot, client);
  });
  if (state_ == State::detached) {
    dispatch_detached(client);
    return;
  }
  if (!accepted_.empty()) start_waiting(client);
  const std::size_t end = std::min(completions_.size(), next_ + events_per_turn);
  // Handlers may add to the list: each entry is copied, and those that are added wait.
  while (next_ < end) {
    const Completion completion = completions_[next_++];
    handle(completion, client);
    if (state_ == State::detached) return;
  }
  completions_.erase(completions_.begin(),
                     completions_.begin() + static_cast<std::ptrdiff_t>(next_));
  next_ = 0;
  if (accept_paused_by_error_ && now() >= accept_retry_) {
    if (!has_spare_descriptor()) {
      accept_retry_ = now() + accept_retry_after;
      return;
    }
    accept_paused_by_error_ = false;
    listeners_changed_ = true;
    client.on_accept_paused(0);
  }
}

// The kernel wants a descriptor before it looks whether there is a connection: without asking here,
// each try would be told as another pause.
bool UringEngine::has_spare_descriptor() noexcept {
  const int spare = ::fcntl(event_, F_DUPFD_CLOEXEC, 0);
  ++calls_;
  if (spare < 0) return false;
  ::close(spare);
  ++calls_;
  return true;
}

void UringEngine::handle(const Completion& completion, EngineClient& client) {
  switch (op_of(completion.data)) {
    case Op::receive:
      on_received(completion, small_, client);
      break;
    case Op::receive_large:
      on_received(completion, large_group_, client);
      break;
    case Op::accept:
      on_accepted(completion, client);
      break;
    case Op::backlog:
      on_backlog_sent(completion, client);
      break;
    case Op::poll:
      on_polled(completion, client);
      break;
    case Op::watch:
      on_watched(completion);
      break;
    case Op::wake:
      event_armed_ = false;
      if (completion.result > 0) client.on_wake();
      break;
    case Op::send:
    case Op::none:
      break;
  }
}

// A slot whose business could not be done where it arose.
void UringEngine::look(Slot& slot, EngineClient& client) {
  slot.engine_flags &= static_cast<std::uint8_t>(~queued);
  if (slot.engine_more & leaving) {
    if ((slot.engine_more & orphaned) && !(slot.engine_more & sending)) arm_backlog(slot);
    return;
  }
  if (slot.engine_flags & broken) {
    client.on_error(slot, EPIPE);
    return;
  }
  if (slot.backlog != nullptr && !(slot.engine_more & sending)) arm_backlog(slot);
  if (slot.engine_flags & paused) {
    keep_armed(slot);
  } else if (slot.engine_flags & kept) {
    deliver_kept(slot, client);
  } else if (slot.engine_flags & ended) {
    client.on_eof(slot, false);
  } else {
    keep_armed(slot);
  }
}

void UringEngine::look_again(Slot& slot) noexcept {
  if (slot.engine_flags & queued) return;
  again_.push(slot);
  slot.engine_flags |= queued;
}

// --- without the ring ---

void UringEngine::wait_detached(Duration timeout) noexcept {
  if (!again_.is_empty()) timeout = Duration::zero();
  int milliseconds = -1;
  if (timeout >= Duration::zero()) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    milliseconds = static_cast<int>(std::min<std::int64_t>(ms, 60'000));
  }
  pollfd waited{event_, POLLIN, 0};
  ++calls_;
  const bool woken = ::poll(&waited, 1, milliseconds) > 0;
  event_armed_ = woken;  // here: there is something to be read
}

void UringEngine::dispatch_detached(EngineClient& client) {
  slots_.for_each([&](Slot& slot) {
    if (slot.backlog == nullptr) return;
    RingBacklog& unsent = backlog_of(slot);
    unsent.bytes.insert(unsent.bytes.end(), unsent.more.begin(), unsent.more.end());
    unsent.more.clear();
    ++calls_;
    const ssize_t sent = ::send(slot.fd, unsent.bytes.data() + unsent.sent, unsent.size(),
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (!is_transient(errno)) client.on_error(slot, errno);
      return;
    }
    unsent.sent += static_cast<std::size_t>(sent);
    unsent.drained += static_cast<std::uint64_t>(sent);
    if (unsent.size() > 0) return;
    drop_backlog(slot);
    if (slot.engine_flags & shutdown_due) ::shutdown(slot.fd, SHUT_WR);
    client.on_drained(slot);
  });
  if (!std::exchange(event_armed_, false)) return;
  ++calls_;
  (void)!::read(event_, &event_count_, sizeof event_count_);
  client.on_wake();
}

// --- accepting ---

Result<> UringEngine::add_listener(int fd, std::uint16_t listener) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
    return std::unexpected(system_error(errno, "a listening socket cannot be made non-blocking"));
  }
  listeners_.push_back({fd, listener});
  listeners_changed_ = true;
  return {};
}

void UringEngine::arm_listeners() noexcept {
  if (accept_paused_by_client_ || accept_paused_by_error_) return;
  listeners_changed_ = false;
  for (std::uint32_t i = 0; i < listeners_.size(); ++i) {
    Listener& listener = listeners_[i];
    if (listener.armed) continue;
    io_uring_sqe* armed = entry();
    if (armed == nullptr) {
      listeners_changed_ = true;
      return;
    }
    // Without an address: it is asked for when somebody wants it.
    if (listener.stays) {
      io_uring_prep_multishot_accept(armed, listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
    } else {
      io_uring_prep_accept(armed, listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
    }
    armed->user_data = tag(Op::accept, i, listener_life_);
    listener.armed = true;
  }
}

void UringEngine::on_accepted(const Completion& completion, EngineClient& client) {
  const std::uint32_t index = index_of(completion.data);
  Listener* listener = nullptr;
  if (generation_of(completion.data) == listener_life_ && index < listeners_.size()) {
    listener = &listeners_[index];
  }
  if (listener == nullptr) {
    if (completion.result >= 0) ::close(completion.result);
    return;
  }
  if (!(completion.flags & IORING_CQE_F_MORE)) {
    listener->armed = false;
    listeners_changed_ = true;
  }
  if (completion.result >= 0) {
    if (!accept_paused_by_client_) {
      start(completion.result, listener->number, client);
      return;
    }
    // The kernel had accepted it before it heard of the pause.
    try {
      accepted_.push_back({completion.result, listener->number});
    } catch (const std::bad_alloc&) {
      ::close(completion.result);
    }
    return;
  }
  switch (const int error = -completion.result) {
    case ECANCELED:
    case EINTR:
    case EAGAIN:
    case ECONNABORTED:
    case EPROTO:
      return;
    default:
      // Some containers know no accept that stays: one at a time does as well.
      if (std::exchange(listener->stays, false) && error != EMFILE && error != ENFILE &&
          error != ENOBUFS && error != ENOMEM) {
        return;
      }
      // Connections wait in the kernel's queue until there is room; asking again and again would
      // spin.
      listener->stays = true;
      if (std::exchange(accept_paused_by_error_, true)) return;
      accept_retry_ = now() + accept_retry_after;
      client.on_accept_paused(error);
  }
}

void UringEngine::start(int fd, std::uint16_t listener, EngineClient& client) {
  Slot* slot = nullptr;
  try {
    slot = &slots_.allocate();
    // Room for every slot, so that look_again() does not fail.
    again_.reserve(slots_.size() + batch_.capacity());
  } catch (const std::bad_alloc&) {
    if (slot != nullptr) slots_.free(*slot);
    ::close(fd);
    return;
  }
  slot->fd = fd;
  slot->listener = listener;
  slot->born = ticks();
  const std::uint32_t index = slot->index;
  const std::uint16_t generation = slot->generation;
  const bool wanted = client.on_accept(*slot);
  slot = slots_.find(index, generation);
  if (slot == nullptr) return;
  if (!wanted) {
    close(*slot);
  } else {
    keep_armed(*slot);
  }
}

void UringEngine::start_waiting(EngineClient& client) {
  while (!accepted_.empty() && !accept_paused_by_client_) {
    const Accepted first = accepted_.front();
    accepted_.erase(accepted_.begin());
    start(first.fd, first.listener, client);
  }
}

Result<> UringEngine::adopt(int fd, std::uint16_t listener, EngineClient& client) {
  if (::fcntl(fd, F_GETFD) < 0) {
    return std::unexpected(system_error(errno, "the descriptor cannot be taken over"));
  }
  start(fd, listener, client);
  return {};
}

void UringEngine::pause_accept() {
  accept_paused_by_client_ = true;
  for (std::uint32_t i = 0; i < listeners_.size(); ++i) {
    if (listeners_[i].armed) cancel(tag(Op::accept, i, listener_life_));
  }
}

void UringEngine::resume_accept() {
  accept_paused_by_client_ = false;
  listeners_changed_ = true;
}

void UringEngine::close_listeners(EngineClient& client) {
  accept_paused_by_client_ = false;
  start_waiting(client);
  accept_paused_by_client_ = false;
  for (std::size_t i = next_; i < completions_.size(); ++i) {
    const Completion completion = completions_[i];
    if (op_of(completion.data) != Op::accept || completion.result < 0) continue;
    completions_[i].data = tag(Op::none);
    on_accepted(completion, client);
  }
  for (std::uint32_t i = 0; i < listeners_.size(); ++i) {
    const Listener listener = listeners_[i];
    while (true) {
      const int fd = ::accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC);
      ++calls_;
      if (fd >= 0) {
        start(fd, listener.number, client);
      } else if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) {
        break;
      }
    }
    // The armed accept keeps the socket open until its end has come: it stops listening here.
    ::shutdown(listener.fd, SHUT_RDWR);
    if (listener.armed) cancel(tag(Op::accept, i, listener_life_));
    ::close(listener.fd);
    calls_ += 2;
  }
  listeners_.clear();
  ++listener_life_;
  // A pause by the client in all this leaves some that were accepted before.
  accept_paused_by_client_ = false;
  start_waiting(client);
}

// --- foreign descriptors ---

Result<> UringEngine::watch(int fd, bool readable, bool writable, Watch& watch) {
  if (::fcntl(fd, F_GETFD) < 0) {
    return std::unexpected(system_error(errno, "a descriptor cannot be watched"));
  }
  unwatch(fd);
  const unsigned events = (readable ? static_cast<unsigned>(POLLIN) : 0U) |
                          (writable ? static_cast<unsigned>(POLLOUT) : 0U);
  watches_.push_back({fd, ++watch_ids_, events, &watch, false});
  watches_changed_ = true;
  return {};
}

void UringEngine::unwatch(int fd) noexcept {
  const auto found = std::ranges::find(watches_, fd, &Watched::fd);
  if (found == watches_.end()) return;
  if (found->armed) cancel(tag(Op::watch, found->id));
  watches_.erase(found);
}

// One poll at a time, armed again after it was told: what is still so is told again.
void UringEngine::arm_watches() noexcept {
  watches_changed_ = false;
  for (Watched& watched : watches_) {
    if (watched.armed) continue;
    io_uring_sqe* armed = entry();
    if (armed == nullptr) {
      watches_changed_ = true;
      return;
    }
    io_uring_prep_poll_add(armed, watched.fd, watched.events);
    armed->user_data = tag(Op::watch, watched.id);
    watched.armed = true;
  }
}

void UringEngine::on_watched(const Completion& completion) {
  const auto found = std::ranges::find(watches_, index_of(completion.data), &Watched::id);
  if (found == watches_.end()) return;
  found->armed = false;
  watches_changed_ = true;
  // A poll that failed is told as an event, so that the next use of the descriptor says why.
  const auto ready = static_cast<unsigned>(completion.result < 0 ? POLLERR : completion.result);
  found->watch->on_ready((ready & (POLLIN | POLLHUP | POLLERR)) != 0,
                         (ready & (POLLOUT | POLLERR)) != 0);
}

// --- receiving ---

// What a connection at rest waits for: bytes, or at least the peer's end while bytes are unwanted.
void UringEngine::keep_armed(Slot& slot) noexcept {
  if ((slot.engine_flags & broken) || (slot.engine_more & receiving) || state_ == State::detached) {
    return;
  }
  if (!(slot.engine_flags & (paused | ended | kept))) {
    arm_receive(slot);
  } else if (!(slot.engine_more & (polling | hung_up))) {
    arm_poll(slot);
  }
}

void UringEngine::arm_receive(Slot& slot) noexcept {
  io_uring_sqe* armed = entry();
  if (armed == nullptr) {
    if (state_ == State::bound) look_again(slot);
    return;
  }
  // The first receive is for one time: a short connection ends with it, and nothing is armed that
  // would have to be cancelled.
  const bool stays = (slot.engine_more & (known | large)) == known;
  const uring::BufferGroup& group = (slot.engine_more & large) ? large_group_ : small_;
  if (stays) {
    io_uring_prep_recv_multishot(armed, slot.fd, nullptr, 0, 0);
  } else {
    io_uring_prep_recv(armed, slot.fd, nullptr, 0, 0);
  }
  // Who was just answered has nothing to say yet.
  if (stays && !(slot.engine_flags & unread)) armed->ioprio |= IORING_RECVSEND_POLL_FIRST;
  armed->flags |= IOSQE_BUFFER_SELECT;
  armed->buf_group = group.id();
  armed->user_data = tag((slot.engine_more & large) ? Op::receive_large : Op::receive, slot);
  slot.engine_more |= receiving;
  ++slot.in_flight;
}

void UringEngine::cancel_receive(Slot& slot) noexcept {
  if ((slot.engine_more & (receiving | cancelling)) != receiving) return;
  slot.engine_more |= cancelling;
  cancel(tag(Op::receive, slot));
}

void UringEngine::arm_poll(Slot& slot) noexcept {
  io_uring_sqe* armed = entry();
  if (armed == nullptr) {
    if (state_ == State::bound) look_again(slot);
    return;
  }
  // Errors and the end of both sides are always told.
  const bool asks = !(slot.engine_flags & (peer_closed | ended));
  // The kernel asks for the peer's end whether we do or not, and a poll of one shot looks at once:
  // on a half-closed connection it would end in each turn. One of many shots is told of changes.
  io_uring_prep_poll_multishot(armed, slot.fd, asks ? static_cast<unsigned>(POLLRDHUP) : 0U);
  armed->user_data = tag(Op::poll, slot);
  slot.engine_more |= polling;
  ++slot.in_flight;
}

// After a short read of a socket that is not empty: the peer's end is all that is left.
bool UringEngine::is_at_end(const Slot& slot) noexcept {
  char byte;
  ++calls_;
  if (::recv(slot.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0) return false;
  // Bytes that the kernel has handed over already are still to be told.
  return std::none_of(completions_.begin() + static_cast<std::ptrdiff_t>(next_), completions_.end(),
                      [&slot](const Completion& later) {
                        return later.result > 0 && (later.data == tag(Op::receive, slot) ||
                                                    later.data == tag(Op::receive_large, slot));
                      });
}

void UringEngine::on_received(const Completion& completion, uring::BufferGroup& group,
                              EngineClient& client) {
  const std::uint32_t index = index_of(completion.data);
  const std::uint16_t generation = generation_of(completion.data);
  const bool has_buffer = (completion.flags & IORING_CQE_F_BUFFER) != 0;
  const unsigned buffer = completion.flags >> IORING_CQE_BUFFER_SHIFT;
  Slot* slot = slots_.find_retired(index, generation);
  if (slot != nullptr && !(completion.flags & IORING_CQE_F_MORE)) {
    --slot->in_flight;
    slot->engine_more &= static_cast<std::uint16_t>(~(receiving | cancelling));
  }
  if (slot == nullptr || (slot->engine_more & leaving)) {
    if (has_buffer) group.recycle(buffer);
    if (slot != nullptr) release_when_done(*slot);
    return;
  }
  if (completion.result <= 0) {
    if (has_buffer) group.recycle(buffer);
    slot->engine_flags &= static_cast<std::uint8_t>(~unread);
    if (completion.result == 0) {
      on_end(*slot, client);
    } else if (is_transient(-completion.result) || completion.result == -ECANCELED) {
      // No buffer was free; those of this turn are free when the kernel hears of it.
      if (completion.result == -ENOBUFS) {
        // Behind those that had a buffer in this turn: armed in the order of completions, the same
        // few would take them all again.
        slot->engine_flags |= unread;
        look_again(*slot);
      } else {
        keep_armed(*slot);
      }
    } else {
      client.on_error(*slot, -completion.result);
    }
    return;
  }

  const auto size = static_cast<std::size_t>(completion.result);
  const bool full = size >= group.size();
  const bool more_waits = (completion.flags & IORING_CQE_F_SOCK_NONEMPTY) != 0;
  const bool last =
      !full && ((slot->engine_flags & peer_closed) != 0 || (more_waits && is_at_end(*slot)));
  slot->engine_flags &= static_cast<std::uint8_t>(~unread);
  if ((full || more_waits) && !last) slot->engine_flags |= unread;
  slot->engine_more |= known;
  if (!full) {
    slot->engine_more &= static_cast<std::uint16_t>(~full_reads);
    if (size <= small_.size()) slot->engine_more &= static_cast<std::uint16_t>(~large);
  } else if (!(slot->engine_more & large)) {
    slot->engine_more = static_cast<std::uint16_t>(slot->engine_more + full_read);
    if ((slot->engine_more & full_reads) >= full_reads_to_grow * full_read) {
      slot->engine_more &= static_cast<std::uint16_t>(~full_reads);
      cancel_receive(*slot);
      slot->engine_more |= large;
    }
  }

  char* const bytes = group.buffer(buffer);
  unpoison(bytes, group.size());
  const auto recycle = [&] {
    poison(bytes, group.size());
    group.recycle(buffer);
  };
  if (slot->engine_flags & (paused | kept)) {
    keep_received(*slot, {bytes, size});
    recycle();
    if (last) {
      on_end(*slot, client);
      return;
    }
    // From now on the peer is held back by TCP.
    if (slot->engine_flags & paused) cancel_receive(*slot);
    keep_armed(*slot);
    return;
  }
  if (last) slot->engine_flags |= peer_closed;
  client.on_data(*slot, {bytes, size}, last);
  recycle();
  slot = slots_.find(index, generation);
  if (slot == nullptr || (slot->engine_flags & broken)) return;
  if (last) {
    on_end(*slot, client);
  } else {
    keep_armed(*slot);
  }
}

void UringEngine::on_end(Slot& slot, EngineClient& client) {
  if (slot.engine_flags & ended) {
    // Told before, with the last bytes; what is left to be told is an error.
    keep_armed(slot);
    return;
  }
  slot.engine_flags |= ended | peer_closed;
  slot.engine_flags &= static_cast<std::uint8_t>(~unread);
  const bool has_kept = (slot.engine_flags & kept) != 0;
  if (has_kept && !(slot.engine_flags & paused)) return;  // told after them
  const std::uint32_t index = slot.index;
  const std::uint16_t generation = slot.generation;
  client.on_eof(slot, has_kept);
  if (Slot* same = slots_.find(index, generation)) keep_armed(*same);
}

void UringEngine::on_polled(const Completion& completion, EngineClient& client) {
  const std::uint32_t index = index_of(completion.data);
  const std::uint16_t generation = generation_of(completion.data);
  Slot* slot = slots_.find_retired(index, generation);
  if (slot == nullptr) return;
  if (!(completion.flags & IORING_CQE_F_MORE)) {
    --slot->in_flight;
    slot->engine_more &= static_cast<std::uint16_t>(~polling);
  }
  if (slot->engine_more & leaving) {
    release_when_done(*slot);
    return;
  }
  const int ready = std::max(completion.result, 0);
  if (ready & POLLERR) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    ++calls_;
    if (error != 0) {
      client.on_error(*slot, error);
      return;
    }
  }
  if (ready & (POLLHUP | POLLERR)) slot->engine_more |= hung_up;
  if ((ready & (POLLRDHUP | POLLHUP)) && !(slot->engine_flags & peer_closed)) {
    slot->engine_flags |= peer_closed;
    if (slot->engine_flags & paused) {
      int waiting = 0;
      ::ioctl(slot->fd, FIONREAD, &waiting);
      ++calls_;
      slot->engine_flags |= unread;
      client.on_eof(*slot, waiting > 0 || (slot->engine_flags & kept) != 0 ||
                               (slot->engine_more & receiving) != 0);
      slot = slots_.find(index, generation);
      if (slot == nullptr) return;
    }
  }
  keep_armed(*slot);
}

void UringEngine::keep_received(Slot& slot, std::span<const char> bytes) noexcept {
  try {
    kept_[slot.index].append(bytes.data(), bytes.size());
    slot.engine_flags |= kept;
  } catch (const std::bad_alloc&) {
    break_off(slot);
  }
}

void UringEngine::deliver_kept(Slot& slot, EngineClient& client) {
  constexpr std::size_t most = 64 * 1024;
  const std::uint32_t index = slot.index;
  const std::uint16_t generation = slot.generation;
  std::string bytes = std::move(kept_[index]);
  kept_.erase(index);
  slot.engine_flags &= static_cast<std::uint8_t>(~kept);
  const std::size_t size = std::min(bytes.size(), most);
  const bool last = (slot.engine_flags & ended) != 0 && size == bytes.size();
  // Until the rest is back in its place, nothing that comes may overtake it: that is so, since
  // completions are not handled inside a callback.
  client.on_data(slot, {bytes.data(), size}, last);
  Slot* same = slots_.find(index, generation);
  if (same == nullptr) return;
  if (size < bytes.size()) {
    keep_received(*same, std::span<const char>(bytes).subspan(size));
    if (!(same->engine_flags & paused)) look_again(*same);
    return;
  }
  if (same->engine_flags & broken) return;
  if (last) {
    client.on_eof(*same, false);
    same = slots_.find(index, generation);
  }
  if (same != nullptr) keep_armed(*same);
}

// Lazily: most pauses end in the same turn. Bytes that come meanwhile are kept, and the first of
// them ends the receiving.
void UringEngine::pause_read(Slot& slot) noexcept { slot.engine_flags |= paused; }

void UringEngine::resume_read(Slot& slot) {
  if (!(slot.engine_flags & paused)) return;
  slot.engine_flags &= static_cast<std::uint8_t>(~paused);
  if (slot.engine_flags & (kept | ended)) {
    look_again(slot);
  } else {
    keep_armed(slot);
  }
}

bool UringEngine::is_read_paused(const Slot& slot) const noexcept {
  return (slot.engine_flags & paused) != 0;
}

bool UringEngine::has_unread(const Slot& slot) const noexcept {
  return (slot.engine_flags & (unread | kept)) != 0;
}

// --- sending ---

std::span<char> UringEngine::send_space() noexcept {
  return {arena_.get() + arena_used_, send_space_size};
}

void UringEngine::send(Slot& slot, std::span<const char> bytes) noexcept {
  if (bytes.empty() || (slot.engine_flags & broken)) return;
  const char* const arena_end = arena_.get() + bytes_per_batch + send_space_size;
  const bool in_arena = bytes.data() >= arena_.get() && bytes.data() < arena_end;
  if (slot.engine_more & in_batch) {
    Sent& latest = batch_.back();
    const bool follows = in_arena && latest.index == slot.index &&
                         arena_.get() + latest.offset + latest.size == bytes.data();
    if (follows && latest.size + bytes.size() <= longest_queued_send) {
      latest.size += static_cast<std::uint32_t>(bytes.size());
      latest.entry->len = latest.size;
      arena_used_ = latest.offset + latest.size;
      if (arena_used_ >= bytes_per_batch) submit();
      return;
    }
    // Two sends of one batch could overtake each other when the first is not taken whole.
    submit();
    if (slot.engine_flags & broken) return;
  }
  if (slot.backlog != nullptr) {
    keep_unsent(slot, bytes);
    return;
  }
  if (!in_arena || bytes.size() > longest_queued_send || options_.short_io) {
    send_now(slot, bytes);
    return;
  }
  io_uring_sqe* sending_entry = entry();
  if (sending_entry == nullptr) {
    send_now(slot, bytes);
    return;
  }
  // Not waiting, and whole or not at all well: it ends inside the call that hands it over, and only
  // what was not taken is reported.
  io_uring_prep_send(sending_entry, slot.fd, bytes.data(), bytes.size(),
                     MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL);
  sending_entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
  sending_entry->user_data = tag(Op::send, slot.index, slot.generation, batch_.size());
  const auto offset = static_cast<std::uint32_t>(bytes.data() - arena_.get());
  batch_.push_back({slot.index, slot.generation, false, offset,
                    static_cast<std::uint32_t>(bytes.size()), sending_entry});
  slot.engine_more |= in_batch;
  arena_used_ = offset + bytes.size();
  // A handler that takes its time does not hold back the answers before it for longer than itself.
  const std::int64_t moment = coarse_moment();
  if (batch_.size() == 1) batch_began_ = moment;
  if (batch_.size() >= sends_per_batch || arena_used_ >= bytes_per_batch ||
      moment != batch_began_) {
    submit();
  }
}

void UringEngine::send_now(Slot& slot, std::span<const char> bytes) noexcept {
  const std::size_t size = options_.short_io ? std::min(bytes.size(), short_send) : bytes.size();
  ++calls_;
  ssize_t sent = ::send(slot.fd, bytes.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent == static_cast<ssize_t>(bytes.size())) [[likely]]
    return;
  if (sent < 0) {
    if (!is_transient(errno)) {
      break_off(slot);
      return;
    }
    sent = 0;
  }
  keep_unsent(slot, bytes.subspan(static_cast<std::size_t>(sent)));
  if (slot.backlog != nullptr) arm_backlog(slot);
}

void UringEngine::keep_unsent(Slot& slot, std::span<const char> bytes) noexcept {
  try {
    if (slot.backlog == nullptr) {
      auto made = std::make_unique<RingBacklog>();
      made->bytes.assign(bytes.begin(), bytes.end());
      made->in_kernel = unacknowledged(slot.fd);
      ++calls_;
      slot.backlog = made.release();
      return;
    }
    std::vector<char>& to =
        (slot.engine_more & sending) ? backlog_of(slot).more : slot.backlog->bytes;
    to.insert(to.end(), bytes.begin(), bytes.end());
  } catch (const std::bad_alloc&) {
    // Bytes that cannot be kept are lost, and the connection with them.
    break_off(slot);
  }
}

void UringEngine::break_off(Slot& slot) noexcept {
  slot.engine_flags |= broken;
  if (!(slot.engine_more & leaving)) look_again(slot);
}

void UringEngine::on_residue(std::uint64_t data, std::int32_t result) noexcept {
  const std::size_t number = aux_of(data);
  if (number >= batch_.size()) return;
  Sent& sent = batch_[number];
  if (sent.index != index_of(data) || sent.generation != generation_of(data)) return;
  sent.closes = false;
  Slot* slot = slots_.find_retired(sent.index, sent.generation);
  if (slot == nullptr) return;
  if (result < 0 && !is_transient(-result)) {
    break_off(*slot);
    return;
  }
  const auto done = static_cast<std::uint32_t>(std::max(result, 0));
  if (done >= sent.size) return;
  keep_unsent(*slot, {arena_.get() + sent.offset + done, sent.size - done});
  if (!(slot->engine_more & leaving)) look_again(*slot);
}

void UringEngine::arm_backlog(Slot& slot) noexcept {
  RingBacklog& unsent = backlog_of(slot);
  if (unsent.size() == 0) {
    unsent.bytes.swap(unsent.more);
    unsent.more.clear();
    unsent.sent = 0;
  }
  const bool is_orphan = (slot.engine_more & orphaned) != 0;
  // A link is one hand-over.
  if (is_orphan && state_ == State::bound && ring_.room() < 2) submit();
  io_uring_sqe* armed = entry();
  if (armed == nullptr) {
    if (state_ == State::bound) look_again(slot);
    return;
  }
  const std::size_t size = options_.short_io ? std::min(unsent.size(), short_send) : unsent.size();
  io_uring_prep_send(armed, slot.fd, unsent.bytes.data() + unsent.sent, size, MSG_NOSIGNAL);
  armed->user_data = tag(Op::backlog, slot);
  slot.engine_more |= sending;
  ++slot.in_flight;
  if (!is_orphan) return;
  armed->flags |= IOSQE_IO_LINK;
  if (io_uring_sqe* limit = entry()) {
    io_uring_prep_link_timeout(limit, &unsent.deadline, IORING_TIMEOUT_ABS);
    unobserved(limit);
  }
}

void UringEngine::note_backlog_sent(Slot& slot, std::int32_t result) noexcept {
  const auto sent = static_cast<std::size_t>(std::max(result, 0));
  slot.backlog->sent += sent;
  slot.backlog->drained += sent;
}

void UringEngine::on_backlog_sent(const Completion& completion, EngineClient& client) {
  Slot* slot = slots_.find_retired(index_of(completion.data), generation_of(completion.data));
  if (slot == nullptr) return;
  --slot->in_flight;
  slot->engine_more &= static_cast<std::uint16_t>(~sending);
  note_backlog_sent(*slot, completion.result);
  RingBacklog& unsent = backlog_of(*slot);
  const bool failed = completion.result < 0 && !is_transient(-completion.result);
  if (slot->engine_more & leaving) {
    if ((slot->engine_more & orphaned) && !failed && unsent.left() > 0) {
      arm_backlog(*slot);
    } else if (slot->engine_more & orphaned) {
      slot->engine_more &= static_cast<std::uint16_t>(~orphaned);
      if (unsent.left() > 0) reset_at_close(slot->fd);
      queue_close(*slot);
    } else {
      release_when_done(*slot);
    }
    return;
  }
  if (failed) {
    slot->engine_flags |= broken;
    client.on_error(*slot, -completion.result);
    return;
  }
  if (unsent.left() > 0) {
    arm_backlog(*slot);
    return;
  }
  drop_backlog(*slot);
  if (slot->engine_flags & shutdown_due) {
    ::shutdown(slot->fd, SHUT_WR);
    ++calls_;
  }
  client.on_drained(*slot);
}

std::size_t UringEngine::backlog(const Slot& slot) const noexcept {
  return slot.backlog == nullptr ? 0 : backlog_of(slot).left();
}

std::uint64_t UringEngine::drained(const Slot& slot) const noexcept {
  if (slot.backlog == nullptr) return 0;
  // The kernel asks for more only when much of its buffer is free; what the peer has acknowledged
  // tells a slow client from a stalled one.
  const std::uint64_t handed_over = slot.backlog->in_kernel + slot.backlog->drained;
  ++calls_;
  return handed_over - std::min(handed_over, unacknowledged(slot.fd));
}

void UringEngine::drop_backlog(Slot& slot) noexcept {
  if (slot.backlog != nullptr) delete &backlog_of(slot);
  slot.backlog = nullptr;
}

// --- ending ---

void UringEngine::shutdown_send(Slot& slot) noexcept {
  if (slot.engine_more & in_batch) submit();
  if (slot.backlog != nullptr) {
    slot.engine_flags |= shutdown_due;
  } else {
    ::shutdown(slot.fd, SHUT_WR);
    ++calls_;
  }
}

void UringEngine::close(Slot& slot) noexcept { leave(slot); }

void UringEngine::abort(Slot& slot) noexcept {
  // What was sent before is sent.
  if (slot.engine_more & in_batch) submit();
  reset_at_close(slot.fd);
  ++calls_;
  leave(slot);
}

// The client has done with it. The descriptor goes when its last send is known to be whole; the
// slot is used again when nothing of it is under way.
void UringEngine::leave(Slot& slot) noexcept {
  if (slot.engine_flags & kept) kept_.erase(slot.index);
  slot.engine_more |= leaving;
  slots_.retire(slot);
  if (!(slot.engine_more & in_batch)) {
    if (!(slot.engine_more & sending)) drop_backlog(slot);
    queue_close(slot);
    return;
  }
  Sent& sent = batch_.back();
  if (sent.index == slot.index && sent.entry == ring_.latest() && slot.in_flight == 0 &&
      state_ == State::bound && ring_.room() > 0) {
    // The short connection: its close is the link behind its send, and is not done when that was
    // not taken whole.
    sent.entry->flags |= IOSQE_IO_LINK;
    io_uring_sqe* closing = entry();
    io_uring_prep_close(closing, slot.fd);
    unobserved(closing);
    sent.closes = true;
    return;
  }
  closes_wait_ = true;
}

void UringEngine::queue_close(Slot& slot) noexcept {
  // An armed operation would hold the socket open, and its end back from the peer.
  if (slot.engine_more & receiving) {
    cancel(tag((slot.engine_more & large) ? Op::receive_large : Op::receive, slot));
    if (slot.engine_more & large) cancel(tag(Op::receive, slot));
  }
  if (slot.engine_more & polling) cancel(tag(Op::poll, slot));
  if (slot.engine_more & sending) cancel(tag(Op::backlog, slot));
  if (io_uring_sqe* closing = entry()) {
    io_uring_prep_close(closing, slot.fd);
    unobserved(closing);
  } else {
    ::close(slot.fd);
    ++calls_;
  }
  slot.fd = -1;
  release_when_done(slot);
}

void UringEngine::release_when_done(Slot& slot) noexcept {
  if (slot.in_flight > 0 || slot.fd >= 0) return;
  drop_backlog(slot);
  slots_.release(slot);
}

std::string UringEngine::peer(const Slot& slot) const {
  ++calls_;
  return peer_address(slot.fd);
}

}  // namespace spate::io
