// SPDX-License-Identifier: MIT
// The field names that Spate knows by number. A codec classifies each name once while it parses, so
// that asking for a known header later is one load instead of a search.
// Names compare without case (RFC 9110 5.1). Everything here is constant data, safe from any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spate {

// `unknown` is any other name. The numbers are not stable between versions.
enum class KnownHeader : std::uint8_t {
  unknown,
  host,
  connection,
  content_length,
  transfer_encoding,
  expect,
  upgrade,
  te,
  trailer,
  keep_alive,
  content_type,
  content_encoding,
  content_disposition,
  content_language,
  content_location,
  content_range,
  accept,
  accept_encoding,
  accept_language,
  accept_charset,
  authorization,
  proxy_authorization,
  cookie,
  set_cookie,
  user_agent,
  origin,
  referer,
  if_match,
  if_none_match,
  if_modified_since,
  if_unmodified_since,
  if_range,
  range,
  cache_control,
  pragma,
  forwarded,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_proto,
  via,
  max_forwards,
  x_request_id,
  idempotency_key,
  traceparent,
  tracestate,
  last_event_id,
  sec_websocket_key,
  sec_websocket_version,
  sec_websocket_protocol,
  sec_websocket_extensions,
  sec_websocket_accept,
  sec_fetch_site,
  access_control_request_method,
  access_control_request_headers,
  date,
  etag,
  last_modified,
  location,
  server,
  vary,
  allow,
  retry_after,
  http2_settings,
};

// How many enumerators there are, `unknown` included; always at most 64.
inline constexpr std::size_t known_header_count = 63;

// The header of that name, in any case of letters, or `unknown`.
KnownHeader known_header(std::string_view name) noexcept;

// The name in lower case, as HTTP/2 spells it; "" for `unknown`. The view never ends.
std::string_view to_string(KnownHeader header) noexcept;

}  // namespace spate
