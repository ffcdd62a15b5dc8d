#include <callboard/net/ws_parser.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include <callboard/net/ws_deflate.hpp>

namespace callboard::net {

namespace {

constexpr uint8_t fin_bit = 0x80;
constexpr uint8_t rsv1_bit = 0x40;
constexpr uint8_t rsv23_bits = 0x30;
constexpr uint8_t opcode_bits = 0x0F;

constexpr ws_opcode opcode_of(unsigned first_byte) noexcept {
  return static_cast<ws_opcode>(first_byte & opcode_bits);
}

uint64_t read_big_endian(const char* data, int bytes) noexcept {
  uint64_t result = 0;
  for (auto end = data + bytes; data != end; ++data)
    result = (result << 8) | static_cast<unsigned char>(*data);
  return result;
}

} // namespace

/// A header that was read and checked.
struct ws_parser::frame_header {
  uint8_t first;
  uint32_t payload_bytes;
  uint32_t mask_key;
};

/// What was received but lies behind a pause.
struct ws_parser::paused_bytes {
  std::string bytes;
  size_t position = 0;
};

ws_parser::ws_parser(const ws_parser_options& options) noexcept
  : options_(&options) {
}

ws_parser::~ws_parser() {
  release();
}

ws_status ws_parser::consume(char* data, size_t size, ws_handler& handler) {
  auto end = data + size;
  auto pos = parse(data, end, handler);
  if (status_ == ws_status::paused && pos != end) {
    if (!paused_)
      paused_.reset(new paused_bytes);
    paused_->bytes.append(pos, end);
  }
  return status_;
}

ws_status ws_parser::resume(ws_handler& handler) {
  if (status_ != ws_status::paused)
    return status_;
  status_ = ws_status::open;
  if (!paused_)
    return status_;
  auto begin = paused_->bytes.data();
  auto end = begin + paused_->bytes.size();
  auto pos = parse(begin + paused_->position, end, handler);
  if (status_ == ws_status::paused && pos != end)
    paused_->position = static_cast<size_t>(pos - begin);
  else
    paused_.reset();
  return status_;
}

void ws_parser::shut() noexcept {
  // The handler may still use views into the buffers, so these are freed when
  // its caller returns, by the next call, or with the parser.
  if (status_ != ws_status::failed)
    status_ = ws_status::closed;
}

size_t ws_parser::buffered_bytes() const noexcept {
  return capacity_ + (paused_ ? paused_->bytes.capacity() : 0);
}

// -- frames -------------------------------------------------------------------

char* ws_parser::parse(char* pos, char* end, ws_handler& handler) {
  while (pos != end && status_ == ws_status::open) {
    if (missing_bytes_ > 0)
      pos = rest_of_payload(pos, end, handler);
    else if (header_bytes_ > 0)
      pos = rest_of_header(pos, end, handler);
    else
      pos = next_header(pos, end, handler);
  }
  if (status_ == ws_status::closed || status_ == ws_status::failed)
    release();
  return pos;
}

char* ws_parser::next_header(char* pos, char* end, ws_handler& handler) {
  frame_header header;
  auto size = static_cast<size_t>(end - pos);
  if (auto n = read_header(pos, size, header); n > 0)
    return begin_frame(header, pos + n, end, handler);
  if (status_ == ws_status::open) {
    std::memcpy(header_, pos, size);
    header_bytes_ = static_cast<uint8_t>(size);
  }
  return end;
}

char* ws_parser::rest_of_header(char* pos, char* end, ws_handler& handler) {
  char bytes[ws_header_bytes_max];
  auto kept = static_cast<size_t>(header_bytes_);
  auto added = std::min(sizeof(bytes) - kept, static_cast<size_t>(end - pos));
  std::memcpy(bytes, header_, kept);
  std::memcpy(bytes + kept, pos, added);
  header_bytes_ = 0;
  frame_header header;
  if (auto n = read_header(bytes, kept + added, header); n > 0)
    return begin_frame(header, pos + (n - kept), end, handler);
  if (status_ == ws_status::open) {
    std::memcpy(header_, bytes, kept + added);
    header_bytes_ = static_cast<uint8_t>(kept + added);
  }
  return end;
}

char* ws_parser::begin_frame(const frame_header& header, char* pos, char* end,
                             ws_handler& handler) {
  auto size = std::min(static_cast<size_t>(end - pos),
                       static_cast<size_t>(header.payload_bytes));
  if (header.mask_key != 0)
    ws_mask(pos, size, header.mask_key);
  frame_ = header.first;
  auto whole = size == header.payload_bytes;
  if (is_control(opcode_of(frame_))) {
    if (whole) {
      deliver_control({pos, size}, handler);
      return pos + size;
    }
    control_bytes_ = static_cast<uint8_t>(header.payload_bytes);
  } else if (message_ == 0) {
    if (whole && (frame_ & fin_bit) != 0) {
      deliver_message({pos, size}, frame_, handler);
      return pos + size;
    }
    message_ = frame_;
    empty_fragments_ = 0;
  }
  if (header.payload_bytes == 0 && (frame_ & fin_bit) == 0
      && ++empty_fragments_ > options_->empty_fragments_max) {
    fail(ws_error::too_many_fragments);
    return end;
  }
  missing_bytes_ = header.payload_bytes;
  mask_key_ = header.mask_key;
  if (!keep_payload(pos, size))
    return end;
  if (whole)
    end_frame(handler);
  return pos + size;
}

char* ws_parser::rest_of_payload(char* pos, char* end, ws_handler& handler) {
  auto size = std::min(static_cast<size_t>(end - pos),
                       static_cast<size_t>(missing_bytes_));
  if (mask_key_ != 0)
    ws_mask(pos, size, mask_key_);
  if (!keep_payload(pos, size))
    return end;
  if (missing_bytes_ == 0)
    end_frame(handler);
  return pos + size;
}

void ws_parser::end_frame(ws_handler& handler) {
  if (is_control(opcode_of(frame_))) {
    // Its bytes stay where they are until they were seen.
    size_ -= control_bytes_;
    deliver_control({buffer_ + size_, control_bytes_}, handler);
    if (size_ == 0)
      release();
  } else if ((frame_ & fin_bit) != 0) {
    deliver_message({buffer_, size_}, message_, handler);
    message_ = 0;
    release();
  }
}

// -- checks -------------------------------------------------------------------

/// Reads and checks a header.
/// @returns its size, or 0 if it is incomplete or wrong; then `status_` tells.
size_t ws_parser::read_header(const char* pos, size_t size,
                              frame_header& header) {
  if (size < 2)
    return 0;
  auto first = static_cast<uint8_t>(pos[0]);
  auto second = static_cast<uint8_t>(pos[1]);
  if (auto error = check_opening(first, second); error != ws_error::none) {
    fail(error);
    return 0;
  }
  size_t n = 2;
  uint64_t length = second & 0x7F;
  if (length >= 126) {
    auto wide = length == 127;
    n = wide ? 10 : 4;
    if (size < n)
      return 0;
    length = read_big_endian(pos + 2, wide ? 8 : 2);
    if ((wide ? length <= 0xFFFF : length < 126) || (length >> 63) != 0) {
      fail(ws_error::bad_length);
      return 0;
    }
  }
  if (!is_control(opcode_of(first))) {
    auto fresh = message_ == 0;
    auto compressed = ((fresh ? first : message_) & rsv1_bit) != 0;
    auto max = wire_bytes_max(compressed) - (fresh ? 0 : size_);
    if (length > max) {
      fail(ws_error::message_too_big);
      return 0;
    }
  }
  header.first = first;
  header.payload_bytes = static_cast<uint32_t>(length);
  header.mask_key = 0;
  if (options_->peer_is_client) {
    if (size < n + sizeof(header.mask_key))
      return 0;
    std::memcpy(&header.mask_key, pos + n, sizeof(header.mask_key));
    n += sizeof(header.mask_key);
  }
  return n;
}

ws_error ws_parser::check_opening(unsigned first,
                                  unsigned second) const noexcept {
  auto opcode = opcode_of(first);
  if ((first & rsv23_bits) != 0)
    return ws_error::reserved_bit;
  switch (opcode) {
    case ws_opcode::continuation:
    case ws_opcode::text:
    case ws_opcode::binary:
      if ((first & rsv1_bit) != 0
          && (!options_->inflater || opcode == ws_opcode::continuation))
        return ws_error::reserved_bit;
      if ((opcode == ws_opcode::continuation) != (message_ != 0))
        return message_ == 0 ? ws_error::stray_continuation
                             : ws_error::unfinished_message;
      break;
    case ws_opcode::close:
    case ws_opcode::ping:
    case ws_opcode::pong:
      if ((first & rsv1_bit) != 0)
        return ws_error::reserved_bit;
      if ((first & fin_bit) == 0)
        return ws_error::fragmented_control;
      if ((second & 0x7F) > ws_control_bytes_max)
        return ws_error::long_control;
      break;
    default:
      return ws_error::reserved_opcode;
  }
  if (((second & 0x80) != 0) != options_->peer_is_client)
    return options_->peer_is_client ? ws_error::unmasked : ws_error::masked;
  return ws_error::none;
}

/// Returns how many bytes a message may have on the wire.
uint64_t ws_parser::wire_bytes_max(bool compressed) const noexcept {
  uint64_t max = options_->message_bytes_max;
  // What cannot be compressed grows: this is zlib's bound for any parameters.
  return compressed ? max + max / 8 + max / 64 + 16 : max;
}

/// Appends unmasked payload of the current frame to the buffer.
/// @returns whether it can be part of what it belongs to.
bool ws_parser::keep_payload(const char* data, size_t size) {
  if (!is_control(opcode_of(frame_)) && opcode_of(message_) == ws_opcode::text
      && (message_ & rsv1_bit) == 0 && !text_.write({data, size})) {
    fail(ws_error::bad_text);
    return false;
  }
  reserve(size_ + size);
  std::copy_n(data, size, buffer_ + size_);
  size_ += static_cast<uint32_t>(size);
  missing_bytes_ -= static_cast<uint32_t>(size);
  mask_key_ = advance_ws_mask(mask_key_, size);
  return true;
}

// -- delivery -----------------------------------------------------------------

/// @param first the first byte of the message's first frame.
void ws_parser::deliver_message(std::string_view bytes, uint8_t first,
                                ws_handler& handler) {
  auto kind = opcode_of(first);
  auto compressed = (first & rsv1_bit) != 0;
  if (compressed) {
    auto max = options_->message_bytes_max;
    auto error = options_->inflater->inflate(bytes, max, bytes);
    if (error != ws_error::none)
      return fail(error);
  }
  if (kind == ws_opcode::text) {
    // What came in pieces was checked as it came.
    auto checked = message_ != 0 && !compressed;
    if (checked ? !text_.complete() : !is_utf8(bytes))
      return fail(ws_error::bad_text);
  }
  went_on(handler.on_message(kind, bytes));
}

void ws_parser::deliver_control(std::string_view bytes, ws_handler& handler) {
  switch (opcode_of(frame_)) {
    case ws_opcode::ping:
      return went_on(handler.on_ping(bytes));
    case ws_opcode::pong:
      return went_on(handler.on_pong(bytes));
    default:
      return deliver_close(bytes, handler);
  }
}

void ws_parser::deliver_close(std::string_view bytes, ws_handler& handler) {
  if (bytes.size() == 1)
    return fail(ws_error::bad_close_body);
  auto code = ws_close::no_status;
  std::string_view reason;
  if (!bytes.empty()) {
    code = static_cast<uint16_t>(read_big_endian(bytes.data(), 2));
    reason = bytes.substr(2);
    if (!is_sendable_close_code(code))
      return fail(ws_error::bad_close_code);
    if (!is_utf8(reason))
      return fail(ws_error::bad_close_reason);
  }
  status_ = ws_status::closed;
  handler.on_close(code, reason);
}

/// Pauses if the handler says so and did not call `shut`.
void ws_parser::went_on(bool go_on) noexcept {
  if (!go_on && status_ == ws_status::open)
    status_ = ws_status::paused;
}

void ws_parser::fail(ws_error error) noexcept {
  status_ = ws_status::failed;
  error_ = error;
}

// -- memory -------------------------------------------------------------------

void ws_parser::reserve(size_t size) {
  if (size <= capacity_)
    return;
  // Doubling is bounded by what one message, and one control frame amid its
  // fragments, can need.
  auto max = wire_bytes_max((message_ & rsv1_bit) != 0) + ws_control_bytes_max;
  auto doubled = std::min(2 * uint64_t{capacity_}, max);
  auto capacity = std::max(uint64_t{size}, doubled);
  auto buffer = static_cast<char*>(std::realloc(buffer_, capacity));
  if (!buffer)
    throw std::bad_alloc();
  buffer_ = buffer;
  capacity_ = static_cast<uint32_t>(capacity);
}

void ws_parser::release() noexcept {
  std::free(buffer_);
  buffer_ = nullptr;
  size_ = 0;
  capacity_ = 0;
}

} // namespace callboard::net
