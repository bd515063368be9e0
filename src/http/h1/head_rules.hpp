// SPDX-License-Identifier: MIT
// What the fields that govern framing and connection may say, and what they mean. Each function
// takes one field value, trimmed and free of control characters, and answers with the rule it
// breaks. Pure; tested through RequestParser.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/h1/parse_error.hpp"

namespace spate::h1 {

// RFC 9110 8.6: 1*DIGIT, at most 19 of them and at most 2^63 - 1, which every peer can count to.
ParseError parse_content_length(std::string_view value, std::uint64_t& length) noexcept;

// RFC 9112 6.1: only "chunked", once and alone.
ParseError check_transfer_encoding(std::string_view value) noexcept;

struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
};

// RFC 9110 7.6.1. Options are added to those that are set.
ParseError parse_connection(std::string_view value, ConnectionOptions& options) noexcept;

// RFC 9110 6.5.1: fields that change framing, routing, authentication or the meaning of content
// must not come after the content. `name` in any case.
bool is_forbidden_trailer(std::string_view name) noexcept;

}  // namespace spate::h1
