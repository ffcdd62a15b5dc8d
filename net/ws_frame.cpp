#include <callboard/net/ws_frame.hpp>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include <callboard/net/utf8.hpp>

namespace callboard::net {

namespace {

char* write_big_endian(char* out, uint64_t value, int bytes) noexcept {
  for (auto shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    *out++ = static_cast<char>(value >> shift);
  return out;
}

char* write_header(char* out, ws_opcode opcode, size_t payload_bytes, bool fin,
                   bool rsv1, unsigned mask_bit) noexcept {
  assert(!is_control(opcode)
         || (fin && !rsv1 && payload_bytes <= ws_control_bytes_max));
  *out++ = static_cast<char>((fin ? 0x80u : 0u) | (rsv1 ? 0x40u : 0u)
                             | static_cast<unsigned>(opcode));
  if (payload_bytes < 126) {
    *out++ = static_cast<char>(mask_bit | payload_bytes);
    return out;
  }
  if (payload_bytes <= 0xFFFF) {
    *out++ = static_cast<char>(mask_bit | 126u);
    return write_big_endian(out, payload_bytes, 2);
  }
  *out++ = static_cast<char>(mask_bit | 127u);
  return write_big_endian(out, payload_bytes, 8);
}

template <class Word>
char* mask_word(char* data, Word key) noexcept {
  Word word;
  std::memcpy(&word, data, sizeof(word));
  word ^= key;
  std::memcpy(data, &word, sizeof(word));
  return data + sizeof(word);
}

} // namespace

char* write_ws_header(char* out, ws_opcode opcode, size_t payload_bytes,
                      bool fin, bool rsv1) noexcept {
  return write_header(out, opcode, payload_bytes, fin, rsv1, 0);
}

char* write_ws_masked_header(char* out, ws_opcode opcode, size_t payload_bytes,
                             uint32_t key, bool fin, bool rsv1) noexcept {
  out = write_header(out, opcode, payload_bytes, fin, rsv1, 0x80);
  std::memcpy(out, &key, sizeof(key));
  return out + sizeof(key);
}

char* write_ws_close_body(char* out, uint16_t code,
                          std::string_view reason) noexcept {
  if (code == ws_close::no_status)
    return out;
  assert(is_sendable_close_code(code));
  out = write_big_endian(out, code, 2);
  auto size = utf8_prefix(reason, ws_control_bytes_max - 2);
  return std::copy_n(reason.data(), size, out);
}

void ws_mask(char* data, size_t size, uint32_t key) noexcept {
  // The key repeated, in memory order whatever the machine's byte order is.
  auto wide_key = (static_cast<uint64_t>(key) << 32) | key;
  for (; size >= 32; size -= 32) {
    // Compilers make two or one vector instruction of these four.
    data = mask_word(data, wide_key);
    data = mask_word(data, wide_key);
    data = mask_word(data, wide_key);
    data = mask_word(data, wide_key);
  }
  for (; size >= 8; size -= 8)
    data = mask_word(data, wide_key);
  if (size >= 4) {
    data = mask_word(data, key);
    size -= 4;
  }
  char bytes[4];
  std::memcpy(bytes, &key, sizeof(bytes));
  for (size_t i = 0; i < size; ++i)
    data[i] = static_cast<char>(data[i] ^ bytes[i]);
}

uint32_t advance_ws_mask(uint32_t key, size_t size) noexcept {
  auto bits = static_cast<int>(size % 4) * 8;
  if constexpr (std::endian::native == std::endian::little)
    return std::rotr(key, bits);
  else
    return std::rotl(key, bits);
}

} // namespace callboard::net
