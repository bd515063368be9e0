// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <spate/base/error.hpp>
#include <spate/http/response.hpp>
#include <string>

namespace spate {
namespace {

TEST(Response, setting_a_field_replaces_it_in_any_case_of_letters_and_adding_does_not) {
  Response response;
  response.header("X-Tag", "one").add_header("x-tag", "two").header("x-other", "3");
  EXPECT_EQ(response.rendered_fields(), "X-Tag: one\r\nx-tag: two\r\nx-other: 3\r\n");
  EXPECT_EQ(response.header("x-TAG"), "one");
  response.header("x-tag", "three");
  EXPECT_EQ(response.rendered_fields(), "x-other: 3\r\nx-tag: three\r\n");
  response.remove_header("X-Other");
  EXPECT_EQ(response.header("x-other"), "");
}

TEST(Response, a_name_that_begins_like_another_is_another) {
  Response response;
  response.header("x-a", "1").header("x-ab", "2");
  EXPECT_EQ(response.header("x-a"), "1");
  response.header("x-a", "3");
  EXPECT_EQ(response.rendered_fields(), "x-ab: 2\r\nx-a: 3\r\n");
}

TEST(Response, line_breaks_and_nul_in_a_field_are_refused_at_the_call) {
  Response response;
  for (const char* value : {"a\r\nset-cookie: x=1", "a\nb", "a\rb"}) {
    EXPECT_THROW(response.header("x-tag", value), ErrorException) << value;
    EXPECT_THROW(response.add_header("x-tag", value), ErrorException) << value;
    EXPECT_THROW(response.type(value), ErrorException) << value;
  }
  EXPECT_THROW(response.header("x-tag", std::string_view("a\0b", 3)), ErrorException);
  for (const char* name : {"", "x tag", "x:tag", "x\r\ntag", "x\ttag"}) {
    EXPECT_THROW(response.header(name, "1"), ErrorException) << name;
  }
  EXPECT_EQ(response.rendered_fields(), "");
}

TEST(Response, the_servers_own_fields_are_refused) {
  Response response;
  for (const char* name :
       {"Connection", "keep-alive", "Content-Length", "transfer-encoding", "date"}) {
    EXPECT_THROW(response.header(name, "1"), ErrorException) << name;
  }
}

TEST(Response, content_type_is_one_whichever_way_it_is_set) {
  Response response;
  response.fixed_type("text/plain");
  response.header("Content-Type", "text/csv");
  EXPECT_EQ(response.type(), "text/csv");
  EXPECT_EQ(response.header("content-type"), "text/csv");
  EXPECT_EQ(response.rendered_fields(), "");
}

TEST(Response, a_status_that_is_not_final_is_refused) {
  Response response;
  for (const int status : {0, 99, 100, 199, 600, -1})
    EXPECT_THROW(response.status(status), ErrorException);
  EXPECT_EQ(response.status(204).status(), 204);
}

TEST(Response, taking_an_answer_keeps_fields_that_it_does_not_name) {
  Response response;
  response.header("x-kept", "1").header("x-both", "old");
  Response answer(404, "gone");
  answer.header("X-Both", "new").type("text/html");
  response.take(std::move(answer));
  EXPECT_EQ(response.status(), 404);
  EXPECT_EQ(response.body(), "gone");
  EXPECT_EQ(response.type(), "text/html");
  EXPECT_EQ(response.rendered_fields(), "x-kept: 1\r\nX-Both: new\r\n");
}

TEST(Response, an_empty_view_is_a_body_and_a_later_body_replaces_it) {
  Response response;
  response.body("text").body_view("");
  EXPECT_EQ(response.body(), "");
  response.body("again");
  EXPECT_EQ(response.body(), "again");
  response.clear();
  EXPECT_EQ(response.status(), 200);
  EXPECT_EQ(response.body(), "");
}

TEST(Response, FieldsStandAsGivenWhateverTheirLengths) {
  for (std::size_t length = 0; length < 200; ++length) {
    Response response;
    const std::string value(length, 'v');
    response.header("x-first", value).header("x-second", value).header("X-First", "again");
    ASSERT_EQ(response.rendered_fields(), "x-second: " + value + "\r\nX-First: again\r\n");
  }
}

TEST(Response, NamesThatShareABitAreToldApart) {
  // Lengths 2 and 7 differ by 5 x 5 = 25, as 'a' and 'z' do.
  Response response;
  response.header("z1", "short").header("azzzzzz", "long").header("z1", "again");
  EXPECT_EQ(response.rendered_fields(), "azzzzzz: long\r\nz1: again\r\n");
}

}  // namespace
}  // namespace spate
