# Compiler flags of our own targets. None of them reaches a consumer.

add_library(callboard_flags INTERFACE)
target_compile_options(callboard_flags INTERFACE -Wall -Wextra -Wpedantic)

# Designated initializers leave members out on purpose.
target_compile_options(callboard_flags INTERFACE
  -Wno-missing-field-initializers)

# GCC 12 sees overlapping copies and overflows in its own std::string (its bugs
# 105651, 105329), and without inlining mismatched deletes in msgpack's zones.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(callboard_flags INTERFACE
    -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow
    -Wno-mismatched-new-delete)
endif()

if(CALLBOARD_WERROR)
  target_compile_options(callboard_flags INTERFACE -Werror)
endif()

# Never in what is shipped: see actors/faults.hpp.
if(CALLBOARD_FAULTS)
  target_compile_definitions(callboard_flags INTERFACE CALLBOARD_FAULTS)
endif()

# GCC warns of more under a sanitizer, and wrongly, even in its own headers.
if(CALLBOARD_SANITIZER AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(callboard_flags INTERFACE
    -Wno-maybe-uninitialized -Wno-tsan)
endif()

# Sanitizers must see a whole program, so they are set for the folder. That is
# also why they are for building this tree alone.
if(CALLBOARD_SANITIZER)
  if(CALLBOARD_SANITIZER STREQUAL "address")
    # What comes of a null pointer or a dead object the address sanitizer tells
    # as well, and fuzz targets look at alignment where bytes are read. These
    # four would take half of the time that compiling takes.
    set(sanitizers -fsanitize=address,undefined
      -fno-sanitize=null,object-size,vptr,alignment -fno-sanitize-recover=all)
  elseif(CALLBOARD_SANITIZER STREQUAL "thread")
    set(sanitizers -fsanitize=thread)
  elseif(CALLBOARD_SANITIZER STREQUAL "fuzzer")
    set(sanitizers -fsanitize=fuzzer-no-link,address,undefined
      -fno-sanitize-recover=all)
  else()
    message(FATAL_ERROR
      "CALLBOARD_SANITIZER is '${CALLBOARD_SANITIZER}'; it takes 'address', "
      "'thread', 'fuzzer' or nothing")
  endif()
  add_compile_options(${sanitizers} -fno-omit-frame-pointer)
  add_link_options(${sanitizers})
endif()
