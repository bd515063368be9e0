// SPDX-License-Identifier: MIT
// Everything about one exchange: the request, the answer in the making, the connection, the values
// that hooks attach, and the ways to answer by hand. The same Context serves plain answers and
// streams. lifetime: from the first hook to the end of the handler, also across co_await; whatever
// it returns as a view lives as long. thread: the connection's worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <new>
#include <optional>
#include <source_location>
#include <spate/app/cookie.hpp>
#include <spate/app/html.hpp>
#include <spate/app/signature.hpp>
#include <spate/app/stream.hpp>
#include <spate/app/text_value.hpp>
#include <spate/base/error.hpp>
#include <spate/coro/scope.hpp>
#include <spate/http/connection.hpp>
#include <spate/http/request.hpp>
#include <spate/http/response.hpp>
#include <spate/json/write.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace spate {

class Reply;

namespace app {

class Pipeline;
struct ContextParts;

// Work for after the answer, with its arguments.
class AfterResponse : public coro::Pooled {
 public:
  AfterResponse() = default;
  AfterResponse(const AfterResponse&) = delete;
  AfterResponse& operator=(const AfterResponse&) = delete;
  virtual ~AfterResponse() = default;
  virtual Task<> run() = 0;
};

// A typed value that a hook attached.
struct Attribute {
  const void* type;
  void* value;
  void (*destroy)(void*) noexcept;
  Attribute* next;
};

}  // namespace app

class Context {
 public:
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // --- the request ---

  const Request& request() const noexcept { return request_; }
  Method method() const noexcept { return request_.method(); }
  // As sent, not decoded; after rewrite(), the new one.
  std::string_view path() const noexcept { return path_; }
  // The first field of that name, in any case of letters.
  std::optional<std::string_view> header(std::string_view name) const noexcept {
    return request_.header(name);
  }
  // The decoded value of the first query field of that name; nothing when there is none. throws:
  // ErrorException (400) when it is malformed.
  std::optional<std::string_view> query(std::string_view name);
  // The same as a typed value. errors: 400, also for a missing field unless T is a std::optional.
  template <class T>
  Result<T> query_as(std::string_view name) {
    app::check_text_value<T>();
    return app::read_text<T>("query parameter", name, query(name));
  }
  // The decoded value of the route's parameter. throws: ErrorException (Errc::configuration) naming
  // the route and its parameters when it has none of that name.
  std::string_view param(std::string_view name) const;
  template <class T>
  Result<T> param_as(std::string_view name) const {
    app::check_text_value<T>();
    return app::read_text<T>("path parameter", name, param(name));
  }
  // The body; see BodyStream.
  BodyStream& body() noexcept { return body_; }
  // From the client's X-Request-Id when that is 1 to 64 visible characters, else made here.
  std::string_view request_id() const noexcept;

  // --- the answer ---

  // Begins the answer: `ctx.respond(201).type("text/csv").body(text)`. A handler that returns a
  // value needs none of this. throws: ErrorException (Errc::invalid) outside of 200 to 599.
  Reply respond(int status);
  // The answer in the making: `after` hooks set headers here, and so may handlers that return a
  // value. Fields set before a failure stay on the answer that reports it.
  Response& response() noexcept;
  // Sends 103 (Early Hints, RFC 8297) at once: `ctx.early_hints({{"link", "</a.css>;
  // rel=preload"}})`. HTTP/1.0 clients are not told. throws: ErrorException (Errc::invalid) as
  // Response::header.
  void early_hints(std::initializer_list<HeaderView> fields);

  Connection& connection() noexcept;

  // --- values of this request, and of the server ---

  // Attaches a value; one of each type, a second replaces the first. lifetime: until the answer is
  // sent.
  template <class T>
  T& set(T value) {
    static_assert(std::is_same_v<T, std::remove_cvref_t<T>>);
    app::Attribute& attribute = attribute_slot(&app::type_tag<T>, sizeof(T), alignof(T));
    T* made = ::new (attribute.value) T(std::move(value));
    attribute.destroy = [](void* p) noexcept { static_cast<T*>(p)->~T(); };
    return *made;
  }
  // The attached value, or null.
  template <class T>
  T* find() noexcept {
    return static_cast<T*>(find_attribute(&app::type_tag<T>));
  }
  template <class T>
  const T* find() const noexcept {
    return static_cast<const T*>(find_attribute(&app::type_tag<T>));
  }
  // throws: ErrorException (Errc::configuration) when no hook of this route set one.
  template <class T>
  T& get() {
    if (T* value = find<T>()) return *value;
    refuse_attribute(app::type_name<T>());
  }
  template <class T>
  const T& get() const {
    if (const T* value = find<T>()) return *value;
    refuse_attribute(app::type_name<T>());
  }
  // What the server was given by `state(...)`. thread: all workers share it. throws: ErrorException
  // (Errc::configuration) when it was given none of that type; State<T> is checked at start.
  template <class T>
  T& state() const {
    return *static_cast<T*>(find_state(&app::type_tag<T>, app::type_name<T>()));
  }

  // --- work beside and behind the handler ---

  // Tasks that run beside the handler: `ctx.scope().spawn(fn, args...)`. The answer ends when all
  // of them have; a failure of one is the handler's. throws: ErrorException (Errc::configuration)
  // in a chain of plain functions.
  Scope& scope();
  // Runs `fn(args...)`, a Task or a plain function, after the last byte of the answer, on this
  // worker. False when the worker has Limits::background_tasks of them already. lifetime: function
  // and arguments are copied or moved; the Context is gone by then. errors: logged.
  template <class F, class... A>
  [[nodiscard("false means that the work was refused")]] bool after_response(F fn, A... args);

  // Only in a `before` of the server (not of a group): routes the request as if it had asked for
  // this path, an encoded one without query. throws: ErrorException (Errc::configuration)
  // elsewhere.
  void rewrite(std::string_view path);

  // False once the server has been told to stop, while it still answers: what a readiness probe
  // asks for.
  bool server_is_ready() const noexcept;
  // Whether details of failures go to the client (development mode).
  bool shows_details() const noexcept;

  // --- for the framework ---

  Context(http::Exchange& exchange, const app::Pipeline& pipeline) noexcept;
  http::Exchange& exchange() const noexcept { return *exchange_; }
  // The handler ends with this error. Extractors and results come here.
  void fail(Error error);

 private:
  friend struct app::ContextParts;

  app::Attribute& attribute_slot(const void* type, std::size_t size, std::size_t alignment);
  void* find_attribute(const void* type) const noexcept;
  [[noreturn]] static void refuse_attribute(std::string_view type);
  void* find_state(const void* type, std::string_view name) const;
  bool add_after_response(std::unique_ptr<app::AfterResponse> work);

  http::Exchange* exchange_;
  const app::Pipeline* pipeline_;
  Request request_;
  BodyStream body_;
  std::string_view path_;
  app::Attribute* attributes_ = nullptr;
  std::optional<Scope>* scope_ = nullptr;
  Error* failure_ = nullptr;
  CancelReason cancelled_ = CancelReason::none;
  bool out_of_memory_ = false;
  bool answered_ = false;
  bool after_done_ = false;
  bool may_rewrite_ = false;
  bool writes_in_place_ = false;  // a result may go straight into the send buffer
  bool waits_ = false;            // a coroutine runs the chain
  bool done_inline_ = false;
  bool runs_inline_ = true;
};

// The answer made by hand. It is complete with every call; nothing has to be sent. lifetime: as the
// Context.
class Reply {
 public:
  Reply& type(std::string_view media_type);
  // As Response: `header` replaces, `add_header` adds. throws: ErrorException (Errc::invalid) for
  // CR, LF or NUL.
  Reply& header(std::string_view name, std::string_view value);
  Reply& add_header(std::string_view name, std::string_view value);
  Reply& cookie(const SetCookie& cookie);
  // text/plain; charset=utf-8 unless `type` says otherwise.
  Reply& body(std::string content);
  Reply& html(Html content);
  template <class T>
  Reply& json(const T& value) {
    std::string text = to_json(value);
    return json_text(std::move(text));
  }

  // Content-Length of the stream; without it the length is open (chunked on HTTP/1.1).
  Reply& length(std::uint64_t bytes) noexcept {
    length_ = bytes;
    has_length_ = true;
    return *this;
  }
  // Runs the `after` hooks, sends the head and gives the stream for the body. A HEAD request ends
  // here: the handler unwinds by Cancelled (CancelReason::head_only), which is success. throws:
  // Cancelled; ErrorException (Errc::configuration) for a second stream.
  Task<ResponseStream> stream();

 private:
  friend class Context;
  explicit Reply(Context& ctx) noexcept : ctx_(&ctx) {}
  Reply& json_text(std::string text);

  Context* ctx_;
  std::uint64_t length_ = 0;
  bool has_length_ = false;
};

namespace app {

Task<> completed();

template <class F, class... A>
class AfterResponseCall final : public AfterResponse {
 public:
  explicit AfterResponseCall(F fn, A... args) : fn_(std::move(fn)), args_(std::move(args)...) {}
  Task<> run() override {
    if constexpr (coro::is_task<std::invoke_result_t<F&, A&...>>) {
      return std::apply(fn_, args_);
    } else {
      std::apply(fn_, args_);
      return completed();
    }
  }

 private:
  F fn_;
  std::tuple<A...> args_;
};

}  // namespace app

template <class F, class... A>
bool Context::after_response(F fn, A... args) {
  static_assert(std::is_invocable_v<F&, A&...>,
                "spate: the function cannot be called with these arguments");
  if constexpr (std::is_invocable_v<F&, A&...>) {
    using R = std::invoke_result_t<F&, A&...>;
    static_assert(std::is_same_v<R, Task<>> || !coro::is_task<R>,
                  "spate: nobody reads the result of after_response; return Task<> or void");
  }
  static_assert((!coro::is_view<A> && ...),
                "spate: after_response was given a view, which dies with the request; pass a "
                "std::string or std::vector");
  return add_after_response(
      std::make_unique<app::AfterResponseCall<F, A...>>(std::move(fn), std::move(args)...));
}

}  // namespace spate
