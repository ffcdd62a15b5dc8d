#include "frames.hpp"

#include <ctime>

namespace baseline {

namespace {

/// Reads MessagePack. Past the first mistake everything is empty.
class cursor {
public:
  explicit cursor(std::string_view bytes) : rest_(bytes) {
  }

  bool ok() const {
    return ok_;
  }

  std::string_view rest() const {
    return rest_;
  }

  uint64_t number() {
    auto tag = byte();
    if (tag < 0x80)
      return tag;
    if (tag >= 0xe0)
      return static_cast<uint64_t>(static_cast<int8_t>(tag));
    if ((tag >= 0xcc && tag <= 0xcf) || (tag >= 0xd0 && tag <= 0xd3))
      return big(1u << (tag & 3));
    return wrong();
  }

  uint64_t array() {
    auto tag = byte();
    return (tag & 0xf0) == 0x90 ? tag & 15u : wrong();
  }

  std::string_view text() {
    auto tag = byte();
    if ((tag & 0xe0) == 0xa0)
      return take(tag & 31u);
    if (tag >= 0xd9 && tag <= 0xdb)
      return take(big(1u << (tag - 0xd9)));
    wrong();
    return {};
  }

  /// Passes over one value with all that is in it and returns its bytes.
  std::string_view value() {
    auto first = rest_;
    for (uint64_t left = 1; left > 0 && ok_; --left)
      left += inner();
    return first.substr(0, first.size() - rest_.size());
  }

private:
  uint64_t wrong() {
    ok_ = false;
    rest_ = {};
    return 0;
  }

  uint8_t byte() {
    if (rest_.empty())
      return static_cast<uint8_t>(wrong() | 0xc1);
    auto result = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return result;
  }

  std::string_view take(uint64_t count) {
    if (rest_.size() < count) {
      wrong();
      return {};
    }
    auto result = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return result;
  }

  uint64_t big(size_t width) {
    uint64_t result = 0;
    for (auto c : take(width))
      result = result << 8 | static_cast<uint8_t>(c);
    return result;
  }

  /// Passes over a value's own bytes; returns how many values it contains.
  uint64_t inner() {
    auto tag = byte();
    if (tag < 0x80 || tag >= 0xe0 || tag == 0xc0 || tag == 0xc2 || tag == 0xc3)
      return 0;
    if (tag < 0x90)
      return 2u * (tag & 15u);
    if (tag < 0xa0)
      return tag & 15u;
    if (tag < 0xc0)
      return take(tag & 31u), 0;
    if (tag >= 0xc4 && tag <= 0xc6)
      return take(big(1u << (tag - 0xc4))), 0;
    if (tag >= 0xc7 && tag <= 0xc9)
      return take(big(1u << (tag - 0xc7)) + 1), 0;
    if (tag == 0xca || tag == 0xcb)
      return take(tag == 0xca ? 4 : 8), 0;
    if (tag >= 0xcc && tag <= 0xd3)
      return take(1u << (tag & 3)), 0;
    if (tag >= 0xd4 && tag <= 0xd8)
      return take((1u << (tag - 0xd4)) + 1), 0;
    if (tag >= 0xd9 && tag <= 0xdb)
      return take(big(1u << (tag - 0xd9))), 0;
    if (tag == 0xdc || tag == 0xdd)
      return big(tag == 0xdc ? 2 : 4);
    if (tag == 0xde || tag == 0xdf)
      return 2 * big(tag == 0xde ? 2 : 4);
    return wrong();
  }

  std::string_view rest_;
  bool ok_ = true;
};

void append_big(std::string& out, uint64_t value, unsigned width) {
  for (auto shift = 8 * width; shift > 0;)
    out += static_cast<char>(value >> (shift -= 8) & 0xff);
}

void append_number(std::string& out, uint64_t value) {
  if (value < 128) {
    out += static_cast<char>(value);
  } else if (value <= UINT32_MAX) {
    out += '\xce';
    append_big(out, value, 4);
  } else {
    out += '\xcf';
    append_big(out, value, 8);
  }
}

void append_text(std::string& out, std::string_view text) {
  if (text.size() < 32) {
    out += static_cast<char>(0xa0 | text.size());
  } else {
    out += '\xd9';
    out += static_cast<char>(text.size());
  }
  out += text;
}

void append_head(std::string& out, char elements, char type, uint64_t seq_id,
                 std::string_view subject) {
  out += static_cast<char>(0x90 | elements);
  out += type;
  append_number(out, seq_id);
  out += '\xd3';
  append_big(out, static_cast<uint64_t>(now_ms()), 8);
  append_text(out, subject);
}

} // namespace

std::optional<frame> take_frame(std::string_view& message) {
  cursor in{message};
  frame result;
  auto elements = in.array();
  result.type = in.number();
  result.seq_id = in.number();
  in.number();
  result.subject = in.text();
  result.payload = in.value();
  for (; elements > 5 && in.ok(); --elements)
    in.value();
  message = in.rest();
  if (!in.ok() || elements < 5 || result.subject.size() > 255)
    return std::nullopt;
  return result;
}

int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void append_welcome(std::string& out, uint64_t connection) {
  append_head(out, 5, 2, 0, {});
  out += '\x82';
  append_text(out, "connection");
  append_text(out, "c" + std::to_string(connection));
  append_text(out, "node");
  append_text(out, "baseline");
}

void append_response(std::string& out, uint64_t seq_id,
                     std::string_view payload) {
  append_head(out, 5, 4, seq_id, {});
  out += payload;
}

void append_position(std::string& out, uint64_t seq_id, uint64_t offset) {
  append_head(out, 5, 4, seq_id, {});
  out += '\x83';
  append_text(out, "epoch");
  append_text(out, "1");
  append_text(out, "offset");
  append_number(out, offset);
  append_text(out, "recovered");
  out += '\xc2';
}

void append_event(std::string& out, std::string_view topic,
                  std::string_view payload, uint64_t offset,
                  std::string_view sender) {
  append_head(out, 6, 11, 0, topic);
  out += payload;
  out += "\x82\x01";
  append_number(out, offset);
  out += '\x06';
  append_text(out, sender);
}

void append_error(std::string& out, uint64_t seq_id, uint32_t code,
                  std::string_view name) {
  append_head(out, 6, 5, seq_id, name);
  append_text(out, name);
  out += "\x81\x08";
  append_number(out, code);
}

} // namespace baseline
