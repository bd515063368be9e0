# SPDX-License-Identifier: MIT
# find_package(Spate) and pkg-config's spate.pc. Both are relocatable: nothing in them names the build tree or the prefix.
include(CMakePackageConfigHelpers)

get_property(libraries GLOBAL PROPERTY SPATE_LIBRARIES)
install(TARGETS ${libraries} EXPORT SpateTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
if(SPATE_LTO)
  # What is installed is machine code alone: bitcode would tie its users to this version of Clang.
  foreach(library IN LISTS libraries)
    install(CODE "execute_process(COMMAND \"${CMAKE_OBJCOPY}\" --remove-section=.llvm.lto
      \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/$<TARGET_FILE_NAME:${library}>\" COMMAND_ERROR_IS_FATAL ANY)")
  endforeach()
endif()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Spate)
install(EXPORT SpateTargets NAMESPACE spate:: DESTINATION ${package_folder})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/SpateConfig.cmake.in ${PROJECT_BINARY_DIR}/SpateConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/SpateConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/SpateConfig.cmake ${PROJECT_BINARY_DIR}/SpateConfigVersion.cmake
        DESTINATION ${package_folder})

# ${pcfiledir} is where the .pc lies; from there the prefix is as many steps up as the path has parts.
set(pc_folder ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}/${pc_folder}
           OUTPUT_VARIABLE SPATE_PC_UP)
configure_file(${CMAKE_CURRENT_LIST_DIR}/spate.pc.in ${PROJECT_BINARY_DIR}/spate.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/spate.pc DESTINATION ${pc_folder})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
