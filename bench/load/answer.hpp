// SPDX-License-Identifier: MIT
// Answers judged: the first of a kind is parsed strictly (RFC 9112) and becomes the template; all
// later ones must be the same bytes but for the values of Date and of fields that may vary. The
// comparison goes along with the bytes as they come and keeps nothing of them, so a whole answer in
// one read costs a memcmp or two. thread: one owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace load {

inline constexpr std::size_t date_length = 29;

// A template: literal bytes, and the places where they may differ.
struct Template {
  enum class Kind : std::uint8_t { literal, date, varying };
  struct Segment {
    Kind kind;
    std::uint32_t begin;
    std::uint32_t end;
  };
  std::string bytes;
  std::vector<Segment> segments;
  int status = 0;
  std::string body;  // decoded
};

struct Parsed {
  enum class Outcome { complete, incomplete, wrong };
  Outcome outcome = Outcome::incomplete;
  std::string fault;   // when wrong: what was expected
  std::size_t at = 0;  // when wrong: where; when complete: the answer's length
  Template made;       // when complete
};

// `vary`: names of fields, in lower case.
Parsed parse_answer(std::string_view data, bool answers_head, std::span<const std::string> vary);

// How far into a template an answer has come.
struct Progress {
  std::uint32_t segment = 0;
  std::uint32_t offset = 0;  // in the segment; of a varying value: how many bytes it has had
};

class Matcher {
 public:
  enum class Outcome { complete, incomplete, wrong };

  // Takes bytes from the front of `data` until the answer ends or they do. When wrong, `data`
  // begins with the byte that differs and `progress` says where the template stands.
  Outcome match(const Template& expected, Progress& progress, std::string_view& data);

 private:
  Outcome match_date(Progress& progress, std::string_view& data);

  std::array<char, date_length> last_date_{};  // it changes once a second; compared first
};

// The template's offset that the progress stands at.
inline std::size_t offset_of(const Template& expected, const Progress& progress) {
  const Template::Segment& segment = expected.segments[progress.segment];
  return segment.kind == Template::Kind::varying ? segment.begin : segment.begin + progress.offset;
}

}  // namespace load
