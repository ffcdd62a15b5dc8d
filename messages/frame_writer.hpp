#pragma once

#include <cstddef>

#include <callboard/messages/byte_buffer.hpp>
#include <callboard/messages/codec.hpp>
#include <callboard/messages/frame.hpp>

namespace callboard {

/// Returns the number of bytes that `write_frame` appends at most. It is cheap
/// and exact enough to reserve with (a constant, the texts and the payload)
/// where frame and payload have the same codec; with a payload of the other
/// codec it is a lower bound only.
size_t frame_size_max(codec encoding, const frame_view& x) noexcept;

/// Appends `x` in the given codec. A payload of the same codec is copied byte
/// for byte; one of the other codec is converted (see `transcode`). In JSON
/// the frame ends with a newline, so that frames can follow one another.
/// Meta keys are written in ascending order, the meta map only where it is not
/// empty.
/// @pre the payload is empty or one well-formed value of its codec.
void write_frame(codec encoding, const frame_view& x, byte_buffer& out);

/// Appends `payload` as one value of the codec `encoding`: bytes as they are,
/// or converted by the rules of the protocol: `bin` ↔ `{"$bin": base64}`,
/// `ext` ↔ `{"$ext": [type, base64]}`, a map with keys that are not strings ↔
/// `{"$map": [[key, value], …]}`, NaN and infinities → `null`, a `str` that is
/// not UTF-8 → `$bin`. An empty payload becomes nil or `null`.
/// @returns false if `payload` is not one well-formed value; `out` is then as
///          it was.
bool transcode(codec encoding, payload_view payload, byte_buffer& out);

/// Returns whether `payload` is one well-formed value with nothing behind it
/// (depth ≤ `payload_depth_max`, where the special forms of JSON count as the
/// values that they stand for). JSON is on one line, as its frame will be.
bool well_formed(payload_view payload);

} // namespace callboard
