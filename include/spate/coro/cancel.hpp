// SPDX-License-Identifier: MIT
// Why a wait was given up, and the exceptions that say so. Cancellation is sticky: once a scope is
// cancelled, the pending wait and every later wait in it throws Cancelled, until its tasks have
// ended. A request that ends with Cancelled is neither a 500 nor logged as an error: nobody waits
// for it.
#pragma once

#include <cstdint>
#include <exception>
#include <spate/base/error.hpp>

namespace spate {

enum class CancelReason : std::uint8_t {
  none,
  peer_gone,  // the client reset, closed its side while a handler waited, or a write failed
  deadline,   // the deadline of this scope or of one around it passed
  drain,      // the server is stopping and its patience is over
  sibling,    // when_any found its winner, or a sibling in the scope failed
  aborted,    // the program asked for it
  head_only,  // HEAD: the head was the whole answer, so the stream behind it is not run
};

const char* to_string(CancelReason reason) noexcept;

// Thrown by every wait of a cancelled scope. Let it pass: RAII cleans up on its way.
class Cancelled : public std::exception {
 public:
  explicit Cancelled(CancelReason reason) noexcept : reason_(reason) {}
  CancelReason reason() const noexcept { return reason_; }
  const char* what() const noexcept override;

 private:
  CancelReason reason_;
};

// Thrown by `with_deadline` when its own deadline passed. Uncaught, it answers 503.
class Timeout : public ErrorException {
 public:
  explicit Timeout(std::source_location where = std::source_location::current())
      : ErrorException(Error(Errc::timeout, "the deadline passed", 503, where)) {}
};

// Thrown by waits for the network when the other side is gone or refuses.
class IoError : public ErrorException {
 public:
  using ErrorException::ErrorException;
};

}  // namespace spate
