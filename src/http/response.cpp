// SPDX-License-Identifier: MIT
#include <algorithm>
#include <spate/base/error.hpp>
#include <spate/http/field_rules.hpp>
#include <spate/http/known_header.hpp>
#include <spate/http/response.hpp>

#include "http/ascii.hpp"

namespace spate {
namespace {

// What a steady state keeps; a larger buffer is given back after the answer.
constexpr std::size_t kept_capacity = 64 * 1024;

// Fields that the server sets itself.
constexpr bool is_servers_own(KnownHeader known) noexcept {
  switch (known) {
    case KnownHeader::connection:
    case KnownHeader::keep_alive:
    case KnownHeader::content_length:
    case KnownHeader::transfer_encoding:
    case KnownHeader::date:
      return true;
    default:
      return false;
  }
}

bool may_stand(KnownHeader known, std::string_view name, std::string_view value) noexcept {
  // A name with a number is a name.
  return (known != KnownHeader::unknown || is_field_name(name)) && is_field_value(value) &&
         !is_servers_own(known);
}

[[noreturn, gnu::cold, gnu::noinline]] void refuse_field(KnownHeader known, std::string_view name,
                                                         std::string_view value) {
  if (known == KnownHeader::unknown && !is_field_name(name)) {
    throw ErrorException(
        Error(Errc::invalid, "\"" + std::string(name) +
                                 "\" is no field name; use letters, digits and '-' "
                                 "(RFC 9110 section 5.1)"));
  }
  if (!is_field_value(value)) {
    throw ErrorException(
        Error(Errc::invalid, "the value for " + std::string(name) +
                                 " holds a control character such as CR, LF or NUL; "
                                 "remove or encode it (RFC 9110 section 5.5)"));
  }
  std::string sentence = std::string(name) + " is set by the server";
  if (known == KnownHeader::connection || known == KnownHeader::keep_alive) {
    sentence += "; use ctx.connection().close()";
  }
  throw ErrorException(Error(Errc::invalid, std::move(sentence)));
}

// The end of the field line that begins at `at`, behind its CRLF.
std::size_t line_end(std::string_view fields, std::size_t at) { return fields.find('\n', at) + 1; }

bool line_has_name(std::string_view fields, std::size_t at, std::string_view name) {
  return fields.size() > at + name.size() && fields[at + name.size()] == ':' &&
         http::equals_ignore_case(fields.substr(at, name.size()), name);
}

template <class String>
void clear_buffer(String& text) noexcept {
  if (text.capacity() > kept_capacity) {
    text = String();
  } else {
    text.clear();
  }
}

}  // namespace

int Response::checked(int status) {
  if (status < 200 || status > 599) {
    throw ErrorException(Error(Errc::invalid, "a final status lies between 200 and 599, not at " +
                                                  std::to_string(status)));
  }
  return status;
}

Response& Response::type(std::string_view media_type) {
  if (!is_field_value(media_type))
    refuse_field(KnownHeader::content_type, "content-type", media_type);
  type_.assign(media_type);
  fixed_type_ = {};
  return *this;
}

inline void Response::append(std::string_view name, std::string_view value) {
  names_ |= name_bit(name);
  const std::size_t before = fields_.size();
  const std::size_t size = before + name.size() + value.size() + 4;
  // Not the size that is handed in: libstdc++ 12 hands in the new capacity where it grew.
  fields_.resize_and_overwrite(size, [&](char* text, std::size_t) {
    char* at = std::copy_n(name.data(), name.size(), text + before);
    *at++ = ':';
    *at++ = ' ';
    at = std::copy_n(value.data(), value.size(), at);
    *at++ = '\r';
    *at = '\n';
    return size;
  });
}

Response& Response::header(std::string_view name, std::string_view value) {
  return set(name, value, true);
}

Response& Response::add_header(std::string_view name, std::string_view value) {
  return set(name, value, false);
}

Response& Response::set(std::string_view name, std::string_view value, bool replaces) {
  const KnownHeader known = known_header(name);
  if (!may_stand(known, name, value)) [[unlikely]]
    refuse_field(known, name, value);
  if (known == KnownHeader::content_type) {
    type_.assign(value);
    return *this;
  }
  if (replaces && (names_ & name_bit(name)) != 0) remove_header(name);
  append(name, value);
  return *this;
}

Response& Response::remove_header(std::string_view name) {
  if (name.empty() || (names_ & name_bit(name)) == 0) return *this;
  for (std::size_t at = 0; at < fields_.size();) {
    const std::size_t end = line_end(fields_, at);
    if (line_has_name(fields_, at, name)) {
      fields_.erase(at, end - at);
    } else {
      at = end;
    }
  }
  return *this;
}

std::string_view Response::header(std::string_view name) const noexcept {
  if (known_header(name) == KnownHeader::content_type) return type();
  const std::string_view fields = fields_;
  for (std::size_t at = 0; at < fields.size(); at = line_end(fields, at)) {
    if (!line_has_name(fields, at, name)) continue;
    const std::size_t value = at + name.size() + 2;
    return fields.substr(value, line_end(fields, at) - 2 - value);
  }
  return {};
}

void Response::take(Response&& answer) {
  status_ = answer.status_;
  type_ = std::move(answer.type_);
  fixed_type_ = answer.fixed_type_;
  body_ = std::move(answer.body_);
  fixed_body_ = answer.fixed_body_;
  if (fields_.empty()) {
    fields_ = std::move(answer.fields_);
    names_ = answer.names_;
    return;
  }
  const std::string_view fields = answer.fields_;
  for (std::size_t at = 0; at < fields.size(); at = line_end(fields, at)) {
    remove_header(fields.substr(at, fields.find(':', at) - at));
  }
  fields_.append(fields);
  names_ |= answer.names_;
}

void Response::clear_content() noexcept {
  status_ = 200;
  fixed_type_ = {};
  type_.clear();
  fixed_body_ = {};
  clear_buffer(body_);
}

void Response::clear() noexcept {
  clear_content();
  clear_buffer(fields_);
  names_ = 0;
}

}  // namespace spate
