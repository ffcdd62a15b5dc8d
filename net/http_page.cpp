#include <callboard/net/http_page.hpp>

#include <algorithm>
#include <cstdint>
#include <string>

namespace callboard::net {

namespace {

// Nothing but the page's own files and WebSockets. The latter are spelled out
// because 'self' does not cover them in older browsers.
constexpr std::string_view page_fields
  = "Cache-Control: no-cache\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n";

} // namespace

const page_file* find_page_file(std::span<const page_file> files,
                                std::string_view path) {
  auto i = std::find_if(files.begin(), files.end(),
                        [path](const page_file& x) { return x.path == path; });
  return i != files.end() ? &*i : nullptr;
}

http_content to_content(const page_file& file, std::string_view if_none_match) {
  auto etag = etag_of(file.body);
  http_content result;
  result.fields = page_fields;
  result.fields += "ETag: " + etag + "\r\n";
  if (names_etag(if_none_match, etag)) {
    result.status = 304;
    return result;
  }
  result.type = file.content_type;
  result.file = file.body;
  return result;
}

std::string etag_of(std::string_view bytes) {
  // FNV-1a, 64 bits: what it tells apart is versions of our own files.
  uint64_t hash = 0xcbf29ce484222325;
  for (auto c : bytes)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::string result = "\"0123456789abcdef\"";
  for (size_t i = 16; i > 0; --i, hash >>= 4)
    result[i] = "0123456789abcdef"[hash & 15];
  return result;
}

bool names_etag(std::string_view if_none_match,
                std::string_view etag) noexcept {
  if (if_none_match == "*")
    return true;
  // An entity tag is quoted and `etag` has no comma, so a match of all its
  // bytes between separators is that element.
  auto pos = if_none_match.find(etag);
  return pos != std::string_view::npos;
}

} // namespace callboard::net
