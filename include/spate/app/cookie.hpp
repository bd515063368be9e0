// SPDX-License-Identifier: MIT
// A cookie to be set (RFC 6265 section 4.1), safe unless it is told otherwise: Path=/, HttpOnly,
// Secure, SameSite=Lax. Reading one: Cookie<"name"> or Request::cookie. thread: a plain value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spate {

enum class SameSite : std::uint8_t { lax, strict, none };

// `ctx.respond(200).cookie(SetCookie("__Host-session", token).max_age(24h))`
class SetCookie {
 public:
  // throws: ErrorException (Errc::invalid) for a name that is no token, and for a value with a
  // control character (CR, LF, NUL), a blank, '"', ',', ';' or '\' (RFC 6265 section 4.1.1).
  SetCookie(std::string_view name, std::string_view value);

  // Beginning with '/'. throws: as the constructor.
  SetCookie& path(std::string_view path);
  // Also for the hosts below this one. Without it the cookie is for this host only.
  SetCookie& domain(std::string_view domain);
  // Without it the cookie ends with the browser's session; zero or less deletes it.
  SetCookie& max_age(std::chrono::seconds age);
  SetCookie& same_site(SameSite same_site);
  // Without HttpOnly: scripts of the page may read it.
  SetCookie& readable_by_scripts();
  // Without Secure: it travels over plain HTTP, for development.
  SetCookie& insecure();

  // The value of the Set-Cookie field. throws: ErrorException (Errc::invalid) for a name with the
  // prefix __Host- or __Secure- whose rules the attributes break (RFC 6265bis section 4.1.3), and
  // for SameSite=None without Secure: browsers drop such cookies without a word.
  std::string to_string() const;

 private:
  std::string name_;
  std::string value_;
  std::string path_ = "/";
  std::string domain_;
  std::optional<std::chrono::seconds> max_age_;
  SameSite same_site_ = SameSite::lax;
  bool http_only_ = true;
  bool secure_ = true;
};

}  // namespace spate
