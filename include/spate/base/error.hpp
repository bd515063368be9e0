// SPDX-License-Identifier: MIT
// The one vocabulary of failure: `Error`, and `Result<T>`, a value or an Error.
// An Error is a value: a code that programs compare, a sentence that people read, the HTTP status
// that a client is told when it ends a request, and where in the source it was made.
#pragma once

#include <cstdint>
#include <expected>
#include <source_location>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace spate {

// What went wrong, for programs. Values are stable; `make_error_code` gives them std::error_code.
enum class Errc : std::uint8_t {
  cancelled = 1,  // the wait was given up: peer gone, sibling finished, scope ended
  timeout,        // a deadline passed
  closed,         // the other side, or the object itself, is closed
  malformed,      // bytes that break the rules of their format
  too_large,      // a limit with a name was exceeded
  invalid,        // well-formed input with a value that is not allowed
  not_found,      // nothing is there
  conflict,       // it contradicts what is there
  busy,           // a bounded queue or pool is full; try again later
  unauthorized,   // the caller is not known or not allowed
  configuration,  // the program's own set-up is wrong
  system,         // the operating system refused; `detail` says what was attempted
  internal,       // a fault of the program
};

const std::error_category& error_category() noexcept;
std::error_code make_error_code(Errc code) noexcept;

// lifetime: owns its strings. thread: a plain value.
struct Error {
  std::error_code code;
  std::string detail;          // one sentence for people; sent to clients when status < 500
  std::uint16_t status = 500;  // the HTTP status that answers a request which ends with this error
  std::string pointer;         // RFC 6901 pointer to the faulty member of a JSON body, or empty
  std::source_location where;

  Error(Errc c, std::string d, std::uint16_t http_status = 500,
        std::source_location w = std::source_location::current())
      : code(make_error_code(c)), detail(std::move(d)), status(http_status), where(w) {}
  Error(std::error_code c, std::string d, std::uint16_t http_status = 500,
        std::source_location w = std::source_location::current())
      : code(c), detail(std::move(d)), status(http_status), where(w) {}

  bool is(Errc c) const noexcept { return code == make_error_code(c); }

  // "detail (code) at file:line", for logs.
  std::string describe() const;
};

template <class T = void>
using Result = std::expected<T, Error>;

// An Error as an exception, for user code that prefers to throw. A handler that throws it answers
// as if it had returned the Error.
class ErrorException : public std::exception {
 public:
  explicit ErrorException(Error e) : error_(std::move(e)), what_(error_.describe()) {}
  const Error& error() const noexcept { return error_; }
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  Error error_;
  std::string what_;
};

}  // namespace spate

template <>
struct std::is_error_code_enum<spate::Errc> : std::true_type {};
