# Makes the libraries, the programs and the include tree.

set(CALLBOARD_INCLUDE_DIR "${PROJECT_BINARY_DIR}/include")
file(MAKE_DIRECTORY "${CALLBOARD_INCLUDE_DIR}/callboard")

# Adds the library of one layer from all sources of the calling folder, but for
# a main.cpp.
#
#   callboard_add_library(actors
#     PUBLIC callboard::messages    # what its headers need
#     PRIVATE ZLIB::ZLIB            # what only its sources need
#     SOURCES ${generated}          # beside the folder's own
#     EXCEPT ${others}              # those that another library has
#     PRECOMPILE <caf/all.hpp>)     # headers that most sources include, or
#     PRECOMPILED_BY client         # the library that has them precompiled
function(callboard_add_library layer)
  cmake_parse_arguments(arg "" "PRECOMPILED_BY"
    "PUBLIC;PRIVATE;SOURCES;EXCEPT;PRECOMPILE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "*.cpp")
  list(REMOVE_ITEM sources "${CMAKE_CURRENT_SOURCE_DIR}/main.cpp"
    ${arg_EXCEPT})
  callboard_make_library(${layer}
    PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE}
    SOURCES ${sources} ${arg_SOURCES} PRECOMPILE ${arg_PRECOMPILE}
    PRECOMPILED_BY ${arg_PRECOMPILED_BY})
  callboard_add_include_folder(${layer})
endfunction()

# Lets sources include the headers of a layer.
function(callboard_add_include_folder layer)
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/${layer}"
    "${CALLBOARD_INCLUDE_DIR}/callboard/${layer}" SYMBOLIC)
endfunction()

# Adds a library of the given sources: a layer's, or a part of one that can be
# linked alone.
function(callboard_make_library name)
  cmake_parse_arguments(arg "" "PRECOMPILED_BY"
    "PUBLIC;PRIVATE;SOURCES;PRECOMPILE" ${ARGN})
  set(target callboard_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(callboard::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target}
    PUBLIC ${arg_PUBLIC}
    PRIVATE ${arg_PRIVATE} "$<BUILD_INTERFACE:callboard_flags>")
  if(arg_PRECOMPILED_BY)
    target_precompile_headers(${target}
      REUSE_FROM callboard_${arg_PRECOMPILED_BY})
  else()
    target_precompile_headers(${target} PRIVATE ${arg_PRECOMPILE})
  endif()
  if(CALLBOARD_UNITY)
    set_target_properties(${target} PROPERTIES
      UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${CALLBOARD_UNITY})
    # A class of such a source may have members of an unnamed namespace.
    target_compile_options(${target} PRIVATE
      $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
  target_include_directories(${target} PUBLIC
    "$<BUILD_INTERFACE:${CALLBOARD_INCLUDE_DIR}>"
    "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
endfunction()

# Adds a program of ours; what it links to follows its sources.
#
#   callboard_add_program(messages_tests SOURCES … LINK … PRECOMPILE …)
function(callboard_add_program target)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;PRECOMPILE" ${ARGN})
  add_executable(${target} ${arg_SOURCES})
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_link_libraries(${target} PRIVATE ${arg_LINK} callboard_flags)
  target_precompile_headers(${target} PRIVATE ${arg_PRECOMPILE})
endfunction()

# Adds a source that holds the named files of `folder`, which may be made by the
# build (see cmd/page_files.hpp), and sets `result` to its path.
function(callboard_embed_files result folder)
  list(TRANSFORM ARGN PREPEND "${folder}/" OUTPUT_VARIABLE files)
  set(output "${CMAKE_CURRENT_BINARY_DIR}/page_files.cpp")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" "-DFOLDER=${folder}" "-DOUTPUT=${output}"
      -P "${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake" -- ${files}
    DEPENDS ${files} "${PROJECT_SOURCE_DIR}/cmake/embed_files.cmake"
    COMMENT "Embedding ${folder}"
    VERBATIM)
  set_source_files_properties("${output}" PROPERTIES
    SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON
    OBJECT_DEPENDS "${files}")
  set(${result} "${output}" PARENT_SCOPE)
endfunction()
