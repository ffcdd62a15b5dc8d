#pragma once

#include <span>
#include <string_view>

#include <callboard/net/http_reply.hpp>
#include <callboard/net/page_file.hpp>

namespace callboard::net {

/// Returns the file with this path, nullptr if there is none.
const page_file* find_page_file(std::span<const page_file> files,
                                std::string_view path);

/// Returns what answers a request for `file`: 304 where `if_none_match` names
/// its present version, else 200.
http_content to_content(const page_file& file, std::string_view if_none_match);

/// Returns the ETag of a file, quotes included: a hash of its bytes.
std::string etag_of(std::string_view bytes);

/// Returns whether an If-None-Match value names `etag` (RFC 7232, 3.2).
bool names_etag(std::string_view if_none_match, std::string_view etag) noexcept;

} // namespace callboard::net
