// SPDX-License-Identifier: MIT
#include <spate/app/answer.hpp>
#include <spate/app/problem.hpp>
#include <spate/app/verdict.hpp>

#include "app/context_parts.hpp"
#include "http/ascii.hpp"
#include "http/exchange.hpp"

namespace spate {
namespace app {
namespace {

constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::string_view html_type = "text/html; charset=utf-8";
// Browsers must not guess another type, such as HTML in a text that people wrote.
constexpr std::string_view nosniff = "x-content-type-options: nosniff\r\n";
constexpr std::size_t nosniff_name_size = 22;

void guard_text(Response& response) {
  if (response.type().empty()) response.fixed_type(text_type);
  response.add_rendered(nosniff, nosniff_name_size);
}

}  // namespace

void answer_text(Context& ctx, std::string_view text) {
  http::Exchange& exchange = ctx.exchange();
  guard_text(exchange.response);
  // What the handler's frame held may be gone when the answer is sent later.
  exchange.response.body_view(ContextParts::waits(ctx) ? exchange.arena.copy(text) : text);
  ContextParts::answered(ctx) = true;
}

void answer_text(Context& ctx, std::string&& text) {
  Response& response = ctx.exchange().response;
  guard_text(response);
  response.body(std::move(text));
  ContextParts::answered(ctx) = true;
}

void answer_response(Context& ctx, Response&& answer) {
  Response& response = ctx.exchange().response;
  response.take(std::move(answer));
  if (response.type().empty() && !response.body().empty()) guard_text(response);
  ContextParts::answered(ctx) = true;
}

void answer_status(Context& ctx, int status, std::string_view location) {
  Response& response = ctx.exchange().response;
  response.status(status);
  if (!location.empty()) response.header("location", location);
  ContextParts::answered(ctx) = true;
}

JsonSink::Window JsonAnswer::space_of(Context& ctx) {
  http::Exchange& exchange = ctx.exchange();
  if (!ContextParts::writes_in_place(ctx)) return {};
  const auto space = exchange.body_space();
  return space ? Window{space->begin, space->end} : Window{};
}

JsonAnswer::JsonAnswer(Context& ctx) : JsonAnswer(ctx, space_of(ctx)) {}

JsonAnswer::JsonAnswer(Context& ctx, Window space)
    : JsonSink(space.begin, space.end), ctx_(ctx), space_(space.begin) {
  ctx.exchange().response.body_buffer().clear();
}

JsonSink::Window JsonAnswer::more(char* written, std::size_t bytes) {
  std::string& buffer = ctx_.exchange().response.body_buffer();
  std::size_t used = 0;
  if (space_ != nullptr) {
    used = static_cast<std::size_t>(written - space_);
    buffer.assign(space_, used);
    space_ = nullptr;
  } else if (written != nullptr) {
    used = static_cast<std::size_t>(written - buffer.data());
  }
  const std::size_t wanted = used + bytes;
  std::size_t size = buffer.capacity() > 2 * used ? buffer.capacity() : 2 * used;
  if (size < wanted + JsonSink::kStep) size = wanted + JsonSink::kStep;
  buffer.resize_and_overwrite(size, [](char*, std::size_t n) { return n; });
  return {buffer.data() + used, buffer.data() + size};
}

void JsonAnswer::finish() {
  http::Exchange& exchange = ctx_.exchange();
  if (space_ != nullptr) {
    exchange.use_body_space(static_cast<std::size_t>(position() - space_));
  } else {
    std::string& buffer = exchange.response.body_buffer();
    const auto used =
        position() == nullptr ? 0 : static_cast<std::size_t>(position() - buffer.data());
    buffer.resize(used);
  }
  if (exchange.response.type().empty()) exchange.response.fixed_type("application/json");
  ContextParts::answered(ctx_) = true;
}

}  // namespace app

void Html::answer_to(Context& ctx) && {
  Response& response = ctx.exchange().response;
  if (response.type().empty()) response.fixed_type(app::html_type);
  response.add_rendered(app::nosniff, app::nosniff_name_size);
  response.body(std::move(text_));
  app::ContextParts::answered(ctx) = true;
}

void NoContent::answer_to(Context& ctx) && { app::answer_status(ctx, 204, {}); }

void Redirect::answer_to(Context& ctx) && { app::answer_status(ctx, status_, location_); }

Verdict::Verdict(const Html& page) : Verdict(Response(200, std::string(page.view()))) {
  response()->type(app::html_type).header("x-content-type-options", "nosniff");
}

Verdict::Verdict(const Redirect& redirect) : Verdict(Response(redirect.status())) {
  response()->header("location", redirect.location());
}

namespace {

[[noreturn]] void refuse_redirect(std::string sentence) {
  throw ErrorException(Error(Errc::invalid, std::move(sentence), 400));
}

void check_redirect_status(int status) {
  switch (status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      return;
    default:
      throw ErrorException(
          Error(Errc::invalid,
                "a redirect's status is 301, 302, 303, 307 or 308, not " + std::to_string(status)));
  }
}

// What a URI may not hold as it stands is encoded; existing escapes stay. RFC 3986 section 2.
std::string encode_location(std::string_view text) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || c == ' ' || c == '"' || c == '<' || c == '>' || c == '\\' || c == '^' ||
        c == '`' || c == '{' || c == '|' || c == '}') {
      out += '%';
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

bool has_control(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

}  // namespace

Redirect redirect(std::string_view path, int status) {
  check_redirect_status(status);
  if (has_control(path)) {
    refuse_redirect("the target of a redirect holds a control character such as CR, LF or NUL");
  }
  // Browsers read '\' as '/', so "/\host" leads to another host as "//host" does (WHATWG URL 4.4).
  if (!path.starts_with('/') || path.starts_with("//") || path.starts_with("/\\")) {
    refuse_redirect(
        "a redirect leads to a path of this origin, beginning with one '/'; for another origin use "
        "redirect_external");
  }
  return Redirect(encode_location(path), status);
}

Redirect redirect_external(std::string_view url, int status) {
  check_redirect_status(status);
  if (has_control(url)) {
    refuse_redirect("the target of a redirect holds a control character such as CR, LF or NUL");
  }
  const std::size_t scheme = http::equals_ignore_case(url.substr(0, 8), "https://")  ? 8
                             : http::equals_ignore_case(url.substr(0, 7), "http://") ? 7
                                                                                     : 0;
  if (scheme == 0 || url.size() == scheme || url[scheme] == '/' || url[scheme] == '\\') {
    refuse_redirect("redirect_external leads to an address that begins with https:// or http://");
  }
  return Redirect(encode_location(url), status);
}

std::unexpected<Error> problem(int status, std::string detail, std::string_view pointer,
                               std::source_location where) {
  std::unexpected<Error> made = problem(status, std::move(detail), where);
  made.error().pointer = pointer;
  return made;
}

std::unexpected<Error> problem(int status, std::string detail, std::source_location where) {
  Errc code = status < 500 ? Errc::invalid : Errc::internal;
  switch (status) {
    case 401:
    case 403:
      code = Errc::unauthorized;
      break;
    case 404:
    case 410:
      code = Errc::not_found;
      break;
    case 409:
    case 412:
      code = Errc::conflict;
      break;
    case 413:
      code = Errc::too_large;
      break;
    case 408:
    case 504:
      code = Errc::timeout;
      break;
    case 429:
    case 503:
      code = Errc::busy;
      break;
    default:
      break;
  }
  const bool fits = status >= 400 && status <= 599;
  return std::unexpected(
      Error(code, std::move(detail), static_cast<std::uint16_t>(fits ? status : 500), where));
}

// --- extractors ---

Result<std::string_view> app::json_body(Context& ctx) {
  std::string_view type = ctx.request().header(KnownHeader::content_type).value_or("");
  type = type.substr(0, type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  const bool is_json =
      http::equals_ignore_case(type, "application/json") ||
      (type.size() > 5 && http::equals_ignore_case(type.substr(type.size() - 5), "+json"));
  if (!is_json) {
    return std::unexpected(Error(Errc::invalid,
                                 "this resource takes JSON; send it with `Content-Type: "
                                 "application/json`",
                                 415));
  }
  return ctx.exchange().whole_body();
}

Result<Body> Body::extract(Context& ctx) { return Body(ctx.exchange().whole_body()); }

}  // namespace spate
