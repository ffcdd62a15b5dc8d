#include <callboard/messages/detail/msgpack_in.hpp>

#include <array>

namespace callboard::detail {

namespace {

constexpr const char* truncated = "a value ends behind the message";

// For each head: the size of the whole value where the head alone tells it,
// else 0.
constexpr auto fixed_sizes = [] {
  std::array<uint8_t, 256> sizes{};
  for (size_t head = 0; head < sizes.size(); ++head) {
    if (head < mp_fixmap || head >= mp_negative_fixint)
      sizes[head] = 1;
    else if ((head & 0xe0) == mp_fixstr)
      sizes[head] = static_cast<uint8_t>(1 + (head & 0x1f));
    else if (head >= mp_fixext1 && head <= mp_fixext16)
      sizes[head] = static_cast<uint8_t>(2 + (1 << (head - mp_fixext1)));
    else if (head >= mp_uint8 && head <= mp_uint64)
      sizes[head] = static_cast<uint8_t>(1 + (1 << (head - mp_uint8)));
    else if (head >= mp_int8 && head <= mp_int64)
      sizes[head] = static_cast<uint8_t>(1 + (1 << (head - mp_int8)));
  }
  sizes[mp_nil] = sizes[mp_false] = sizes[mp_true] = 1;
  sizes[mp_float32] = 5;
  sizes[mp_float64] = 9;
  return sizes;
}();

} // namespace

bool msgpack_in::read_uint_slow(uint64_t& x) noexcept {
  if (left() == 0)
    return false;
  auto load = [&]<class T>(T) {
    if (left() < 1 + sizeof(T))
      return false;
    auto value = load_big<T>(pos_ + 1);
    if (std::is_signed_v<T> && value < T{0})
      return false;
    x = static_cast<uint64_t>(value);
    pos_ += 1 + sizeof(T);
    return true;
  };
  switch (head()) {
    case mp_uint8:
      return load(uint8_t{});
    case mp_uint16:
      return load(uint16_t{});
    case mp_uint32:
      return load(uint32_t{});
    case mp_uint64:
      return load(uint64_t{});
    case mp_int8:
      return load(int8_t{});
    case mp_int16:
      return load(int16_t{});
    case mp_int32:
      return load(int32_t{});
    case mp_int64:
      return load(int64_t{});
    default:
      return false;
  }
}

bool msgpack_in::read_int(int64_t& x) noexcept {
  if (left() == 0)
    return false;
  // The one that nearly all timestamps have.
  if (head() == mp_uint64 || head() < mp_fixmap
      || (head() >= mp_uint8 && head() <= mp_uint32)) {
    auto begin = pos_;
    uint64_t value = 0;
    if (!read_uint(value))
      return false;
    if (value > INT64_MAX) {
      pos_ = begin;
      return false;
    }
    x = static_cast<int64_t>(value);
    return true;
  }
  if (head() >= mp_negative_fixint) {
    x = static_cast<int8_t>(head());
    ++pos_;
    return true;
  }
  auto load = [&]<class T>(T) {
    if (left() < 1 + sizeof(T))
      return false;
    x = load_big<T>(pos_ + 1);
    pos_ += 1 + sizeof(T);
    return true;
  };
  switch (head()) {
    case mp_int8:
      return load(int8_t{});
    case mp_int16:
      return load(int16_t{});
    case mp_int32:
      return load(int32_t{});
    case mp_int64:
      return load(int64_t{});
    default:
      return false;
  }
}

bool msgpack_in::read_str_slow(std::string_view& x) noexcept {
  if (left() == 0)
    return false;
  switch (head()) {
    case mp_str8:
      return left() >= 2 && take(2, load_big<uint8_t>(pos_ + 1), x);
    case mp_str16:
      return left() >= 3 && take(3, load_big<uint16_t>(pos_ + 1), x);
    case mp_str32:
      return left() >= 5 && take(5, load_big<uint32_t>(pos_ + 1), x);
    default:
      return false;
  }
}

bool msgpack_in::read_bin(std::string_view& x) noexcept {
  if (left() == 0)
    return false;
  switch (head()) {
    case mp_bin8:
      return left() >= 2 && take(2, load_big<uint8_t>(pos_ + 1), x);
    case mp_bin16:
      return left() >= 3 && take(3, load_big<uint16_t>(pos_ + 1), x);
    case mp_bin32:
      return left() >= 5 && take(5, load_big<uint32_t>(pos_ + 1), x);
    default:
      return false;
  }
}

bool msgpack_in::read_ext(int8_t& type, std::string_view& x) noexcept {
  if (left() < 2)
    return false;
  auto begin = pos_;
  auto ok = false;
  auto type_at = size_t{1};
  if (head() >= mp_fixext1 && head() <= mp_fixext16) {
    ok = take(2, size_t{1} << (head() - mp_fixext1), x);
  } else if (head() == mp_ext8) {
    type_at = 2;
    ok = take(3, load_big<uint8_t>(pos_ + 1), x);
  } else if (head() == mp_ext16 && left() >= 4) {
    type_at = 3;
    ok = take(4, load_big<uint16_t>(pos_ + 1), x);
  } else if (head() == mp_ext32 && left() >= 6) {
    type_at = 5;
    ok = take(6, load_big<uint32_t>(pos_ + 1), x);
  }
  if (ok)
    type = static_cast<int8_t>(begin[type_at]);
  return ok;
}

bool msgpack_in::read_float(double& x) noexcept {
  if (left() >= 5 && head() == mp_float32) {
    x = std::bit_cast<float>(load_big<uint32_t>(pos_ + 1));
    pos_ += 5;
    return true;
  }
  if (left() >= 9 && head() == mp_float64) {
    x = std::bit_cast<double>(load_big<uint64_t>(pos_ + 1));
    pos_ += 9;
    return true;
  }
  return false;
}

const char* msgpack_in::skip(size_t depth_max) noexcept {
  // Values that are still to come at each level that we are inside of.
  uint64_t outer[256];
  size_t depth = 0;
  uint64_t pending = 1;
  auto pos = pos_;
  while (true) {
    while (pending == 0) {
      if (depth == 0) {
        pos_ = pos;
        return nullptr;
      }
      pending = outer[--depth];
    }
    --pending;
    auto room = static_cast<size_t>(end_ - pos);
    if (room == 0)
      return truncated;
    auto head = static_cast<uint8_t>(*pos);
    if (auto size = fixed_sizes[head]; size != 0) {
      if (room < size)
        return truncated;
      pos += size;
      continue;
    }
    // Bytes of a length behind the head: 8-, 16- and 32-bit formats follow one
    // another.
    auto run = [&](uint8_t head8, size_t extra) {
      auto width = size_t{1} << (head - head8);
      if (room < 1 + width)
        return false;
      uint64_t n = width == 1   ? load_big<uint8_t>(pos + 1)
                   : width == 2 ? load_big<uint16_t>(pos + 1)
                                : load_big<uint32_t>(pos + 1);
      n += 1 + width + extra;
      if (room < n)
        return false;
      pos += n;
      return true;
    };
    uint64_t size = 0;
    if (head >= mp_fixmap && head < mp_fixstr) {
      size = head & 0x0f;
      if (head < mp_fixarray)
        size *= 2;
      ++pos;
    } else if (head >= mp_array16) {
      auto wide = (head & 1) != 0;
      if (room < (wide ? 5 : 3))
        return truncated;
      size = wide ? load_big<uint32_t>(pos + 1) : load_big<uint16_t>(pos + 1);
      if (head >= mp_map16)
        size *= 2;
      pos += wide ? 5 : 3;
    } else {
      if (head == mp_never_used)
        return "0xc1 is not a value";
      auto ok = head >= mp_str8   ? run(mp_str8, 0)
                : head >= mp_ext8 ? run(mp_ext8, 1)
                                  : run(mp_bin8, 0);
      if (!ok)
        return truncated;
      continue;
    }
    if (depth == depth_max)
      return "a payload nests deeper than 64";
    // Each element has a byte at least.
    if (size > static_cast<size_t>(end_ - pos))
      return truncated;
    outer[depth++] = pending;
    pending = size;
  }
}

} // namespace callboard::detail
