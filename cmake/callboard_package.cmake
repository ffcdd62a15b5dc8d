# Makes Debian packages of an installation, `cpack` in the build's folder:
# callboard (the program as a service) and callboard-dev (what
# find_package(callboard) needs).

set(packaging "${PROJECT_SOURCE_DIR}/cmd/packaging")

# -- what only the package has -------------------------------------------------

# Places of a Debian system, so `cmake --install` leaves these out.
install(FILES "${packaging}/callboard.service"
  DESTINATION lib/systemd/system COMPONENT server EXCLUDE_FROM_ALL)
install(FILES "${packaging}/callboard.conf"
  DESTINATION /etc/callboard COMPONENT server EXCLUDE_FROM_ALL)
install(FILES
  "${PROJECT_SOURCE_DIR}/CHANGELOG.md"
  "${PROJECT_SOURCE_DIR}/docs/cluster.md"
  "${PROJECT_SOURCE_DIR}/docs/operating.md"
  "${PROJECT_SOURCE_DIR}/docs/protocol.md"
  DESTINATION share/doc/callboard COMPONENT server EXCLUDE_FROM_ALL)
if(CALLBOARD_PAGE)
  # Of what the page holds of others.
  get_property(licenses GLOBAL PROPERTY CALLBOARD_PAGE_LICENSES)
  install(FILES "${licenses}" RENAME page-licenses.txt
    DESTINATION share/doc/callboard COMPONENT server EXCLUDE_FROM_ALL)
endif()
foreach(package callboard callboard-dev)
  set(component server)
  if(package STREQUAL "callboard-dev")
    set(component dev)
  endif()
  install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" RENAME copyright
    DESTINATION share/doc/${package}
    COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()

# -- what both have ------------------------------------------------------------

set(CPACK_GENERATOR DEB)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_PACKAGE_NAME callboard)
# Each component's description begins with one of its own.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(CPACK_PACKAGE_CONTACT
  "The callboard maintainers <maintainers@callboard.invalid>")
set(CPACK_COMPONENTS_ALL server dev)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
# Whatever the mask of who makes it.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE
  GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS
  "${PROJECT_SOURCE_DIR}/cmake/callboard_package_files.cmake")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# -- callboard -----------------------------------------------------------------

set(CPACK_COMPONENT_SERVER_DESCRIPTION
"real-time messaging server over WebSocket
Publish and subscribe with history, presence and shared groups, and requests
to clients or services that answer them. One program: the server, its clients
for shells, and a load generator.")
set(CPACK_DEBIAN_SERVER_PACKAGE_NAME callboard)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION net)
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_SERVER_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
  "${packaging}/conffiles" "${packaging}/postinst" "${packaging}/prerm"
  "${packaging}/postrm")

# -- callboard-dev -------------------------------------------------------------

set(CPACK_COMPONENT_DEV_DESCRIPTION
"real-time messaging server over WebSocket: libraries for applications
Headers, static libraries and a CMake package, to have a callboard server or
client inside an application on the C++ Actor Framework. Needs CAF 0.18.7,
which Debian does not have: CAF_ROOT tells CMake where one is.")
set(CPACK_DEBIAN_DEV_PACKAGE_NAME callboard-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  "libboost-dev, libmsgpack-cxx-dev, libspdlog-dev, libsqlite3-dev, libssl-dev, zlib1g-dev")
set(CPACK_DEBIAN_DEV_PACKAGE_SHLIBDEPS OFF)

include(CPack)
