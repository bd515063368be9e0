// SPDX-License-Identifier: MIT
// The page itself: one text inside the program (made by embed_page.cmake), sent
// without a copy.
#include "page.hpp"

#include "themes.hpp"

namespace showcase {

void add_page(spate::Server& server) {
  // [page]
  server.get("/", [] {
    spate::Response page;
    page.type("text/html; charset=utf-8").body_view(page_html());
    page.header("content-security-policy", page_policy());
    page.header("x-content-type-options", "nosniff");
    page.header("referrer-policy", "no-referrer");
    return page;
  });
  // [/page]
}

}  // namespace showcase
