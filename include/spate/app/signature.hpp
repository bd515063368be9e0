// SPDX-License-Identifier: MIT
// What a function takes and returns, read off its type: the parameters of a handler say what it
// needs of the request. Works for functions, lambdas and other objects with one operator().
#pragma once

#include <cstddef>
#include <string_view>
#include <type_traits>

namespace spate::app {

template <class... A>
struct TypeList {
  static constexpr std::size_t size = sizeof...(A);
};

template <class R, class... A>
struct SignatureParts {
  using Result = R;
  using Parameters = TypeList<A...>;
};

template <class F>
struct CallOperator {};
template <class C, class R, class... A>
struct CallOperator<R (C::*)(A...)> : SignatureParts<R, A...> {
  static constexpr bool is_mutable = true;
};
template <class C, class R, class... A>
struct CallOperator<R (C::*)(A...) const> : SignatureParts<R, A...> {};
template <class C, class R, class... A>
struct CallOperator<R (C::*)(A...) noexcept> : SignatureParts<R, A...> {
  static constexpr bool is_mutable = true;
};
template <class C, class R, class... A>
struct CallOperator<R (C::*)(A...) const noexcept> : SignatureParts<R, A...> {};

template <class F>
struct Signature {};
template <class F>
  requires requires { &F::operator(); }
struct Signature<F> : CallOperator<decltype(&F::operator())> {};
template <class R, class... A>
struct Signature<R (*)(A...)> : SignatureParts<R, A...> {};
template <class R, class... A>
struct Signature<R (*)(A...) noexcept> : SignatureParts<R, A...> {};

template <class F>
concept HasSignature = requires { typename Signature<F>::Result; };

template <class F>
inline constexpr bool is_const_callable = !requires { Signature<F>::is_mutable; };

// The spelling of a type, for messages.
template <class T>
consteval std::string_view type_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  text.remove_prefix(text.find("T = ") + 4);
  // GCC adds "; std::string_view = ..." behind it.
  return text.substr(0, text.find_first_of(";]"));
}

// One address for each type.
template <class T>
inline constexpr char type_tag = 0;

}  // namespace spate::app
