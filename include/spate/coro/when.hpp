// SPDX-License-Identifier: MIT
// Several waits at once. Each branch is a function that returns a Task; lambdas that capture by
// reference are the usual form:
//
//     auto both = co_await when_all([&] { return stock_of(id); }, [&] { return price_of(id); });
//
// (Name the tuple before taking it apart: GCC 15 leaks `auto [a, b] = co_await ...`.)
// All branches have ended when the await returns, also after a failure or cancellation.
#pragma once

#include <optional>
#include <spate/coro/call.hpp>
#include <spate/coro/join.hpp>
#include <tuple>
#include <variant>

namespace spate {

namespace coro {

template <class T>
using regular = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

struct AllPolicy {
  static void ended(Join&, std::size_t) noexcept {}
};

struct AnyPolicy {
  std::size_t winner = SIZE_MAX;
  void ended(Join& join, std::size_t index) noexcept {
    if (winner != SIZE_MAX) return;
    winner = index;
    join.branches().cancel(CancelReason::sibling);
  }
};

template <class Policy, class F, class Slot>
Task<void> run_branch(F& fn, Slot& slot, Join& join, Policy& policy, std::size_t index) {
  try {
    if constexpr (std::is_void_v<task_value<F>>) {
      co_await fn();
      slot.emplace();
    } else {
      slot.emplace(co_await fn());
    }
    policy.ended(join, index);
  } catch (const Cancelled&) {
    // A branch that was told to stop has not failed; the joiner knows why it did.
    if (!join.branches().is_cancelled()) join.branch_failed(std::current_exception());
  } catch (...) {
    if constexpr (std::is_same_v<Policy, AnyPolicy>) {
      if (policy.winner == SIZE_MAX) join.branch_failed(std::current_exception());
    } else {
      join.branch_failed(std::current_exception());
    }
  }
  join.branch_ended();
}

// One branch: its result and its task. Bases of Branches, so that immovable tasks can be built in
// place.
template <class Policy, std::size_t I, class F>
struct Branch {
  Branch(F& fn, Join& join, Policy& policy) : task(start(fn, slot, join, policy)) {}

  static Task<void> start(F& fn, std::optional<regular<task_value<F>>>& slot, Join& join,
                          Policy& policy) {
    EnterContext enter(join.branches());
    join.branch_started();
    return run_branch(fn, slot, join, policy, I);
  }

  std::optional<regular<task_value<F>>> slot;
  Task<void> task;
};

template <class Policy, class Indices, class... F>
struct Branches;

template <class Policy, std::size_t... I, class... F>
struct Branches<Policy, std::index_sequence<I...>, F...> : Branch<Policy, I, F>... {
  Branches(Join& join, Policy& policy, F&... fn) : Branch<Policy, I, F>(fn, join, policy)... {}

  bool all_ended_with_value() const noexcept {
    return (static_cast<const Branch<Policy, I, F>&>(*this).slot.has_value() && ...);
  }
  std::tuple<regular<task_value<F>>...> take_all() {
    return {std::move(*static_cast<Branch<Policy, I, F>&>(*this).slot)...};
  }
  template <class Variant>
  std::optional<Variant> take_one(std::size_t index) {
    std::optional<Variant> result;
    ((I == index ? void(result.emplace(std::in_place_index<I>,
                                       std::move(*static_cast<Branch<Policy, I, F>&>(*this).slot)))
                 : void()),
     ...);
    return result;
  }
};

[[noreturn]] inline void throw_cancelled_by(const TaskContext& context) {
  throw Cancelled(context.reason());
}

}  // namespace coro

// Runs all branches and returns their results in order (void as std::monostate). The first
// exception cancels the others and is rethrown when they have ended. throws: what a branch throws,
// Cancelled.
template <class... F>
Task<std::tuple<coro::regular<coro::task_value<F>>...>> when_all(F... fn) {
  (coro::check_task_call<F>(), ...);
  coro::Join join;
  coro::AllPolicy policy;
  coro::Branches<coro::AllPolicy, std::index_sequence_for<F...>, F...> branches(join, policy,
                                                                                fn...);
  co_await join;
  if (auto failure = join.take_failure()) std::rethrow_exception(failure);
  if (!branches.all_ended_with_value()) coro::throw_cancelled_by(join.branches());
  co_return branches.take_all();
}

// Runs all branches, keeps the result of the one that ends first, cancels the others and returns
// when they have ended. The variant's index says which branch won. A branch that throws before any
// has won fails the whole. throws: what that branch throws, Cancelled.
template <class... F>
Task<std::variant<coro::regular<coro::task_value<F>>...>> when_any(F... fn) {
  static_assert(sizeof...(F) > 0, "spate: when_any needs at least one function");
  (coro::check_task_call<F>(), ...);
  using Winner = std::variant<coro::regular<coro::task_value<F>>...>;
  coro::Join join;
  coro::AnyPolicy policy;
  coro::Branches<coro::AnyPolicy, std::index_sequence_for<F...>, F...> branches(join, policy,
                                                                                fn...);
  co_await join;
  if (auto failure = join.take_failure()) std::rethrow_exception(failure);
  std::optional<Winner> winner = branches.template take_one<Winner>(policy.winner);
  if (!winner) coro::throw_cancelled_by(join.branches());
  co_return std::move(*winner);
}

}  // namespace spate
