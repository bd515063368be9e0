// SPDX-License-Identifier: MIT
// Handlers and hooks behind one type each. What a handler needs of a request (body, parameters,
// state) is read off its parameters here, once, and a handler of the wrong shape is refused with
// one sentence. Everything below this line of the framework is compiled code.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <spate/app/answer.hpp>
#include <spate/app/closure.hpp>
#include <spate/app/context.hpp>
#include <spate/app/extract.hpp>
#include <spate/app/fixed_pattern.hpp>
#include <spate/app/signature.hpp>
#include <spate/app/verdict.hpp>
#include <spate/coro/task.hpp>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace spate::app {

// What a Path<> parameter asks of the route's pattern.
struct PathNeed {
  std::string_view name;  // empty: this parameter is no Path
  bool takes_integer = true;
};

struct StateNeed {
  const void* tag = nullptr;  // null: this parameter is no State
  std::string_view type;
};

struct Endpoint {
  Closure<void(Context&)> plain;  // one of the two is set
  Closure<Task<>(Context&)> task;
  BodyUse body = BodyUse::unwanted;
  std::span<const PathNeed> paths;
  std::span<const StateNeed> states;
};

template <class E>
concept PathParameter = requires { E::path_name; };
template <class E>
inline constexpr bool is_state = false;
template <class T>
inline constexpr bool is_state<State<T>> = true;

// One parameter of a handler while its values are gathered.
template <class P>
class ParameterSlot {
 public:
  using E = std::remove_cvref_t<P>;

  bool fill(Context& ctx) {
    Result<E> value = E::extract(ctx);
    if (!value) {
      ctx.fail(std::move(value.error()));
      return false;
    }
    value_.emplace(std::move(*value));
    return true;
  }
  P take() {
    if constexpr (std::is_lvalue_reference_v<P>) {
      return *value_;
    } else {
      return std::move(*value_);
    }
  }

 private:
  std::optional<E> value_;
};

template <class P>
concept ContextParameter = std::is_same_v<P, Context&> || std::is_same_v<P, const Context&>;
template <class P>
concept RequestParameter = std::is_same_v<P, const Request&> || std::is_same_v<P, Request>;
template <class P>
concept ConnectionParameter =
    std::is_same_v<P, Connection&> || std::is_same_v<P, const Connection&>;
// By value, by const reference or by rvalue; a plain reference would say that it is changed for
// others.
template <class P>
concept ExtractorParameter =
    Extractor<std::remove_cvref_t<P>> &&
    (!std::is_lvalue_reference_v<P> || std::is_const_v<std::remove_reference_t<P>>);

template <class P>
  requires(ContextParameter<P> || RequestParameter<P> || ConnectionParameter<P>)
class ParameterSlot<P> {
 public:
  bool fill(Context& ctx) noexcept {
    ctx_ = &ctx;
    return true;
  }
  P take() noexcept {
    if constexpr (ContextParameter<P>) {
      return *ctx_;
    } else if constexpr (RequestParameter<P>) {
      return ctx_->request();
    } else {
      return ctx_->connection();
    }
  }

 private:
  Context* ctx_ = nullptr;
};

template <class P>
consteval PathNeed path_need() {
  using E = std::remove_cvref_t<P>;
  if constexpr (PathParameter<E>) {
    using T = typename E::Value;
    constexpr bool no_number = std::is_same_v<T, bool> || std::is_enum_v<T>;
    return {E::path_name, !no_number};
  } else {
    return {};
  }
}

template <class P>
constexpr StateNeed state_need() {
  using E = std::remove_cvref_t<P>;
  if constexpr (is_state<E>) {
    return {&type_tag<typename E::Value>, type_name<typename E::Value>()};
  } else {
    return {};
  }
}

template <class P>
consteval BodyUse own_body_use() {
  if constexpr (requires { std::remove_cvref_t<P>::body_use; }) {
    return std::remove_cvref_t<P>::body_use;
  } else {
    return BodyUse::unwanted;
  }
}

template <class... P>
struct Needs {
  static constexpr std::array<PathNeed, sizeof...(P) + 1> paths{path_need<P>()..., PathNeed{}};
  static constexpr std::array<StateNeed, sizeof...(P) + 1> states{state_need<P>()..., StateNeed{}};
  static constexpr bool buffers = ((own_body_use<P>() == BodyUse::buffered) || ...);
  static constexpr bool sees_context = (std::is_same_v<P, Context&> || ...);
};

// The sentences. The compiler names the parameter and its position beside them.
template <std::size_t position, class Parameter>
consteval bool check_handler_parameter() {
  static_assert(
      ContextParameter<Parameter> || RequestParameter<Parameter> ||
          ConnectionParameter<Parameter> || ExtractorParameter<Parameter>,
      "spate: this parameter of the handler is nothing that a request can fill; take Context&, "
      "const Request&, Connection&, or by value Path<\"name\">, Query<\"name\">, "
      "Header<\"name\">, Cookie<\"name\">, Json<T>, Body, State<T> or a type with `static "
      "Result<T> extract(Context&)`");
  return true;
}

template <class Result>
consteval bool check_handler_result() {
  static_assert(
      can_answer<Result>(),
      "spate: this result of the handler is no answer; return text, a struct, list or map (JSON), "
      "Json<T>, Html, Response, Redirect, Created<T>, NoContent, Result<T> of these, void, or a "
      "Task of one of them");
  return true;
}

template <class F>
consteval bool check_callable() {
  static_assert(HasSignature<F>,
                "spate: a handler or hook is a function or a lambda whose parameters have written "
                "types; write `Context& ctx` where it says `auto& ctx`");
  if constexpr (HasSignature<F>) {
    static_assert(
        is_const_callable<F>,
        "spate: a handler or hook is shared by all workers, so it cannot be `mutable`; keep what "
        "changes in State<T> or per_worker<T>");
  }
  return HasSignature<F>;
}

template <class R>
struct TaskValue {
  using type = R;
};
template <class T>
struct TaskValue<Task<T>> {
  using type = T;
};

template <class... P>
using Slots = std::tuple<ParameterSlot<P>...>;

struct CallPlain {
  template <class F>
  void operator()(const F& fn, Context& ctx) const {
    call(fn, ctx, typename Signature<F>::Parameters{});
  }
  template <class F, class... P>
  static void call(const F& fn, Context& ctx, TypeList<P...>) {
    Slots<P...> slots;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      if (!(std::get<I>(slots).fill(ctx) && ...)) return;
      if constexpr (std::is_void_v<typename Signature<F>::Result>) {
        fn(std::get<I>(slots).take()...);
      } else {
        answer(ctx, std::remove_cvref_t<typename Signature<F>::Result>(
                        fn(std::get<I>(slots).take()...)));
      }
    }(std::index_sequence_for<P...>{});
  }
};

struct CallTask {
  template <class F>
  Task<> operator()(const F& fn, Context& ctx) const {
    return begin(fn, ctx, typename Signature<F>::Parameters{});
  }
  template <class F, class... P>
  static Task<> begin(const F& fn, Context& ctx, TypeList<P...>) {
    // The usual shape needs no frame of its own.
    if constexpr (std::is_same_v<TypeList<P...>, TypeList<Context&>> &&
                  std::is_same_v<typename Signature<F>::Result, Task<>>) {
      return fn(ctx);
    } else {
      return run(fn, ctx, std::index_sequence_for<P...>{}, TypeList<P...>{});
    }
  }
  template <class F, std::size_t... I, class... P>
  static Task<> run(const F& fn, Context& ctx, std::index_sequence<I...>, TypeList<P...>) {
    Slots<P...> slots;
    if (!(std::get<I>(slots).fill(ctx) && ...)) co_return;
    // A name of its own, so that no temporary argument lives in the co_await expression.
    auto task = fn(std::get<I>(slots).take()...);
    if constexpr (std::is_void_v<typename TaskValue<decltype(task)>::type>) {
      co_await std::move(task);
    } else {
      auto result = co_await std::move(task);
      answer(ctx, std::move(result));
    }
  }
};

template <class F, class... P>
Endpoint make_endpoint_of(F fn, TypeList<P...>) {
  Endpoint endpoint;
  endpoint.paths = Needs<P...>::paths;
  endpoint.states = Needs<P...>::states;
  constexpr bool is_task = coro::is_task<typename Signature<F>::Result>;
  if constexpr (Needs<P...>::buffers) {
    endpoint.body = BodyUse::buffered;
  } else if constexpr (Needs<P...>::sees_context) {
    endpoint.body = is_task ? BodyUse::streamed : BodyUse::buffered;
  }
  if constexpr (is_task) {
    endpoint.task = Closure<Task<>(Context&)>(std::move(fn), CallTask{});
  } else {
    endpoint.plain = Closure<void(Context&)>(std::move(fn), CallPlain{});
  }
  return endpoint;
}

template <class F, std::size_t... I, class... P>
consteval bool check_parameters(std::index_sequence<I...>, TypeList<P...>) {
  return (check_handler_parameter<I + 1, P>() && ...);
}

template <class... P>
inline constexpr bool takes_only_known = ((ContextParameter<P> || RequestParameter<P> ||
                                           ConnectionParameter<P> || ExtractorParameter<P>) &&
                                          ...);
template <class... P>
consteval bool all_known(TypeList<P...>) {
  return takes_only_known<P...>;
}

// Whether make_endpoint would compile; says why not.
template <class F>
consteval bool check_handler() {
  if constexpr (check_callable<F>()) {
    using Parts = Signature<F>;
    using Parameters = typename Parts::Parameters;
    using Value = std::remove_cvref_t<typename TaskValue<typename Parts::Result>::type>;
    check_parameters<F>(std::make_index_sequence<Parameters::size>{}, Parameters{});
    check_handler_result<Value>();
    return all_known(Parameters{}) && can_answer<Value>() && is_const_callable<F>;
  } else {
    return false;
  }
}

template <class F>
Endpoint make_endpoint(F fn) {
  if constexpr (check_handler<F>()) {
    return make_endpoint_of(std::move(fn), typename Signature<F>::Parameters{});
  } else {
    return {};
  }
}

// A Path<> parameter against the pattern it is registered with.
template <FixedString pattern, FixedString name, class T>
consteval void check_path_parameter() {
  constexpr PatternKind kind = pattern_param(pattern.view(), name.view());
  static_assert(kind != PatternKind::none,
                "spate: the handler takes a Path<> whose name is not in the route pattern; both "
                "stand beside this message");
  static_assert(kind != PatternKind::integer || !(std::is_same_v<T, bool> || std::is_enum_v<T>),
                "spate: the handler takes a Path<> as bool or enum where the route pattern says "
                ":int; leave out :int or take an integer");
}

template <class P>
struct PathCheck {
  template <FixedString pattern>
  static consteval void run() {}
};
template <FixedString name, class T>
struct PathCheck<Path<name, T>> {
  template <FixedString pattern>
  static consteval void run() {
    check_path_parameter<pattern, name, T>();
  }
};

template <FixedString pattern, class... P>
consteval void check_path_parameters(TypeList<P...>) {
  (PathCheck<std::remove_cvref_t<P>>::template run<pattern>(), ...);
}

template <FixedString pattern, class F>
consteval void check_handler_of_pattern() {
  if constexpr (require_pattern<pattern>() && HasSignature<F>) {
    check_path_parameters<pattern>(typename Signature<F>::Parameters{});
  }
}

// --- hooks ---

struct BeforeHook {
  Closure<Verdict(Context&)> plain;  // one of the two is set
  Closure<Task<Verdict>(Context&)> task;
  // It is declared to take const Context&, so it cannot rewrite the path. A generic or overloaded
  // one is called with a Context& and may.
  bool only_looks = false;
};
struct AfterHook {
  Closure<void(Context&)> plain;
  Closure<Task<>(Context&)> task;
};
using ErrorHook = Closure<Verdict(Context&, const Error&)>;
using ConnectHook = Closure<bool(Connection&)>;
using CloseHook = Closure<void(const Connection&)>;

template <class F>
inline constexpr bool is_context_function =
    std::is_invocable_v<const F&, Context&> || std::is_invocable_v<const F&, const Context&>;

struct CallBefore {
  template <class F>
  Verdict operator()(const F& fn, Context& ctx) const {
    if constexpr (std::is_void_v<std::invoke_result_t<const F&, Context&>>) {
      fn(ctx);
      return pass;
    } else {
      return fn(ctx);
    }
  }
};

struct CallBeforeTask {
  template <class F>
  Task<Verdict> operator()(const F& fn, Context& ctx) const {
    using T = std::invoke_result_t<const F&, Context&>;
    if constexpr (std::is_same_v<T, Task<Verdict>>) {
      return fn(ctx);
    } else {
      return convert(fn, ctx);
    }
  }
  template <class F>
  static Task<Verdict> convert(const F& fn, Context& ctx) {
    auto task = fn(ctx);
    if constexpr (std::is_void_v<typename TaskValue<decltype(task)>::type>) {
      co_await std::move(task);
      co_return pass;
    } else {
      auto result = co_await std::move(task);
      co_return Verdict(std::move(result));
    }
  }
};

struct CallDirectly {
  template <class F, class... A>
  decltype(auto) operator()(const F& fn, A&&... args) const {
    return fn(std::forward<A>(args)...);
  }
};

template <class F>
BeforeHook make_before(F fn) {
  static_assert(is_context_function<F>,
                "spate: a `before` hook is a function of Context& that can be called as const");
  BeforeHook hook;
  if constexpr (is_context_function<F>) {
    using R = std::invoke_result_t<const F&, Context&>;
    using Value = typename TaskValue<R>::type;
    constexpr bool fits = std::is_void_v<Value> || std::is_convertible_v<Value, Verdict>;
    static_assert(fits,
                  "spate: a `before` hook returns a Verdict: `pass`, a Response, problem(...), a "
                  "Redirect or Html; or a Task of one. A lambda with several of them says `-> "
                  "Verdict`");
    if constexpr (!fits) {
    } else if constexpr (coro::is_task<R>) {
      hook.task = Closure<Task<Verdict>(Context&)>(std::move(fn), CallBeforeTask{});
    } else {
      if constexpr (HasSignature<F>) {
        hook.only_looks =
            std::is_same_v<typename Signature<F>::Parameters, TypeList<const Context&>>;
      }
      hook.plain = Closure<Verdict(Context&)>(std::move(fn), CallBefore{});
    }
  }
  return hook;
}

template <class F>
AfterHook make_after(F fn) {
  static_assert(is_context_function<F>,
                "spate: an `after` hook is a function of Context& that can be called as const");
  AfterHook hook;
  if constexpr (is_context_function<F>) {
    using R = std::invoke_result_t<const F&, Context&>;
    constexpr bool fits = std::is_void_v<R> || std::is_same_v<R, Task<>>;
    static_assert(fits,
                  "spate: an `after` hook returns void or Task<>; the answer is in "
                  "ctx.response()");
    if constexpr (!fits) {
    } else if constexpr (coro::is_task<R>) {
      hook.task = Closure<Task<>(Context&)>(std::move(fn), CallDirectly{});
    } else {
      hook.plain = Closure<void(Context&)>(std::move(fn), CallDirectly{});
    }
  }
  return hook;
}

template <class F>
ErrorHook make_on_error(F fn) {
  constexpr bool fits = std::is_invocable_r_v<Verdict, const F&, Context&, const Error&>;
  static_assert(fits,
                "spate: an `on_error` hook is a plain function (Context&, const Error&) that "
                "returns a Verdict: `pass`, a Response, problem(...), a Redirect or Html");
  if constexpr (fits) {
    return ErrorHook(std::move(fn), CallDirectly{});
  } else {
    return {};
  }
}

}  // namespace spate::app
