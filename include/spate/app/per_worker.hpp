// SPDX-License-Identifier: MIT
// State that each worker has for itself, so that handlers touch it without a lock: caches,
// connections of a database, counters.
//
//     server.state(per_worker<Cache>([] { return Cache(1000); }));
//     ... [](State<PerWorker<Cache>> cache) { return cache->local().size(); }
//
// thread: local() gives the calling worker's own object and nobody else's.
#pragma once

#include <array>
#include <memory>
#include <spate/coro/remote_call.hpp>
#include <utility>

namespace spate {

template <class T>
class PerWorker {
 public:
  static constexpr unsigned max_workers = 1024;

  template <class Factory>
  explicit PerWorker(Factory factory)
      : maker_(std::make_unique<MakerOf<Factory>>(std::move(factory))),
        objects_(std::make_unique<std::array<std::unique_ptr<T>, max_workers>>()) {}

  // This worker's object, made at its first use. throws: what the factory throws; ErrorException
  // (Errc::configuration) on a thread that is no worker, such as one of offload. lifetime: that of
  // the server.
  T& local() {
    const coro::Runtime* runtime = coro::Runtime::current();
    if (runtime == nullptr) {
      throw ErrorException(Error(Errc::configuration, "this thread is no worker of a server"));
    }
    std::unique_ptr<T>& object = (*objects_)[runtime->worker_index() % max_workers];
    if (!object) object = maker_->make();
    return *object;
  }

 private:
  struct Maker {
    Maker() = default;
    Maker(const Maker&) = delete;
    Maker& operator=(const Maker&) = delete;
    virtual ~Maker() = default;
    virtual std::unique_ptr<T> make() const = 0;
  };
  template <class Factory>
  struct MakerOf final : Maker {
    explicit MakerOf(Factory f) : factory(std::move(f)) {}
    // Made in place: T need not be movable.
    std::unique_ptr<T> make() const override { return std::unique_ptr<T>(new T(factory())); }
    Factory factory;
  };

  std::unique_ptr<Maker> maker_;
  std::unique_ptr<std::array<std::unique_ptr<T>, max_workers>> objects_;
};

// `factory()` is called once on each worker that asks, possibly on several at once.
template <class T, class Factory>
PerWorker<T> per_worker(Factory factory) {
  return PerWorker<T>(std::move(factory));
}

}  // namespace spate
