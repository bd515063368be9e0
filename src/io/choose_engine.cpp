// SPDX-License-Identifier: MIT
#include "io/choose_engine.hpp"

#include <utility>

#include "io/epoll/epoll_engine.hpp"
#include "io/uring/probe.hpp"
#include "io/uring/uring_engine.hpp"

namespace spate::io {
namespace {

// What `automatic` takes where both work: a matter of measurement, said here alone.
constexpr bool prefers_uring = true;

template <class Make>
Result<Engines> make_all(Make make, unsigned count, std::string reason) {
  Engines engines{{}, std::move(reason)};
  for (unsigned i = 0; i < count; ++i) {
    Result<std::unique_ptr<Engine>> engine = make();
    if (!engine) return std::unexpected(std::move(engine.error()));
    engines.list.push_back(std::move(*engine));
  }
  return engines;
}

Result<Engines> make_epoll(unsigned count, std::string reason) {
  return make_all([] { return EpollEngine::make(); }, count, std::move(reason));
}

}  // namespace

Result<Engines> make_engines(EngineWish wish, unsigned count) {
  if (wish == EngineWish::epoll) return make_epoll(count, "asked for");
  if (wish == EngineWish::automatic && !prefers_uring) return make_epoll(count, "preferred");
  std::string lacking = uring::why_not();
  if (lacking.empty()) {
    Result<Engines> made = make_all([] { return UringEngine::make(); }, count,
                                    wish == EngineWish::uring ? "asked for" : "probed");
    if (made) return made;
    // The probe is small; all of it may be too much for this machine's limits.
    lacking = made.error().describe();
  }
  if (wish == EngineWish::uring) {
    return std::unexpected(Error(
        Errc::configuration,
        "engine uring cannot work: " + lacking + "; choose epoll, or auto to take what works"));
  }
  return make_epoll(count, std::move(lacking));
}

}  // namespace spate::io
