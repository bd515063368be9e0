// SPDX-License-Identifier: MIT
// What handlers take as parameters: `Path<"id", int> id, Query<"page", std::optional<int>> page,
// Json<Order> order, State<Database> db`. Each holds a value (`*id`, `order->total`); one that
// cannot be made answers 400, 415 or 422 and the handler does not run. A type of your own becomes
// one by a member `static Result<T> extract(Context&)`. lifetime: views live until the handler
// ends.
#pragma once

#include <optional>
#include <spate/app/context.hpp>
#include <spate/app/fixed_pattern.hpp>
#include <spate/app/text_value.hpp>
#include <spate/json/read.hpp>
#include <string_view>
#include <type_traits>
#include <utility>

namespace spate {

namespace app {

// How an extractor or a handler meets the body of a request.
enum class BodyUse : unsigned char { unwanted, buffered, streamed };

// A value that a handler was given.
template <class T>
class Extracted {
 public:
  T& operator*() noexcept { return value_; }
  const T& operator*() const noexcept { return value_; }
  T* operator->() noexcept { return &value_; }
  const T* operator->() const noexcept { return &value_; }

 protected:
  explicit Extracted(T value) : value_(std::move(value)) {}

 private:
  T value_;
};

// The body when its media type is JSON. errors: 415.
Result<std::string_view> json_body(Context& ctx);

}  // namespace app

// A parameter of the route. errors: 400 when the text is no T.
template <FixedString Name, class T = std::string_view>
class Path : public app::Extracted<T> {
 public:
  using Value = T;
  static constexpr std::string_view path_name = Name;

  explicit Path(T value) : app::Extracted<T>(std::move(value)) {}
  static Result<Path> extract(Context& ctx) {
    app::check_text_value<T>();
    Result<T> value = ctx.param_as<T>(Name);
    if (!value) return std::unexpected(std::move(value.error()));
    return Path(std::move(*value));
  }
};

// A field of the query. errors: 400 when it is no T, or missing and T is no std::optional.
template <FixedString Name, class T = std::string_view>
class Query : public app::Extracted<T> {
 public:
  explicit Query(T value) : app::Extracted<T>(std::move(value)) {}
  static Result<Query> extract(Context& ctx) {
    Result<T> value = ctx.query_as<T>(Name);
    if (!value) return std::unexpected(std::move(value.error()));
    return Query(std::move(*value));
  }
};

// The first header field of that name. errors: as Query.
template <FixedString Name, class T = std::string_view>
class Header : public app::Extracted<T> {
 public:
  explicit Header(T value) : app::Extracted<T>(std::move(value)) {}
  static Result<Header> extract(Context& ctx) {
    app::check_text_value<T>();
    Result<T> value = app::read_text<T>("header", Name, ctx.header(Name));
    if (!value) return std::unexpected(std::move(value.error()));
    return Header(std::move(*value));
  }
};

// The first cookie of that name, as sent. errors: as Query.
template <FixedString Name, class T = std::string_view>
class Cookie : public app::Extracted<T> {
 public:
  explicit Cookie(T value) : app::Extracted<T>(std::move(value)) {}
  static Result<Cookie> extract(Context& ctx) {
    app::check_text_value<T>();
    Result<T> value = app::read_text<T>("cookie", Name, ctx.request().cookie(Name));
    if (!value) return std::unexpected(std::move(value.error()));
    return Cookie(std::move(*value));
  }
};

// As a parameter: the body as a T. errors: 415 unless the content type is application/json or ends
// in +json, 400 for text that is no JSON, 422 with a pointer for a value of the wrong shape.
// As a result: any type that JSON can say, also those that a handler may not return bare.
template <class T>
class Json : public app::Extracted<T> {
 public:
  static constexpr app::BodyUse body_use = app::BodyUse::buffered;

  explicit Json(T value) : app::Extracted<T>(std::move(value)) {}
  static Result<Json> extract(Context& ctx) {
    Result<std::string_view> text = app::json_body(ctx);
    if (!text) return std::unexpected(std::move(text.error()));
    Result<T> value = from_json<T>(*text);
    if (!value) return std::unexpected(std::move(value.error()));
    return Json(std::move(*value));
  }
};

// The whole body as bytes.
class Body : public app::Extracted<std::string_view> {
 public:
  static constexpr app::BodyUse body_use = app::BodyUse::buffered;

  explicit Body(std::string_view content) : Extracted(content) {}
  static Result<Body> extract(Context& ctx);
};

// An object that the server was given by `state(...)`, shared by all workers. One that was not
// given is reported when the server starts.
template <class T>
class State {
 public:
  using Value = T;

  explicit State(T& object) noexcept : object_(&object) {}
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  static Result<State> extract(Context& ctx) { return State(ctx.state<T>()); }

 private:
  T* object_;
};

namespace app {

template <class E>
concept Extractor =
    requires(Context& ctx) { requires std::is_same_v<decltype(E::extract(ctx)), Result<E>>; };

}  // namespace app
}  // namespace spate
