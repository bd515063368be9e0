# SPDX-License-Identifier: MIT
# spate_program(spate-showcase [SOURCES a.cpp...] [LINK target...])
#   A program in <build>/bin linked with spate::spate, as a user's would be. Without SOURCES: every .cpp of this
#   folder (and below) but its tests.
# spate_test(spate_http_test [SOURCES ...] [LINK ...] [PREFIX http/] [TIMEOUT seconds] [LABELS ...])
#   A GoogleTest program; each of its tests is one of ctest's, named PREFIX and the test's own name. Without
#   SOURCES: every .cpp of this folder. It sees private headers (src/) and links spate and spate_testing.
function(spate_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB_RECURSE ARG_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
    list(FILTER ARG_SOURCES EXCLUDE REGEX "_test\\.cpp$")
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE spate::spate ${ARG_LINK})
  spate_warnings(${name})
  spate_build_flags(${name})
endfunction()

function(spate_test name)
  cmake_parse_arguments(ARG "" "PREFIX;TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT SPATE_BUILD_TESTS)
    return()
  endif()
  if(NOT ARG_SOURCES)
    file(GLOB_RECURSE ARG_SOURCES CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} spate::testing spate::spate GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE SPATE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  spate_warnings(${name})
  spate_build_flags(${name})
  set(labels "")
  if(ARG_LABELS)
    set(labels LABELS "${ARG_LABELS}")
  endif()
  # PRE_TEST: the tests are listed when ctest starts, so that building never runs a program.
  gtest_discover_tests(${name} TEST_PREFIX "${ARG_PREFIX}" DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                       PROPERTIES TIMEOUT ${ARG_TIMEOUT} ${labels})
endfunction()
