// SPDX-License-Identifier: MIT
// The socket half of a server as a whole: listeners, workers on their threads, the pool for
// blocking calls, the log, and the order in which they start and stop. thread: start() and the
// destructor on one thread; everything else from any.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <spate/http/limits.hpp>
#include <spate/observe/log.hpp>
#include <spate/observe/snapshot.hpp>
#include <spate/server/options.hpp>
#include <string>
#include <thread>
#include <vector>

#include "server/async_log.hpp"
#include "server/blocking_pool.hpp"
#include "server/worker.hpp"

namespace spate::server {

// Starts tasks that live as long as the server, on its first worker.
class ServiceStarter {
 public:
  virtual void start(Scope& services) = 0;

 protected:
  ~ServiceStarter() = default;
};

class ServerCore final : public Surroundings {
 public:
  // Binds every address, then starts the workers. Nothing listens when it fails.
  // errors: configuration, system.
  static Result<std::unique_ptr<ServerCore>> start(const ServerOptions& options,
                                                   std::unique_ptr<LogSink> sink,
                                                   http::Service& service, ServiceStarter* starter);
  ~ServerCore();

  // "127.0.0.1:8080", with the port that was taken for port 0.
  const std::vector<std::string>& addresses() const noexcept { return addresses_; }
  std::string_view engine() const noexcept { return engine_name_; }
  std::string_view engine_reason() const noexcept { return engine_reason_; }
  unsigned workers() const noexcept { return static_cast<unsigned>(workers_.size()); }
  Snapshot snapshot() const noexcept;
  bool is_ready() const noexcept override { return ready_.load(std::memory_order_acquire); }

  // Begins to stop: not ready at once; after the drain delay no new connections; what is under way
  // has until the drain timeout. Returns immediately. A second call changes nothing.
  void drain();
  // The patience is over now.
  void cut();
  // Waits until every worker has ended.
  void wait();
  bool wait_for(std::chrono::milliseconds most);

  bool post_to(unsigned worker, coro::Job& job) noexcept override;

 private:
  struct WorkerThread;

  explicit ServerCore(const ServerOptions& options, std::unique_ptr<LogSink> sink);
  bool offload(coro::Job& job) noexcept override;
  void log(LogLevel level, std::string line) noexcept override;
  void run(WorkerThread& worker);
  void wake_all() noexcept;

  ServerOptions options_;
  AsyncLog log_;
  std::unique_ptr<BlockingPool> pool_;
  std::vector<std::unique_ptr<WorkerThread>> workers_;
  std::vector<std::string> addresses_;
  std::string engine_name_;
  std::string engine_reason_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> drain_{false};
  std::atomic<bool> cut_{false};
  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t running_ = 0;
};

}  // namespace spate::server
