// expect: the_text_of_html_needs_one_argument_for_each_pair_of_braces
// SPDX-License-Identifier: MIT
#include <spate/app/html.hpp>

spate::Html page(std::string_view name) {
#ifdef SPATE_REPAIRED
  return spate::html("<p>{} {}</p>", name, 7);
#else
  return spate::html("<p>{} {}</p>", name);
#endif
}
