#pragma once

#include <cstdint>

#include <callboard/net/ws_frame.hpp>

// What the parser's sources share. Not installed.

namespace callboard::net {

inline constexpr uint8_t ws_fin_bit = 0x80;
inline constexpr uint8_t ws_rsv1_bit = 0x40;

constexpr ws_opcode opcode_of(unsigned first_byte) noexcept {
  return static_cast<ws_opcode>(first_byte & 0x0F);
}

inline uint64_t read_big_endian(const char* data, int bytes) noexcept {
  uint64_t result = 0;
  for (auto end = data + bytes; data != end; ++data)
    result = (result << 8) | static_cast<unsigned char>(*data);
  return result;
}

} // namespace callboard::net
