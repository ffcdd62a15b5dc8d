#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <callboard/messages/frame_reader.hpp>

namespace callboard::detail {

/// Heads of MessagePack values, by their names in the specification. The ones
/// with a number in them are the first of a range.
enum msgpack_head : uint8_t {
  mp_fixmap = 0x80,
  mp_fixarray = 0x90,
  mp_fixstr = 0xa0,
  mp_nil = 0xc0,
  mp_never_used = 0xc1,
  mp_false = 0xc2,
  mp_true = 0xc3,
  mp_bin8 = 0xc4,
  mp_bin16 = 0xc5,
  mp_bin32 = 0xc6,
  mp_ext8 = 0xc7,
  mp_ext16 = 0xc8,
  mp_ext32 = 0xc9,
  mp_float32 = 0xca,
  mp_float64 = 0xcb,
  mp_uint8 = 0xcc,
  mp_uint16 = 0xcd,
  mp_uint32 = 0xce,
  mp_uint64 = 0xcf,
  mp_int8 = 0xd0,
  mp_int16 = 0xd1,
  mp_int32 = 0xd2,
  mp_int64 = 0xd3,
  mp_fixext1 = 0xd4,
  mp_fixext16 = 0xd8,
  mp_str8 = 0xd9,
  mp_str16 = 0xda,
  mp_str32 = 0xdb,
  mp_array16 = 0xdc,
  mp_array32 = 0xdd,
  mp_map16 = 0xde,
  mp_map32 = 0xdf,
  mp_negative_fixint = 0xe0,
};

/// Reads a big-endian `T` at `p`.
template <class T>
T load_big(const char* p) noexcept {
  static_assert(std::endian::native == std::endian::little);
  T x;
  std::memcpy(&x, p, sizeof(T));
  if constexpr (sizeof(T) == 2)
    return static_cast<T>(__builtin_bswap16(x));
  else if constexpr (sizeof(T) == 4)
    return static_cast<T>(__builtin_bswap32(x));
  else if constexpr (sizeof(T) == 8)
    return static_cast<T>(__builtin_bswap64(x));
  else
    return x;
}

/// Reads MessagePack values from bytes that may be anything. Each `read_…`
/// returns false, and moves nothing, where the next value is of another kind
/// or is not all there.
class msgpack_in {
public:
  explicit msgpack_in(std::string_view bytes) noexcept
    : pos_{bytes.data()}, end_{bytes.data() + bytes.size()} {
  }

  [[nodiscard]] const char* pos() const noexcept {
    return pos_;
  }

  [[nodiscard]] size_t left() const noexcept {
    return static_cast<size_t>(end_ - pos_);
  }

  /// Returns the head of the next value.
  /// @pre `left() > 0`
  [[nodiscard]] uint8_t head() const noexcept {
    return static_cast<uint8_t>(*pos_);
  }

  bool read_nil() noexcept {
    if (left() == 0 || head() != mp_nil)
      return false;
    ++pos_;
    return true;
  }

  bool read_bool(bool& x) noexcept {
    if (left() == 0 || (head() | 1) != mp_true)
      return false;
    x = head() == mp_true;
    ++pos_;
    return true;
  }

  /// Reads an integer of any format that is not negative.
  bool read_uint(uint64_t& x) noexcept {
    if (left() > 0 && head() < mp_fixmap) {
      x = head();
      ++pos_;
      return true;
    }
    return read_uint_slow(x);
  }

  /// Reads an integer of any format that an `int64_t` can hold.
  bool read_int(int64_t& x) noexcept;

  bool read_str(std::string_view& x) noexcept {
    if (left() > 0 && (head() & 0xe0) == mp_fixstr)
      return take(1, head() & 0x1f, x);
    return read_str_slow(x);
  }

  bool read_bin(std::string_view& x) noexcept;

  bool read_ext(int8_t& type, std::string_view& x) noexcept;

  bool read_float(double& x) noexcept;

  bool read_array(uint32_t& size) noexcept {
    return read_container(mp_fixarray, mp_array16, size);
  }

  bool read_map(uint32_t& size) noexcept {
    return read_container(mp_fixmap, mp_map16, size);
  }

  /// Skips one whole value of at most `depth_max` (≤ 256) levels in time
  /// proportional to the bytes of it that are there.
  /// @returns nullptr, or a literal that says what is wrong with it, after
  ///          which the position is unspecified.
  const char* skip(size_t depth_max = payload_depth_max) noexcept;

private:
  // Takes `n` bytes behind a head of `head_size` bytes.
  bool take(size_t head_size, size_t n, std::string_view& x) noexcept {
    if (left() < head_size || left() - head_size < n)
      return false;
    x = {pos_ + head_size, n};
    pos_ += head_size + n;
    return true;
  }

  bool read_container(uint8_t fix, uint8_t head16, uint32_t& size) noexcept {
    if (left() == 0)
      return false;
    if ((head() & 0xf0) == fix) {
      size = head() & 0x0fu;
      ++pos_;
      return true;
    }
    if (head() == head16 && left() >= 3) {
      size = load_big<uint16_t>(pos_ + 1);
      pos_ += 3;
      return true;
    }
    if (head() == head16 + 1 && left() >= 5) {
      size = load_big<uint32_t>(pos_ + 1);
      pos_ += 5;
      return true;
    }
    return false;
  }

  bool read_uint_slow(uint64_t& x) noexcept;

  bool read_str_slow(std::string_view& x) noexcept;

  const char* pos_;
  const char* end_;
};

} // namespace callboard::detail
