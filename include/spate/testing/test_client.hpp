// SPDX-License-Identifier: MIT
// A client and a whole server in one thread, without sockets and with virtual time: codec, limits,
// deadlines and back-pressure all take part. A request runs until its answer is complete; the clock
// moves only when nothing can run, so that a test of a 30 s deadline takes no time.
//
//     TestClient client(server);
//     TestResponse answer = client.get("/hello/Ada");
//
// lifetime: the server outlives its client, the client outlives its connections and streams.
// thread: one; while a client lives it runs the server's code on the thread that made it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <spate/base/error.hpp>
#include <spate/coro/runtime.hpp>
#include <spate/http/method.hpp>
#include <spate/observe/snapshot.hpp>
#include <spate/testing/test_response.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace spate {

class Server;
class TestClient;
class TestStream;

namespace testing {
class Session;
class Link;
}  // namespace testing

struct TestOptions {
  // A request that needs more virtual time than this fails.
  Duration max_virtual_time = std::chrono::hours(1);
  // An answer with more content than this fails.
  std::size_t max_answer = std::size_t{64} << 20;
  // How the network behaves: bytes that one receive or send of the server moves at most (0: no
  // limit, 1: drip), and whether events come in an order shuffled from `seed` (0: in order).
  std::size_t bytes_per_receive = 0;
  std::size_t bytes_per_send = 0;
  std::uint64_t seed = 0;
  bool spurious_events = false;
};

// A request in the making. Nothing is checked, so that a test can send what is wrong; Host,
// Content-Length and Content-Type are added where they are missing. lifetime: within its client's.
class TestRequest {
 public:
  TestRequest& header(std::string_view name, std::string_view value);
  TestRequest& body(std::string content, std::string_view media_type = {});
  // The body follows by TestStream::write: chunked, or with Content-Length. For open().
  TestRequest& streamed();
  TestRequest& streamed(std::uint64_t length);

  // Sends it on the client's connection, which is opened when there is none, and runs until the
  // answer is complete. throws: ErrorException: Errc::timeout when no answer can come, with the
  // tree of awaits; Errc::closed when the connection ends before the answer does; Errc::malformed
  // when the answer breaks RFC 9112.
  TestResponse send();
  // As send; failures are Errors.
  Result<TestResponse> try_send();
  // Sends the head, and the body if there is one, on a connection of its own, and runs what can
  // run.
  TestStream open();

 private:
  friend class TestClient;
  TestRequest(testing::Session& session, std::string_view method, std::string_view target);
  std::string render() const;

  testing::Session* session_;
  std::string method_;
  std::string target_;
  std::vector<TestField> fields_;
  std::string body_;
  std::string media_type_;
  bool has_body_ = false;
  bool streamed_ = false;
  std::optional<std::uint64_t> length_;
};

// A connection of its own: bytes as they are, for pipelining, malformed input and clients that
// vanish. Every call runs what can run; only those that wait for something move the clock.
class TestConnection {
 public:
  TestConnection(TestConnection&&) noexcept;
  TestConnection& operator=(TestConnection&&) noexcept;
  // Closes it as a client that ends does.
  ~TestConnection();

  void send_raw(std::string_view bytes);
  // What has arrived and was not taken yet. The clock stays.
  std::string receive_raw();
  // The next answer, to a request of that method (an answer to HEAD has no content). Waits for it.
  // throws: as TestRequest::send.
  TestResponse read_response(Method request = Method::get);

  // Closes the sending side (half close); receiving goes on.
  void close_sending();
  // Vanishes: a reset.
  void abort();
  // Takes nothing more from the network, so that a writer on the server comes to wait; the network
  // holds `window` bytes.
  void stop_reading(std::size_t window = 0);
  void resume_reading();

  // Whether the server has closed its side, and whether it did so with a reset.
  bool is_closed() const noexcept;
  bool was_reset() const noexcept;
  // Bytes sent that the server has not taken: it is slowing this client down.
  std::size_t unread() const noexcept;

 protected:
  friend class TestClient;
  explicit TestConnection(std::unique_ptr<testing::Link> link) noexcept;

  std::unique_ptr<testing::Link> link_;
};

// One request whose body is sent, or whose answer is read, piece by piece.
class TestStream : public TestConnection {
 public:
  TestStream(TestStream&&) noexcept;
  TestStream& operator=(TestStream&&) noexcept;
  ~TestStream();

  // Sends a piece of the body, as one chunk unless streamed(length) was asked for.
  void write(std::string_view piece);
  // Ends a chunked body.
  void finish();

  // Status and fields of the answer. Waits for its head. throws: as TestRequest::send.
  int status();
  std::string_view header(std::string_view name);
  // The next piece of content, as much as is there; waits when nothing is. "" at the end. throws:
  // as TestRequest::send; in particular an answer that is cut is never an end.
  std::string read();
  // What is left to read of it, with status and fields. throws: as TestRequest::send.
  TestResponse read_all();
  // Whether the answer has arrived to its end. The clock stays.
  bool is_complete();

 private:
  friend class TestClient;
  friend class TestRequest;
  TestStream(std::unique_ptr<testing::Link> link, bool chunked) noexcept;

  bool chunked_ = false;
};

class TestClient {
 public:
  // throws: ErrorException with everything that is wrong with the server's routes.
  explicit TestClient(Server& server, TestOptions options = {});
  // For Spate's own tests: around a service without a Server.
  explicit TestClient(std::unique_ptr<testing::Session> session) noexcept;
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;
  // Closes its connections, drains the server's worker, and cuts what does not end by itself.
  ~TestClient();

  // These run until the answer is complete; see TestRequest::send for what they throw. They share
  // one kept connection, and open another when the server has closed it.
  TestResponse get(std::string_view target);
  TestResponse head(std::string_view target);
  TestResponse post(std::string_view target, std::string body, std::string_view media_type = {});
  TestResponse put(std::string_view target, std::string body, std::string_view media_type = {});
  TestResponse patch(std::string_view target, std::string body, std::string_view media_type = {});
  TestResponse delete_(std::string_view target);
  TestResponse options(std::string_view target);
  // client.request(Method::post, "/orders").header("idempotency-key", "1").body(text).send()
  TestRequest request(Method method, std::string_view target);
  TestRequest request(std::string_view method, std::string_view target);

  TestStream open(const TestRequest& request);
  TestConnection connection();

  // Runs what can run; the clock stays.
  void run();
  // Moves the clock by `duration`, firing timers and deadlines in order.
  void advance(Duration duration);
  // Virtual time.
  TimePoint now() const noexcept;

  // Functions given to offload run inline, in the next turn. `hold` keeps them queued until it is
  // switched off, as a slow pool does; `refuse` makes offload fail, as a full one does.
  void hold_offload(bool hold);
  void refuse_offload(bool refuse) noexcept;

  // Frames and jobs of tasks that were not there when the client was made.
  std::ptrdiff_t live_frames() const noexcept;
  // Waits that have not ended, of requests and of background work.
  std::size_t pending_tasks() const noexcept;
  // Those waits as text: for each the chain of awaits with file and line.
  std::string describe_waits() const;
  Snapshot snapshot() const;
  // What the server logged so far: "warning: limit hit limit=...". A handler that runs into its
  // deadline leaves the tree of its waits here.
  const std::vector<std::string>& log_lines() const noexcept;

  // Stops keeping connections, as the server does when it is told to stop.
  void begin_drain();
  // Whether nothing is left to do since begin_drain(): no connection, request or background task.
  bool is_drained();

 private:
  std::unique_ptr<testing::Session> session_;
};

}  // namespace spate
