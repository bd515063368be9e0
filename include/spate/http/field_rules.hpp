// SPDX-License-Identifier: MIT
// What may stand in a field name, a field value and a token (RFC 9110 5.1, 5.5, 5.6.2). Whoever
// puts text of others into a response asks here first: a CR, LF or NUL in a value is how responses
// are split. Pure functions, safe from any thread.
#pragma once

#include <string_view>

namespace spate {

// 1*tchar: letters, digits and !#$%&'*+-.^_`|~ (RFC 9110 5.6.2). Empty text is not a token.
bool is_token(std::string_view text) noexcept;

// A field name is a token (RFC 9110 5.1).
bool is_field_name(std::string_view text) noexcept;

// No control character but the tab: CR, LF, NUL, the other controls and DEL are refused, bytes
// above 0x7F are allowed (RFC 9110 5.5). Empty text is a value.
bool is_field_value(std::string_view text) noexcept;

}  // namespace spate
