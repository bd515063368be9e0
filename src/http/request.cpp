// SPDX-License-Identifier: MIT
#include <spate/http/request.hpp>

#include "http/request_head.hpp"

namespace spate {

Method Request::method() const noexcept { return head_->method(); }
std::string_view Request::method_text() const noexcept { return head_->method_text(); }
std::string_view Request::target() const noexcept { return head_->target(); }
std::string_view Request::path() const noexcept { return head_->path(); }
std::string_view Request::query_string() const noexcept { return head_->query(); }
std::string_view Request::host() const noexcept { return head_->authority(); }
int Request::version_minor() const noexcept { return head_->version_minor(); }

std::optional<std::string_view> Request::header(std::string_view name) const noexcept {
  return head_->find(name);
}
std::optional<std::string_view> Request::header(KnownHeader name) const noexcept {
  return head_->find(name);
}
std::size_t Request::header_count() const noexcept { return head_->field_count(); }
HeaderView Request::header_at(std::size_t index) const noexcept {
  return {head_->name(index), head_->value(index)};
}

std::optional<std::string_view> Request::cookie(std::string_view name) const noexcept {
  // A client may send several Cookie fields over HTTP/2, so every field is looked at.
  for (std::size_t i = 0; i < head_->field_count(); ++i) {
    if (head_->id(i) != KnownHeader::cookie) continue;
    std::string_view rest = head_->value(i);
    while (!rest.empty()) {
      const std::size_t end = rest.find(';');
      std::string_view pair = rest.substr(0, end);
      rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
      while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
      const std::size_t equals = pair.find('=');
      if (equals == pair.npos || pair.substr(0, equals) != name) continue;
      std::string_view value = pair.substr(equals + 1);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
        value = value.substr(1, value.size() - 2);
      }
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace spate
