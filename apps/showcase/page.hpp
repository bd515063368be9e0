// SPDX-License-Identifier: MIT
// The page as embed_page.cmake puts it into the program: index.html with the
// source excerpts in their places, and the policy that lets its one style and
// one script run and nothing else. lifetime: static.
#pragma once

#include <string_view>

namespace showcase {

std::string_view page_html() noexcept;
// A Content-Security-Policy with the hashes of the style and the script.
std::string_view page_policy() noexcept;

}  // namespace showcase
