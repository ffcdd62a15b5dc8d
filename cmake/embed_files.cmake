# Writes a C++ source that embeds files (run by callboard_embed_files).
#
#   cmake -DFOLDER=… -DOUTPUT=… -P embed_files.cmake -- FILE…
#
# The assembler reads the bytes (.incbin), so nothing is escaped or copied.

set(type_html "text/html; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_mjs "text/javascript; charset=utf-8")
set(type_json "application/json")
set(type_svg "image/svg+xml")
set(type_png "image/png")
set(type_ico "image/x-icon")
set(type_woff2 "font/woff2")
set(type_txt "text/plain; charset=utf-8")

set(files)
set(behind_dashes FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(behind_dashes)
    list(APPEND files "${CMAKE_ARGV${i}}")
  elseif("${CMAKE_ARGV${i}}" STREQUAL "--")
    set(behind_dashes TRUE)
  endif()
endforeach()
list(SORT files)

set(bytes "")
set(declarations "")
set(entries "")
set(count 0)
foreach(file IN LISTS files)
  cmake_path(RELATIVE_PATH file BASE_DIRECTORY "${FOLDER}" OUTPUT_VARIABLE path)
  cmake_path(GET path EXTENSION LAST_ONLY extension)
  string(SUBSTRING "${extension}." 1 -1 extension)
  string(REPLACE "." "" extension "${extension}")
  if(NOT DEFINED type_${extension})
    message(FATAL_ERROR
      "${file}: no content type for '.${extension}' in embed_files.cmake")
  endif()
  if(path STREQUAL "index.html")
    set(path "")
  endif()
  set(symbol "callboard_page_file_${count}")
  string(APPEND bytes
    "  \".global ${symbol}\\n.hidden ${symbol}\\n${symbol}:\\n\"\n"
    "  \".incbin \\\"${file}\\\"\\n\"\n"
    "  \".global ${symbol}_end\\n.hidden ${symbol}_end\\n${symbol}_end:\\n\"\n"
    "  \".byte 0\\n\"\n")
  string(APPEND declarations
    "extern const char ${symbol}[];\nextern const char ${symbol}_end[];\n")
  string(APPEND entries
    "    net::page_file{\"/${path}\", \"${type_${extension}}\",\n"
    "              {${symbol}, ${symbol}_end}},\n")
  math(EXPR count "${count} + 1")
endforeach()

if(count EQUAL 0)
  set(body "  return {};\n")
else()
  set(body
    "  static const net::page_file files[] = {\n${entries}  };\n  return files;\n")
  set(bytes "asm(\n  \".pushsection .rodata\\n\"\n${bytes}  \".popsection\\n\");\n")
endif()
file(WRITE "${OUTPUT}"
  "// Written by cmake/embed_files.cmake.\n"
  "#include <callboard/cmd/page_files.hpp>\n\n"
  "${bytes}\nextern \"C\" {\n${declarations}}\n\n"
  "namespace callboard::cmd {\n\n"
  "std::span<const net::page_file> page_files() {\n${body}}\n\n"
  "} // namespace callboard::cmd\n")
