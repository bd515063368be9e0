# SPDX-License-Identifier: MIT
# Warnings of our own tree. PRIVATE always: a program that uses Spate keeps its own.
function(spate_warnings target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                           $<$<BOOL:${SPATE_WERROR}>:-Werror>)
endfunction()
