// Takes the input as a MessagePack value and as JSON text, compares what is
// well-formed with msgpack-c, and converts to and fro.

#include <algorithm>
#include <cstdint>
#include <string_view>

#include <msgpack.hpp>

#include <callboard/messages/frame_reader.hpp>
#include <callboard/messages/frame_writer.hpp>

#include "fuzz/frames.hpp"

namespace {

using namespace callboard;

using fuzz::require;

// Counts levels.
struct depth_visitor : msgpack::null_visitor {
  bool start_array(uint32_t) {
    return enter();
  }

  bool end_array() {
    return leave();
  }

  bool start_map(uint32_t) {
    return enter();
  }

  bool end_map() {
    return leave();
  }

  void parse_error(size_t, size_t) {
    failed = true;
  }

  void insufficient_bytes(size_t, size_t) {
    failed = true;
  }

  bool enter() {
    depth_max = std::max(depth_max, ++depth);
    return true;
  }

  bool leave() {
    --depth;
    return true;
  }

  size_t depth = 0;
  size_t depth_max = 0;
  bool failed = false;
};

bool msgpack_c_takes(std::string_view bytes) {
  depth_visitor visitor;
  size_t offset = 0;
  return !bytes.empty()
         && msgpack::parse(bytes.data(), bytes.size(), offset, visitor)
         && !visitor.failed && offset == bytes.size()
         && visitor.depth_max <= payload_depth_max;
}

// Converts what must be convertible.
byte_buffer convert(codec encoding, payload_view x) {
  byte_buffer out;
  require(transcode(encoding, x, out));
  require(well_formed({encoding, out.view()}));
  return out;
}

// From JSON on, converting changes nothing any more.
void check_fixed(payload_view json) {
  auto bytes = convert(codec::msgpack, json);
  auto text = convert(codec::json, {codec::msgpack, bytes.view()});
  auto again = convert(codec::msgpack, {codec::json, text.view()});
  require(bytes.view() == again.view());
  require(text.view().find('\n') == std::string_view::npos);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes{reinterpret_cast<const char*>(data), size};
  payload_view msgpack{codec::msgpack, bytes};
  require(well_formed(msgpack) == msgpack_c_takes(bytes));
  byte_buffer out;
  if (well_formed(msgpack)) {
    auto text = convert(codec::json, msgpack);
    check_fixed({codec::json, text.view()});
  } else {
    require(bytes.empty() || !transcode(codec::json, msgpack, out));
  }
  payload_view json{codec::json, bytes};
  if (well_formed(json))
    check_fixed(json);
  else
    require(bytes.empty() || !transcode(codec::msgpack, json, out));
  require(bytes.empty() || out.empty());
  return 0;
}
