// SPDX-License-Identifier: MIT
#include "http/problem.hpp"

#include <spate/http/status.hpp>
#include <string>

namespace spate::http {
namespace {

// RFC 8259 7; the text is ours or was checked to be UTF-8, so only the few escapes are needed.
void append_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

void render_problem(Response& out, int status, std::string_view detail, std::string_view request_id,
                    std::string_view pointer) {
  out.clear_content();
  out.status(status);
  out.fixed_type("application/problem+json");
  std::string& body = out.body_buffer();
  body = "{\"type\":\"about:blank\",\"title\":";
  append_string(body, reason(status));
  body.append(",\"status\":").append(std::to_string(status));
  if (!detail.empty()) {
    body += ",\"detail\":";
    append_string(body, detail);
  }
  if (!pointer.empty()) {
    body += ",\"pointer\":";
    append_string(body, pointer);
  }
  body += ",\"request_id\":";
  append_string(body, request_id);
  body += '}';
}

}  // namespace spate::http
