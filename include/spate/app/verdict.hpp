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

namespace spate {

struct Pass {};
// The request goes on.
inline constexpr Pass pass{};

// `pass`, or a refusal: a Response, `problem(401, "sign in first")`, a Redirect, Html.
// cost: `pass` is two null pointers.
class Verdict {
 public:
  Verdict(Pass) noexcept {}
  Verdict(Response answer) : response_(std::make_unique<Response>(std::move(answer))) {}
  Verdict(std::unexpected<Error> error)
      : error_(std::make_unique<Error>(std::move(error).error())) {}
  // A Result<> that succeeded passes.
  Verdict(Result<> result) {
    if (!result) error_ = std::make_unique<Error>(std::move(result.error()));
  }
  Verdict(const Html& page);
  Verdict(const Redirect& redirect);

  bool passes() const noexcept { return response_ == nullptr && error_ == nullptr; }
  // The refusal, of which one at most is there.
  Response* response() const noexcept { return response_.get(); }
  Error* error() const noexcept { return error_.get(); }

 private:
  std::unique_ptr<Response> response_;
  std::unique_ptr<Error> error_;
};

}  // namespace spate
