// SPDX-License-Identifier: MIT
#include "http/h1/request_parser.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "http/ascii.hpp"
#include "http/authority.hpp"
#include "http/h1/head_rules.hpp"
#include "http/h1/scan.hpp"
#include "http/h1/scan_head.hpp"
#include "http/h1/scan_head_parts.hpp"

namespace spate::h1 {
namespace {

using http::RequestHead;
using http::TargetForm;

constexpr std::string_view version_prefix = "HTTP/";

constexpr bool is_special(KnownHeader id) noexcept {
  return (special_fields >> static_cast<unsigned>(id) & 1) != 0;
}

// The offset that the current section must not reach.
std::size_t section_end(std::size_t begin, std::size_t limit) noexcept {
  return std::min(begin + std::min(limit, http::max_head_bytes), http::max_head_bytes);
}

// Splits [offset, offset + size) into path and query.
void set_path_and_query(RequestHead& head, std::size_t offset, std::size_t size) noexcept {
  std::size_t path_size = size;
  const void* const mark = size == 0 ? nullptr : std::memchr(head.base() + offset, '?', size);
  if (mark != nullptr) {
    path_size = static_cast<std::size_t>(static_cast<const char*>(mark) - head.base()) - offset;
    head.set_query(offset + path_size + 1, size - path_size - 1);
  }
  head.set_path(offset, path_size);
}

// RFC 9112 3.2.2: "http://authority/path?query".
ParseError read_absolute_form(RequestHead& head) noexcept {
  std::string_view const target = head.target();
  std::size_t scheme = 0;
  if (http::equals_ignore_case(target.substr(0, 7), "http://")) scheme = 7;
  if (http::equals_ignore_case(target.substr(0, 8), "https://")) scheme = 8;
  if (scheme == 0) return ParseError::bad_target;
  std::size_t const end = std::min(target.find_first_of("/?", scheme), target.size());
  if (!http::is_authority(target.substr(scheme, end - scheme), http::Port::optional)) {
    return ParseError::bad_authority;
  }
  auto const offset = static_cast<std::size_t>(target.data() - head.base());
  head.set_target_form(TargetForm::absolute);
  head.set_authority(offset + scheme, end - scheme);
  set_path_and_query(head, offset + end, target.size() - end);
  return ParseError::none;
}

// RFC 9112 3.2: which form the target has, and whether the method may use it.
ParseError read_target(RequestHead& head) noexcept {
  std::string_view const target = head.target();
  auto const offset = static_cast<std::size_t>(target.data() - head.base());
  if (head.method() == Method::connect) {
    if (!http::is_authority(target, http::Port::required)) return ParseError::connect_target;
    head.set_target_form(TargetForm::authority);
    head.set_authority(offset, target.size());
    return ParseError::none;
  }
  if (target.front() == '/') {
    set_path_and_query(head, offset, target.size());
    return ParseError::none;
  }
  if (target.front() == '*') {
    if (target.size() != 1 || head.method() != Method::options) return ParseError::asterisk_target;
    head.set_target_form(TargetForm::asterisk);
    head.set_path(offset, 1);
    return ParseError::none;
  }
  return read_absolute_form(head);
}

}  // namespace

ParseError read_special_field(RequestHead& head, KnownHeader id, std::string_view value,
                              ConnectionOptions& options) noexcept {
  switch (id) {
    case KnownHeader::host:
      if (head.has(id)) return ParseError::duplicate_host;
      return http::is_authority(value, http::Port::optional) ? ParseError::none
                                                             : ParseError::bad_host;
    case KnownHeader::connection:
      return parse_connection(value, options);
    case KnownHeader::content_length: {
      // RFC 9112 6.3 allows equal duplicates to be merged; nobody honest sends them.
      if (head.has(id)) return ParseError::duplicate_content_length;
      if (head.has(KnownHeader::transfer_encoding)) {
        return ParseError::content_length_with_transfer_encoding;
      }
      std::uint64_t length = 0;
      ParseError const error = parse_content_length(value, length);
      head.content_length = length;
      return error;
    }
    case KnownHeader::transfer_encoding:
      if (head.has(KnownHeader::content_length)) {
        return ParseError::content_length_with_transfer_encoding;
      }
      // RFC 9112 6.1: an HTTP/1.0 peer does not know it, so its framing is faulty.
      if (head.version_minor() == 0) return ParseError::transfer_encoding_in_http10;
      // Two lines are one list (RFC 9110 5.3), in which chunked would not be last or not be once.
      if (head.has(id)) return ParseError::bad_transfer_encoding;
      head.chunked = true;
      return check_transfer_encoding(value);
    case KnownHeader::expect:
      if (!http::equals_ignore_case(value, "100-continue")) return ParseError::unknown_expectation;
      // RFC 9110 10.1.1: ignored in an HTTP/1.0 request.
      head.expect_continue = head.version_minor() != 0;
      return ParseError::none;
    default:
      return ParseError::none;
  }
}

ParseError finish_head(RequestHead& head, ConnectionOptions options) noexcept {
  if (auto const host = head.find(KnownHeader::host)) {
    std::string_view const authority = head.authority();
    // RFC 9112 3.2: Host is identical to the target's authority. RFC 9112 3.2.2 would let the
    // target win, but whoever looked at Host before us would have seen another site.
    if (!authority.empty()) {
      if (!http::equals_ignore_case(authority, *host)) return ParseError::host_mismatch;
    } else {
      head.set_authority(static_cast<std::size_t>(host->data() - head.base()), host->size());
    }
  } else if (head.version_minor() != 0) {
    return ParseError::missing_host;
  }
  bool const http11 = head.version_minor() != 0;
  // RFC 9112 9.3.
  head.keep_alive = !options.close && (http11 || options.keep_alive);
  // RFC 9110 7.8: only with the connection option, and never from HTTP/1.0.
  head.upgrade = http11 && options.upgrade && head.has(KnownHeader::upgrade);
  // RFC 9110 10.1.1: without content there is nothing to wait for.
  head.expect_continue = head.expect_continue && head.has_body();
  return ParseError::none;
}

bool read_special_fields(RequestHead& head, std::uint64_t fields,
                         ConnectionOptions& options) noexcept {
  // Each is read as if it were not there yet: in which order does not change what is accepted.
  std::uint64_t const all = head.present();
  head.set_present(all & ~fields);
  for (std::uint64_t left = fields; left != 0; left &= left - 1) {
    auto const id = static_cast<KnownHeader>(std::countr_zero(left));
    std::string_view const value = head.value(head.first(id));
    if (read_special_field(head, id, value, options) != ParseError::none) return false;
    head.set_present(head.present() | (left & (0 - left)));
  }
  return finish_head(head, std::exchange(options, {})) == ParseError::none;
}

ParseResult RequestParser::fail(ParseError error, std::size_t offset) noexcept {
  phase_ = Phase::failed;
  error_ = error;
  position_ = static_cast<std::uint32_t>(offset);
  return {ParseStatus::error, error, offset};
}

ParseResult RequestParser::resume(RequestHead& head, std::string_view bytes,
                                  const HeadLimits& limits) noexcept {
  if (phase_ == Phase::failed) return {ParseStatus::error, error_, position_};
  const char* const base = bytes.data();
  const char* p = base + position_;
  head.rebase(base);

  auto offset_of = [base](const char* at) { return static_cast<std::size_t>(at - base); };
  auto mark = [base](const char* at) { return static_cast<std::uint32_t>(at - base); };
  std::size_t const max_fields = std::min<std::size_t>(limits.fields, RequestHead::max_fields);

  // `stop` is where the bytes or the section's limit end, whichever comes first: nothing scans past
  // it.
  bool const in_fields = phase_ >= Phase::line_start;
  std::size_t limit = section_end(section_, in_fields ? limits.header_bytes : limits.request_line);
  const char* stop = base + std::min(bytes.size(), limit);

  for (Phase phase = phase_;;) {
    switch (phase) {
      case Phase::start:
        if (p == stop) break;
        if (*p == '\r') {
          // RFC 9112 2.2: an empty line before the request line is ignored.
          if (empty_lines_ >= limits.empty_lines)
            return fail(ParseError::empty_lines, offset_of(p));
          ++p;
          phase = Phase::start_lf;
          continue;
        }
        if (*p == '\n') return fail(ParseError::bare_lf, offset_of(p));
        if (http::is_ows(*p)) return fail(ParseError::leading_whitespace, offset_of(p));
        section_ = token_ = mark(p);
        limit = section_end(section_, limits.request_line);
        stop = base + std::min(bytes.size(), limit);
        phase = Phase::method;
        [[fallthrough]];

      case Phase::method: {
        const char* const longest = base + std::min(offset_of(stop), token_ + max_method);
        while (p < longest && http::is_token_char(*p)) ++p;
        if (p == stop) break;
        if (*p != ' ') {
          bool const too_long = http::is_token_char(*p);
          return fail(too_long ? ParseError::method_too_long : ParseError::bad_method,
                      offset_of(p));
        }
        std::string_view const text(base + token_, offset_of(p) - token_);
        if (text.empty()) return fail(ParseError::bad_method, offset_of(p));
        head.set_method(parse_method(text), token_, text.size());
        ++p;
        token_ = mark(p);
        phase = Phase::target;
        [[fallthrough]];
      }

      case Phase::target:
        p = find_special<TargetEnd>(base, p, stop);
        if (p == stop) break;
        if (*p != ' ') {
          ParseError const error = *p == '\r'   ? ParseError::missing_version
                                   : *p == '\n' ? ParseError::bare_lf
                                                : ParseError::bad_target_char;
          return fail(error, offset_of(p));
        }
        if (offset_of(p) == token_) return fail(ParseError::empty_target, offset_of(p));
        head.set_target(token_, offset_of(p) - token_);
        ++p;
        token_ = mark(p);
        phase = Phase::version;
        [[fallthrough]];

      case Phase::version:
        if (stop - p >= 9 && offset_of(p) == token_ && std::memcmp(p, "HTTP/1.1\r", 9) == 0) {
          head.set_version_minor(1);
          p += 9;
        } else {
          // RFC 9112 2.3: "HTTP/" DIGIT "." DIGIT, nothing around it.
          for (bool in_version = true; in_version && p != stop; ++p) {
            std::size_t const i = offset_of(p) - token_;
            bool good = false;
            if (i < version_prefix.size()) {
              good = *p == version_prefix[i];
            } else if (i == 6) {
              good = *p == '.';
            } else if (i == 8) {
              good = *p == '\r';
              in_version = false;
            } else {
              good = http::is_digit(*p);
            }
            if (!good) {
              return fail(*p == '\n' ? ParseError::bare_lf : ParseError::bad_version, offset_of(p));
            }
          }
          if (offset_of(p) != token_ + 9) break;
          const char* const version = base + token_;
          if (version[5] != '1') return fail(ParseError::unsupported_version, offset_of(p) - 1);
          // RFC 9110 2.5: a higher minor version is served as the highest that we know.
          head.set_version_minor(version[7] == '0' ? 0 : 1);
        }
        phase = Phase::version_lf;
        [[fallthrough]];

      case Phase::version_lf:
        if (p == stop) break;
        if (*p != '\n') return fail(ParseError::bare_cr, offset_of(p));
        if (ParseError const error = read_target(head); error != ParseError::none) {
          return fail(error, offset_of(p));
        }
        ++p;
        section_ = mark(p);
        limit = section_end(section_, limits.header_bytes);
        stop = base + std::min(bytes.size(), limit);
        phase = Phase::line_start;
        [[fallthrough]];

      case Phase::line_start:
        if (p == stop) break;
        if (*p == '\r') {
          ++p;
          phase = Phase::end_lf;
          continue;
        }
        if (*p == '\n') return fail(ParseError::bare_lf, offset_of(p));
        if (http::is_ows(*p)) {
          // RFC 9112 5.2 lets a server refuse a folded line; RFC 9112 2.2 whitespace before the
          // first.
          return fail(
              head.field_count() == 0 ? ParseError::leading_whitespace : ParseError::obs_fold,
              offset_of(p));
        }
        if (head.field_count() >= max_fields)
          return fail(ParseError::too_many_fields, offset_of(p));
        token_ = mark(p);
        phase = Phase::name;
        [[fallthrough]];

      case Phase::name:
        while ((p = find_special<NotNameLetter>(base, p, stop)) != stop && http::is_token_char(*p))
          ++p;
        if (p == stop) break;
        if (*p != ':') {
          // RFC 9112 5.1: no whitespace before the colon; it has been used to hide fields.
          ParseError const error = http::is_ows(*p) ? ParseError::space_before_colon
                                   : *p == '\r'     ? ParseError::missing_colon
                                   : *p == '\n'     ? ParseError::bare_lf
                                                    : ParseError::bad_name_char;
          return fail(error, offset_of(p));
        }
        if (offset_of(p) == token_) return fail(ParseError::empty_name, offset_of(p));
        name_ = static_cast<std::uint16_t>(token_);
        name_size_ = static_cast<std::uint16_t>(offset_of(p) - token_);
        ++p;
        phase = Phase::before_value;
        [[fallthrough]];

      case Phase::before_value:
        while (p != stop && http::is_ows(*p)) ++p;
        if (p == stop) break;
        token_ = mark(p);
        phase = Phase::value;
        [[fallthrough]];

      case Phase::value: {
        while ((p = find_special<Control>(base, p, stop)) != stop && *p == '\t') ++p;
        if (p == stop) break;
        if (*p != '\r') {
          return fail(*p == '\n' ? ParseError::bare_lf : ParseError::bad_value_char, offset_of(p));
        }
        const char* const begin = base + token_;
        const char* end = p;
        while (end != begin && http::is_ows(end[-1])) --end;
        KnownHeader const id = known_header({base + name_, name_size_});
        std::string_view const value(begin, static_cast<std::size_t>(end - begin));
        if (is_special(id)) {
          ParseError const error = read_special_field(head, id, value, options_);
          if (error != ParseError::none) return fail(error, offset_of(p));
        }
        head.add_field({name_, name_size_, static_cast<std::uint16_t>(token_),
                        static_cast<std::uint16_t>(value.size())},
                       id);
        ++p;
        phase = Phase::value_lf;
        [[fallthrough]];
      }

      case Phase::value_lf:
        if (p == stop) break;
        if (*p != '\n') return fail(ParseError::bare_cr, offset_of(p));
        ++p;
        phase = Phase::line_start;
        continue;

      case Phase::start_lf:
        if (p == stop) break;
        if (*p != '\n') return fail(ParseError::bare_cr, offset_of(p));
        ++p;
        ++empty_lines_;
        phase = Phase::start;
        continue;

      case Phase::end_lf: {
        if (p == stop) break;
        if (*p != '\n') return fail(ParseError::bare_cr, offset_of(p));
        if (ParseError const error = finish_head(head, options_); error != ParseError::none) {
          return fail(error, offset_of(p));
        }
        std::size_t const size = offset_of(p) + 1;
        head.set_size(size);
        reset();
        return {ParseStatus::done, ParseError::none, size};
      }

      case Phase::failed:
        break;
    }

    // The scan stands at `stop`.
    if (bytes.size() > limit) {
      return fail(phase >= Phase::line_start ? ParseError::header_too_large
                                             : ParseError::request_line_too_long,
                  limit);
    }
    phase_ = phase;
    position_ = mark(p);
    return {};
  }
}

}  // namespace spate::h1
