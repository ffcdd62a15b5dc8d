#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <callboard/net/ws_handshake.hpp>

namespace callboard::net {

/// Longest request line in bytes; beyond it a request is refused with 414.
inline constexpr size_t http_line_bytes_max = 8 * 1024;

/// Largest request head in bytes, request line and empty line included; beyond
/// it a request is refused with 431.
inline constexpr size_t http_head_bytes_max = 16 * 1024;

/// Most header fields of a request; beyond them it is refused with 431.
inline constexpr size_t http_fields_max = 100;

/// The head of a request, checked for its form. Fields are empty where missing
/// and joined with commas where they came several times.
struct http_request {
  std::string method;
  std::string target;
  /// Whether it is HTTP/1.0, else HTTP/1.1.
  bool http_1_0 = false;
  /// Whether the client wants to go on after the answer.
  bool keep_alive = false;
  /// Whether a body follows.
  bool has_body = false;
  /// Whether its end is told by Transfer-Encoding, else by Content-Length.
  bool chunked = false;
  uint64_t content_length = 0;
  /// Whether the client waits for word that its body is wanted.
  bool expects_continue = false;

  std::string host;
  std::string origin;
  std::string authorization;
  std::string cookie;
  std::string forwarded_for;
  std::string if_none_match;
  std::string content_type;
  std::string upgrade;
  std::string connection;
  std::string ws_version;
  std::string ws_key;
  std::string ws_subprotocols;
  std::string ws_extensions;
  /// What a front with an `http_desk` has read; else empty.
  std::string body;

  /// Returns what decides about an upgrade; views into this.
  [[nodiscard]] ws_request ws() const noexcept;
};

/// Why a request is not served.
struct http_refusal {
  /// 400 … 599.
  unsigned status = 400;
  /// A name for programs: lower-case letters and underscores.
  std::string_view error;
  /// A sentence for people, without quotes or backslashes.
  std::string message;
  /// When trying again can help, in seconds; told with 429 and 503.
  unsigned retry_after_s = 5;
  /// Where a WebSocket may be had instead; they can stand between JSON's
  /// quotes.
  std::vector<std::string> urls = {};
};

/// Cuts the bytes of a connection into requests. Does no I/O and keeps no more
/// than the bytes that were not taken yet.
class http_reader {
public:
  /// Nothing if more bytes are needed.
  using result = std::variant<std::monostate, http_request, http_refusal>;

  /// Appends bytes as they were received.
  void append(std::string_view bytes);

  /// Takes the next request off the front. After a refusal the rest of the
  /// connection means nothing any more, and everything is dropped.
  result take();

  /// Takes the body that follows the last request off the front.
  /// @returns nothing if more bytes are needed.
  std::optional<std::string> take_body(uint64_t size);

  /// Returns whether no byte waits to be taken.
  [[nodiscard]] bool empty() const noexcept {
    return bytes_.empty();
  }

  /// Returns, and drops, the bytes that were not taken.
  std::string take_rest() noexcept;

private:
  result parse(size_t size);

  result refuse(unsigned status, std::string_view error, std::string message);

  void drop(size_t size);

  std::string bytes_;
  /// Where the line begins that has not ended yet.
  size_t line_ = 0;
  /// How far that line's end was looked for.
  size_t scanned_ = 0;
  /// The lines that have ended.
  size_t lines_ = 0;
};

} // namespace callboard::net
