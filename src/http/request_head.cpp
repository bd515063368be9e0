// SPDX-License-Identifier: MIT
#include "http/request_head.hpp"

#include "http/ascii.hpp"

namespace spate::http {

std::optional<std::string_view> RequestHead::find(std::string_view name) const noexcept {
  if (KnownHeader const header = known_header(name); header != KnownHeader::unknown) {
    return find(header);
  }
  for (std::size_t i = 0; i < field_count_; ++i) {
    if (ids_[i] == KnownHeader::unknown && fields_[i].name_size == name.size() &&
        equals_ignore_case(this->name(i), name)) {
      return value(i);
    }
  }
  return std::nullopt;
}

std::string_view RequestHead::empty_path() const noexcept {
  if (target_form_ != TargetForm::absolute) return {};
  // RFC 9112 3.2.4: OPTIONS of a URI with an empty path and no query asks for the server as a
  // whole.
  bool const whole_server = method_ == Method::options &&
                            view(target_offset_, target_size_).find('?') == std::string_view::npos;
  return whole_server ? "*" : "/";
}

}  // namespace spate::http
