#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <callboard/messages/detail/msgpack_in.hpp>

namespace callboard::detail {

// Each `put_…` writes one value or head at `p` in its smallest format and
// returns the position behind it. The caller has made room.

/// Most bytes of one integer, double or head.
inline constexpr size_t msgpack_item_max = 9;

template <class T>
char* put_big(char* p, uint8_t head, T x) noexcept {
  *p = static_cast<char>(head);
  // Loading swaps, and so swaps back.
  x = load_big<T>(reinterpret_cast<const char*>(&x));
  std::memcpy(p + 1, &x, sizeof(T));
  return p + 1 + sizeof(T);
}

inline char* put_byte(char* p, uint8_t head) noexcept {
  *p = static_cast<char>(head);
  return p + 1;
}

inline char* put_nil(char* p) noexcept {
  return put_byte(p, mp_nil);
}

inline char* put_bool(char* p, bool x) noexcept {
  return put_byte(p, x ? mp_true : mp_false);
}

inline char* put_uint(char* p, uint64_t x) noexcept {
  if (x < 0x80)
    return put_byte(p, static_cast<uint8_t>(x));
  if (x <= UINT8_MAX)
    return put_big(p, mp_uint8, static_cast<uint8_t>(x));
  if (x <= UINT16_MAX)
    return put_big(p, mp_uint16, static_cast<uint16_t>(x));
  if (x <= UINT32_MAX)
    return put_big(p, mp_uint32, static_cast<uint32_t>(x));
  return put_big(p, mp_uint64, x);
}

inline char* put_int(char* p, int64_t x) noexcept {
  if (x >= 0)
    return put_uint(p, static_cast<uint64_t>(x));
  if (x >= -32)
    return put_byte(p, static_cast<uint8_t>(x));
  if (x >= INT8_MIN)
    return put_big(p, mp_int8, static_cast<int8_t>(x));
  if (x >= INT16_MIN)
    return put_big(p, mp_int16, static_cast<int16_t>(x));
  if (x >= INT32_MIN)
    return put_big(p, mp_int32, static_cast<int32_t>(x));
  return put_big(p, mp_int64, x);
}

inline char* put_double(char* p, double x) noexcept {
  return put_big(p, mp_float64, std::bit_cast<uint64_t>(x));
}

inline char* put_str_head(char* p, size_t size) noexcept {
  if (size < 32)
    return put_byte(p, static_cast<uint8_t>(mp_fixstr | size));
  if (size <= UINT8_MAX)
    return put_big(p, mp_str8, static_cast<uint8_t>(size));
  if (size <= UINT16_MAX)
    return put_big(p, mp_str16, static_cast<uint16_t>(size));
  return put_big(p, mp_str32, static_cast<uint32_t>(size));
}

inline char* put_bytes(char* p, std::string_view x) noexcept {
  if (!x.empty())
    std::memcpy(p, x.data(), x.size());
  return p + x.size();
}

inline char* put_str(char* p, std::string_view x) noexcept {
  return put_bytes(put_str_head(p, x.size()), x);
}

inline char* put_bin_head(char* p, size_t size) noexcept {
  if (size <= UINT8_MAX)
    return put_big(p, mp_bin8, static_cast<uint8_t>(size));
  if (size <= UINT16_MAX)
    return put_big(p, mp_bin16, static_cast<uint16_t>(size));
  return put_big(p, mp_bin32, static_cast<uint32_t>(size));
}

inline char* put_ext_head(char* p, int8_t type, size_t size) noexcept {
  if (size >= 1 && size <= 16 && std::has_single_bit(size))
    p = put_byte(p, static_cast<uint8_t>(mp_fixext1 + std::countr_zero(size)));
  else if (size <= UINT8_MAX)
    p = put_big(p, mp_ext8, static_cast<uint8_t>(size));
  else if (size <= UINT16_MAX)
    p = put_big(p, mp_ext16, static_cast<uint16_t>(size));
  else
    p = put_big(p, mp_ext32, static_cast<uint32_t>(size));
  return put_byte(p, static_cast<uint8_t>(type));
}

/// Puts the head of an array (`fix` = `mp_fixarray`, `head16` = `mp_array16`)
/// or of a map (`mp_fixmap`, `mp_map16`).
inline char* put_container_head(char* p, uint8_t fix, uint8_t head16,
                                size_t size) noexcept {
  if (size < 16)
    return put_byte(p, static_cast<uint8_t>(fix | size));
  if (size <= UINT16_MAX)
    return put_big(p, head16, static_cast<uint16_t>(size));
  return put_big(p, static_cast<uint8_t>(head16 + 1),
                 static_cast<uint32_t>(size));
}

inline char* put_array_head(char* p, size_t size) noexcept {
  return put_container_head(p, mp_fixarray, mp_array16, size);
}

inline char* put_map_head(char* p, size_t size) noexcept {
  return put_container_head(p, mp_fixmap, mp_map16, size);
}

} // namespace callboard::detail
