// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <spate/http/known_header.hpp>
#include <string>

#include "http/ascii.hpp"

namespace spate {
namespace {

// From a heap block of exactly its size, so that a byte too many is seen.
KnownHeader look_up(std::string_view name) {
  auto const copy = std::make_unique_for_overwrite<char[]>(name.size());
  std::copy(name.begin(), name.end(), copy.get());
  return known_header({copy.get(), name.size()});
}

TEST(KnownHeader, every_name_is_found_in_any_case_and_no_neighbour_of_it) {
  for (std::size_t i = 1; i < known_header_count; ++i) {
    auto const header = static_cast<KnownHeader>(i);
    std::string const name(to_string(header));
    SCOPED_TRACE(name);
    ASSERT_FALSE(name.empty());
    EXPECT_EQ(look_up(name), header);
    std::string upper = name;
    for (char& c : upper) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
    }
    EXPECT_EQ(look_up(upper), header);
    for (std::size_t at = 0; at < name.size(); ++at) {
      for (unsigned byte = 0; byte < 256; ++byte) {
        std::string changed = name;
        changed[at] = static_cast<char>(byte);
        if (http::to_lower(changed[at]) == name[at]) continue;
        EXPECT_NE(look_up(changed), header) << "byte " << byte << " at " << at;
      }
    }
    EXPECT_NE(look_up(name + "x"), header);
    EXPECT_NE(look_up(name.substr(1)), header);
    EXPECT_NE(look_up(name.substr(0, name.size() - 1)), header);
  }
}

TEST(KnownHeader, other_names_are_unknown) {
  for (std::string_view name : {"", "x", "x-own", "hosts", "content-lengt", "content_length"}) {
    EXPECT_EQ(look_up(name), KnownHeader::unknown) << name;
  }
  EXPECT_EQ(to_string(KnownHeader::unknown), "");
  EXPECT_EQ(to_string(static_cast<KnownHeader>(200)), "");
}

TEST(KnownHeader, enumerators_and_names_stand_in_the_same_order) {
  EXPECT_EQ(look_up("Host"), KnownHeader::host);
  EXPECT_EQ(look_up("Content-Type"), KnownHeader::content_type);
  EXPECT_EQ(look_up("Cookie"), KnownHeader::cookie);
  EXPECT_EQ(look_up("Range"), KnownHeader::range);
  EXPECT_EQ(look_up("X-Forwarded-For"), KnownHeader::x_forwarded_for);
  EXPECT_EQ(look_up("Last-Event-ID"), KnownHeader::last_event_id);
  EXPECT_EQ(look_up("Sec-WebSocket-Key"), KnownHeader::sec_websocket_key);
  EXPECT_EQ(look_up("ETag"), KnownHeader::etag);
  EXPECT_EQ(look_up("HTTP2-Settings"), KnownHeader::http2_settings);
}

}  // namespace
}  // namespace spate
