# SPDX-License-Identifier: MIT
# Read by ctest after the lists of tests that spate_integration_test gave, one for each engine.
foreach(list IN ITEMS spate_integration_test_TESTS integration-uring_TESTS)
  if(${list})
    set_tests_properties(${${list}} PROPERTIES RUN_SERIAL TRUE)
  endif()
endforeach()
