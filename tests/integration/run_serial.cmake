# SPDX-License-Identifier: MIT
# Read by ctest after the list of tests that spate_integration_test gave.
if(spate_integration_test_TESTS)
  set_tests_properties(${spate_integration_test_TESTS} PROPERTIES RUN_SERIAL TRUE)
endif()
