# Builds the page: cmd/web and the client of clients/js as one script, by
# esbuild, which is one of the client's npm packages.

# Sets `folder` to where the page will be and `names` to its files. Ninja makes
# it again when a source of either, or a package, has changed.
function(callboard_bundle_page folder names)
  set(web "${PROJECT_SOURCE_DIR}/cmd/web")
  set(packages "${PROJECT_SOURCE_DIR}/clients/js/node_modules")
  set(output "${CMAKE_CURRENT_BINARY_DIR}/page")
  find_program(CALLBOARD_NODE node)
  if(NOT CALLBOARD_NODE OR NOT EXISTS "${packages}/.package-lock.json")
    message(FATAL_ERROR
      "The page needs Node and npm's packages of clients/js: './dev bootstrap' "
      "or 'npm ci --prefix clients/js' installs them. With "
      "-DCALLBOARD_PAGE=OFF the program is built without it")
  endif()
  set(files index.html app.js style.css icon.svg licenses.txt)
  list(TRANSFORM files PREPEND "${output}/" OUTPUT_VARIABLE paths)
  add_custom_command(
    OUTPUT ${paths}
    COMMAND "${CALLBOARD_NODE}" "${web}/build.mjs" "${output}"
      --depfile "${output}.d"
    DEPENDS "${web}/build.mjs" "${packages}/.package-lock.json"
    DEPFILE "${output}.d"
    COMMENT "Building the page"
    VERBATIM)
  set(${folder} "${output}" PARENT_SCOPE)
  set(${names} ${files} PARENT_SCOPE)
  set_property(GLOBAL PROPERTY CALLBOARD_PAGE_LICENSES
    "${output}/licenses.txt")
endfunction()
