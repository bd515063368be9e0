# SPDX-License-Identifier: MIT
# Warnings of our own tree. PRIVATE always: a program that uses Spate keeps its own.
function(spate_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                           $<$<BOOL:${SPATE_WERROR}>:-Werror>)
  # GCC 12 sees overlapping memcpy in std::string's operator+ where there is none (GCC PR 105651, fixed in 13).
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict)
  endif()
endfunction()
