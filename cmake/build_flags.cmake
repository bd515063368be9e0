# SPDX-License-Identifier: MIT
# How our own code is compiled. PRIVATE to our targets, so a program that uses Spate keeps its own flags.

# When Spate is the main project: the fast linker, a compiler cache, and all programs in one folder.
if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
  endif()
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  find_program(SPATE_CCACHE ccache)
  if(SPATE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${SPATE_CCACHE})
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    find_program(SPATE_LLD NAMES ld.lld-19 ld.lld)
    if(SPATE_LLD)
      add_link_options(-fuse-ld=lld)
    endif()
  endif()
endif()

function(spate_build_flags target)
  target_compile_features(${target} PRIVATE cxx_std_23)
  set_target_properties(
    ${target}
    PROPERTIES CXX_EXTENSIONS OFF
               CXX_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON
               POSITION_INDEPENDENT_CODE ON
               # Archives are machine code: one of ThinLTO bitcode does not link with g++.
               INTERPROCEDURAL_OPTIMIZATION OFF)
  # Frame pointers and line tables stay in release builds: profilers and crash reports need them. DWARF 4,
  # because valgrind 3.19 cannot read the fifth.
  target_compile_options(
    ${target} PRIVATE -fno-omit-frame-pointer
                      # Places in messages and listings are paths of the project, not of the build machine.
                      -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=
                      "$<$<CONFIG:Release>:-O3;-g1;-gdwarf-4;-fstack-protector-strong;-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>"
                      "$<$<CONFIG:Release>:-ffunction-sections;-fdata-sections>")
  target_link_options(${target} PRIVATE "$<$<CONFIG:Release>:-Wl,--gc-sections>")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    # The baseline has SSE4.2; wider variants are chosen at run time.
    target_compile_options(${target} PRIVATE -march=x86-64-v2)
  endif()
endfunction()
