# Builds and runs the project beside this file as a user would:
# WAY installed    with find_package, from a fresh installation
#     subdirectory with add_subdirectory, from the source tree
#     headers      from the installation too, its headers by themselves

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ECHO STDOUT RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "consumer.${WAY} failed: ${result}")
  endif()
endfunction()

# The installed package must find its CAF by itself.
unset(ENV{CAF_ROOT})

set(options "-DWAY=${WAY}" "-DPROGRAM=${PROGRAM}" "-DCLIENT=${CLIENT}"
  "-DCALLBOARD_SOURCE_DIR=${CALLBOARD_SOURCE_DIR}")
if(WAY STREQUAL "subdirectory")
  # Many sources together: what is built is thrown away.
  list(APPEND options "-DCAF_DIR=${CAF_DIR}" -DCALLBOARD_UNITY=40)
else()
  file(REMOVE_RECURSE "${WORK}/prefix")
  run("${CMAKE_COMMAND}" --install "${CALLBOARD_BINARY_DIR}"
    --prefix "${WORK}/prefix")
  list(APPEND options "-DCMAKE_PREFIX_PATH=${WORK}/prefix")
endif()

run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}/project"
  -B "${WORK}/build" -G Ninja "-DCMAKE_CXX_COMPILER=${CXX}"
  -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 ${options})
# All that is wrong is shown at once.
run("${CMAKE_COMMAND}" --build "${WORK}/build" -- -k 0)
if(NOT WAY STREQUAL "headers")
  execute_process(COMMAND "${WORK}/build/consumer" TIMEOUT 60
    OUTPUT_VARIABLE said RESULT_VARIABLE result)
  file(READ "${EXPECTED}" expected)
  if(NOT result EQUAL 0 OR NOT said STREQUAL expected)
    message(FATAL_ERROR
      "consumer.${WAY} ended with ${result} and said\n${said}\n"
      "instead of\n${expected}")
  endif()
  # The hub writes where it is into the client's input; both end.
  execute_process(COMMAND "${WORK}/build/hub" COMMAND "${WORK}/build/client"
    TIMEOUT 60 OUTPUT_VARIABLE said RESULTS_VARIABLE results)
  file(READ "${CLIENT_EXPECTED}" expected)
  if(NOT results STREQUAL "0;0" OR NOT said STREQUAL expected)
    message(FATAL_ERROR
      "consumer.${WAY}: hub and client ended with ${results} and said\n"
      "${said}\ninstead of\n${expected}")
  endif()
endif()
