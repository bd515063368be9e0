// SPDX-License-Identifier: MIT
// A straight line through what nearly every request head is: whole, with an origin-form target and
// clean. It only ever says yes; whatever is missing, odd or wrong is left to the state machine of
// RequestParser, which starts again from the first byte. There is a variant for each level of
// vector instructions, all compiled from one text (scan_head_body.hpp); which one runs is chosen
// when the program starts and costs one predicted call. No byte outside `bytes` is ever read.
#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "base/cpu_features.hpp"
#include "http/h1/head_rules.hpp"
#include "http/h1/parse_error.hpp"
#include "http/request_head.hpp"

namespace spate::h1 {

struct HeadLimits;

// Fills `head` and returns its size, or 0, when neither `head` nor `options` holds anything of use.
// `options` is empty at first, and again behind a head that was read.
using ScanHead = std::size_t (*)(http::RequestHead& head, std::string_view bytes,
                                 const HeadLimits& limits, ConnectionOptions& options) noexcept;

// The variant of that level; nullptr where this machine or this build has none.
ScanHead scan_head_of(base::SimdLevel level) noexcept;

// For tests alone, which run every variant: what RequestParser uses from now on, in all threads.
// False, and nothing is changed, where scan_head_of() has none.
bool force_scan_head(base::SimdLevel level) noexcept;

// The variant that RequestParser uses: the best of this machine. Atomic for the tests; on the way
// of a request it is a plain load.
extern std::atomic<ScanHead> chosen_scan_head;
inline ScanHead scan_head() noexcept { return chosen_scan_head.load(std::memory_order_relaxed); }

// --- for the variants ---

std::size_t scan_head_scalar(http::RequestHead&, std::string_view, const HeadLimits&,
                             ConnectionOptions&) noexcept;
std::size_t scan_head_sse42(http::RequestHead&, std::string_view, const HeadLimits&,
                            ConnectionOptions&) noexcept;
std::size_t scan_head_avx2(http::RequestHead&, std::string_view, const HeadLimits&,
                           ConnectionOptions&) noexcept;

// One field with a meaning for framing or connection; the others need no look here.
ParseError read_special_field(http::RequestHead& head, KnownHeader id, std::string_view value,
                              ConnectionOptions& options) noexcept;

// The same for all of `fields`, which are in place in `head`, and what finish_head() does. False
// for any fault; then nothing of `head` and `options` is of use.
bool read_special_fields(http::RequestHead& head, std::uint64_t fields,
                         ConnectionOptions& options) noexcept;

// All fields are there: what they mean together.
ParseError finish_head(http::RequestHead& head, ConnectionOptions options) noexcept;

// The fields that read_special_field() looks at, a bit for each.
inline constexpr std::uint64_t special_fields =
    1ULL << static_cast<unsigned>(KnownHeader::host) |
    1ULL << static_cast<unsigned>(KnownHeader::connection) |
    1ULL << static_cast<unsigned>(KnownHeader::content_length) |
    1ULL << static_cast<unsigned>(KnownHeader::transfer_encoding) |
    1ULL << static_cast<unsigned>(KnownHeader::expect);

}  // namespace spate::h1
