#pragma once

#include <string_view>

namespace callboard::net {

/// One file that a node serves to browsers.
struct page_file {
  /// The path in a URL, with its slash: "/" for what browsers ask first.
  std::string_view path;
  /// The value of the HTTP header Content-Type.
  std::string_view content_type;
  /// The bytes, at most what fits into memory; they outlive the server.
  std::string_view body;
};

} // namespace callboard::net
