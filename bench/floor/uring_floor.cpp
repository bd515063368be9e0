// SPDX-License-Identifier: MIT
// The floor over io_uring, by the kernel's own header: the ring is forty lines, and frozen with the
// rest. Single issuer, deferred task run, multishot accept, provided buffers, sends that complete
// inside the enter and post nothing. Naive: a multishot receive from the start, cancelled before
// the close. Four-call: the first receive is a single one, so that a short connection has nothing
// to cancel; what stays gets a multishot receive.
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "floor.hpp"

namespace spate_floor {
namespace {

constexpr unsigned submissions = 512;
constexpr unsigned completions = 8192;
constexpr unsigned buffers = 128;  // a power of two
constexpr std::size_t buffer_size = 2048;
constexpr std::size_t head_room = 16;
constexpr std::size_t stride = head_room + buffer_size + slack;
constexpr std::uint16_t buffer_group = 0;

int ring_call(long number, unsigned fd, unsigned long a, unsigned long b, unsigned long c) {
  return static_cast<int>(::syscall(number, fd, a, b, c, nullptr, 0));
}

unsigned acquire(const unsigned* place) {
  return std::atomic_ref(*const_cast<unsigned*>(place)).load(std::memory_order_acquire);
}
template <typename T>
void release(T* place, T value) {
  std::atomic_ref(*place).store(value, std::memory_order_release);
}

class Ring {
 public:
  Ring() {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                   IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
    params.cq_entries = completions;
    fd_ = static_cast<int>(::syscall(__NR_io_uring_setup, submissions, &params));
    if (fd_ < 0) give_up("io_uring_setup", errno);
    const std::size_t sq_bytes = params.sq_off.array + params.sq_entries * sizeof(unsigned);
    const std::size_t cq_bytes = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
    char* const rings = map(sq_bytes > cq_bytes ? sq_bytes : cq_bytes, IORING_OFF_SQ_RING);
    sqes_ = reinterpret_cast<io_uring_sqe*>(
        map(params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
    const auto at = [rings](unsigned offset) {
      return reinterpret_cast<unsigned*>(rings + offset);
    };
    sq_tail_ = at(params.sq_off.tail);
    cq_head_ = at(params.cq_off.head);
    cq_tail_ = at(params.cq_off.tail);
    cqes_ = reinterpret_cast<const io_uring_cqe*>(rings + params.cq_off.cqes);
    for (unsigned i = 0; i < submissions; ++i) at(params.sq_off.array)[i] = i;
    register_itself();
  }

  io_uring_sqe& next() {
    if (pending_ == submissions) enter(0);
    io_uring_sqe& sqe = sqes_[(tail_ + pending_++) % submissions];
    sqe = {};
    return sqe;
  }

  // Submits what is pending and waits until there are so many completions.
  void enter(unsigned wait_for) {
    tail_ += pending_;
    release(sq_tail_, tail_);
    const int taken = ring_call(__NR_io_uring_enter, enter_fd_, pending_, wait_for,
                                IORING_ENTER_GETEVENTS | enter_flags_);
    if (taken < 0 && errno != EINTR) give_up("io_uring_enter", errno);
    if (taken >= 0 && static_cast<unsigned>(taken) != pending_) give_up("io_uring_enter", EBUSY);
    pending_ = 0;
  }

  template <typename F>
  void for_each_completion(F&& function) {
    unsigned head = *cq_head_;
    const unsigned tail = acquire(cq_tail_);
    for (; head != tail; ++head) function(cqes_[head % completions]);
    release(cq_head_, head);
  }

  int fd() const { return fd_; }

 private:
  char* map(std::size_t size, unsigned long offset) const {
    void* const place = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                               fd_, static_cast<off_t>(offset));
    if (place == MAP_FAILED) give_up("mmap", errno);
    return static_cast<char*>(place);
  }

  // Spares a look-up of the descriptor in every call. Where it is not to be had, the call is the
  // plain one.
  void register_itself() {
    enter_fd_ = static_cast<unsigned>(fd_);
    io_uring_rsrc_update update{};
    update.offset = ~0U;
    update.data = enter_fd_;
    if (ring_call(__NR_io_uring_register, enter_fd_, IORING_REGISTER_RING_FDS,
                  reinterpret_cast<unsigned long>(&update), 1) == 1) {
      enter_fd_ = update.offset;
      enter_flags_ = IORING_ENTER_REGISTERED_RING;
    }
  }

  int fd_ = -1;
  unsigned enter_fd_ = 0;
  unsigned enter_flags_ = 0;
  unsigned tail_ = 0;
  unsigned pending_ = 0;
  unsigned* sq_tail_ = nullptr;
  unsigned* cq_head_ = nullptr;
  unsigned* cq_tail_ = nullptr;
  io_uring_sqe* sqes_ = nullptr;
  const io_uring_cqe* cqes_ = nullptr;
};

// The buffers that the kernel fills: one block, handed back as soon as they are counted.
class Buffers {
 public:
  explicit Buffers(int ring) : block_(std::make_unique<char[]>(buffers * stride)) {
    const std::size_t bytes = buffers * sizeof(io_uring_buf);
    void* const place =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (place == MAP_FAILED) give_up("mmap", errno);
    // The ring begins with its first buffer, in whose spare bytes the tail lies.
    list_ = static_cast<io_uring_buf*>(place);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(place);
    registration.ring_entries = buffers;
    registration.bgid = buffer_group;
    if (ring_call(__NR_io_uring_register, static_cast<unsigned>(ring), IORING_REGISTER_PBUF_RING,
                  reinterpret_cast<unsigned long>(&registration), 1) != 0)
      give_up("io_uring_register of buffers", errno);
    for (unsigned i = 0; i < buffers; ++i) give_back(static_cast<std::uint16_t>(i));
  }

  char* operator[](std::uint16_t id) { return block_.get() + id * stride + head_room; }

  void give_back(std::uint16_t id) {
    io_uring_buf& entry = list_[tail_ % buffers];
    entry.addr = reinterpret_cast<std::uint64_t>((*this)[id]);
    entry.len = buffer_size;
    entry.bid = id;
    ++tail_;
    release(&list_->resv, tail_);
  }

 private:
  std::unique_ptr<char[]> block_;
  io_uring_buf* list_ = nullptr;
  std::uint16_t tail_ = 0;
};

enum class Op : std::uint8_t { accept, receive, send, other };

struct Peer {
  Tail tail{};
  bool multishot = false;
  std::uint16_t life = 0;  // tells late completions of a descriptor's former connection
};

class UringFloor {
 public:
  UringFloor(int listener, const Options& options)
      : listener_(listener),
        four_call_(options.four_call),
        close_from_(options.close_from != 0 ? options.close_from : buffer_size + 1),
        answers_(options.answer),
        last_answers_(options.last_answer),
        peers_(std::make_unique<Peer[]>(most_descriptors)),
        buffers_(ring_.fd()) {
    accept();
  }

  [[noreturn]] void run() {
    for (;;) {
      ring_.enter(1);
      ring_.for_each_completion([this](const io_uring_cqe& cqe) { handle(cqe); });
    }
  }

 private:
  Peer& peer(int fd) { return peers_[static_cast<std::size_t>(fd)]; }

  std::uint64_t tag(Op op, int fd) {
    return static_cast<std::uint64_t>(op) << 56 | static_cast<std::uint64_t>(peer(fd).life) << 32 |
           static_cast<std::uint32_t>(fd);
  }

  io_uring_sqe& request(std::uint8_t opcode, Op op, int fd) {
    io_uring_sqe& sqe = ring_.next();
    sqe.opcode = opcode;
    sqe.fd = fd;
    sqe.user_data = tag(op, fd);
    return sqe;
  }

  void accept() {
    request(IORING_OP_ACCEPT, Op::accept, listener_).ioprio = IORING_ACCEPT_MULTISHOT;
  }

  void receive(int fd, bool multishot) {
    io_uring_sqe& sqe = request(IORING_OP_RECV, Op::receive, fd);
    sqe.flags = IOSQE_BUFFER_SELECT;
    sqe.buf_group = buffer_group;
    if (multishot) sqe.ioprio = IORING_RECV_MULTISHOT | IORING_RECVSEND_POLL_FIRST;
    peer(fd).multishot = multishot;
  }

  void handle(const io_uring_cqe& cqe) {
    const int fd = static_cast<int>(static_cast<std::uint32_t>(cqe.user_data));
    const auto op = static_cast<Op>(cqe.user_data >> 56);
    if (op == Op::accept) {
      if (cqe.res < 0 && cqe.res != -ECONNABORTED) give_up("accept", -cqe.res);
      if (cqe.res >= 0) begin(cqe.res);
      if ((cqe.flags & IORING_CQE_F_MORE) == 0) accept();
      return;
    }
    const bool late = peer(fd).life != static_cast<std::uint16_t>(cqe.user_data >> 32);
    if (op == Op::receive) {
      received(fd, cqe, late);
    } else if (op == Op::send && !late) {
      end(fd);  // who does not read is cut: a floor keeps no backlog
    }
  }

  void begin(int fd) {
    if (static_cast<std::size_t>(fd) >= most_descriptors) give_up("accept", EMFILE);
    peer(fd).tail = {};
    receive(fd, !four_call_);
  }

  void received(int fd, const io_uring_cqe& cqe, bool late) {
    bool open = !late;
    if (cqe.res > 0) {
      const auto id = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
      if (!late) open = answer(fd, buffers_[id], static_cast<std::size_t>(cqe.res));
      buffers_.give_back(id);
    } else if (!late && cqe.res != -ENOBUFS) {
      peer(fd).multishot = false;  // it has ended
      end(fd);
      return;
    }
    if (open && (cqe.flags & IORING_CQE_F_MORE) == 0) receive(fd, true);
  }

  // False when the connection is closed.
  bool answer(int fd, char* bytes, std::size_t size) {
    const std::size_t requests = count_requests(bytes, size, peer(fd).tail);
    if (requests == 0) return true;
    const bool last = size >= close_from_;
    const std::string_view out = (last ? last_answers_ : answers_).first(requests);
    io_uring_sqe& sqe = request(IORING_OP_SEND, Op::send, fd);
    sqe.flags = IOSQE_CQE_SKIP_SUCCESS;
    sqe.addr = reinterpret_cast<std::uint64_t>(out.data());
    sqe.len = static_cast<std::uint32_t>(out.size());
    sqe.msg_flags = MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL;
    if (last) end(fd);
    return !last;
  }

  // The send before it in the same ring is done by then: it never waits.
  void end(int fd) {
    if (peer(fd).multishot) {
      const std::uint64_t receiving = tag(Op::receive, fd);
      io_uring_sqe& cancel = request(IORING_OP_ASYNC_CANCEL, Op::other, -1);
      cancel.flags = IOSQE_CQE_SKIP_SUCCESS;
      cancel.addr = receiving;
    }
    request(IORING_OP_CLOSE, Op::other, fd).flags = IOSQE_CQE_SKIP_SUCCESS;
    ++peer(fd).life;
  }

  int listener_;
  bool four_call_;
  std::size_t close_from_;
  Answers answers_;
  Answers last_answers_;
  std::unique_ptr<Peer[]> peers_;
  Ring ring_;
  Buffers buffers_;
};

}  // namespace

void run_uring(int listener, const Options& options) { UringFloor(listener, options).run(); }

}  // namespace spate_floor
