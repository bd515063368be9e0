// SPDX-License-Identifier: MIT
// What is sent: each different request as finished bytes, in a form that keeps the connection and
// one that ends it, and the order in which they take turns. Made once before the run; it does not
// change afterwards, and the generator sends from it without copying. thread: any.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "options.hpp"

namespace load {

struct Request {
  std::string name;      // "GET /users/7", for messages
  std::string keeping;   // the bytes
  std::string closing;   // with Connection: close
  bool is_head = false;  // its answers have no content
};

struct Requests {
  std::vector<Request> all;
  std::vector<std::uint32_t> order;  // indices of `all`, sent in turn, again and again
  std::vector<std::uint32_t> warm;   // likewise, what each connection is warmed with
};

// Reads the files that the options name.
std::expected<Requests, std::string> make_requests(const Options& options);

// The format of --requests; `name` is the file's, for messages. Reads the files of @file.
std::expected<Requests, std::string> parse_requests(std::string_view text, std::string_view name,
                                                    const Options& options);

std::expected<std::string, std::string> read_file(const std::string& path);

}  // namespace load
