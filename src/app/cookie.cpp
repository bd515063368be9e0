// SPDX-License-Identifier: MIT
#include <spate/app/cookie.hpp>
#include <spate/base/error.hpp>
#include <spate/http/field_rules.hpp>

#include "http/ascii.hpp"

namespace spate {
namespace {

[[noreturn]] void refuse(std::string sentence) {
  throw ErrorException(Error(Errc::invalid, std::move(sentence)));
}

// RFC 6265 4.1.1: cookie-octet.
bool is_cookie_value(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\') return false;
  }
  return true;
}

// RFC 6265 4.1.1: any character but controls and ';'.
void check_attribute(std::string_view name, std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == ';') {
      refuse("the cookie's " + std::string(name) +
             " holds ';' or a control character such as CR, LF or NUL");
    }
  }
}

bool has_prefix(std::string_view name, std::string_view prefix) {
  return http::equals_ignore_case(name.substr(0, prefix.size()), prefix);
}

}  // namespace

SetCookie::SetCookie(std::string_view name, std::string_view value) : name_(name), value_(value) {
  if (!is_token(name)) {
    refuse("\"" + std::string(name) + "\" is no cookie name; use letters, digits, '-' and '_'");
  }
  if (!is_cookie_value(value)) {
    refuse("the value of the cookie " + name_ +
           " holds a control character such as CR, LF or NUL, a blank, a quote, ',', ';' or '\\'; "
           "encode it");
  }
}

SetCookie& SetCookie::path(std::string_view path) {
  check_attribute("path", path);
  if (!path.starts_with('/')) refuse("the path of a cookie begins with '/'");
  path_ = path;
  return *this;
}

SetCookie& SetCookie::domain(std::string_view domain) {
  check_attribute("domain", domain);
  domain_ = domain;
  return *this;
}

SetCookie& SetCookie::max_age(std::chrono::seconds age) {
  max_age_ = age;
  return *this;
}

SetCookie& SetCookie::same_site(SameSite same_site) {
  same_site_ = same_site;
  return *this;
}

SetCookie& SetCookie::readable_by_scripts() {
  http_only_ = false;
  return *this;
}

SetCookie& SetCookie::insecure() {
  secure_ = false;
  return *this;
}

std::string SetCookie::to_string() const {
  if (has_prefix(name_, "__Host-") && (!secure_ || path_ != "/" || !domain_.empty())) {
    refuse("the cookie " + name_ + " must be secure, with path \"/\" and without a domain");
  }
  if (has_prefix(name_, "__Secure-") && !secure_) {
    refuse("the cookie " + name_ + " must be secure");
  }
  if (same_site_ == SameSite::none && !secure_) {
    refuse("the cookie " + name_ + " has SameSite=None, so it must be secure");
  }
  std::string text = name_ + "=" + value_ + "; Path=" + path_;
  if (!domain_.empty()) text += "; Domain=" + domain_;
  if (max_age_) {
    text += "; Max-Age=" + std::to_string(max_age_->count() > 0 ? max_age_->count() : 0);
  }
  if (http_only_) text += "; HttpOnly";
  if (secure_) text += "; Secure";
  text += same_site_ == SameSite::lax      ? "; SameSite=Lax"
          : same_site_ == SameSite::strict ? "; SameSite=Strict"
                                           : "; SameSite=None";
  return text;
}

}  // namespace spate
