// SPDX-License-Identifier: MIT
#include <spate/coro/cancel.hpp>

namespace spate {

const char* to_string(CancelReason reason) noexcept {
  switch (reason) {
    case CancelReason::none:
      return "not cancelled";
    case CancelReason::peer_gone:
      return "the peer is gone";
    case CancelReason::deadline:
      return "the deadline passed";
    case CancelReason::drain:
      return "the server is stopping";
    case CancelReason::sibling:
      return "a sibling task ended the scope";
    case CancelReason::aborted:
      return "aborted";
    case CancelReason::head_only:
      return "the request asks for the head only";
  }
  return "cancelled";
}

const char* Cancelled::what() const noexcept { return to_string(reason_); }

}  // namespace spate
