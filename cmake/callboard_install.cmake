# Installs the headers, the libraries, the program and the CMake package. The
# component dev is what applications need, server is what runs by itself.

include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/callboard")

foreach(layer messages actors store net)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${layer}/"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/callboard/${layer}"
    COMPONENT dev
    FILES_MATCHING PATTERN "*.hpp"
    PATTERN "detail" EXCLUDE
    PATTERN "*_parts.hpp" EXCLUDE
    # It would make spdlog's headers a dependency.
    PATTERN "log.hpp" EXCLUDE)
  install(TARGETS callboard_${layer} EXPORT callboardTargets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev)
endforeach()
# Its headers are those of net.
install(TARGETS callboard_client EXPORT callboardTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev)
if(TARGET callboard_program)
  install(TARGETS callboard_program
    RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT server)
endif()

install(EXPORT callboardTargets NAMESPACE callboard::
  DESTINATION "${package_dir}" COMPONENT dev)
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/callboardConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/cmake/callboardConfig.cmake"
  INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/cmake/callboardConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/cmake/callboardConfig.cmake"
  "${PROJECT_BINARY_DIR}/cmake/callboardConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/callboard_dependencies.cmake"
  DESTINATION "${package_dir}" COMPONENT dev)
