// SPDX-License-Identifier: MIT
#include <algorithm>
#include <charconv>
#include <spate/testing/test_client.hpp>
#include <utility>

#include "http/ascii.hpp"
#include "testing/session.hpp"

namespace spate {
namespace {

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw ErrorException(std::move(result).error());
  return std::move(*result);
}
void throw_if_failed(Result<> result) {
  if (!result) throw ErrorException(std::move(result).error());
}

}  // namespace

// --- requests ---

TestRequest::TestRequest(testing::Session& session, std::string_view method,
                         std::string_view target)
    : session_(&session), method_(method), target_(target) {}

TestRequest& TestRequest::header(std::string_view name, std::string_view value) {
  fields_.push_back({std::string(name), std::string(value)});
  return *this;
}

TestRequest& TestRequest::body(std::string content, std::string_view media_type) {
  body_ = std::move(content);
  media_type_ = media_type;
  has_body_ = true;
  return *this;
}

TestRequest& TestRequest::streamed() {
  streamed_ = true;
  length_.reset();
  return *this;
}

TestRequest& TestRequest::streamed(std::uint64_t length) {
  streamed_ = true;
  length_ = length;
  return *this;
}

std::string TestRequest::render() const {
  const auto given = [this](std::string_view name) {
    return std::any_of(fields_.begin(), fields_.end(), [name](const TestField& field) {
      return http::equals_ignore_case(field.name, name);
    });
  };
  std::string text = method_ + " " + target_ + " HTTP/1.1\r\n";
  const auto add = [&text](std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).append("\r\n");
  };
  if (!given("host")) add("host", "test");
  for (const TestField& field : fields_) add(field.name, field.value);
  if (!media_type_.empty() && !given("content-type")) add("content-type", media_type_);
  if (!given("content-length") && !given("transfer-encoding")) {
    if (streamed_) {
      if (length_) {
        add("content-length", std::to_string(*length_));
      } else {
        add("transfer-encoding", "chunked");
      }
    } else if (has_body_) {
      add("content-length", std::to_string(body_.size()));
    }
  }
  text.append("\r\n");
  if (!streamed_) text.append(body_);
  return text;
}

Result<TestResponse> TestRequest::try_send() {
  return session_->exchange(render(), method_ == "HEAD");
}

TestResponse TestRequest::send() { return value_or_throw(try_send()); }

TestStream TestRequest::open() {
  std::unique_ptr<testing::Link> link = session_->connect();
  link->parser.begin(method_ == "HEAD");
  link->pipe.send(render());
  session_->run();
  return TestStream(std::move(link), streamed_ && !length_);
}

// --- connections ---

TestConnection::TestConnection(std::unique_ptr<testing::Link> link) noexcept
    : link_(std::move(link)) {}
TestConnection::TestConnection(TestConnection&&) noexcept = default;
TestConnection& TestConnection::operator=(TestConnection&&) noexcept = default;
TestConnection::~TestConnection() = default;

void TestConnection::send_raw(std::string_view bytes) {
  link_->pipe.send(bytes);
  link_->session.run();
}

std::string TestConnection::receive_raw() {
  link_->session.run();
  link_->pull();
  std::string bytes = std::exchange(link_->input, {});
  // What was taken makes room for more.
  link_->session.run();
  return bytes;
}

TestResponse TestConnection::read_response(Method request) {
  link_->parser.begin(request == Method::head);
  throw_if_failed(link_->wait_for_end());
  return value_or_throw(link_->take_response());
}

void TestConnection::close_sending() {
  link_->pipe.close_sending();
  link_->session.run();
}

void TestConnection::abort() {
  link_->pipe.reset();
  link_->session.run();
}

void TestConnection::stop_reading(std::size_t window) {
  link_->is_reading = false;
  link_->pipe.set_receive_window(window);
}

void TestConnection::resume_reading() {
  link_->is_reading = true;
  link_->pipe.set_receive_window(testing::network_window);
  link_->session.run();
}

bool TestConnection::is_closed() const noexcept { return link_->pipe.is_closed_by_server(); }
bool TestConnection::was_reset() const noexcept { return link_->pipe.was_reset(); }
std::size_t TestConnection::unread() const noexcept { return link_->pipe.unread_by_server(); }

// --- streams ---

TestStream::TestStream(std::unique_ptr<testing::Link> link, bool chunked) noexcept
    : TestConnection(std::move(link)), chunked_(chunked) {}
TestStream::TestStream(TestStream&&) noexcept = default;
TestStream& TestStream::operator=(TestStream&&) noexcept = default;
TestStream::~TestStream() = default;

void TestStream::write(std::string_view piece) {
  // A chunk of size zero would be the end of the body.
  if (piece.empty()) return;
  if (chunked_) {
    char size[16];
    const auto [end, error] = std::to_chars(size, size + sizeof size, piece.size(), 16);
    link_->pipe.send({size, end});
    link_->pipe.send("\r\n");
  }
  link_->pipe.send(piece);
  if (chunked_) link_->pipe.send("\r\n");
  link_->session.run();
}

void TestStream::finish() {
  if (chunked_) link_->pipe.send("0\r\n\r\n");
  link_->session.run();
}

int TestStream::status() {
  throw_if_failed(link_->wait_for_head());
  return link_->parser.response().status;
}

std::string_view TestStream::header(std::string_view name) {
  throw_if_failed(link_->wait_for_head());
  return link_->parser.response().header(name);
}

std::string TestStream::read() {
  throw_if_failed(link_->wait_for_content());
  return std::exchange(link_->parser.response().body, {});
}

TestResponse TestStream::read_all() {
  throw_if_failed(link_->wait_for_end());
  return value_or_throw(link_->take_response());
}

bool TestStream::is_complete() {
  link_->session.run();
  (void)link_->parse();
  return link_->parser.is_complete();
}

// --- the client ---

TestClient::TestClient(std::unique_ptr<testing::Session> session) noexcept
    : session_(std::move(session)) {}
TestClient::~TestClient() = default;

TestRequest TestClient::request(std::string_view method, std::string_view target) {
  return TestRequest(*session_, method, target);
}
TestRequest TestClient::request(Method method, std::string_view target) {
  return request(to_string(method), target);
}

TestResponse TestClient::get(std::string_view target) {
  return request(Method::get, target).send();
}
TestResponse TestClient::head(std::string_view target) {
  return request(Method::head, target).send();
}
TestResponse TestClient::options(std::string_view target) {
  return request(Method::options, target).send();
}
TestResponse TestClient::delete_(std::string_view target) {
  return request(Method::delete_, target).send();
}
TestResponse TestClient::post(std::string_view target, std::string body,
                              std::string_view media_type) {
  return request(Method::post, target).body(std::move(body), media_type).send();
}
TestResponse TestClient::put(std::string_view target, std::string body,
                             std::string_view media_type) {
  return request(Method::put, target).body(std::move(body), media_type).send();
}
TestResponse TestClient::patch(std::string_view target, std::string body,
                               std::string_view media_type) {
  return request(Method::patch, target).body(std::move(body), media_type).send();
}

TestStream TestClient::open(const TestRequest& request) { return TestRequest(request).open(); }
TestConnection TestClient::connection() { return TestConnection(session_->connect()); }

void TestClient::run() { session_->run(); }
void TestClient::advance(Duration duration) { session_->advance(duration); }
TimePoint TestClient::now() const noexcept { return session_->now(); }
void TestClient::hold_offload(bool hold) { session_->hold_offload(hold); }
void TestClient::refuse_offload(bool refuse) noexcept { session_->refuse_offload(refuse); }
std::ptrdiff_t TestClient::live_frames() const noexcept { return session_->live_frames(); }
std::size_t TestClient::pending_tasks() const noexcept { return session_->pending_tasks(); }
std::string TestClient::describe_waits() const { return session_->describe_waits(); }
const std::vector<std::string>& TestClient::log_lines() const noexcept {
  return session_->log_lines();
}

Snapshot TestClient::snapshot() const {
  Snapshot sum;
  session_->worker().stats().add_to(sum);
  return sum;
}

void TestClient::begin_drain() {
  session_->worker().begin_drain();
  session_->run();
}
bool TestClient::is_drained() {
  server::Worker& worker = session_->worker();
  if (!worker.is_draining() || !worker.is_drained()) return false;
  worker.end_services();
  session_->run();
  return !worker.has_services();
}

}  // namespace spate
