#include "support/test.hpp"

#include <string>

#include <callboard/messages/codec.hpp>
#include <callboard/messages/frame.hpp>

using namespace callboard;

namespace {

constexpr const char* names[] = {
  "connect",    "welcome",  "request",   "response",    "error",
  "notify",     "cancel",   "subscribe", "unsubscribe", "publish",
  "event",      "ping",     "pong",      "goaway",      "register",
  "unregister", "presence", "ack",       "position",
};

} // namespace

CAF_TEST(numbers and names are those of the protocol) {
  REQUIRE_EQ(std::size(names), size_t{frame_type_max});
  for (size_t i = 0; i < std::size(names); ++i) {
    auto type = static_cast<frame_type>(i + 1);
    CHECK_EQ(to_string(type), names[i]);
    CHECK(frame_type_from(names[i]) == type);
  }
  CHECK(frame_type::register_action == static_cast<frame_type>(15));
  CHECK(frame_type::position == static_cast<frame_type>(19));
}

CAF_TEST(names are read in any case) {
  CHECK(frame_type_from("PUBLISH") == frame_type::publish);
  CHECK(frame_type_from("goAway") == frame_type::goaway);
}

CAF_TEST(other names and numbers are no types) {
  for (auto name : {"", "publis", "publishx", " publish", "register_action",
                    "1", "publi\u017fh"})
    CHECK(!frame_type_from(name).has_value());
  CHECK_EQ(to_string(static_cast<frame_type>(0)), "unknown");
  CHECK_EQ(to_string(static_cast<frame_type>(20)), "unknown");
  CHECK_EQ(to_string(static_cast<frame_type>(255)), "unknown");
}

CAF_TEST(meta keys are marked one by one) {
  meta_view meta;
  for (uint8_t i = 1; i <= 19; ++i)
    CHECK(!meta.has(static_cast<meta_key>(i)));
  meta.mark(meta_key::offset);
  meta.mark(meta_key::trace);
  CHECK(meta.has(meta_key::offset));
  CHECK(meta.has(meta_key::trace));
  CHECK(!meta.has(meta_key::epoch));
  CHECK_EQ(meta.present, 1u << 1 | 1u << 12);
}

CAF_TEST(codecs are subprotocols) {
  CHECK_EQ(subprotocol(codec::msgpack), "callboard.v1.msgpack");
  CHECK_EQ(subprotocol(codec::json), "callboard.v1.json");
}
