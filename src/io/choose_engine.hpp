// SPDX-License-Identifier: MIT
// Which engine a server runs on: the one that is asked for, or the best that works here, found out
// by trying. One engine for each worker, all of one kind. thread: any.
#pragma once

#include <memory>
#include <spate/base/error.hpp>
#include <string>
#include <vector>

#include "io/engine.hpp"

namespace spate::io {

enum class EngineWish : std::uint8_t { automatic, epoll, uring };

struct Engines {
  std::vector<std::unique_ptr<Engine>> list;
  std::string reason;  // why it is this kind, for people
};

// errors: configuration, when io_uring is asked for and does not work here; system, when the kernel
// refuses descriptors or memory.
Result<Engines> make_engines(EngineWish wish, unsigned count);

}  // namespace spate::io
