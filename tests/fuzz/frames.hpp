#pragma once

#include <cstdlib>
#include <string>
#include <string_view>

#include <callboard/messages/frame_reader.hpp>
#include <callboard/messages/frame_writer.hpp>

namespace callboard::fuzz {

/// Ends the process unless `x` holds.
inline void require(bool x) {
  if (!x)
    std::abort();
}

inline bool same_meta(const meta_view& x, const meta_view& y) {
  auto same = [&](meta_key key, const auto& a, const auto& b) {
    return !x.has(key) || a == b;
  };
  return x.present == y.present && same(meta_key::offset, x.offset, y.offset)
         && same(meta_key::epoch, x.epoch, y.epoch)
         && same(meta_key::since, x.since.epoch, y.since.epoch)
         && same(meta_key::since, x.since.offset, y.since.offset)
         && same(meta_key::id, x.id, y.id)
         && same(meta_key::no_echo, x.no_echo, y.no_echo)
         && same(meta_key::retained, x.retained, y.retained)
         && same(meta_key::group, x.group, y.group)
         && same(meta_key::key, x.key, y.key)
         && same(meta_key::ack, x.ack, y.ack)
         && same(meta_key::attempt, x.attempt, y.attempt)
         && same(meta_key::origin, x.origin, y.origin)
         && same(meta_key::sender, x.sender, y.sender)
         && same(meta_key::timeout_ms, x.timeout_ms, y.timeout_ms)
         && same(meta_key::code, x.code, y.code)
         && same(meta_key::temporary, x.temporary, y.temporary)
         && same(meta_key::retry_after_ms, x.retry_after_ms, y.retry_after_ms)
         && same(meta_key::pattern, x.pattern, y.pattern)
         && same(meta_key::trace, x.trace, y.trace);
}

inline bool same_head(const frame_view& x, const frame_view& y) {
  return x.type == y.type && x.seq_id == y.seq_id && x.timestamp == y.timestamp;
}

/// Writes `x` as it came and requires that it reads the same.
inline void check_round_trip(codec encoding, const frame_view& x) {
  byte_buffer out;
  write_frame(encoding, x, out);
  require(out.size() <= frame_size_max(encoding, x));
  frame_reader reader{encoding};
  reader.reset(out.view());
  frame_view y;
  require(reader.next(y) == read_status::frame);
  require(same_head(x, y) && x.subject == y.subject
          && x.payload.bytes == y.payload.bytes && same_meta(x.meta, y.meta));
  require(reader.next(y) == read_status::end);
}

/// Writes `x` in the other codec and requires that it can be read. Texts that
/// are not UTF-8 come back changed, so only the rest is compared.
inline void check_other_codec(const frame_view& x) {
  auto other = x.payload.encoding == codec::json ? codec::msgpack : codec::json;
  byte_buffer out;
  write_frame(other, x, out);
  frame_reader reader{other};
  reader.reset(out.view());
  frame_view y;
  auto status = reader.next(y);
  // A short text grows where U+FFFD stands for one byte of it.
  if (status == read_status::malformed) {
    auto long_one = [&](meta_key key, std::string_view text) {
      return x.meta.has(key) && text.size() > 64 / 3;
    };
    require(other == codec::json
            && (long_one(meta_key::id, x.meta.id)
                || long_one(meta_key::group, x.meta.group)
                || long_one(meta_key::key, x.meta.key)));
    return;
  }
  require(status == read_status::frame);
  require(same_head(x, y) && x.meta.present == y.meta.present);
  if (other == codec::msgpack)
    require(x.subject == y.subject && same_meta(x.meta, y.meta));
  require(x.payload.empty() || y.payload.empty() || well_formed(y.payload));
  require(reader.next(y) == read_status::end);
}

/// Reads all frames of `message` and checks each.
inline void read_all(codec encoding, std::string_view message) {
  frame_reader reader{encoding};
  reader.reset(message);
  frame_view x;
  for (size_t n = 0;; ++n) {
    require(n <= message.size());
    switch (reader.next(x)) {
      case read_status::frame:
        require(x.payload.empty() || well_formed(x.payload));
        check_round_trip(encoding, x);
        check_other_codec(x);
        break;
      case read_status::end:
        return;
      case read_status::malformed:
        require(!reader.reason().empty());
        require(reader.next(x) == read_status::end);
        return;
      case read_status::unknown_type:
        break;
    }
  }
}

} // namespace callboard::fuzz
