#pragma once

#include <charconv>
#include <concepts>
#include <string_view>

#include <callboard/messages/byte_buffer.hpp>

namespace callboard::detail {

/// Appends `text` as a JSON string. What is not UTF-8 in it becomes U+FFFD.
void write_json_string(std::string_view text, byte_buffer& out);

/// Appends `x` as a JSON number.
template <std::integral T>
void write_json_integer(T x, byte_buffer& out) {
  auto p = out.reserve_back(20);
  out.commit(static_cast<size_t>(std::to_chars(p, p + 20, x).ptr - p));
}

/// Appends the shortest text that reads back as `x`, with a `.` or an exponent
/// in it; `null` for NaN and infinities.
void write_json_double(double x, byte_buffer& out);

/// Appends `bytes` as a JSON string in base64.
void write_json_base64(std::string_view bytes, byte_buffer& out);

} // namespace callboard::detail
