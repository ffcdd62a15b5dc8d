#include <callboard/net/ws_parser.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include <callboard/net/ws_parser_parts.hpp>

namespace callboard::net {

namespace {

constexpr uint8_t rsv23_bits = 0x30;

constexpr auto whole_text
  = static_cast<uint8_t>(ws_fin_bit | static_cast<uint8_t>(ws_opcode::text));
constexpr auto whole_binary
  = static_cast<uint8_t>(ws_fin_bit | static_cast<uint8_t>(ws_opcode::binary));

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
    else if (auto next = short_message(pos, end, handler); next != nullptr)
      pos = next;
    else
      pos = next_header(pos, end, handler);
  }
  if (status_ == ws_status::closed || status_ == ws_status::failed)
    release();
  return pos;
}

/// Takes what most messages of clients are: one short frame, all of it there.
/// @returns its end, or null if what comes is anything else, or wrong.
char* ws_parser::short_message(char* pos, char* end, ws_handler& handler) {
  constexpr size_t header_bytes = 2 + sizeof(uint32_t);
  auto size = static_cast<size_t>(end - pos);
  if (size < header_bytes || message_ != 0 || !options_->peer_is_client)
    return nullptr;
  auto first = static_cast<uint8_t>(pos[0]);
  auto second = static_cast<uint8_t>(pos[1]);
  auto length = size_t{second} & 0x7Fu;
  if ((first != whole_text && first != whole_binary) || second < 0x80
      || length >= 126 || length > size - header_bytes
      || length > options_->message_bytes_max)
    return nullptr;
  uint32_t key;
  std::memcpy(&key, pos + 2, sizeof(key));
  pos += header_bytes;
  ws_mask(pos, length, key);
  deliver_message({pos, length}, first, handler);
  return pos + length;
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
    if (whole && (frame_ & ws_fin_bit) != 0) {
      deliver_message({pos, size}, frame_, handler);
      return pos + size;
    }
    message_ = frame_;
    empty_fragments_ = 0;
  }
  if (header.payload_bytes == 0 && (frame_ & ws_fin_bit) == 0
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
  } else if ((frame_ & ws_fin_bit) != 0) {
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
    auto compressed = ((fresh ? first : message_) & ws_rsv1_bit) != 0;
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
      if ((first & ws_rsv1_bit) != 0
          && (!options_->inflater || opcode == ws_opcode::continuation))
        return ws_error::reserved_bit;
      if ((opcode == ws_opcode::continuation) != (message_ != 0))
        return message_ == 0 ? ws_error::stray_continuation
                             : ws_error::unfinished_message;
      break;
    case ws_opcode::close:
    case ws_opcode::ping:
    case ws_opcode::pong:
      if ((first & ws_rsv1_bit) != 0)
        return ws_error::reserved_bit;
      if ((first & ws_fin_bit) == 0)
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
      && (message_ & ws_rsv1_bit) == 0 && !text_.write({data, size})) {
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

// -- memory -------------------------------------------------------------------

void ws_parser::reserve(size_t size) {
  if (size <= capacity_)
    return;
  // Doubling is bounded by what one message, and one control frame amid its
  // fragments, can need.
  auto max = wire_bytes_max((message_ & ws_rsv1_bit) != 0)
             + ws_control_bytes_max;
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
