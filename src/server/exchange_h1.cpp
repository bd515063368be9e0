// SPDX-License-Identifier: MIT
#include "server/exchange_h1.hpp"

#include <algorithm>
#include <cstring>
#include <spate/http/status.hpp>
#include <utility>

#include "server/connection_h1.hpp"
#include "server/worker.hpp"

namespace spate::server {
namespace {

void clear_buffer(std::string& buffer) noexcept {
#if defined(SPATE_SANITIZE)
  // Freed, not kept: the sanitizer finds views of it that outlived their request.
  std::string().swap(buffer);
#else
  // Buffers of pooled exchanges keep at most this.
  constexpr std::size_t kept_capacity = 16 * 1024;
  if (buffer.capacity() > kept_capacity) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
#endif
}

// A short body is copied behind its head; a long one stays where it is until the kernel takes it.
constexpr std::size_t copied_body = 16 * 1024;

}  // namespace

// --- the connection as the application sees it ---

std::uint64_t SlotConnection::id() const noexcept {
  // A slot's generation comes around after 65,536 connections, which takes longer than a second.
  const std::uint64_t second = slot_->born / io::ticks_per_second & 0xfffff;
  return static_cast<std::uint64_t>(worker_->worker_index() & 0xff) << 56 | second << 36 |
         static_cast<std::uint64_t>(slot_->generation) << 20 | (slot_->index & 0xfffff);
}

std::string SlotConnection::peer() const { return worker_->engine().peer(*slot_); }

std::string_view SlotConnection::protocol() const noexcept {
  return exchange_ != nullptr && exchange_->head.version_minor() == 0 ? "HTTP/1.0" : "HTTP/1.1";
}

Duration SlotConnection::age() const noexcept {
  return std::chrono::seconds(1) * (worker_->ticks() - slot_->born) / io::ticks_per_second;
}

bool SlotConnection::keep_alive() const noexcept {
  return exchange_ != nullptr && exchange_->head.keep_alive && !exchange_->close_after &&
         !worker_->is_draining();
}

void SlotConnection::close() noexcept {
  if (exchange_ != nullptr) exchange_->close_after = true;
}

void SlotConnection::abort() noexcept {
  if (exchange_ == nullptr) return;
  exchange_->abort_now = true;
  exchange_->cancel(CancelReason::aborted);
}

bool SlotConnection::is_peer_gone() const noexcept {
  return (slot_->flags & slot_broken) != 0 ||
         (exchange_ != nullptr && exchange_->is_cancelled() &&
          exchange_->context().reason() == CancelReason::peer_gone);
}

std::unique_ptr<SlotConnection::State>& SlotConnection::state_slot() {
  if (slot_->user == nullptr) slot_->user = new UserState;
  return static_cast<UserState*>(slot_->user)->state;
}

// --- life ---

ExchangeH1::ExchangeH1(Worker& worker) noexcept : worker_(&worker) {
  shows_details = worker.shows_details();
}

ExchangeH1::~ExchangeH1() { stop_handler_timer(); }

void ExchangeH1::attach(io::Slot& slot) noexcept {
  slot_ = &slot;
  connection_.emplace(*worker_, slot, this);
}

void ExchangeH1::clear_more() noexcept {
  parser.reset();
  clear_buffer(input);
  clear_buffer(body);
  failure.reset();
  static_cast<ExchangeStateH1&>(*this) = ExchangeStateH1();
  forget_events();
  space_ = nullptr;
}

coro::TaskContext& ExchangeH1::context() noexcept {
  if (!context_) context_.emplace(worker_->root());
  return *context_;
}

Scope& ExchangeH1::background() noexcept { return worker_->background(); }

std::string_view ExchangeH1::request_id() noexcept {
  if (!request_id_.empty()) return request_id_;
  const auto given = head.find(KnownHeader::x_request_id);
  const auto is_visible = [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; };
  if (given && !given->empty() && given->size() <= 64 && std::ranges::all_of(*given, is_visible)) {
    request_id_ = arena.copy(*given);
    return request_id_;
  }
  static constexpr char hex[] = "0123456789abcdef";
  std::uint64_t id = worker_->next_id();
  char text[16];
  for (char& c : text) {
    c = hex[id >> 60];
    id <<= 4;
  }
  request_id_ = arena.copy({text, sizeof text});
  return request_id_;
}

void ExchangeH1::keep_head() {
  if (keeps_head) return;
  keeps_head = true;
  const char* old = head.base();
  const std::string_view kept = arena.copy(head.bytes());
  head.rebase(kept.data());
  plan.params.rebase(old, kept.size(), kept.data());
}

void ExchangeH1::start_handler_timer() {
  const auto patience = plan.limits->handler;
  if (patience.count() > 0 && !is_scheduled())
    worker_->schedule(
        *this, later(worker_->now(),
                     std::min(patience, std::chrono::milliseconds(std::chrono::hours(24 * 365)))));
}

void ExchangeH1::unschedule_timer() noexcept { worker_->unschedule(*this); }

void ExchangeH1::fire() noexcept {
  if (slot_ != nullptr) worker_->limit_hit(*slot_, "handler");
  cancel(CancelReason::deadline);
}

bool ExchangeH1::server_is_ready() const noexcept { return worker_->is_ready(); }

void ExchangeH1::finish() noexcept { worker_->note_finished(*this); }

void ExchangeH1::log_failure(std::string_view what) noexcept {
  try {
    std::string line = "request failed method=";
    line.append(escape_for_log(head.method_text(), 32))
        .append(" path=")
        .append(escape_for_log(head.path()));
    line.append(" id=")
        .append(request_id())
        .append(" error=\"")
        .append(escape_for_log(what))
        .append("\"");
    worker_->log(LogLevel::error, std::move(line));
  } catch (const std::bad_alloc&) {
    // There is no memory for the line; the answer matters more.
  }
}

void ExchangeH1::start_deferred_slowly() noexcept {
  for (http::Deferred* work = first_deferred_; work != nullptr;) {
    http::Deferred* next = work->next;
    try {
      work->start(worker_->background());
    } catch (...) {
      worker_->unhandled(std::current_exception());
    }
    work = next;
  }
  first_deferred_ = last_deferred_ = nullptr;
}

// --- the body of the request ---

void ExchangeH1::expect_body() noexcept {
  has_more = true;
  body_is_chunked = head.chunked;
  body_left = head.content_length.value_or(0);
  body_complete = !head.has_body();
  continue_due = head.expect_continue && !body_complete;
}

void ExchangeH1::drop_input(std::size_t size) noexcept {
  input_offset += size;
  if (input_offset == input.size()) {
    input.clear();
    input_offset = 0;
  }
}

Error ExchangeH1::make_error(Errc code, std::string_view text, int status) noexcept {
  std::string detail;
  try {
    detail = text;
  } catch (const std::bad_alloc&) {
    // The status says enough.
  }
  return Error(code, std::move(detail), static_cast<std::uint16_t>(status));
}

Error ExchangeH1::too_long(std::size_t limit) noexcept {
  char text[80] = "the content is longer than the limit of ";
  char* const digits = text + std::strlen(text);
  const std::size_t size = h1::write_decimal(digits, limit);
  std::memcpy(digits + size, " bytes", 7);
  return make_error(Errc::too_large, text, 413);
}

void ExchangeH1::fail_unfinished_body(Error error) noexcept {
  failure.emplace(std::move(error));
  // The place where the next request would begin is unknown.
  close_after = true;
  http::EventWait::wake(body_event);
}

std::size_t ExchangeH1::feed(std::string_view bytes) noexcept {
  if (!wants_body() || bytes.empty()) return 0;
  continue_due = false;
  last_body_byte = worker_->ticks();
  const std::size_t limit = body_buffered ? plan.limits->body : plan.limits->streamed_body;
  std::size_t used = 0;
  try {
    if (!body_is_chunked) {
      used = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), body_left));
      if (!body_buffered)
        used = std::min(used, worker_->limits().body_window -
                                  std::min(worker_->limits().body_window, body.size()));
      body.append(bytes.substr(0, used));
      body_left -= used;
      body_received += used;
      body_complete = body_left == 0;
    } else {
      used = feed_chunked(bytes);
      if (body_received > limit) {
        worker_->limit_hit(*slot_, "body");
        if (!body_complete && !failure) fail_unfinished_body(too_long(limit));
      }
    }
  } catch (const std::bad_alloc&) {
    fail_body(Errc::busy, "out of memory", 503);
  }
  if (body_complete || !body_buffered) http::EventWait::wake(body_event);
  return used;
}

std::size_t ExchangeH1::feed_chunked(std::string_view bytes) noexcept {
  std::size_t used = 0;
  const std::size_t window = worker_->limits().body_window;
  while (used < bytes.size() && !body_complete && !failure) {
    if (!body_buffered && body.size() >= window) break;
    const h1::ChunkResult result = decoder.step(bytes.substr(used));
    used += result.consumed;
    switch (result.status) {
      case h1::ChunkStatus::data:
        body.append(result.data);
        body_received += result.data.size();
        if (body_received > (body_buffered ? plan.limits->body : plan.limits->streamed_body))
          return used;
        break;
      case h1::ChunkStatus::done:
        body_complete = true;
        break;
      case h1::ChunkStatus::error:
        fail_body(Errc::malformed, h1::describe(result.error), h1::status_of(result.error));
        break;
      case h1::ChunkStatus::need_more:
        return used;
    }
  }
  return used;
}

void ExchangeH1::feed_input() noexcept { drop_input(feed(pending_input())); }

std::size_t ExchangeH1::discard(std::string_view bytes) noexcept {
  std::size_t used = 0;
  if (!body_is_chunked) {
    used = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), body_left));
    body_left -= used;
    body_complete = body_left == 0;
  } else {
    while (used < bytes.size() && !body_complete) {
      const h1::ChunkResult result = decoder.step(bytes.substr(used));
      used += result.consumed;
      if (result.status == h1::ChunkStatus::done) body_complete = true;
      if (result.status == h1::ChunkStatus::error) {
        close_after = true;
        return used;
      }
      if (result.status == h1::ChunkStatus::need_more) break;
    }
  }
  discarded += used;
  return used;
}

void ExchangeH1::update_reading() {
  has_more = true;
  const bool has_room = pending_input().size() < worker_->limits().body_window;
  const bool wanted =
      phase == Phase::head || phase == Phase::discarding || (wants_body() && has_room);
  if (wanted) {
    worker_->resume_read(*slot_);
  } else {
    worker_->pause_read(*slot_);
  }
  // The clock of the least rate runs only while somebody waits for the peer.
  const bool waiting = body_awaited && wants_body();
  if (waiting && !body_wait_began) {
    body_wait_began = worker_->now();
    last_body_byte = worker_->ticks();
    check_rate_soon();
  } else if (!waiting && body_wait_began) {
    body_waited += worker_->now() - *body_wait_began;
    body_wait_began.reset();
  }
}

// A check that is due already stays: pieces that keep coming must not put it off.
void ExchangeH1::check_rate_soon() noexcept {
  if (worker_->slots().deadline(*slot_) != 0) return;
  worker_->slots().set_deadline(*slot_, worker_->ticks() + io::ticks_per_second);
}

void ExchangeH1::send_continue() {
  if (std::exchange(continue_due, false)) {
    worker_->output().append(*slot_, h1::continue_response);
  }
}

http::BodyState ExchangeH1::buffer_body() noexcept {
  has_more = true;
  // The plan may have been another one when the head was looked at: a hook rewrote the path, or a
  // streamed body is wanted whole after all.
  const std::size_t limit = plan.limits->body;
  if (!failure && body_received + body_left > limit) {
    worker_->limit_hit(*slot_, "body");
    failure.emplace(too_long(limit));
    close_after = close_after || !body_complete;
  }
  if (!body_complete && !failure) {
    body_wanted = body_buffered = true;
    feed_input();
  }
  if (body_complete && whole.data() == nullptr) whole = body;
  return await_body();
}

http::BodyState ExchangeH1::read_body(std::string_view& piece) noexcept {
  has_more = true;
  // A body that came with its head lies in `whole`.
  if (!whole.empty()) {
    piece = std::exchange(whole, {});
    return http::BodyState::data;
  }
  // As buffer_body: a hook may have led the request here past the first look at its length.
  if (!failure && body_received + body_left > plan.limits->streamed_body) {
    worker_->limit_hit(*slot_, "body");
    failure.emplace(too_long(plan.limits->streamed_body));
    close_after = close_after || !body_complete;
    return http::BodyState::failed;
  }
  body_wanted = true;
  // A long upload is no slow handler: its patience counts from the latest piece.
  if (is_scheduled()) {
    stop_handler_timer();
    start_handler_timer();
  }
  // The former piece was taken.
#if defined(SPATE_SANITIZE)
  std::string().swap(body);
#else
  body.clear();
#endif
  feed_input();
  if (body.empty()) return await_body();
  piece = body;
  body_awaited = false;
  update_reading();
  return http::BodyState::data;
}

// Nothing is there to be taken: the end, a failure, or more to come.
http::BodyState ExchangeH1::await_body() noexcept {
  if (input_ended && !body_complete) {
    fail_body(Errc::closed, "the client closed before the content was complete", 400);
  }
  body_awaited = !body_complete && !failure;
  if (body_awaited) send_continue();
  update_reading();
  if (failure) return http::BodyState::failed;
  return body_complete ? http::BodyState::end : http::BodyState::wait;
}

// --- the answer ---

std::optional<http::Exchange::BodySpace> ExchangeH1::body_space() noexcept {
  if (!in_turn) return std::nullopt;
  constexpr std::size_t room = 8 * 1024;
  space_ = worker_->output().reserve(*slot_, head_room + room) + head_room;
  return BodySpace{space_, space_ + room};
}

void ExchangeH1::use_body_space(std::size_t size) noexcept {
  has_more = true;
  space_size = static_cast<std::uint32_t>(size);
  response.body_view({space_, size});
}

h1::ResponseHeadSpec ExchangeH1::head_spec(h1::Framing framing, std::uint64_t length,
                                           bool close) const noexcept {
  h1::ResponseHeadSpec spec;
  spec.status = response.status();
  spec.content_type = response.type();
  spec.rendered_fields = response.rendered_fields();
  spec.framing = framing;
  spec.content_length = length;
  spec.close = close;
  spec.minor = head.version_minor();
  return spec;
}

void ExchangeH1::count_head(bool close) noexcept {
  close_told = close;
  if (response.status() < 400) [[likely]]
    return;
  Counters& counters = worker_->counters();
  ++(response.status() >= 500 ? counters.server_errors : counters.client_errors);
}

void ExchangeH1::write_head(h1::Framing framing, std::uint64_t length, bool close) {
  const h1::ResponseHeadSpec spec = head_spec(framing, length, close);
  const std::string_view date = worker_->date();
  const std::size_t bound = h1::response_head_bound(spec, date);
  Output& output = worker_->output();
  if (bound <= io::Engine::send_space_size / 2) [[likely]] {
    char* at = output.reserve(*slot_, bound);
    output.commit(h1::write_response_head(at, bound, spec, date));
  } else {
    std::string text(bound, '\0');
    text.resize(h1::write_response_head(text.data(), bound, spec, date));
    output.append(*slot_, text);
  }
  count_head(close);
}

// The usual answer, head and body in one piece. False: it is of another kind.
bool ExchangeH1::write_usual_answer(bool close) {
  const std::string_view content = response.body();
  const std::string_view fields = response.rendered_fields();
  const std::size_t bound = h1::HeadCache::bound(fields) + content.size();
  if (head.method() == Method::head || head.version_minor() == 0 || !response.has_fixed_type() ||
      content.size() > copied_body || bound > io::Engine::send_space_size / 2) {
    return false;
  }
  Output& output = worker_->output();
  char* const at = output.reserve(*slot_, bound);
  const std::size_t size =
      worker_->heads().write(at, response.status(), response.type(), content.size(), close, fields,
                             worker_->unix_seconds());
  if (size == 0) return false;
  if (!content.empty()) std::memcpy(at + size, content.data(), content.size());
  output.commit(size + content.size());
  count_head(close);
  return true;
}

void ExchangeH1::write_answer(bool close) {
  // RFC 9110 15.3.6: a 205 has no content.
  if (response.status() == status::reset_content) response.body_view("");
  if (space_size == 0 && write_usual_answer(close)) return;
  const bool is_head = head.method() == Method::head;
  const bool without = response.status() == 204 || response.status() == 304;
  const h1::Framing framing = without ? h1::Framing::none : h1::Framing::content_length;
  const bool in_space = space_size > 0 && response.body().data() == space_;
  if (in_space && !is_head && !without && write_around_space(close)) return;
  // The head may be written over the space.
  if (in_space) response.body(std::string(response.body()));
  const std::string_view content = response.body();
  write_head(framing, content.size(), close);
  if (is_head || without || content.empty()) return;
  if (content.size() > copied_body) {
    sending = content;
    has_more = true;
    return;
  }
  Output& output = worker_->output();
  std::memcpy(output.reserve(*slot_, content.size()), content.data(), content.size());
  output.commit(content.size());
}

// The body stands already in the send space, with room for a head before it. False: the head needs
// more.
bool ExchangeH1::write_around_space(bool close) {
  const std::size_t content = space_size;
  const h1::ResponseHeadSpec spec = head_spec(h1::Framing::content_length, content, close);
  char text[head_room];
  const std::size_t size = h1::write_response_head(text, sizeof text, spec, worker_->date());
  if (size == 0) return false;
  Output& output = worker_->output();
  if (output.skip(head_room - size)) {
    std::memcpy(space_ - size, text, size);
  } else {
    // Behind other answers the gap has to close.
    char* at = space_ - head_room;
    std::memcpy(at, text, size);
    std::memmove(at + size, space_, content);
  }
  output.commit(size + content);
  count_head(close);
  return true;
}

bool ExchangeH1::begin_stream(std::optional<std::uint64_t> length) {
  // RFC 9112 6.3: these end with their head, so what follows would be read as the next answer.
  if (never_has_content(response.status()) || response.status() == status::reset_content) {
    throw ErrorException(Error(Errc::invalid, "an answer with status " +
                                                  std::to_string(response.status()) +
                                                  " has no content to stream"));
  }
  // An answer that begins before its request has ended: behind its head there is no place for a
  // 100.
  if (plan.body == http::Plan::Body::streamed) send_continue();
  stream_begun_ = has_more = true;
  stop_handler_timer();
  const bool is_head = head.method() == Method::head;
  h1::Framing framing = h1::Framing::none;
  if (length) {
    framing = h1::Framing::content_length;
    stream_has_length = true;
    stream_left = *length;
  } else if (head.version_minor() == 0) {
    framing = h1::Framing::close_delimited;
    close_after = true;
  } else {
    framing = h1::Framing::chunked;
    stream_chunked = !is_head;
  }
  // Content that nobody wants is in the way of the next request, and its end may never come.
  if (!body_complete && plan.body == http::Plan::Body::unwanted) close_after = true;
  write_head(framing, length.value_or(0),
             close_after || !head.keep_alive || worker_->is_draining());
  if (is_head) stream_ended = true;
  return !is_head;
}

bool ExchangeH1::write_stream(std::string_view piece) {
  if (stream_ended || piece.empty()) return true;
  Output& output = worker_->output();
  if (stream_has_length) {
    // More than announced would be read as the next answer.
    if (piece.size() > stream_left) {
      close_after = abort_now = true;
      throw ErrorException(
          Error(Errc::invalid, "the stream is longer than the announced Content-Length"));
    }
    stream_left -= piece.size();
  }
  if (stream_chunked) {
    char size_line[h1::max_chunk_head];
    const std::size_t size = h1::encode_chunk_head(size_line, piece.size());
    output.append(*slot_, {size_line, size});
    output.append(*slot_, piece);
    output.append(*slot_, h1::chunk_end);
  } else {
    output.append(*slot_, piece);
  }
  const bool room = worker_->engine().backlog(*slot_) < worker_->limits().send_backlog;
  if (!room) check_rate_soon();
  return room;
}

void ExchangeH1::end_stream() noexcept {
  if (stream_ended) return;
  stream_ended = true;
  // Shorter than announced: the client must not take it for the whole.
  if (stream_has_length && stream_left > 0) {
    log_failure("the stream ended before its announced Content-Length");
    abort_now = true;
    return;
  }
  try {
    if (stream_chunked) worker_->output().append(*slot_, h1::last_chunk);
  } catch (const std::bad_alloc&) {
    abort_now = true;
  }
}

void ExchangeH1::send_informational(int status, std::string_view rendered_fields) noexcept {
  if (head.version_minor() == 0 || stream_begun_) return;
  // What goes out now would be written over a body that waits in the send space for its head.
  if (space_size > 0) response.body(std::string(response.body()));
  space_size = 0;
  h1::ResponseHeadSpec spec;
  spec.status = status;
  spec.rendered_fields = rendered_fields;
  const std::size_t bound = h1::response_head_bound(spec, {});
  if (bound > io::Engine::send_space_size / 2) return;
  Output& output = worker_->output();
  char* at = output.reserve(*slot_, bound);
  output.commit(h1::write_response_head(at, bound, spec, {}));
}

}  // namespace spate::server
