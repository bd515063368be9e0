// SPDX-License-Identifier: MIT
#include <spate/base/error.hpp>

namespace spate {
namespace {

class Category final : public std::error_category {
 public:
  const char* name() const noexcept override { return "spate"; }
  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::cancelled:
        return "cancelled";
      case Errc::timeout:
        return "timed out";
      case Errc::closed:
        return "closed";
      case Errc::malformed:
        return "malformed";
      case Errc::too_large:
        return "too large";
      case Errc::invalid:
        return "invalid";
      case Errc::not_found:
        return "not found";
      case Errc::conflict:
        return "conflict";
      case Errc::busy:
        return "busy";
      case Errc::unauthorized:
        return "unauthorized";
      case Errc::configuration:
        return "configuration error";
      case Errc::system:
        return "system error";
      case Errc::internal:
        return "internal error";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

std::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

std::string Error::describe() const {
  std::string text = detail.empty() ? code.message() : detail + " (" + code.message() + ")";
  std::string_view file = where.file_name();
  if (auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  text.append(" at ").append(file).append(":").append(std::to_string(where.line()));
  return text;
}

}  // namespace spate
