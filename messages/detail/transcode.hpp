#pragma once

#include <string_view>

#include <callboard/messages/byte_buffer.hpp>

namespace callboard::detail {

/// Appends a well-formed MessagePack value as JSON.
void msgpack_to_json(std::string_view value, byte_buffer& out);

/// Appends JSON text as MessagePack.
/// @returns false, with `out` as it was, if `text` is not one JSON value, or if
///          the value nests deeper than `payload_depth_max`.
bool json_to_msgpack(std::string_view text, byte_buffer& out);

/// Returns whether `value` is one MessagePack value with nothing behind it.
bool is_msgpack(std::string_view value) noexcept;

/// Returns whether `json_to_msgpack` takes `text`.
bool is_json(std::string_view text);

/// Returns whether the map with the one key `key` and the value `value`, which
/// is well-formed MessagePack, reads in JSON like a special form.
bool is_special_form(std::string_view key, std::string_view value) noexcept;

} // namespace callboard::detail
