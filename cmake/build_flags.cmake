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

# LTO for our own programs, from objects that hold both machine code and bitcode: the archives that others link are
# machine code all the same, and nothing is compiled twice. Tests and examples link the machine code, as users do.
set(can_lto OFF)
if(SPATE_LLD AND CMAKE_CXX_COMPILER_ID STREQUAL Clang AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 19
   AND CMAKE_BUILD_TYPE STREQUAL Release)
  set(can_lto ON)
endif()
option(SPATE_LTO "Optimise our programs across sources when they are linked (Clang 19 with lld, Release)" ${can_lto})
# Profile-guided optimisation, driven by `./dev build pgo`: "generate", or the file of the profile to use.
set(SPATE_PROFILE "" CACHE STRING "generate: write a profile when a program ends; a file: optimise by it")

# For objects that such a program is linked from, and for the program itself.
function(spate_lto target)
  if(NOT SPATE_LTO)
    return()
  endif()
  target_compile_options(${target} PRIVATE -flto=thin -ffat-lto-objects)
  # The cache is shared by the programs and spares what did not change.
  target_link_options(${target} PRIVATE -flto=thin -ffat-lto-objects -Wl,--thinlto-cache-dir=${PROJECT_BINARY_DIR}/lto
                      -Wl,--thinlto-cache-policy=cache_size_bytes=1g)
endfunction()

function(spate_profile target)
  if(SPATE_PROFILE STREQUAL "generate")
    target_compile_options(${target} PRIVATE -fprofile-generate)
    target_link_options(${target} PRIVATE -fprofile-generate)
  elseif(SPATE_PROFILE)
    # Code that the training never ran has no profile, which is no fault.
    target_compile_options(${target} PRIVATE -fprofile-use=${SPATE_PROFILE} -Wno-profile-instr-unprofiled
                                             -Wno-profile-instr-out-of-date -Wno-backend-plugin)
    target_link_options(${target} PRIVATE -fprofile-use=${SPATE_PROFILE})
  endif()
endfunction()

function(spate_build_flags target)
  target_compile_features(${target} PRIVATE cxx_std_23)
  set_target_properties(
    ${target}
    PROPERTIES CXX_EXTENSIONS OFF
               CXX_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON
               POSITION_INDEPENDENT_CODE ON
               # See SPATE_LTO: an archive of nothing but bitcode does not link with g++.
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
  spate_profile(${target})
endfunction()
