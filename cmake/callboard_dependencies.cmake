# Finds what the targets link to. The installed package repeats this file, so
# it also serves consumers (callboardConfig.cmake includes it).

# CAF's version file accepts no version but its own, so the lower bound is
# checked here. An installed callboard prefers the CAF that it was built with.
if(NOT TARGET CAF::core)
  find_package(CAF CONFIG COMPONENTS core io openssl HINTS "${CALLBOARD_CAF_HINT}")
endif()
if(NOT TARGET CAF::core)
  message(FATAL_ERROR
    "callboard needs CAF 0.18.7: './dev bootstrap' in its source tree builds "
    "one, or set CAF_ROOT to the folder where CAF is installed")
endif()
foreach(module io openssl)
  if(NOT TARGET CAF::${module})
    message(FATAL_ERROR
      "callboard needs CAF with its module '${module}', which the one in "
      "${CAF_DIR} was built without. Set CAF_ROOT to another one")
  endif()
endforeach()
if(DEFINED CAF_VERSION AND CAF_VERSION VERSION_LESS 0.18.7)
  message(FATAL_ERROR
    "callboard needs CAF 0.18.7 or later; ${CAF_DIR} holds ${CAF_VERSION}. "
    "Set CAF_ROOT to another one")
endif()

find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(msgpack 4.1 CONFIG REQUIRED)
find_package(spdlog 1.10 CONFIG REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
