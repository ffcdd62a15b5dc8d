#include <callboard/net/ws_deflate.hpp>

#include <algorithm>
#include <cassert>
#include <new>
#include <utility>

#include <zlib.h>

namespace callboard::net {

namespace {

// What a sender takes off the end of each message (RFC 7692, 7.2.1).
constexpr std::string_view tail{"\x00\x00\xFF\xFF", 4};

// A larger buffer is not kept for the next message.
constexpr size_t kept_bytes_max = 65536;

// A message may go on behind a final block (RFC 7692, 7.2.3.4), but each time
// costs a copy of the window, so only few are taken.
constexpr int final_blocks_max = 16;

constexpr size_t window_bytes = 32768;

Bytef* as_bytes(const char* data) noexcept {
  // zlib's interface is older than const; it does not write to its input.
  return reinterpret_cast<Bytef*>(const_cast<char*>(data));
}

} // namespace

// -- ws_inflater --------------------------------------------------------------

ws_inflater::ws_inflater(bool context_takeover)
  : stream_(new z_stream{}), context_takeover_(context_takeover) {
  if (inflateInit2(stream_.get(), -15) != Z_OK)
    throw std::bad_alloc();
}

ws_inflater::~ws_inflater() = default;

void ws_inflater::end_stream::operator()(z_stream* stream) const noexcept {
  inflateEnd(stream);
  delete stream;
}

ws_error ws_inflater::inflate(std::string_view in, size_t bytes_max,
                              std::string_view& out) {
  if (!context_takeover_)
    inflateReset(stream_.get());
  if (capacity_ > kept_bytes_max) {
    out_.reset();
    capacity_ = 0;
  }
  size_ = 0;
  final_blocks_ = 0;
  // Some senders deflate nothing to nothing, which lacks the block's header.
  if (!in.empty()) {
    if (auto error = feed(in, bytes_max); error != ws_error::none)
      return error;
    if (auto error = feed(tail, bytes_max); error != ws_error::none)
      return error;
    // Anywhere but between blocks, the message was cut short.
    if ((stream_->data_type & 128) == 0)
      return ws_error::bad_deflate;
  }
  out = {out_.get(), size_};
  return ws_error::none;
}

/// Inflates all of `in` behind what is there.
ws_error ws_inflater::feed(std::string_view in, size_t bytes_max) {
  stream_->next_in = as_bytes(in.data());
  stream_->avail_in = static_cast<uInt>(in.size());
  for (;;) {
    if (size_ == capacity_ && !grow(bytes_max))
      return ws_error::message_too_big;
    auto room = capacity_ - size_;
    stream_->next_out = as_bytes(out_.get() + size_);
    stream_->avail_out = static_cast<uInt>(room);
    auto result = ::inflate(stream_.get(), Z_SYNC_FLUSH);
    size_ += room - stream_->avail_out;
    if (size_ > bytes_max)
      return ws_error::message_too_big;
    switch (result) {
      case Z_OK:
      case Z_BUF_ERROR:
        // With room left, zlib has given all that it has.
        if (stream_->avail_out > 0)
          return ws_error::none;
        break;
      case Z_STREAM_END:
        if (auto error = next_stream(); error != ws_error::none)
          return error;
        if (stream_->avail_in == 0)
          return ws_error::none;
        break;
      case Z_MEM_ERROR:
        throw std::bad_alloc();
      default:
        return ws_error::bad_deflate;
    }
  }
}

/// Goes on behind a final block, with the same window.
ws_error ws_inflater::next_stream() {
  if (++final_blocks_ > final_blocks_max)
    return ws_error::bad_deflate;
  Bytef window[window_bytes];
  uInt size = 0;
  inflateGetDictionary(stream_.get(), window, &size);
  inflateReset(stream_.get());
  inflateSetDictionary(stream_.get(), window, size);
  return ws_error::none;
}

/// Makes room for more output.
/// @returns false if there is all the room that may be.
bool ws_inflater::grow(size_t bytes_max) {
  // The byte above the maximum shows that there is more.
  if (capacity_ > bytes_max)
    return false;
  auto capacity = std::min(std::max(2 * capacity_, size_t{4096}),
                           bytes_max + 1);
  auto out = std::make_unique_for_overwrite<char[]>(capacity);
  std::copy_n(out_.get(), size_, out.get());
  out_ = std::move(out);
  capacity_ = capacity;
  return true;
}

// -- ws_deflater --------------------------------------------------------------

ws_deflater::ws_deflater(int window_bits, int level) : stream_(new z_stream{}) {
  assert(window_bits >= 9 && window_bits <= 15);
  constexpr auto mem_level = 8;
  if (deflateInit2(stream_.get(), level, Z_DEFLATED, -window_bits, mem_level,
                   Z_DEFAULT_STRATEGY)
      != Z_OK)
    throw std::bad_alloc();
}

ws_deflater::~ws_deflater() = default;

void ws_deflater::end_stream::operator()(z_stream* stream) const noexcept {
  deflateEnd(stream);
  delete stream;
}

bool ws_deflater::deflate(std::string_view in, std::string& out) {
  deflateReset(stream_.get());
  // Whatever does not fit here is not worth sending; but zlib must be able to
  // write the tail.
  out.resize(in.size() + tail.size());
  stream_->next_in = as_bytes(in.data());
  stream_->avail_in = static_cast<uInt>(in.size());
  stream_->next_out = as_bytes(out.data());
  stream_->avail_out = static_cast<uInt>(out.size());
  auto result = ::deflate(stream_.get(), Z_SYNC_FLUSH);
  if (result != Z_OK || stream_->avail_out == 0)
    return false;
  auto size = out.size() - stream_->avail_out;
  assert(size >= tail.size());
  size -= tail.size();
  assert(std::string_view(out).substr(size, tail.size()) == tail);
  out.resize(size);
  return size < in.size();
}

} // namespace callboard::net
