// SPDX-License-Identifier: MIT
// Failures as answers: `return problem(404, "no such order");` from handlers, hooks and whatever
// returns a Result. The client gets one application/problem+json document (RFC 9457).
#pragma once

#include <source_location>
#include <spate/base/error.hpp>
#include <string>
#include <string_view>

namespace spate {

// An Error with that status, ready to be returned as any Result<T>, as a Verdict, or from a
// handler. `status` lies between 400 and 599. Below 500 the client reads `detail`; from 500 on it
// goes to the log only (and to the client in development mode).
std::unexpected<Error> problem(int status, std::string detail,
                               std::source_location where = std::source_location::current());

// The same for one member of a JSON body: `pointer` (RFC 6901) says which, as in "/items/3/price".
std::unexpected<Error> problem(int status, std::string detail, std::string_view pointer,
                               std::source_location where = std::source_location::current());

// An Error that came from elsewhere, as an answer.
inline std::unexpected<Error> problem(Error error) { return std::unexpected(std::move(error)); }

}  // namespace spate
