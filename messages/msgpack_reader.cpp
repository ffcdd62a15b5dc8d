#include <callboard/messages/frame_reader.hpp>

#include <callboard/messages/detail/meta_names.hpp>
#include <callboard/messages/detail/msgpack_in.hpp>

namespace callboard {

namespace {

using detail::msgpack_in;

// All functions return nullptr, or a literal that says what is wrong.

const char* read_since(msgpack_in& in, position_view& x) {
  uint32_t size = 0;
  if (!in.read_array(size) || size != 2 || !in.read_str(x.epoch)
      || !in.read_uint(x.offset))
    return "meta since is not [epoch, offset]";
  return nullptr;
}

// Reads a text of 1 … `size_max` bytes.
const char* read_short(msgpack_in& in, std::string_view& x, size_t size_max,
                       const char* reason) {
  if (!in.read_str(x) || x.empty() || x.size() > size_max)
    return reason;
  return nullptr;
}

const char* read_meta_value(msgpack_in& in, meta_key key, meta_view& meta) {
  if (meta.has(key))
    return "a meta key stands there twice";
  meta.mark(key);
  auto need = [](bool ok, const char* reason) { return ok ? nullptr : reason; };
  switch (key) {
    case meta_key::offset:
      return need(in.read_uint(meta.offset), "meta offset is not unsigned");
    case meta_key::epoch:
      return need(in.read_str(meta.epoch), "meta epoch is not a string");
    case meta_key::since:
      return read_since(in, meta.since);
    case meta_key::id:
      return read_short(in, meta.id, publication_id_bytes_max,
                        "meta id is not a string of 1 … 64 bytes");
    case meta_key::no_echo:
      return need(in.read_bool(meta.no_echo), "meta noEcho is not a boolean");
    case meta_key::sender:
      return need(in.read_str(meta.sender), "meta sender is not a string");
    case meta_key::timeout_ms:
      return need(in.read_uint(meta.timeout_ms),
                  "meta timeoutMs is not unsigned");
    case meta_key::code:
      return need(in.read_uint(meta.code), "meta code is not unsigned");
    case meta_key::temporary:
      return need(in.read_bool(meta.temporary),
                  "meta temporary is not a boolean");
    case meta_key::retry_after_ms:
      return need(in.read_uint(meta.retry_after_ms),
                  "meta retryAfterMs is not unsigned");
    case meta_key::pattern:
      return need(in.read_str(meta.pattern), "meta pattern is not a string");
    case meta_key::trace:
      return need(in.read_str(meta.trace), "meta trace is not a string");
    case meta_key::presence:
      return need(in.read_bool(meta.presence),
                  "meta presence is not a boolean");
    case meta_key::retained:
      return need(in.read_bool(meta.retained),
                  "meta retained is not a boolean");
    case meta_key::group:
      return read_short(in, meta.group, group_name_bytes_max,
                        "meta group is not a string of 1 … 64 bytes");
    case meta_key::key:
      return read_short(in, meta.key, publication_key_bytes_max,
                        "meta key is not a string of 1 … 64 bytes");
    case meta_key::ack:
      return need(in.read_bool(meta.ack), "meta ack is not a boolean");
    case meta_key::attempt:
      return need(in.read_uint(meta.attempt), "meta attempt is not unsigned");
    case meta_key::origin:
      return need(in.read_str(meta.origin), "meta origin is not a string");
  }
  return nullptr;
}

const char* read_meta(msgpack_in& in, meta_view& meta) {
  if (in.read_nil())
    return nullptr;
  uint32_t size = 0;
  if (!in.read_map(size))
    return "meta is not a map";
  for (uint32_t i = 0; i < size; ++i) {
    uint64_t key = 0;
    const char* reason = nullptr;
    if (in.read_uint(key)) {
      if (detail::is_meta_key(key))
        reason = read_meta_value(in, static_cast<meta_key>(key), meta);
      else
        reason = in.skip();
    } else {
      reason = in.skip();
      if (reason == nullptr)
        reason = in.skip();
    }
    if (reason != nullptr)
      return reason;
  }
  return nullptr;
}

const char* read_frame(msgpack_in& in, frame_view& out, uint64_t& type) {
  uint32_t size = 0;
  if (!in.read_array(size))
    return "a frame is an array";
  // A wrong type does not keep us from the seqId that the answer needs.
  auto typed = size > 0 && in.read_uint(type);
  if (!typed && in.skip() != nullptr)
    return "the frame ends within its type";
  uint64_t seq_id = 0;
  if (size < 2 || !in.read_uint(seq_id) || seq_id > UINT32_MAX)
    return "seqId is not an unsigned integer of 32 bits";
  out.seq_id = static_cast<uint32_t>(seq_id);
  if (!typed)
    return "type is not an unsigned integer";
  if (size < 5)
    return "a frame has five elements at least";
  if (!in.read_int(out.timestamp))
    return "timestamp is not an integer of 64 bits";
  if (!in.read_str(out.subject))
    return "subject is not a string";
  auto begin = in.pos();
  if (!in.read_nil()) {
    if (auto reason = in.skip())
      return reason;
    out.payload.bytes = {begin, static_cast<size_t>(in.pos() - begin)};
  }
  if (size > 5)
    if (auto reason = read_meta(in, out.meta))
      return reason;
  for (uint32_t i = 6; i < size; ++i)
    if (auto reason = in.skip())
      return reason;
  return nullptr;
}

} // namespace

read_status frame_reader::next_msgpack(frame_view& out) {
  if (rest_.empty())
    return read_status::end;
  msgpack_in in{rest_};
  uint64_t type = 0;
  if (auto reason = read_frame(in, out, type)) {
    reason_ = reason;
    rest_ = {};
    return read_status::malformed;
  }
  rest_ = {in.pos(), in.left()};
  if (type < frame_type_min || type > frame_type_max)
    return read_status::unknown_type;
  out.type = static_cast<frame_type>(type);
  return read_status::frame;
}

} // namespace callboard
