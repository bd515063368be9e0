// SPDX-License-Identifier: MIT
// Server: one object that holds routes, hooks, state and options, and serves them.
//
//     int main(int argc, char** argv) {
//       return spate::Server{}
//           .get("/", [] { return "Hello, World!\n"; })
//           .main(argc, argv);
//     }
//
// It is a value: several may live in one process, and nothing of it is global.
// thread: built by one thread; once started, its handlers and hooks run on every worker at once.
#pragma once

#include <memory>
#include <optional>
#include <spate/app/app.hpp>
#include <spate/coro/coro.hpp>
#include <spate/observe/log.hpp>
#include <spate/observe/snapshot.hpp>
#include <spate/server/options.hpp>
#include <string>
#include <vector>

namespace spate {

namespace server {
class ServerCore;
}
struct ServerInternals;

// A running server. Its destruction drains and stops it. thread: any, one call at a time; moving it
// excepted.
class ServerControl {
 public:
  ServerControl(ServerControl&&) noexcept;
  // Ends the server that it has as the destructor does.
  ServerControl& operator=(ServerControl&&) noexcept;
  // Drains for up to the drain timeout, then cuts what is left, then waits for the workers.
  ~ServerControl();

  // "127.0.0.1:8080" for each address in the order given, with the port that port 0 became.
  const std::vector<std::string>& addresses() const noexcept;
  // "http://127.0.0.1:8080" of the first address; a wildcard is named by the loopback address.
  std::string url() const;
  // "io_uring" or "epoll".
  std::string_view engine() const noexcept;
  // Why it is this one: "probed", "asked for", "io_uring is forbidden here (...)".
  std::string_view engine_reason() const noexcept;
  unsigned workers() const noexcept;
  Snapshot snapshot() const noexcept;
  // True from the start until drain().
  bool is_ready() const noexcept;

  // Begins to stop and returns at once: not ready any more; after the drain delay no new
  // connections; requests under way have until the drain timeout. Calling it again changes nothing.
  void drain();
  // Ends the patience of a drain now: what still runs is cancelled, connections are cut.
  void stop();
  // Waits until the server has ended, after drain() or stop().
  void wait();
  bool wait_for(std::chrono::milliseconds most);

  // Runs the plain function on worker `index`; see spate::post. False when its queue is full, the
  // index is none or the server has ended. thread: any.
  template <class F, class... A>
  bool post(unsigned index, F fn, A... args) {
    auto job = std::make_unique<coro::PostedCall<F, A...>>(std::move(fn), std::move(args)...);
    if (!post_job(index, *job)) return false;
    job.release();
    return true;
  }

 private:
  friend class Server;
  ServerControl(std::unique_ptr<server::ServerCore> core) noexcept;
  bool post_job(unsigned index, coro::Job& job) noexcept;

  std::unique_ptr<server::ServerCore> core_;
};

class Server : public ServerMethods<Server> {
 public:
  static constexpr bool has_prefix = false;

  Server();
  explicit Server(ServerOptions options);
  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();

  // Options, to be changed before the start.
  ServerOptions& options() noexcept;
  // Adds an address; the first call replaces the default one.
  Server& listen(std::string address);
  Server& workers(unsigned count);
  Server& limits(const Limits& limits);

  // Where the server's own messages go. Without a sink start() is silent and main() writes to
  // standard error.
  Server& log(std::unique_ptr<LogSink> sink);

  // A Task `fn(args...)` that runs as long as the server, on its first worker. It is cancelled when
  // the last request has ended, and joined. lifetime: arguments are copied or moved for each start.
  template <class F, class... A>
  Server& background(F fn, A... args) {
    static_assert(coro::is_task<std::invoke_result_t<F&, A&...>>,
                  "spate: background() takes a function that returns a Task");
    struct Work final : Background {
      Work(F f, A... a) : fn(std::move(f)), args(std::move(a)...) {}
      void start(Scope& scope) override {
        std::apply([&](auto&... a) { scope.spawn(&run, fn, a...); }, args);
      }
      static Task<> run(F& f, A&... a) {
        try {
          co_await f(a...);
        } catch (const Cancelled&) {
          // The server is stopping, or the task gave up by itself.
        } catch (...) {
          coro::require_context().runtime().unhandled(std::current_exception());
        }
      }
      F fn;
      std::tuple<A...> args;
    };
    add_background(std::make_unique<Work>(std::move(fn), std::move(args)...));
    return *this;
  }

  // Serves on threads of its own and returns. Prints nothing and touches no signal.
  // errors: configuration (bad routes, options or addresses: all of them in one message), system
  // (an address in use). lifetime: the server outlives the control.
  Result<ServerControl> start();

  // A flag of the program's own beside those of main(): `server.flag("--db FILE", file, "the
  // database")`.
  // `--help` lists it with the value that it has now. lifetime: `value` until the flags are read.
  Server& flag(std::string form, std::string& value, std::string help);
  // Reads the flags of the program, for one that needs their values before its routes can be made;
  // else main() does it. Returns an exit code when the program shall end here: 0 after --help or
  // --version, 2 after printing what is wrong with the flags.
  std::optional<int> read_flags(int argc, char** argv);

  // Serves until SIGTERM or SIGINT, as a program: understands --listen, --workers, --engine,
  // --drain-delay, --drain-timeout and --help, prints a banner, drains at the first signal and
  // stops at the second. Returns the exit code: 0, or 2 with one message for bad flags, routes or
  // addresses.
  int main(int argc = 0, char** argv = nullptr);

  // Every route, for listings. Complete once the server has started.
  std::vector<RouteListing> routes() const;

  app::Registrar registrar() noexcept;

 private:
  friend struct ServerInternals;
  struct Background {
    Background() = default;
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;
    virtual ~Background() = default;
    virtual void start(Scope& scope) = 0;
  };
  struct Parts;

  void add_background(std::unique_ptr<Background> work);

  std::unique_ptr<Parts> parts_;
};

}  // namespace spate
