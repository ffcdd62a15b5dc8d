#include "support/test.hpp"

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <callboard/messages/frame_reader.hpp>
#include <callboard/messages/frame_writer.hpp>
#include <callboard/messages/payload.hpp>

#include "messages/hex.hpp"

using namespace callboard;

namespace {

struct since_spec {
  std::string epoch;
  uint64_t offset = 0;
  MSGPACK_DEFINE_MAP(epoch, offset)
};

struct meta_spec {
  std::optional<uint64_t> offset;
  std::optional<std::string> epoch;
  std::optional<since_spec> since;
  std::optional<std::string> id;
  std::optional<bool> noEcho;
  std::optional<bool> retained;
  std::optional<std::string> sender;
  std::optional<uint64_t> timeoutMs;
  std::optional<uint64_t> code;
  std::optional<bool> temporary;
  std::optional<uint64_t> retryAfterMs;
  std::optional<std::string> pattern;
  std::optional<std::string> trace;
  std::optional<std::string> group;
  std::optional<std::string> key;
  std::optional<bool> ack;
  std::optional<uint64_t> attempt;
  std::optional<std::string> origin;
  MSGPACK_DEFINE_MAP(offset, epoch, since, id, noEcho, retained, sender,
                     timeoutMs, code, temporary, retryAfterMs, pattern, trace,
                     group, key, ack, attempt, origin)
};

struct frame_spec {
  std::string type;
  uint32_t seqId = 0;
  int64_t timestamp = 0;
  std::string subject;
  msgpack::object payload;
  meta_spec meta;
  MSGPACK_DEFINE_MAP(type, seqId, timestamp, subject, payload, meta)
};

struct good_vector {
  std::string name;
  std::optional<std::string> msgpack_hex;
  std::optional<std::string> json;
  bool canonical = true;
  frame_spec frame;
  MSGPACK_DEFINE_MAP(name, msgpack_hex, json, canonical, frame)
};

struct bad_vector {
  std::string name;
  std::optional<std::string> msgpack_hex;
  std::optional<std::string> json;
  std::string error;
  uint32_t seqId = 0;
  MSGPACK_DEFINE_MAP(name, msgpack_hex, json, error, seqId)
};

struct payload_vector {
  std::string name;
  std::string msgpack_hex;
  std::string json;
  std::string way;
  MSGPACK_DEFINE_MAP(name, msgpack_hex, json, way)
};

// Keeps the memory that the vectors' objects refer to.
template <class T>
struct vectors {
  explicit vectors(const std::string& name) {
    std::ifstream in{CALLBOARD_WIRE_FOLDER "/" + name};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    auto file = payload::from_json(text);
    REQUIRE(file.has_value());
    byte_buffer bytes;
    REQUIRE(transcode(codec::msgpack, file->view(), bytes));
    handle = msgpack::unpack(bytes.data(), bytes.size());
    handle.get().convert(rows);
    REQUIRE(rows.size() > 10);
  }

  msgpack::object_handle handle;
  std::vector<T> rows;
};

template <class T>
std::optional<T> when(bool condition, const T& x) {
  return condition ? std::optional{x} : std::nullopt;
}

std::optional<std::string> text_of(const meta_view& meta, meta_key key,
                                   std::string_view x) {
  return when(meta.has(key), std::string{x});
}

void check_meta(const meta_view& x, const meta_spec& want) {
  CHECK_EQ(when(x.has(meta_key::offset), x.offset), want.offset);
  CHECK_EQ(text_of(x, meta_key::epoch, x.epoch), want.epoch);
  CHECK_EQ(x.has(meta_key::since), want.since.has_value());
  if (want.since) {
    CHECK_EQ(x.since.epoch, want.since->epoch);
    CHECK_EQ(x.since.offset, want.since->offset);
  }
  CHECK_EQ(text_of(x, meta_key::id, x.id), want.id);
  CHECK_EQ(when(x.has(meta_key::no_echo), x.no_echo), want.noEcho);
  CHECK_EQ(when(x.has(meta_key::retained), x.retained), want.retained);
  CHECK_EQ(text_of(x, meta_key::sender, x.sender), want.sender);
  CHECK_EQ(when(x.has(meta_key::timeout_ms), x.timeout_ms), want.timeoutMs);
  CHECK_EQ(when(x.has(meta_key::code), x.code), want.code);
  CHECK_EQ(when(x.has(meta_key::temporary), x.temporary), want.temporary);
  CHECK_EQ(when(x.has(meta_key::retry_after_ms), x.retry_after_ms),
           want.retryAfterMs);
  CHECK_EQ(text_of(x, meta_key::pattern, x.pattern), want.pattern);
  CHECK_EQ(text_of(x, meta_key::trace, x.trace), want.trace);
  CHECK_EQ(text_of(x, meta_key::group, x.group), want.group);
  CHECK_EQ(text_of(x, meta_key::key, x.key), want.key);
  CHECK_EQ(when(x.has(meta_key::ack), x.ack), want.ack);
  CHECK_EQ(when(x.has(meta_key::attempt), x.attempt), want.attempt);
  CHECK_EQ(text_of(x, meta_key::origin, x.origin), want.origin);
}

void check_frame(const frame_view& x, const frame_spec& want) {
  CHECK_EQ(to_string(x.type), want.type);
  CHECK_EQ(x.seq_id, want.seqId);
  CHECK_EQ(x.timestamp, want.timestamp);
  CHECK_EQ(x.subject, want.subject);
  byte_buffer have;
  byte_buffer wanted;
  CHECK(transcode(codec::msgpack, x.payload, have));
  msgpack::pack(wanted, want.payload);
  CHECK_EQ(to_hex(have.view()), to_hex(wanted.view()));
  check_meta(x.meta, want.meta);
}

// Reads the one frame in `message`, and what is written from it.
void check_message(codec encoding, const std::string& message,
                   const good_vector& want) {
  frame_reader reader{encoding};
  reader.reset(message);
  frame_view frame;
  auto status = reader.next(frame);
  if (status != read_status::frame) {
    CAF_ERROR(want.name << ": " << reader.reason());
    return;
  }
  check_frame(frame, want.frame);
  frame_view rest;
  byte_buffer written;
  write_frame(encoding, frame, written);
  if (want.canonical && encoding == codec::json)
    CHECK_EQ(written.view(), message + '\n');
  else if (want.canonical)
    CHECK_EQ(to_hex(written.view()), to_hex(message));
  CHECK(reader.next(rest) == read_status::end);
}

void check_bad(codec encoding, const std::string& message,
               const bad_vector& want) {
  frame_reader reader{encoding};
  reader.reset(message);
  frame_view frame;
  auto status = reader.next(frame);
  if (want.error == "unknown_type") {
    CHECK(status == read_status::unknown_type);
  } else {
    CHECK_EQ(want.error, "malformed_frame");
    CHECK(status == read_status::malformed);
    CHECK(!reader.reason().empty());
  }
  CHECK_EQ(frame.seq_id, want.seqId);
}

} // namespace

CAF_TEST(good frames are read and written as they stand) {
  vectors<good_vector> file{"frames.json"};
  for (auto& row : file.rows) {
    MESSAGE(row.name);
    REQUIRE(row.msgpack_hex || row.json);
    if (row.msgpack_hex)
      check_message(codec::msgpack, from_hex(*row.msgpack_hex), row);
    if (row.json)
      check_message(codec::json, *row.json, row);
  }
}

CAF_TEST(bad frames are refused with their seqId) {
  vectors<bad_vector> file{"malformed.json"};
  for (auto& row : file.rows) {
    MESSAGE(row.name);
    REQUIRE(row.msgpack_hex || row.json);
    if (row.msgpack_hex)
      check_bad(codec::msgpack, from_hex(*row.msgpack_hex), row);
    if (row.json)
      check_bad(codec::json, *row.json, row);
  }
}

CAF_TEST(payloads are converted as they stand) {
  vectors<payload_vector> file{"payloads.json"};
  for (auto& row : file.rows) {
    MESSAGE(row.name);
    auto bytes = from_hex(row.msgpack_hex);
    byte_buffer out;
    if (row.way != "to_msgpack") {
      CHECK(transcode(codec::json, {codec::msgpack, bytes}, out));
      CHECK_EQ(out.view(), row.json);
    }
    out.clear();
    if (row.way != "to_json") {
      CHECK(transcode(codec::msgpack, {codec::json, row.json}, out));
      CHECK_EQ(to_hex(out.view()), row.msgpack_hex);
    }
    CHECK(well_formed({codec::msgpack, bytes}));
    CHECK(well_formed({codec::json, row.json}));
  }
}
