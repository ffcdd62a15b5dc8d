#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <callboard/net/ws_error.hpp>

struct z_stream_s;

namespace callboard::net {

/// Inflates the messages of permessage-deflate (RFC 7692, 7.2.2). Takes every
/// window size. Belongs to one thread; without context takeover one is enough
/// for all connections of a loop.
class ws_inflater {
public:
  /// Makes an inflater. @throws std::bad_alloc
  /// @param context_takeover whether messages build on the ones before them;
  ///                         then it serves one connection only.
  explicit ws_inflater(bool context_takeover = false);

  ~ws_inflater();

  /// Inflates one message.
  /// @param in all of its payload.
  /// @param bytes_max the most bytes that may come out, 0 ... 2^30. No more
  ///                  than these, and one, are ever held.
  /// @param out receives the message, valid until the next call. May be `in`.
  /// @returns `ws_error::none`, `ws_error::message_too_big` as soon as there
  ///          are more bytes, or `ws_error::bad_deflate`.
  ws_error inflate(std::string_view in, size_t bytes_max,
                   std::string_view& out);

  /// Returns the bytes held for output, besides zlib's own 40 KiB or so.
  size_t buffered_bytes() const noexcept {
    return capacity_;
  }

private:
  ws_error feed(std::string_view in, size_t bytes_max);
  ws_error next_stream();
  bool grow(size_t bytes_max);

  struct end_stream {
    void operator()(z_stream_s* stream) const noexcept;
  };

  std::unique_ptr<z_stream_s, end_stream> stream_;
  bool context_takeover_;
  int final_blocks_ = 0;

  // What came out so far of the current message.
  std::unique_ptr<char[]> out_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

/// Deflates messages for permessage-deflate (RFC 7692, 7.2.1), each by itself:
/// its output suits every connection that accepted this window size. Belongs to
/// one thread.
class ws_deflater {
public:
  /// Makes a deflater. @throws std::bad_alloc
  /// @param window_bits 9 ... 15: the window is two to this power in bytes.
  /// @param level 1 (fast) ... 9 (small).
  explicit ws_deflater(int window_bits = 15, int level = 6);

  ~ws_deflater();

  /// Deflates one message.
  /// @param out receives the payload of a frame with RSV1.
  /// @returns whether it is smaller than `in`. Otherwise `out` is unspecified
  ///          and the message goes better as it is, without RSV1.
  bool deflate(std::string_view in, std::string& out);

private:
  struct end_stream {
    void operator()(z_stream_s* stream) const noexcept;
  };

  std::unique_ptr<z_stream_s, end_stream> stream_;
};

} // namespace callboard::net
