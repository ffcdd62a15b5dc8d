# Registers tests.

# What the suites check is in the libraries; the suites compile faster by a
# third without optimization (not with the thread sanitizer).
function(callboard_optimize_less target)
  if(NOT CALLBOARD_SANITIZER STREQUAL "thread")
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# Makes one program of the suites in the calling folder and in those within it,
# and one test a suite: tests/actors/broker.cpp is suite and test actors.broker,
# tests/actors/cluster/membership.cpp is actors.cluster.membership. The program
# fails when a suite that it is asked for is not in it
# (support/suite_runner.cpp).
function(callboard_add_suites layer)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "*.cpp")
  if(NOT sources)
    return()
  endif()
  set(suites)
  foreach(source IN LISTS sources)
    cmake_path(RELATIVE_PATH source BASE_DIRECTORY
      "${CMAKE_CURRENT_SOURCE_DIR}" OUTPUT_VARIABLE suite)
    cmake_path(REMOVE_EXTENSION suite LAST_ONLY)
    string(REPLACE "/" "." suite "${layer}.${suite}")
    set_property(SOURCE "${source}" APPEND PROPERTY COMPILE_DEFINITIONS
      CAF_SUITE=${suite})
    list(APPEND suites ${suite})
  endforeach()
  if(CALLBOARD_UNITY)
    callboard_gather_suites(sources "${sources}" "${suites}")
  endif()
  set(target ${layer}_tests)
  callboard_add_program(${target}
    SOURCES ${sources} "${PROJECT_SOURCE_DIR}/tests/support/main.cpp"
    LINK callboard::${layer} callboard_suite_runner
    PRECOMPILE <caf/all.hpp> ${ARGN})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  callboard_optimize_less(${target})
  string(TOUPPER "CALLBOARD_TEST_${layer}" definition)
  set_property(SOURCE "${PROJECT_SOURCE_DIR}/tests/support/main.cpp"
    DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
    APPEND PROPERTY COMPILE_DEFINITIONS ${definition})
  foreach(suite IN LISTS suites)
    add_test(NAME ${suite} COMMAND ${target} ${suite})
    set_tests_properties(${suite} PROPERTIES LABELS "unit;tsan" TIMEOUT 300)
  endforeach()
endfunction()

# Sets `result` to sources that hold twelve suites each, in half the time to
# compile: what these include once for all, then each within a namespace of its
# own, so that it may call its things what it likes. A source with
# SKIP_UNITY_BUILD_INCLUSION stays alone.
function(callboard_gather_suites result sources suites)
  set(gathered)
  foreach(source suite IN ZIP_LISTS sources suites)
    get_source_file_property(alone "${source}" SKIP_UNITY_BUILD_INCLUSION)
    if(alone)
      list(APPEND gathered "${source}")
      list(REMOVE_ITEM sources "${source}")
      list(REMOVE_ITEM suites "${suite}")
    endif()
  endforeach()
  list(LENGTH sources count)
  math(EXPR last "${count} - 1")
  foreach(begin RANGE 0 ${last} 12)
    list(SUBLIST sources ${begin} 12 some_sources)
    list(SUBLIST suites ${begin} 12 some_suites)
    set(includes)
    set(bodies)
    foreach(source suite IN ZIP_LISTS some_sources some_suites)
      # Its includes are read here.
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${source}")
      file(STRINGS "${source}" lines REGEX "^#include ")
      list(APPEND includes ${lines})
      string(REPLACE "." "_" space "${suite}")
      string(APPEND bodies "\n#undef CAF_SUITE\n#define CAF_SUITE ${suite}\n"
        "namespace ${space}_suite {\n#include \"${source}\"\n}\n")
    endforeach()
    list(REMOVE_DUPLICATES includes)
    list(JOIN includes "\n" includes)
    set(output "${CMAKE_CURRENT_BINARY_DIR}/suites_${begin}.cpp")
    file(CONFIGURE OUTPUT "${output}" CONTENT "${includes}\n${bodies}" @ONLY)
    list(APPEND gathered "${output}")
  endforeach()
  set(${result} "${gathered}" PARENT_SCOPE)
endfunction()

# Adds a fuzz target and a test that runs it for a bounded time. Its corpus is
# tests/fuzz/corpus/NAME. With the sanitizer 'fuzzer' the target is libFuzzer's
# own, else tests/support/fuzz_main.cpp stands in for it.
function(callboard_add_fuzzer source)
  cmake_path(GET source STEM LAST_ONLY name)
  set(corpus "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}")
  file(STRINGS "${source}" net_includes REGEX "#include <callboard/net/")
  file(STRINGS "${source}" cmd_includes REGEX "#include <callboard/cmd/")
  set(layer messages)
  if(cmd_includes)
    set(layer cmd)
  elseif(net_includes)
    set(layer net)
  endif()
  set(target fuzz_${name})
  if(CALLBOARD_SANITIZER STREQUAL "fuzzer")
    callboard_add_program(${target} SOURCES "${source}" LINK callboard::${layer})
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    set(found "${CMAKE_CURRENT_BINARY_DIR}/found/${name}")
    file(MAKE_DIRECTORY "${found}")
    add_test(NAME fuzz.${name} COMMAND ${target} -runs=50000 -seed=1
      -max_len=4096 -max_total_time=60 -timeout=10
      "-artifact_prefix=${found}/" "${found}" "${corpus}")
  else()
    callboard_add_program(${target}
      SOURCES "${source}" "${PROJECT_SOURCE_DIR}/tests/support/fuzz_main.cpp"
      LINK callboard::${layer})
    add_test(NAME fuzz.${name} COMMAND ${target} "${corpus}" 20000)
  endif()
  # CLI11 takes minutes with sanitizers and an optimizer.
  if(cmd_includes AND CALLBOARD_SANITIZER)
    target_compile_options(${target} PRIVATE -O0)
  endif()
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  # Of CAF's types they have those of messages.
  target_compile_definitions(${target} PRIVATE CALLBOARD_TEST_MESSAGES)
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 300)
endfunction()
