# Run by CPack on what is about to be packed.

# Where this machine has its CAF means nothing on another one.
file(GLOB_RECURSE configs
  "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/callboardConfig.cmake")
foreach(config IN LISTS configs)
  file(READ "${config}" text)
  string(REGEX REPLACE "(set\\(CALLBOARD_CAF_HINT \")[^\"]*" "\\1" text
    "${text}")
  file(WRITE "${config}" "${text}")
endforeach()

# CPack strips what runs; most of a library, too, is for debuggers, which do not
# find its sources.
find_program(strip strip REQUIRED)
file(GLOB_RECURSE libraries "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*.a")
foreach(library IN LISTS libraries)
  execute_process(COMMAND "${strip}" --strip-debug "${library}"
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
