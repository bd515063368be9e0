// SPDX-License-Identifier: MIT
#include "net/address.hpp"

#include <gtest/gtest.h>

namespace spate::net {
namespace {

TEST(Address, is_read_and_written_alike) {
  for (const char* text : {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:80", "[::]:65535"}) {
    const Result<Address> address = parse_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), text);
  }
  EXPECT_EQ(parse_address("localhost:1")->to_string(), "127.0.0.1:1");
  EXPECT_EQ(parse_address(":8080")->to_string(), "[::]:8080");
  EXPECT_TRUE(parse_address(":8080")->any_family);
}

TEST(Address, that_is_wrong_is_named_with_what_was_expected) {
  for (const char* text :
       {"", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x",
        "example.org:80", "[::1:80", "::1:80", "[127.0.0.1]:80", "256.0.0.1:80"}) {
    const Result<Address> address = parse_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_TRUE(address.error().is(Errc::configuration));
    EXPECT_NE(address.error().detail.find("\"" + std::string(text) + "\""), std::string::npos);
    EXPECT_NE(address.error().detail.find("127.0.0.1:8080"), std::string::npos);
  }
}

}  // namespace
}  // namespace spate::net
