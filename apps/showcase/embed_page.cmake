# SPDX-License-Identifier: MIT
# cmake -D PAGE=index.html -D "SOURCES=a.cpp;b.cpp" -D OUTPUT=page_text.cpp -P embed_page.cmake
#
# Writes a .cpp with the page as an array. `<!--source:NAME-->` in the page becomes what stands between `// [NAME]` and
# `// [/NAME]` in the sources (several such pieces are joined), `<!--file:NAME-->` the name of the file. A NAME without an
# excerpt and an excerpt without a place on the page are errors.
cmake_minimum_required(VERSION 3.25)

# Brackets and semicolons mean something in CMake's lists, so text is only ever searched and cut, never looped over.
function(without_indent text out)
  set(text "\n${text}")
  # When no line begins at the margin, all of it moves there.
  if(NOT text MATCHES "\n[^ \n]")
    string(REPLACE "\n  " "\n" text "${text}")
  endif()
  string(REGEX REPLACE "^\n+" "" text "${text}")
  string(REGEX REPLACE "\n+$" "" text "${text}")
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

set(names "")
foreach(source IN LISTS SOURCES)
  file(READ ${source} rest)
  cmake_path(GET source FILENAME file)
  while(rest MATCHES "// \\[([a-z_]+)\\]\n")
    set(name ${CMAKE_MATCH_1})
    set(begin "${CMAKE_MATCH_0}")
    set(end "// [/${name}]")
    string(FIND "${rest}" "${begin}" at)
    string(LENGTH "${begin}" length)
    math(EXPR at "${at} + ${length}")
    string(SUBSTRING "${rest}" ${at} -1 rest)
    string(FIND "${rest}" "${end}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "${source}: the excerpt [${name}] has no end; write `${end}` behind it")
    endif()
    string(SUBSTRING "${rest}" 0 ${at} piece)
    string(SUBSTRING "${rest}" ${at} -1 rest)
    string(REGEX REPLACE "\n *$" "\n" piece "${piece}")
    without_indent("${piece}" piece)
    if(name IN_LIST names)
      string(APPEND source_${name} "\n\n${piece}")
    else()
      list(APPEND names ${name})
      set(source_${name} "${piece}")
      set(file_${name} ${file})
    endif()
  endwhile()
endforeach()

file(READ ${PAGE} html)
foreach(name IN LISTS names)
  if(NOT html MATCHES "<!--source:${name}-->")
    message(FATAL_ERROR "${file_${name}}: the excerpt [${name}] has no place on the page; put <!--source:${name}--> into ${PAGE}")
  endif()
  string(REPLACE "&" "&amp;" code "${source_${name}}")
  string(REPLACE "<" "&lt;" code "${code}")
  string(REPLACE ">" "&gt;" code "${code}")
  string(REPLACE "<!--source:${name}-->" "${code}" html "${html}")
  string(REPLACE "<!--file:${name}-->" "${file_${name}}" html "${html}")
endforeach()
if(html MATCHES "<!--(source|file):([a-z_]+)-->")
  message(FATAL_ERROR "${PAGE}: no source has an excerpt [${CMAKE_MATCH_2}]; put // [${CMAKE_MATCH_2}] and // [/${CMAKE_MATCH_2}] around it")
endif()

# The SHA-256 of a text as a Content-Security-Policy wants it: base64.
function(policy_hash text out)
  string(SHA256 hex "${text}")
  set(digits "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  set(base64 "")
  # 64 hexadecimal digits: ten groups of three bytes, and two bytes that a zero fills up.
  foreach(group RANGE 10)
    math(EXPR at "${group} * 6")
    string(SUBSTRING "${hex}00" ${at} 6 bytes)
    foreach(shift 18 12 6 0)
      math(EXPR digit "(0x${bytes} >> ${shift}) & 63")
      string(SUBSTRING "${digits}" ${digit} 1 digit)
      string(APPEND base64 ${digit})
    endforeach()
  endforeach()
  string(REGEX REPLACE "A$" "=" base64 "${base64}")
  set(${out} "'sha256-${base64}'" PARENT_SCOPE)
endfunction()

function(between begin end out)
  string(FIND "${html}" "${begin}" from)
  string(LENGTH "${begin}" length)
  math(EXPR from "${from} + ${length}")
  string(FIND "${html}" "${end}" to)
  math(EXPR length "${to} - ${from}")
  string(SUBSTRING "${html}" ${from} ${length} text)
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

between("<style>" "</style>" style)
between("<script>" "</script>" script)
policy_hash("${style}" style)
policy_hash("${script}" script)
set(policy "default-src 'none'; style-src ${style}; script-src ${script}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")

file(WRITE ${OUTPUT}.html "${html}")
file(READ ${OUTPUT}.html hex HEX)
# An array and not a literal: compilers bound the length of literals.
string(REGEX REPLACE "(................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1', " hex "${hex}")
file(WRITE ${OUTPUT} "// SPDX-License-Identifier: MIT
// Made from index.html and the sources by embed_page.cmake; do not edit.
#include \"page.hpp\"

namespace showcase {
namespace {
constexpr char page[] = {
${hex}};
}  // namespace

std::string_view page_html() noexcept { return {page, sizeof page}; }
std::string_view page_policy() noexcept { return \"${policy}\"; }

}  // namespace showcase
")
