// SPDX-License-Identifier: MIT
// What handlers return. Text (std::string, std::string_view, literals) is text/plain; a struct, a
// list or a map is JSON; Response, Html, Json<T> and the types here say more; Result<T> and
// problem(...) may fail; void is 204 unless the handler answered through its Context. A type of
// your own becomes one by a member `void answer_to(Context&) &&`.
#pragma once

#include <concepts>
#include <optional>
#include <spate/app/context.hpp>
#include <spate/app/extract.hpp>
#include <spate/app/problem.hpp>
#include <spate/json/write.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace spate {

// Sends the client elsewhere. Made by redirect() and redirect_external().
class Redirect {
 public:
  std::string_view location() const noexcept { return location_; }
  int status() const noexcept { return status_; }
  void answer_to(Context& ctx) &&;

 private:
  friend Redirect redirect(std::string_view path, int status);
  friend Redirect redirect_external(std::string_view url, int status);
  Redirect(std::string location, int status) : location_(std::move(location)), status_(status) {}

  std::string location_;
  int status_;
};

// To a path of this origin, so that a target taken from a request leads nowhere else. `status` is
// 301, 302, 303, 307 or 308 (RFC 9110 section 15.4). throws: ErrorException (Errc::invalid, 400)
// unless the path begins with one '/', not with "//" or "/\", and is free of control characters.
Redirect redirect(std::string_view path, int status = 303);
// To any http: or https: address; never with one from a request. throws: as redirect.
Redirect redirect_external(std::string_view url, int status = 303);

// 204, explicitly.
struct NoContent {
  void answer_to(Context& ctx) &&;
};

// 201 with a JSON body: `return Created{user};` or `return Created(user).at("/users/7");`.
template <class T>
class Created {
 public:
  explicit Created(T value) : value_(std::move(value)) {}
  // The path of what was created. throws: ErrorException (Errc::invalid) as redirect.
  Created& at(std::string_view path) & {
    location_.emplace(redirect(path, 303).location());
    return *this;
  }
  Created&& at(std::string_view path) && { return std::move(at(path)); }
  T& operator*() noexcept { return value_; }
  const T& operator*() const noexcept { return value_; }
  void answer_to(Context& ctx) &&;

 private:
  T value_;
  std::optional<std::string> location_;
};

// A result with another status: `Result<StatusOf<202, Ticket>>`.
template <int Code, class T>
class StatusOf {
 public:
  static_assert(Code >= 200 && Code <= 599,
                "spate: the status of an answer lies between 200 and 599");
  explicit StatusOf(T value) : value_(std::move(value)) {}
  T& operator*() noexcept { return value_; }
  const T& operator*() const noexcept { return value_; }
  void answer_to(Context& ctx) &&;

 private:
  T value_;
};

namespace app {

// Writes a JSON answer: straight into the send buffer where the exchange allows it, else into the
// response's own.
class JsonAnswer final : public JsonSink {
 public:
  explicit JsonAnswer(Context& ctx);
  void finish();

 private:
  JsonAnswer(Context& ctx, Window space);
  static Window space_of(Context& ctx);
  Window more(char* written, std::size_t bytes) override;

  Context& ctx_;
  char* space_;  // null once the text has moved into the response's buffer
};

void answer_text(Context& ctx, std::string_view text);
void answer_text(Context& ctx, std::string&& text);
void answer_response(Context& ctx, Response&& response);
void answer_status(Context& ctx, int status, std::string_view location);

template <class T>
void answer_json(Context& ctx, const T& value) {
  JsonAnswer out(ctx);
  write_json(out, value);
  out.finish();
}

template <class T>
inline constexpr bool is_result = false;
template <class T>
inline constexpr bool is_result<std::expected<T, Error>> = true;
template <class T>
inline constexpr bool is_json = false;
template <class T>
inline constexpr bool is_json<Json<T>> = true;

template <class R>
concept OwnAnswer = requires(R&& result, Context& ctx) {
  requires std::is_void_v<decltype(std::move(result).answer_to(ctx))>;
};

// A bare struct, list or map. Numbers, bools, enums and optionals are left out: 7 as a result might
// mean a status, an empty optional might mean 404.
template <class R>
concept BareJson = std::is_class_v<R> && JsonWritable<R> && !json::Nullable<R>;

template <class R>
consteval bool can_answer() {
  if constexpr (std::is_void_v<R>) {
    return true;
  } else if constexpr (is_result<R>) {
    return can_answer<typename R::value_type>();
  } else {
    return OwnAnswer<R> || std::is_convertible_v<R, std::string_view> || is_json<R> ||
           std::is_same_v<R, Response> || std::is_same_v<R, Error> ||
           std::is_same_v<R, std::unexpected<Error>> || BareJson<R>;
  }
}

template <class R>
void answer(Context& ctx, R&& result) {
  static_assert(!std::is_reference_v<R>);
  if constexpr (is_result<R>) {
    if (!result) {
      ctx.fail(std::move(result.error()));
    } else if constexpr (!std::is_void_v<typename R::value_type>) {
      answer(ctx, std::move(*result));
    }
  } else if constexpr (OwnAnswer<R>) {
    std::move(result).answer_to(ctx);
  } else if constexpr (std::is_same_v<R, std::string>) {
    answer_text(ctx, std::move(result));
  } else if constexpr (std::is_same_v<R, std::string_view> || std::is_pointer_v<R>) {
    answer_text(ctx, std::string_view(result));
  } else if constexpr (std::is_convertible_v<R, std::string_view>) {
    // A type that may own its text, and is gone when this returns.
    answer_text(ctx, std::string(std::string_view(result)));
  } else if constexpr (std::is_same_v<R, Response>) {
    answer_response(ctx, std::move(result));
  } else if constexpr (std::is_same_v<R, Error>) {
    ctx.fail(std::move(result));
  } else if constexpr (std::is_same_v<R, std::unexpected<Error>>) {
    ctx.fail(std::move(result).error());
  } else if constexpr (is_json<R>) {
    answer_json(ctx, *result);
  } else {
    answer_json(ctx, result);
  }
}

}  // namespace app

template <class T>
void Created<T>::answer_to(Context& ctx) && {
  app::answer_status(ctx, 201, location_ ? std::string_view(*location_) : std::string_view());
  app::answer_json(ctx, value_);
}

template <int Code, class T>
void StatusOf<Code, T>::answer_to(Context& ctx) && {
  app::answer_status(ctx, Code, {});
  app::answer(ctx, std::move(value_));
}

}  // namespace spate
