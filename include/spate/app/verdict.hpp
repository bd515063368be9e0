// SPDX-License-Identifier: MIT
// What a `before` hook returns: `pass`, or the answer that ends the request. So a hook cannot
// forget to stop.
#pragma once

#include <memory>
#include <spate/app/answer.hpp>
#include <spate/base/error.hpp>
#include <spate/http/response.hpp>
#include <type_traits>
#include <utility>
#include <variant>

namespace spate {

struct Pass {};
// The request goes on.
inline constexpr Pass pass{};

// `pass`, or a refusal: a Response, `problem(401, "sign in first")`, a Redirect, Html.
// cost: `pass` is a null pointer.
class Verdict {
 public:
  Verdict(Pass) noexcept {}
  Verdict(Response answer) : refusal_(std::make_unique<Refusal>(std::move(answer))) {}
  Verdict(std::unexpected<Error> error)
      : refusal_(std::make_unique<Refusal>(std::move(error).error())) {}
  // A Result<> that succeeded passes.
  Verdict(Result<> result) {
    if (!result) refusal_ = std::make_unique<Refusal>(std::move(result.error()));
  }
  Verdict(const Html& page);
  Verdict(const Redirect& redirect);

  bool passes() const noexcept { return refusal_ == nullptr; }
  // The refusal, of which one at most is there.
  Response* response() const noexcept {
    return refusal_ ? std::get_if<Response>(&*refusal_) : nullptr;
  }
  Error* error() const noexcept { return refusal_ ? std::get_if<Error>(&*refusal_) : nullptr; }

 private:
  using Refusal = std::variant<Response, Error>;

  std::unique_ptr<Refusal> refusal_;
};

}  // namespace spate
