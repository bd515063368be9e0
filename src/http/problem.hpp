// SPDX-License-Identifier: MIT
// A failure as the answer that clients get: one application/problem+json document (RFC 9457), made
// here for both halves of a server. Pure.
#pragma once

#include <spate/http/response.hpp>
#include <string_view>

namespace spate::http {

// Sets status, type and body of `out`; its fields stay. `pointer` (RFC 6901) names the faulty
// member of a JSON body, or is empty. throws: std::bad_alloc.
void render_problem(Response& out, int status, std::string_view detail, std::string_view request_id,
                    std::string_view pointer = {});

}  // namespace spate::http
