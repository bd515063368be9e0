// SPDX-License-Identifier: MIT
// A parsed request head: where its parts stand in the received bytes, and what follows from them
// for the framing. Everything is an offset from one movable pointer, so that the bytes can be
// copied to an arena or the buffer moved, and only rebase() is called. About 1.3 KiB, meant to be
// one per worker and reused: begin() touches one line of the cache. lifetime: accessors return
// views into the bytes at base(). thread: a plain value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <spate/http/known_header.hpp>
#include <spate/http/method.hpp>
#include <string_view>

namespace spate::http {

// A head is at most this long, so that offsets fit in 16 bits. Limits are cut to it.
inline constexpr std::size_t max_head_bytes = 65535;

// One field: positions of its name and of its value without the whitespace around it.
struct FieldRef {
  std::uint16_t name_offset;
  std::uint16_t name_size;
  std::uint16_t value_offset;
  std::uint16_t value_size;
};

// RFC 9112 3.2: the four forms of a request target.
enum class TargetForm : std::uint8_t {
  origin,     // "/path?query"
  absolute,   // "http://host/path?query"
  authority,  // "host:port", only CONNECT
  asterisk    // "*", only OPTIONS
};

class RequestHead {
 public:
  // The table's size; a limit on fields above it is cut to it.
  static constexpr std::size_t max_fields = 128;

  Method method() const noexcept { return method_; }
  // The method as sent; it is the only name of a Method::other.
  std::string_view method_text() const noexcept { return view(method_offset_, method_size_); }

  // The target as sent.
  std::string_view target() const noexcept { return view(target_offset_, target_size_); }
  TargetForm target_form() const noexcept { return target_form_; }
  // The path, not decoded: "/" for an absolute-form without one, "*" for asterisk-form (and for
  // OPTIONS of an absolute-form without path and query, RFC 9112 3.2.4), "" for authority-form.
  std::string_view path() const noexcept {
    return path_size_ != 0 ? view(path_offset_, path_size_) : empty_path();
  }
  // What follows the first '?', not decoded; "" when there is none.
  std::string_view query() const noexcept { return view(query_offset_, query_size_); }
  // Host and port: of the target where it has them, otherwise of Host; "" for HTTP/1.0 without
  // Host.
  std::string_view authority() const noexcept { return view(authority_offset_, authority_size_); }

  // 0 or 1. A higher minor version is served as 1 (RFC 9110 2.5).
  int version_minor() const noexcept { return version_minor_; }

  std::size_t field_count() const noexcept { return field_count_; }
  std::string_view name(std::size_t i) const noexcept {
    return view(fields_[i].name_offset, fields_[i].name_size);
  }
  std::string_view value(std::size_t i) const noexcept {
    return view(fields_[i].value_offset, fields_[i].value_size);
  }
  KnownHeader id(std::size_t i) const noexcept { return ids_[i]; }
  FieldRef field(std::size_t i) const noexcept { return fields_[i]; }

  // The value of the first field of that name; nothing when there is none. An empty value is a
  // value.
  std::optional<std::string_view> find(KnownHeader header) const noexcept {
    if (!has(header)) return std::nullopt;
    return value(first_[static_cast<std::size_t>(header)]);
  }
  // The same by name, in any case of letters.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  bool has(KnownHeader header) const noexcept {
    return (present_ >> static_cast<unsigned>(header) & 1) != 0;
  }

  // Bytes of the whole head: an ignored empty line, request line, fields and the empty line.
  std::size_t size() const noexcept { return size_; }
  std::string_view bytes() const noexcept { return {base_, size_}; }
  const char* base() const noexcept { return base_; }
  // The same bytes are now at `base`.
  void rebase(const char* base) noexcept { base_ = base; }

  bool has_body() const noexcept { return chunked || content_length.value_or(0) > 0; }

  // What the head says about framing and about the connection (RFC 9112 6, 9; RFC
  // 9110 7.8, 10.1.1).
  std::optional<std::uint64_t> content_length;  // at most 2^63 - 1
  bool chunked = false;
  bool keep_alive = false;       // the client wants the connection to live on
  bool expect_continue = false;  // HTTP/1.1 with a body: 100 (Continue) is awaited
  bool upgrade = false;          // HTTP/1.1 with Upgrade that Connection names

  // --- for codecs, which fill the head ---

  // Forgets the previous request.
  void begin(const char* base) noexcept {
    base_ = base;
    present_ = 0;
    content_length = std::optional<std::uint64_t>();  // one store; reset() would look first
    chunked = keep_alive = expect_continue = upgrade = false;
    size_ = 0;
    field_count_ = 0;
    method_offset_ = method_size_ = 0;
    target_offset_ = target_size_ = 0;
    path_offset_ = path_size_ = 0;
    query_offset_ = query_size_ = 0;
    authority_offset_ = authority_size_ = 0;
    method_ = Method::other;
    target_form_ = TargetForm::origin;
    version_minor_ = 1;
  }
  void set_method(Method method, std::size_t offset, std::size_t size) noexcept {
    method_ = method;
    method_offset_ = narrow(offset);
    method_size_ = narrow(size);
  }
  void set_target(std::size_t offset, std::size_t size) noexcept {
    target_offset_ = narrow(offset);
    target_size_ = narrow(size);
  }
  void set_target_form(TargetForm form) noexcept { target_form_ = form; }
  void set_path(std::size_t offset, std::size_t size) noexcept {
    path_offset_ = narrow(offset);
    path_size_ = narrow(size);
  }
  void set_query(std::size_t offset, std::size_t size) noexcept {
    query_offset_ = narrow(offset);
    query_size_ = narrow(size);
  }
  void set_authority(std::size_t offset, std::size_t size) noexcept {
    authority_offset_ = narrow(offset);
    authority_size_ = narrow(size);
  }
  void set_version_minor(int minor) noexcept { version_minor_ = static_cast<std::uint8_t>(minor); }
  // Precondition: field_count() < max_fields.
  void add_field(FieldRef field, KnownHeader id) noexcept {
    put_name(field_count_, field.name_offset, field.name_size);
    put_value(field_count_, id, field.value_offset, field.value_size);
    if (id != KnownHeader::unknown && !has(id)) {
      put_first(id, field_count_);
      present_ |= std::uint64_t{1} << static_cast<unsigned>(id);
    }
    ++field_count_;
  }
  // add_field() in parts, for a codec that keeps the count and what is present in registers.
  void put_name(std::size_t i, std::size_t offset, std::size_t size) noexcept {
    fields_[i].name_offset = narrow(offset);
    fields_[i].name_size = narrow(size);
  }
  void put_value(std::size_t i, KnownHeader id, std::size_t offset, std::size_t size) noexcept {
    ids_[i] = id;
    fields_[i].value_offset = narrow(offset);
    fields_[i].value_size = narrow(size);
  }
  void put_first(KnownHeader id, std::size_t i) noexcept {
    first_[static_cast<std::size_t>(id)] = static_cast<std::uint8_t>(i);
  }
  void set_field_count(std::size_t count) noexcept { field_count_ = narrow(count); }
  void set_present(std::uint64_t headers) noexcept { present_ = headers; }
  // A bit for each known header that is there, and the index of its first field.
  std::uint64_t present() const noexcept { return present_; }
  std::size_t first(KnownHeader id) const noexcept { return first_[static_cast<std::size_t>(id)]; }
  void set_size(std::size_t size) noexcept { size_ = static_cast<std::uint32_t>(size); }

 private:
  static std::uint16_t narrow(std::size_t n) noexcept { return static_cast<std::uint16_t>(n); }
  std::string_view view(std::size_t offset, std::size_t size) const noexcept {
    return {base_ + offset, size};
  }
  std::string_view empty_path() const noexcept;

  const char* base_ = "";
  std::uint64_t present_ = 0;  // a bit for each known header that is there
  std::uint32_t size_ = 0;
  std::uint16_t field_count_ = 0;
  std::uint16_t method_offset_ = 0;
  std::uint16_t method_size_ = 0;
  std::uint16_t target_offset_ = 0;
  std::uint16_t target_size_ = 0;
  std::uint16_t path_offset_ = 0;
  std::uint16_t path_size_ = 0;
  std::uint16_t query_offset_ = 0;
  std::uint16_t query_size_ = 0;
  std::uint16_t authority_offset_ = 0;
  std::uint16_t authority_size_ = 0;
  Method method_ = Method::other;
  TargetForm target_form_ = TargetForm::origin;
  std::uint8_t version_minor_ = 1;
  // Written before they are read: entries of present_ and below field_count_.
  std::array<std::uint8_t, 64> first_;  // index of the first field of each known header
  std::array<KnownHeader, max_fields> ids_;
  std::array<FieldRef, max_fields> fields_;
};

}  // namespace spate::http
