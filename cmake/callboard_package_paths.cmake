# Run by CPack on what is about to be packed: takes out where this machine has
# its CAF, which means nothing on another one.
file(GLOB_RECURSE configs
  "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/callboardConfig.cmake")
foreach(config IN LISTS configs)
  file(READ "${config}" text)
  string(REGEX REPLACE "(set\\(CALLBOARD_CAF_HINT \")[^\"]*" "\\1" text
    "${text}")
  file(WRITE "${config}" "${text}")
endforeach()
