// SPDX-License-Identifier: MIT
// The themes of the showcase: one file each, one function each that adds its
// routes. What stands between `// [name]` and `// [/name]` in those files is
// cut out when the program is built and shown on the page, so the page cannot
// say anything but what runs.
#pragma once

#include <spate/spate.hpp>

namespace showcase {

void add_page(spate::Server& server);
void add_answers(spate::Server& server);
void add_users(spate::Server& server);
void add_bodies(spate::Server& server);
void add_waiting(spate::Server& server);
void add_failures(spate::Server& server);
void add_groups(spate::Server& server);
void add_connection(spate::Server& server);
void add_listing(spate::Server& server);

}  // namespace showcase
