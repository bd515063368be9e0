// SPDX-License-Identifier: MIT
// An answer as a value: status, fields, body. Framing (Content-Length, Transfer-Encoding),
// Connection and Date are the server's own and refused here. lifetime: owns its text; only
// `body_view` borrows. thread: a plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spate {

class Response {
 public:
  Response() = default;
  explicit Response(int status_code) : status_(checked(status_code)) {}
  Response(int status_code, std::string content)
      : status_(checked(status_code)), body_(std::move(content)) {}

  int status() const noexcept { return status_; }
  // throws: ErrorException (Errc::invalid) outside of 200 to 599; 1xx are not final answers.
  Response& status(int code) {
    status_ = checked(code);
    return *this;
  }

  // Sets Content-Type. throws: as header.
  Response& type(std::string_view media_type);
  std::string_view type() const noexcept { return type_.empty() ? fixed_type_ : type_; }

  // Sets a field, replacing every field of that name. throws: ErrorException (Errc::invalid) for a
  // name that is no token, for CR, LF or NUL in the value (RFC 9110 section 5.5), and for the
  // server's own fields.
  Response& header(std::string_view name, std::string_view value);
  // Adds a field beside others of that name.
  Response& add_header(std::string_view name, std::string_view value);
  Response& remove_header(std::string_view name);
  // The value of the first field of that name, or "".
  std::string_view header(std::string_view name) const noexcept;

  Response& body(std::string content) {
    body_ = std::move(content);
    fixed_body_ = {};
    return *this;
  }
  // A body that is not copied. lifetime: the text lives until the answer is sent; literals do.
  Response& body_view(std::string_view content) noexcept {
    body_.clear();
    fixed_body_ = content;
    return *this;
  }
  std::string_view body() const noexcept {
    return fixed_body_.data() != nullptr ? fixed_body_ : body_;
  }

  // --- for the server ---

  bool owns_body() const noexcept { return fixed_body_.data() == nullptr; }

  // Content-Type from static text.
  void fixed_type(std::string_view media_type) noexcept {
    type_.clear();
    fixed_type_ = media_type;
  }
  // The body's own buffer, for those who write into it; its capacity is kept by clear().
  std::string& body_buffer() noexcept {
    fixed_body_ = {};
    return body_;
  }
  // Whether type() is static text, which can be told by its address.
  bool has_fixed_type() const noexcept { return type_.empty(); }
  // All fields but Content-Type, as they stand on the wire: "name: value\r\n" each.
  std::string_view rendered_fields() const noexcept { return fields_; }
  // Adds a field that is known to be valid, as it stands on the wire.
  void add_rendered(std::string_view line, std::size_t name_size) {
    names_ |= name_bit(line.substr(0, name_size));
    fields_.append(line);
  }
  // Takes status, type and body of `answer` and sets its fields over the present ones.
  void take(Response&& answer);
  // Forgets status, type and body; fields stay.
  void clear_content() noexcept;
  void clear() noexcept;

 private:
  static int checked(int status);
  // One of 64 bits for each name, whatever its case: names that share one are told apart by a look.
  static std::uint64_t name_bit(std::string_view name) noexcept {
    return 1ULL << ((name.size() * 5 + static_cast<unsigned char>(name.front() | 0x20)) & 63);
  }
  Response& set(std::string_view name, std::string_view value, bool replaces);
  void append(std::string_view name, std::string_view value);

  int status_ = 200;
  std::string_view fixed_type_;
  std::string type_;
  std::string_view fixed_body_;
  std::string body_;
  std::string fields_;
  std::uint64_t names_ = 0;  // bits of the names in fields_, and perhaps of removed ones
};

}  // namespace spate
