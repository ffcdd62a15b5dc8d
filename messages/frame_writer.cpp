#include <callboard/messages/frame_writer.hpp>

#include <bit>
#include <cassert>
#include <tuple>

#include <callboard/messages/detail/json_out.hpp>
#include <callboard/messages/detail/meta_names.hpp>
#include <callboard/messages/detail/msgpack_out.hpp>

namespace callboard {

namespace {

using namespace detail;

// Bytes of a MessagePack frame with all of meta but for its texts: array, type,
// seqId, timestamp, nil, nine heads of text, six integers, four booleans, and
// since, each with its key.
constexpr size_t msgpack_fixed_max = 192;

// The same for a JSON frame, with all names, quotes and commas.
constexpr size_t json_fixed_max = 512;

// Most characters of JSON for one byte of text.
constexpr size_t json_escape_max = 6;

size_t text_size(const frame_view& x) noexcept {
  auto size = x.subject.size();
  if (x.meta.present == 0)
    return size;
  auto add = [&](meta_key key, std::string_view text) {
    if (x.meta.has(key))
      size += text.size();
  };
  add(meta_key::epoch, x.meta.epoch);
  add(meta_key::since, x.meta.since.epoch);
  add(meta_key::id, x.meta.id);
  add(meta_key::sender, x.meta.sender);
  add(meta_key::pattern, x.meta.pattern);
  add(meta_key::trace, x.meta.trace);
  add(meta_key::group, x.meta.group);
  add(meta_key::key, x.meta.key);
  add(meta_key::origin, x.meta.origin);
  return size;
}

// The keys of meta that we know.
uint32_t known_keys(const meta_view& x) noexcept {
  return x.present & meta_key_mask;
}

// Calls `f(key)` for each key that is present, in ascending order.
template <class F>
void for_each_key(const meta_view& x, F f) {
  for (auto keys = known_keys(x); keys != 0; keys &= keys - 1)
    f(static_cast<meta_key>(std::countr_zero(keys)));
}

// Calls the one of `on_uint`, `on_text`, `on_bool`, `on_since` that the key's
// value needs.
template <class Sink>
void visit_meta(const meta_view& x, meta_key key, Sink& sink) {
  switch (key) {
    case meta_key::offset:
      return sink.on_uint(x.offset);
    case meta_key::epoch:
      return sink.on_text(x.epoch);
    case meta_key::since:
      return sink.on_since(x.since);
    case meta_key::id:
      return sink.on_text(x.id);
    case meta_key::no_echo:
      return sink.on_bool(x.no_echo);
    case meta_key::sender:
      return sink.on_text(x.sender);
    case meta_key::timeout_ms:
      return sink.on_uint(x.timeout_ms);
    case meta_key::code:
      return sink.on_uint(x.code);
    case meta_key::temporary:
      return sink.on_bool(x.temporary);
    case meta_key::retry_after_ms:
      return sink.on_uint(x.retry_after_ms);
    case meta_key::pattern:
      return sink.on_text(x.pattern);
    case meta_key::trace:
      return sink.on_text(x.trace);
    case meta_key::presence:
      return sink.on_bool(x.presence);
    case meta_key::retained:
      return sink.on_bool(x.retained);
    case meta_key::group:
      return sink.on_text(x.group);
    case meta_key::key:
      return sink.on_text(x.key);
    case meta_key::ack:
      return sink.on_bool(x.ack);
    case meta_key::attempt:
      return sink.on_uint(x.attempt);
    case meta_key::origin:
      return sink.on_text(x.origin);
  }
}

struct msgpack_sink {
  char* p;

  void on_uint(uint64_t x) noexcept {
    p = put_uint(p, x);
  }

  void on_text(std::string_view x) noexcept {
    p = put_str(p, x);
  }

  void on_bool(bool x) noexcept {
    p = put_bool(p, x);
  }

  void on_since(const position_view& x) noexcept {
    p = put_uint(put_str(put_array_head(p, 2), x.epoch), x.offset);
  }
};

char* put_meta(char* p, const meta_view& x) noexcept {
  msgpack_sink sink{
    put_map_head(p, static_cast<size_t>(std::popcount(known_keys(x))))};
  for_each_key(x, [&](meta_key key) {
    sink.p = put_byte(sink.p, static_cast<uint8_t>(key));
    visit_meta(x, key, sink);
  });
  return sink.p;
}

void write_msgpack(const frame_view& x, byte_buffer& out) {
  auto has_meta = known_keys(x.meta) != 0;
  auto begin = out.reserve_back(frame_size_max(codec::msgpack, x));
  auto p = put_array_head(begin, has_meta ? 6 : 5);
  p = put_byte(p, static_cast<uint8_t>(x.type));
  p = put_uint(p, x.seq_id);
  p = put_int(p, x.timestamp);
  p = put_str(p, x.subject);
  if (x.payload.empty()) {
    p = put_nil(p);
  } else if (x.payload.encoding == codec::msgpack) {
    p = put_bytes(p, x.payload.bytes);
  } else {
    out.commit(static_cast<size_t>(p - begin));
    if (!transcode(codec::msgpack, x.payload, out)) {
      assert(!"a payload is one well-formed value");
      out.push_back(static_cast<char>(mp_nil));
    }
    begin = p = out.reserve_back(msgpack_fixed_max + text_size(x));
  }
  if (has_meta)
    p = put_meta(p, x.meta);
  out.commit(static_cast<size_t>(p - begin));
}

struct json_sink {
  byte_buffer& out;

  void on_uint(uint64_t x) {
    write_json_integer(x, out);
  }

  void on_text(std::string_view x) {
    write_json_string(x, out);
  }

  void on_bool(bool x) {
    out.append(x ? "true" : "false");
  }

  void on_since(const position_view& x) {
    out.append(R"({"epoch":)");
    on_text(x.epoch);
    out.append(R"(,"offset":)");
    on_uint(x.offset);
    out.push_back('}');
  }
};

void write_json_meta(const meta_view& x, byte_buffer& out) {
  json_sink sink{out};
  out.append(R"(,"meta":)");
  auto before = '{';
  for_each_key(x, [&](meta_key key) {
    out.push_back(before);
    before = ',';
    out.push_back('"');
    out.append(meta_names[static_cast<uint8_t>(key)]);
    out.append(R"(":)");
    visit_meta(x, key, sink);
  });
  out.push_back('}');
}

void write_json(const frame_view& x, byte_buffer& out) {
  // One growth at most where nothing is converted.
  std::ignore = out.reserve_back(frame_size_max(codec::json, x));
  out.append(R"({"type":")");
  out.append(to_string(x.type));
  out.push_back('"');
  if (x.seq_id != 0) {
    out.append(R"(,"seqId":)");
    write_json_integer(x.seq_id, out);
  }
  if (x.timestamp != 0) {
    out.append(R"(,"timestamp":)");
    write_json_integer(x.timestamp, out);
  }
  if (!x.subject.empty()) {
    out.append(R"(,"subject":)");
    write_json_string(x.subject, out);
  }
  if (!x.payload.empty()) {
    out.append(R"(,"payload":)");
    if (x.payload.encoding == codec::json) {
      out.append(x.payload.bytes);
    } else if (!transcode(codec::json, x.payload, out)) {
      assert(!"a payload is one well-formed value");
      out.append("null");
    }
  }
  if (known_keys(x.meta) != 0)
    write_json_meta(x.meta, out);
  out.append("}\n");
}

} // namespace

size_t frame_size_max(codec encoding, const frame_view& x) noexcept {
  auto text = text_size(x);
  return encoding == codec::msgpack
           ? msgpack_fixed_max + text + x.payload.bytes.size()
           : json_fixed_max + json_escape_max * text + x.payload.bytes.size();
}

void write_frame(codec encoding, const frame_view& x, byte_buffer& out) {
  if (encoding == codec::msgpack)
    write_msgpack(x, out);
  else
    write_json(x, out);
}

} // namespace callboard
