#pragma once

#include <span>
#include <string_view>

namespace callboard::net {

/// One file of the page that a node serves to browsers, embedded at build time.
struct page_file {
  /// The path in a URL: "/" for `index.html`, else "/" and the file's name.
  std::string_view path;
  /// The value of the HTTP header Content-Type.
  std::string_view content_type;
  /// The bytes; they live as long as the program.
  std::string_view body;
};

/// Returns all files of `net/page`, in no particular order. From any thread.
std::span<const page_file> page_files();

} // namespace callboard::net
