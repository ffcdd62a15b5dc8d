#include <callboard/actors/connection.hpp>

#include <string>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : node_fixture {
  static payload token(const std::string& x) {
    return *payload::from_json("{\"token\":\"" + x + "\"}");
  }

  /// Lets in whoever shows `alice`, and no token that is `old`.
  void authenticate() {
    node.rights.authenticate
      = [this](const credentials& x) -> caf::expected<identity> {
      shown = x;
      if (x.token == "throw")
        throw std::runtime_error{"no"};
      if (x.token == "old")
        return caf::make_error(errc::token_expired);
      if (x.token != "alice's")
        return caf::make_error(errc::unauthenticated);
      return identity{"alice"};
    };
  }

  credentials shown;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- the welcome --------------------------------------------------------------

CAF_TEST(the first frame tells the client what it must know) {
  start();
  auto& x = open(0, "alice");
  auto frames = x.take();
  REQUIRE_EQ(frames.size(), 1u);
  CHECK_EQ(frames[0].words(),
           "welcome {\"connection\":\"n-1\",\"node\":\"n\","
           "\"incarnation\":\"run\",\"user\":\"alice\","
           "\"pingIntervalMs\":30000,\"pingTimeoutMs\":90000,"
           "\"frameBytesMax\":65536,\"inflightMax\":256,\"time\":"
             + std::to_string(loops[0]->unix_ms) + "}");
  CHECK_EQ(frames[0].timestamp, loops[0]->unix_ms);
  CHECK(x->state() == connection_state::connected);
}

CAF_TEST(nobody has no user and numbers go on in base 36) {
  node.next_connection = 36 * 36 + 35;
  start();
  auto words = open().heard();
  CHECK(words.find("\"connection\":\"n-10z\"") != std::string::npos);
  CHECK(words.find("user") == std::string::npos);
}

// -- who is there -------------------------------------------------------------

CAF_TEST(a token in a connect frame is welcomed) {
  authenticate();
  start();
  auto& x = open(0, {}, true);
  CHECK_EQ(x.heard(), "");
  CHECK(x->state() == connection_state::connecting);
  CHECK_EQ(loops[0]->metrics.connections_connecting->value(), 1);
  auto words = say(x, type::connect, 1, "", token("alice's"));
  // It has the seqId of the connect frame.
  CHECK(words.starts_with("welcome 1 {"));
  CHECK(words.find("\"user\":\"alice\"") != std::string::npos);
  CHECK_EQ(shown.token, "alice's");
  CHECK_EQ(shown.address, "192.0.2.1");
  CHECK(x->state() == connection_state::connected);
  CHECK_EQ(loops[0]->metrics.connections_connecting->value(), 0);
  CHECK_EQ(loops[0]->metrics.connections_connected->value(), 1);
}

CAF_TEST(where nobody is asked a connect frame is unexpected) {
  start();
  CHECK_EQ(say(connect(), type::connect, 2, "", token("alice's")),
           "error 2 unexpected_frame");
}

CAF_TEST(whoever shows no good token is closed) {
  authenticate();
  start();
  struct {
    payload shown;
    const char* expected;
  } rows[] = {
    {token("bob's"), "error 1 unauthenticated"},
    {token("old"), "error 1 token_expired"},
    {token("throw"), "error 1 unauthenticated"},
    {*payload::from_json("{\"token\":7}"), "error 1 unauthenticated"},
    {*payload::from_json("[]"), "error 1 unauthenticated"},
    {payload{}, "error 1 unauthenticated"},
  };
  for (auto& row : rows) {
    auto& x = open(0, {}, true);
    CHECK_EQ(say(x, type::connect, 1, "", row.shown), row.expected);
    CHECK_EQ(x.close_code(), 4500);
    CHECK(!x.alive());
  }
}

CAF_TEST(before the connect frame nothing else is taken) {
  authenticate();
  start();
  for (auto what : {type::publish, type::request, type::subscribe, type::ping,
                    type::pong, type::event, type::response}) {
    auto& x = open(0, {}, true);
    x.say(what, 3, "a");
    // Nor what comes behind it in another message.
    x.say(type::connect, 4, "", token("alice's"));
    turn();
    CHECK_EQ(x.heard(), "error 3 unauthenticated");
    CHECK_EQ(x.close_code(), 4500);
    CHECK_EQ(x.socket.close_reason, "unauthenticated");
  }
}

// -- frames of any kind -------------------------------------------------------

CAF_TEST(a ping comes back as it is) {
  start();
  auto& x = connect();
  CHECK_EQ(say(x, type::ping, 7, "", text("hi")), "pong 7 \"hi\"");
  CHECK_EQ(say(x, type::ping, 0), "pong");
  CHECK_EQ(say(x, type::pong, 7), "");
}

CAF_TEST(frames that only a server sends are unexpected) {
  start();
  auto& x = connect();
  for (auto what : {type::welcome, type::event, type::goaway, type::presence,
                    type::position})
    CHECK_EQ(say(x, what, 5), "error 5 unexpected_frame");
  CHECK(x.alive());
}

CAF_TEST(every frame of a message is handled in order and counted) {
  start();
  auto& x = connect();
  std::string message;
  for (uint32_t i = 1; i <= 3; ++i) {
    frame_view ping;
    ping.type = type::ping;
    ping.seq_id = i;
    message += x.encode(ping);
  }
  x.say_bytes(message);
  turn();
  CHECK_EQ(x.heard(), "pong 1; pong 2; pong 3");
  auto ping = static_cast<size_t>(type::ping);
  auto pong = static_cast<size_t>(type::pong);
  CHECK_EQ(loops[0]->metrics.frames_in[ping]->value(), 3);
  CHECK_EQ(loops[0]->metrics.frames_out[pong]->value(), 3);
}

CAF_TEST(a JSON client says and hears JSON) {
  start();
  auto& x = open(0, {}, false, wire_form::json);
  CHECK(x.socket.received.starts_with("{\"type\":\"welcome\""));
  x.take();
  x.say_bytes("{\"type\":\"ping\",\"seqId\":4,\"payload\":[1]}\n"
              "{\"type\":\"subscribe\",\"seqId\":5,\"subject\":\"a\"}");
  turn();
  x.publish("a", "hi");
  turn();
  CHECK_EQ(x.heard(), "pong 4 [1]; "
                      "response 5 {\"epoch\":\"run.1\",\"offset\":0,"
                      "\"recovered\":false}; event a @1 \"hi\"");
}

// -- what is no frame ---------------------------------------------------------

CAF_TEST(what is no frame drops the rest of its message and nothing before) {
  start();
  auto& x = connect();
  frame_view ping;
  ping.type = type::ping;
  ping.seq_id = 1;
  x.say_bytes(x.encode(ping) + "\xc1" + x.encode(ping));
  turn();
  CHECK_EQ(x.heard(), "pong 1; error malformed_frame");
  CHECK(x.alive());
  CHECK_EQ(loops[0]->metrics.malformed_frames->value(), 1);
  // Its seqId is told where it can be read: type 12, seqId 9, no timestamp.
  x.say_bytes("\x95\x0c\x09\xc3\xa0\xc0");
  turn();
  CHECK_EQ(x.heard(), "error 9 malformed_frame");
}

CAF_TEST(a frame of an unknown type is named and those behind it are read) {
  start();
  auto& x = connect();
  frame_view ping;
  ping.type = type::ping;
  ping.seq_id = 1;
  using namespace std::string_literals;
  // Type 99, seqId 8.
  x.say_bytes("\x95\x63\x08\x00\xa0\xc0"s + x.encode(ping));
  turn();
  CHECK_EQ(x.heard(), "error 8 unknown_type; pong 1");
}

CAF_TEST(sixteen in a minute are borne and the next closes) {
  start();
  auto& x = connect();
  for (int i = 0; i < 16; ++i)
    x.say_bytes("\xc1");
  turn();
  CHECK_EQ(x.take().size(), 16u);
  pass(59'999ms);
  CHECK(x.alive());
  x.say_bytes("\xc1");
  turn();
  CHECK_EQ(x.heard(), "error malformed_frame");
  CHECK_EQ(x.close_code(), 4502);
  CHECK(!x.alive());
}

CAF_TEST(after a minute all is forgiven) {
  start();
  auto& x = connect();
  for (int i = 0; i < 16; ++i)
    x.say_bytes("\xc1");
  pass(60s);
  for (int i = 0; i < 16; ++i)
    x.say_bytes("\xc1");
  turn();
  CHECK(x.alive());
  CHECK_EQ(x.take().size(), 32u);
  x.say_bytes("\xc1");
  CHECK_EQ(x.close_code(), 4502);
}

CAF_TEST(nothing is handled behind the frame that closes) {
  start();
  auto& x = connect();
  std::string message;
  for (int i = 0; i < 17; ++i)
    message += std::string("\x95\x63\x08\x00\xa0\xc0", 6);
  frame_view ping;
  ping.type = type::ping;
  message += x.encode(ping);
  x.say_bytes(message);
  turn();
  CHECK_EQ(x.take().size(), 17u);
  CHECK_EQ(x.close_code(), 4502);
}

// -- the end ------------------------------------------------------------------

CAF_TEST(a close by the application says goaway first) {
  start();
  auto& x = connect();
  caf::anon_send(x.handle, callboard::close_atom_v, uint16_t{4503},
                 std::string{"kicked"});
  turn();
  CHECK_EQ(x.heard(), "goaway {\"reason\":\"kicked\",\"reconnect\":\"never\","
                      "\"afterMs\":0,\"spreadMs\":0}");
  CHECK_EQ(x.close_code(), 4503);
  CHECK_EQ(x.socket.close_reason, "kicked");
  CHECK(x->state() == connection_state::disconnected);
  auto& y = connect();
  caf::anon_send(y.handle, callboard::close_atom_v, uint16_t{4004},
                 std::string{"draining"});
  turn();
  CHECK(y.heard().find("\"reconnect\":\"backoff\"") != std::string::npos);
}

CAF_TEST(a connection whose actor dies tells its peer) {
  start();
  auto& x = connect();
  kill(x.handle);
  CHECK_EQ(x.close_code(), 1011);
  CHECK(x->state() == connection_state::disconnected);
  CHECK_EQ(loops[0]->metrics.connections_connected->value(), 0);
  CHECK_EQ(loops[0]->metrics.connections_closed->value(), 1);
}

CAF_TEST(the first reason to close is the one that counts) {
  start();
  auto& x = connect();
  x->enter([&] {
    x->close(close_code::slow_consumer);
    x->close(close_code::kicked);
    x->lost(1006, "gone");
  });
  turn();
  CHECK_EQ(x.close_code(), 4002);
  CHECK_EQ(x.socket.close_reason, "slow_consumer");
}

CAF_TEST(life is told in order and once) {
  start();
  std::vector<std::string> lives;
  auto watcher = sys.spawn([&lives] {
    return caf::behavior{[&lives](const lifecycle_event& x) {
      auto line = to_string(x.kind) + ' ' + x.name + ' ' + x.user;
      if (!x.subject.empty())
        line += ' ' + x.subject;
      if (x.code != 0)
        line += ' ' + std::to_string(x.code) + ' ' + x.reason;
      lives.push_back(line);
    }};
  });
  caf::anon_send(pool, watch_atom_v, watcher);
  turn();
  auto& x = connect(0, "alice");
  say(x, type::subscribe, 1, "a");
  say(x, type::subscribe, 2, "b/+");
  say(x, type::subscribe, 3, "b/+");
  say(x, type::unsubscribe, 4, "a");
  x->enter([&] { x->lost(1001, "bye"); });
  turn();
  CHECK_EQ(lives, (std::vector<std::string>{
                    "connected n-1 alice", "subscribed n-1 alice a",
                    "subscribed n-1 alice b/+", "unsubscribed n-1 alice a",
                    "disconnected n-1 alice 1001 bye"}));
  // Who was never let in was never there.
  lives.clear();
  authenticate();
  auto& y = open(0, {}, true);
  say(y, type::ping, 1);
  CHECK(!y.alive());
  CHECK_EQ(lives, std::vector<std::string>{});
  kill(watcher);
  CHECK(!node.watched);
}

END_FIXTURE_SCOPE()
