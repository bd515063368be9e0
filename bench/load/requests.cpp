// SPDX-License-Identifier: MIT
#include "requests.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <utility>

namespace load {
namespace {

using Fault = std::unexpected<std::string>;

constexpr std::string_view number_mark = "{n}";
constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;

struct Draft {
  std::string method;
  std::string target;
  std::vector<std::string> fields;
  std::string body;
  bool has_body = false;
  bool has_number() const {
    bool found = target.find(number_mark) != std::string::npos ||
                 body.find(number_mark) != std::string::npos;
    for (const std::string& field : fields) {
      found = found || field.find(number_mark) != std::string::npos;
    }
    return found;
  }
};

std::string with_number(std::string text, std::uint32_t number) {
  const std::string digits = std::to_string(number);
  for (auto at = text.find(number_mark); at != std::string::npos;
       at = text.find(number_mark, at + digits.size())) {
    text.replace(at, number_mark.size(), digits);
  }
  return text;
}

bool is_named(std::string_view field, std::string_view name) {
  if (field.size() <= name.size() || field[name.size()] != ':') return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = field[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c) != name[i]) return false;
  }
  return true;
}

Request finish(const Draft& draft, const Options& options, std::uint32_t number) {
  const std::string target = with_number(draft.target, number);
  const std::string body = draft.has_body ? with_number(draft.body, number) : std::string();
  bool has_host = false;
  std::string fields;
  for (const auto* list : {&draft.fields, &options.headers}) {
    for (const std::string& field : *list) {
      has_host = has_host || is_named(field, "host");
      fields += with_number(field, number) + "\r\n";
    }
  }
  std::string head = draft.method + " " + target + " HTTP/1.1\r\n";
  if (!has_host) head += "Host: " + options.authority + "\r\n";
  head += fields;
  if (draft.has_body) head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return {.name = draft.method + " " + target,
          .keeping = head + "\r\n" + body,
          .closing = head + "Connection: close\r\n\r\n" + body,
          .is_head = draft.method == "HEAD"};
}

// Every number meets every request; those without a number are made once.
std::expected<Requests, std::string> expand(const std::vector<Draft>& drafts,
                                            const Options& options) {
  Requests made;
  bool numbered = false;
  for (const Draft& draft : drafts) numbered = numbered || draft.has_number();
  const std::uint32_t rounds = numbered ? options.numbers : 1;
  std::vector<std::uint32_t> once(drafts.size());
  std::uint64_t bytes = 0;
  for (std::uint32_t number = 0; number < rounds; ++number) {
    for (std::size_t i = 0; i < drafts.size(); ++i) {
      if (number == 0 || drafts[i].has_number()) {
        once[i] = static_cast<std::uint32_t>(made.all.size());
        made.all.push_back(finish(drafts[i], options, number));
        bytes += made.all.back().keeping.size() + made.all.back().closing.size();
        if (bytes > most_bytes) {
          return Fault(
              "the requests are more than 1 GiB in all; use fewer --numbers or smaller bodies");
        }
      }
      made.order.push_back(once[i]);
    }
  }
  return made;
}

// Takes a line of a paragraph into the draft; what is wrong with it, or nothing.
std::string take_line(std::string_view line, Draft& draft) {
  if (draft.method.empty()) {
    const auto space = line.find(' ');
    if (space == 0 || space == std::string_view::npos || line.substr(space + 1).empty() ||
        line.find(' ', space + 1) != std::string_view::npos) {
      return "a request begins with METHOD TARGET, such as GET /users/{n}";
    }
    draft.method = line.substr(0, space);
    draft.target = line.substr(space + 1);
    return {};
  }
  if (draft.has_body) return "nothing follows the body but an empty line";
  if (line.starts_with('@')) {
    const auto space = line.find(' ');
    const std::string_view kind = line.substr(0, space);
    const std::string_view value =
        space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
    draft.has_body = true;
    if (kind == "@text") {
      draft.body = value;
      return {};
    }
    if (kind == "@file") {
      auto read = read_file(std::string(value));
      if (!read) return read.error();
      draft.body = std::move(*read);
      return {};
    }
    std::uint32_t size = 0;
    constexpr std::uint32_t longest = 64U << 20;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), size);
    if (kind == "@size" && error == std::errc() && end == value.data() + value.size() &&
        size <= longest) {
      draft.body.assign(size, 'x');
      return {};
    }
    return "a body is @text TEXT, @file PATH or @size BYTES (at most 64 MiB)";
  }
  const auto colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos || line.find(' ') < colon) {
    return "neither a field 'Name: value' nor a body '@text ...'";
  }
  draft.fields.emplace_back(line);
  return {};
}

std::expected<Requests, std::string> requests_of_file(const std::string& path,
                                                      const Options& options) {
  auto text = read_file(path);
  if (!text) return Fault(text.error());
  return parse_requests(*text, path, options);
}

// What --method, --body-size and the like describe.
std::expected<Requests, std::string> requests_of_flags(const Options& options) {
  Draft draft;
  draft.target = options.target;
  draft.has_body = options.body_size > 0 || !options.body_file.empty();
  draft.method = !options.method.empty() ? options.method : draft.has_body ? "POST" : "GET";
  if (!options.body_file.empty()) {
    auto body = read_file(options.body_file);
    if (!body) return Fault(body.error());
    draft.body = std::move(*body);
  } else {
    draft.body.assign(options.body_size, 'x');
  }
  if (!options.content_type.empty()) {
    draft.fields.push_back("Content-Type: " + options.content_type);
  } else if (draft.has_body) {
    draft.fields.emplace_back("Content-Type: application/octet-stream");
  }
  return expand({std::move(draft)}, options);
}

}  // namespace

std::expected<std::string, std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) return Fault("the file '" + path + "' cannot be read");
  return text;
}

std::expected<Requests, std::string> parse_requests(std::string_view text, std::string_view name,
                                                    const Options& options) {
  std::vector<Draft> drafts;
  bool in_paragraph = false;
  std::size_t number = 0;
  while (!text.empty()) {
    const auto newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) {
      in_paragraph = false;
      continue;
    }
    if (!in_paragraph && line.starts_with('#')) continue;
    if (!in_paragraph) drafts.emplace_back();
    in_paragraph = true;
    if (const std::string fault = take_line(line, drafts.back()); !fault.empty()) {
      return Fault(std::string(name) + ":" + std::to_string(number) + ": " + fault);
    }
  }
  if (drafts.empty()) return Fault(std::string(name) + " holds no request");
  return expand(drafts, options);
}

std::expected<Requests, std::string> make_requests(const Options& options) {
  auto made = options.requests_file.empty() ? requests_of_flags(options)
                                            : requests_of_file(options.requests_file, options);
  if (!made) return made;
  made->warm = made->order;
  if (options.warm_file.empty()) return made;
  auto warm = requests_of_file(options.warm_file, options);
  if (!warm) return warm;
  const auto first = static_cast<std::uint32_t>(made->all.size());
  made->warm = std::move(warm->order);
  for (std::uint32_t& index : made->warm) index += first;
  for (Request& request : warm->all) made->all.push_back(std::move(request));
  return made;
}

}  // namespace load
