// SPDX-License-Identifier: MIT
// A function object of any type behind one type: how routes and hooks keep what users register.
// Made once at start, then only called. lifetime: owns the function object. thread: calls may come
// from all workers at once, so the function object is called as const.
#pragma once

#include <type_traits>
#include <utility>

namespace spate::app {

template <class Signature>
class Closure;

template <class R, class... A>
class Closure<R(A...)> {
 public:
  Closure() = default;

  // Keeps `fn` and calls `through(fn, args...)`, a function without state.
  template <class F, class Through>
  Closure(F fn, Through)
      : object_(new F(std::move(fn))),
        call_([](const void* object, A... args) -> R {
          return Through{}(*static_cast<const F*>(object), static_cast<A>(args)...);
        }),
        destroy_([](void* object) noexcept { delete static_cast<F*>(object); }) {
    static_assert(std::is_empty_v<Through>);
  }

  Closure(Closure&& other) noexcept
      : object_(std::exchange(other.object_, nullptr)),
        call_(std::exchange(other.call_, nullptr)),
        destroy_(other.destroy_) {}
  Closure& operator=(Closure&& other) noexcept {
    std::swap(object_, other.object_);
    std::swap(call_, other.call_);
    std::swap(destroy_, other.destroy_);
    return *this;
  }
  ~Closure() {
    if (object_ != nullptr) destroy_(object_);
  }

  explicit operator bool() const noexcept { return call_ != nullptr; }
  R operator()(A... args) const { return call_(object_, static_cast<A>(args)...); }

 private:
  void* object_ = nullptr;
  R (*call_)(const void*, A...) = nullptr;
  void (*destroy_)(void*) noexcept = nullptr;
};

}  // namespace spate::app
