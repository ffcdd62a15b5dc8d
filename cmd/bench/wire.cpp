#include "wire.hpp"

#include <algorithm>

namespace callboard::cmd::bench {

namespace {

template <class T>
T load_big(const uint8_t* at) {
  T result = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    result = static_cast<T>(result << 8 | at[i]);
  return result;
}

template <class T>
void store_big(char* at, T value) {
  for (size_t i = sizeof(T); i-- > 0; value = static_cast<T>(value >> 8))
    at[i] = static_cast<char>(value & 0xff);
}

template <class T>
void append_big(std::string& out, T value) {
  char bytes[sizeof(T)];
  store_big(bytes, value);
  out.append(bytes, sizeof(T));
}

/// Walks over MessagePack. The first thing that does not fit ends it: from
/// then on every read gives zero and `ok` is false.
class reader {
public:
  reader(const uint8_t* first, const uint8_t* last) : pos_(first), last_(last) {
  }

  bool ok() const {
    return ok_;
  }

  const uint8_t* position() const {
    return pos_;
  }

  /// Reads an integer of any width; a negative one as its two's complement.
  uint64_t integer() {
    auto tag = byte();
    if (tag < 0x80)
      return tag;
    if (tag >= 0xe0)
      return static_cast<uint64_t>(static_cast<int8_t>(tag));
    if (tag >= 0xcc && tag <= 0xcf)
      return big(size_t{1} << (tag - 0xcc));
    if (tag >= 0xd0 && tag <= 0xd3)
      return big(size_t{1} << (tag - 0xd0));
    return fail();
  }

  size_t array() {
    auto tag = byte();
    if ((tag & 0xf0) == 0x90)
      return tag & 0x0f;
    return tag == 0xdc ? big(2) : tag == 0xdd ? big(4) : fail();
  }

  /// Reads a `str` or `bin`; passes over any other value and gives nothing.
  std::string_view text_or_skip() {
    auto tag = pos_ < last_ ? *pos_ : uint8_t{0};
    if ((tag & 0xe0) == 0xa0)
      return ++pos_, bytes(tag & 0x1f);
    if (tag >= 0xc4 && tag <= 0xc6)
      return ++pos_, bytes(big(size_t{1} << (tag - 0xc4)));
    if (tag >= 0xd9 && tag <= 0xdb)
      return ++pos_, bytes(big(size_t{1} << (tag - 0xd9)));
    skip();
    return {};
  }

  size_t map() {
    auto tag = byte();
    if ((tag & 0xf0) == 0x80)
      return tag & 0x0f;
    return tag == 0xde ? big(2) : tag == 0xdf ? big(4) : fail();
  }

  bool truth() {
    auto tag = byte();
    return tag == 0xc3 || (tag != 0xc2 && fail() != 0);
  }

  /// Passes over one value and all that is in it, without recursion.
  void skip() {
    for (uint64_t left = 1; left > 0 && ok_; --left)
      left += skip_one();
  }

private:
  uint64_t fail() {
    ok_ = false;
    pos_ = last_;
    return 0;
  }

  uint8_t byte() {
    return pos_ < last_ ? *pos_++ : static_cast<uint8_t>(fail() | 0xc1);
  }

  uint64_t big(size_t width) {
    if (static_cast<size_t>(last_ - pos_) < width)
      return fail();
    uint64_t result = 0;
    for (size_t i = 0; i < width; ++i)
      result = result << 8 | *pos_++;
    return result;
  }

  std::string_view bytes(size_t count) {
    if (static_cast<size_t>(last_ - pos_) < count) {
      fail();
      return {};
    }
    auto first = reinterpret_cast<const char*>(pos_);
    pos_ += count;
    return {first, count};
  }

  /// Passes over a value's own bytes and returns how many values are in it.
  uint64_t skip_one() {
    auto tag = byte();
    if (tag < 0x80 || tag >= 0xe0 || tag == 0xc0 || tag == 0xc2 || tag == 0xc3)
      return 0;
    if ((tag & 0xf0) == 0x80)
      return 2u * (tag & 0x0f);
    if ((tag & 0xf0) == 0x90)
      return tag & 0x0f;
    if ((tag & 0xe0) == 0xa0)
      return bytes(tag & 0x1f), 0;
    switch (tag) {
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return bytes(big(size_t{1} << (tag - 0xc4))), 0;
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return bytes(big(size_t{1} << (tag - 0xc7)) + 1), 0;
      case 0xca:
        return bytes(4), 0;
      case 0xcb:
        return bytes(8), 0;
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return bytes(size_t{1} << (tag - 0xcc)), 0;
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return bytes(size_t{1} << (tag - 0xd0)), 0;
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return bytes((size_t{1} << (tag - 0xd4)) + 1), 0;
      case 0xd9:
      case 0xda:
      case 0xdb:
        return bytes(big(size_t{1} << (tag - 0xd9))), 0;
      case 0xdc:
        return big(2);
      case 0xdd:
        return big(4);
      case 0xde:
        return 2 * big(2);
      case 0xdf:
        return 2 * big(4);
      default:
        return fail();
    }
  }

  const uint8_t* pos_;
  const uint8_t* last_;
  bool ok_ = true;
};

void append_text(std::string& out, std::string_view text) {
  if (text.size() < 32) {
    out += static_cast<char>(0xa0 | text.size());
  } else if (text.size() < 256) {
    out += '\xd9';
    out += static_cast<char>(text.size());
  } else {
    out += '\xda';
    append_big(out, static_cast<uint16_t>(text.size()));
  }
  out += text;
}

void append_bin_header(std::string& out, size_t size) {
  if (size < 256) {
    out += '\xc4';
    out += static_cast<char>(size);
  } else if (size < 65536) {
    out += '\xc5';
    append_big(out, static_cast<uint16_t>(size));
  } else {
    out += '\xc6';
    append_big(out, static_cast<uint32_t>(size));
  }
}

/// Begins a frame of five elements, up to its subject. The seqId stands at
/// byte 3 and the timestamp at byte 8.
void append_frame_head(std::string& out, wire_type type, uint32_t seq_id,
                       int64_t time_ms, std::string_view subject) {
  out += '\x95';
  out += static_cast<char>(type);
  out += '\xce';
  append_big(out, seq_id);
  out += '\xd3';
  append_big(out, static_cast<uint64_t>(time_ms));
  append_text(out, subject);
}

constexpr size_t seq_id_in_frame = 3;
constexpr size_t time_in_frame = 8;

} // namespace

ws_scan scan_ws_header(const uint8_t* first, const uint8_t* last,
                       size_t bytes_max, ws_header& result) {
  auto have = static_cast<size_t>(last - first);
  if (have < 2)
    return ws_scan::incomplete;
  if ((first[0] & 0x70) != 0 || (first[1] & 0x80) != 0)
    return ws_scan::invalid;
  result.opcode = first[0] & 0x0f;
  result.last = (first[0] & 0x80) != 0;
  result.header_bytes = first[1] == 127 ? 10 : first[1] == 126 ? 4 : 2;
  if (have < result.header_bytes)
    return ws_scan::incomplete;
  auto size = uint64_t{first[1]};
  if (size == 126)
    size = load_big<uint16_t>(first + 2);
  else if (size == 127)
    size = load_big<uint64_t>(first + 2);
  if (size > bytes_max)
    return ws_scan::invalid;
  result.payload_bytes = static_cast<size_t>(size);
  return have - result.header_bytes < size ? ws_scan::incomplete
                                           : ws_scan::complete;
}

void append_ws_header(std::string& out, uint8_t opcode, size_t payload_bytes) {
  out += static_cast<char>(0x80 | opcode);
  if (payload_bytes < 126) {
    out += static_cast<char>(0x80 | payload_bytes);
  } else if (payload_bytes < 65536) {
    out += static_cast<char>(0x80 | 126);
    append_big(out, static_cast<uint16_t>(payload_bytes));
  } else {
    out += static_cast<char>(0x80 | 127);
    append_big(out, static_cast<uint64_t>(payload_bytes));
  }
  out.append(4, '\0');
}

void append_filler(std::string& out, size_t count) {
  for (size_t i = 0; i < count; ++i)
    out += static_cast<char>('a' + i * 7 % 26);
}

bool read_frame(const uint8_t*& first, const uint8_t* last,
                frame_view& result) {
  result = frame_view{};
  reader in{first, last};
  auto elements = in.array();
  if (elements < 5)
    return false;
  result.type = in.integer();
  result.seq_id = in.integer();
  in.integer();
  result.subject = in.text_or_skip();
  auto payload = in.position();
  result.content = in.text_or_skip();
  result.payload = {reinterpret_cast<const char*>(payload),
                    static_cast<size_t>(in.position() - payload)};
  if (elements > 5) {
    for (auto pairs = in.map(); pairs > 0 && in.ok(); --pairs) {
      auto key = in.integer();
      if (key == 1)
        result.offset = in.integer();
      else if (key == 8)
        result.code = in.integer();
      else
        in.skip();
    }
    for (auto more = elements - 6; more > 0 && in.ok(); --more)
      in.skip();
  }
  first = in.position();
  return in.ok();
}

bool read_position(std::string_view payload, topic_position& result) {
  auto first = reinterpret_cast<const uint8_t*>(payload.data());
  reader in{first, first + payload.size()};
  for (auto pairs = in.map(); pairs > 0 && in.ok(); --pairs) {
    auto key = in.text_or_skip();
    if (key == "epoch")
      result.epoch = in.text_or_skip();
    else if (key == "offset")
      result.offset = in.integer();
    else if (key == "recovered")
      result.recovered = in.truth();
    else
      in.skip();
  }
  return in.ok() && !result.epoch.empty();
}

message_template message_template::frame(wire_type type,
                                         std::string_view subject,
                                         size_t payload_bytes) {
  std::string body;
  append_frame_head(body, type, 0, 0, subject);
  append_bin_header(body, payload_bytes);
  message_template result;
  auto mark_in_body = body.size();
  append_filler(body, payload_bytes);
  append_ws_header(result.bytes_, 2, body.size());
  auto base = result.bytes_.size();
  result.seq_id_at_ = base + seq_id_in_frame;
  result.time_at_ = base + time_in_frame;
  result.mark_at_ = base + mark_in_body;
  result.bytes_ += body;
  return result;
}

message_template message_template::plain(size_t payload_bytes) {
  std::string bytes;
  append_ws_header(bytes, 2, payload_bytes);
  auto mark_at = bytes.size();
  append_filler(bytes, payload_bytes);
  return {std::move(bytes), mark_at};
}

void message_template::append_to(std::string& out, uint32_t seq_id,
                                 int64_t time_ms,
                                 const payload_mark& mark) const {
  auto base = out.size();
  out += bytes_;
  auto at = out.data() + base;
  if (seq_id_at_ != 0) {
    store_big(at + seq_id_at_, seq_id);
    store_big(at + time_at_, static_cast<uint64_t>(time_ms));
  }
  write_(at + mark_at_, mark);
}

void append_subscribe(std::string& out, uint32_t seq_id, int64_t time_ms,
                      std::string_view topic, const topic_position& since) {
  std::string body;
  append_frame_head(body, wire_subscribe, seq_id, time_ms, topic);
  body += '\xc0';
  if (!since.epoch.empty()) {
    body[0] = '\x96';
    // Meta 3, `since`: an array of two.
    body += "\x81\x03\x92";
    append_text(body, since.epoch);
    body += '\xcf';
    append_big(body, since.offset);
  }
  append_ws_header(out, 2, body.size());
  out += body;
}

} // namespace callboard::cmd::bench
