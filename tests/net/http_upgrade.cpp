#include "support/test.hpp"

#include <string>
#include <string_view>

#include <callboard/messages/errc.hpp>
#include <callboard/net/http_upgrade.hpp>

#include "net/http_upgrade_fixture.hpp"

using namespace callboard;
using namespace callboard::net;

using namespace std::literals;

namespace {

/// Returns the answer to an accepted upgrade.
std::string switching(std::string_view fields) {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
         "Connection: Upgrade\r\n"
         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
         + std::string{fields} + "\r\n";
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(upgrade_suite, http_upgrade_fixture)

// -- upgrades -----------------------------------------------------------------

CAF_TEST(an upgrade is accepted) {
  auto reply = upgrade("/ws");
  CHECK_EQ(reply.status, 101u);
  CHECK_EQ(reply.head, switching(""));
  CHECK_EQ(reply.body(), "");
  CHECK(!reply.close);
  CAF_REQUIRE(reply.upgrade);
  CHECK(!reply.upgrade->echo);
  CHECK(reply.upgrade->encoding == codec::msgpack);
  CHECK(!reply.upgrade->deflate);
  CHECK(!reply.upgrade->authenticated);
  CHECK_EQ(reply.upgrade->who.user, "");
  CHECK_EQ(reply.upgrade->address, "192.0.2.7");
  CHECK_EQ(reply.upgrade->socket, -1);
  CHECK_EQ(places, 999u);
}

CAF_TEST(the subprotocol decides the codec) {
  auto json = upgrade("/ws",
                      "Sec-WebSocket-Protocol: x, callboard.v1.json\r\n");
  CHECK_EQ(json.head,
           switching("Sec-WebSocket-Protocol: callboard.v1.json\r\n"));
  CAF_REQUIRE(json.upgrade);
  CHECK(json.upgrade->encoding == codec::json);
  auto msgpack = upgrade("/ws", "Sec-WebSocket-Protocol: "
                                "callboard.v1.msgpack\r\n");
  CHECK_EQ(msgpack.head,
           switching("Sec-WebSocket-Protocol: callboard.v1.msgpack\r\n"));
  CAF_REQUIRE(msgpack.upgrade);
  CHECK(msgpack.upgrade->encoding == codec::msgpack);
}

CAF_TEST(an unknown subprotocol is told both) {
  auto reply = upgrade("/ws", "Sec-WebSocket-Protocol: mqtt\r\n");
  CHECK_EQ(status_and_name(reply), "400 unknown_subprotocol");
  CHECK(reply.body().find("callboard.v1.msgpack") != std::string_view::npos);
  CHECK(reply.body().find("callboard.v1.json") != std::string_view::npos);
  CHECK(reply.close);
  CHECK_EQ(places, 1000u);
}

CAF_TEST(the echo path speaks no subprotocol) {
  auto reply = upgrade("/echo", "Sec-WebSocket-Protocol: mqtt\r\n");
  CHECK_EQ(reply.head, switching(""));
  CAF_REQUIRE(reply.upgrade);
  CHECK(reply.upgrade->echo);
}

CAF_TEST(deflate is negotiated where it is switched on) {
  constexpr auto offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n"sv;
  CHECK_EQ(upgrade("/ws", offer).head, switching(""));
  what.compression = true;
  CHECK(!upgrade("/ws").upgrade->deflate);
  for (auto path : {"/ws", "/echo"}) {
    auto reply = upgrade(path, offer);
    CAF_REQUIRE(reply.upgrade);
    CHECK(reply.upgrade->deflate);
    CHECK(reply.head.find("\r\nSec-WebSocket-Extensions: permessage-deflate")
          != std::string::npos);
  }
}

CAF_TEST(bad upgrades are refused) {
  CHECK_EQ(status_and_name(ask("GET /ws")), "400 bad_upgrade");
  CHECK_EQ(status_and_name(ask("GET /echo")), "400 bad_upgrade");
  CHECK_EQ(bytes("GET /ws", "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                            "Sec-WebSocket-Version: 8\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
           refused("426 Upgrade Required",
                   "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n",
                   "{\"error\": \"unsupported_version\", \"message\": "
                   "\"Sec-WebSocket-Version must be 13.\"}\n"));
  CHECK_EQ(places, 1000u);
}

CAF_TEST(a WebSocket needs HTTP 1.1) {
  http_request request;
  request.method = "GET";
  request.target = "/ws";
  request.http_1_0 = true;
  CHECK_EQ(status_and_name(answer(request, *this, {"192.0.2.7"})),
           "505 unsupported_http_version");
}

CAF_TEST(a full or stopping server says so) {
  places = 0;
  auto reply = upgrade("/ws");
  CHECK_EQ(status_and_name(reply), "503 overloaded");
  CHECK(has_line(reply, "Retry-After: 5"));
  is_ready = false;
  reply = upgrade("/ws");
  CHECK_EQ(status_and_name(reply), "503 shutting_down");
  CHECK(has_line(reply, "Retry-After: 5"));
}

CAF_TEST(a node that has yet to join its cluster takes nobody) {
  require_login();
  is_joining = true;
  for (auto path : {"/ws", "/echo"}) {
    auto reply = upgrade(path, "Authorization: Bearer a+b/c\r\n");
    CHECK_EQ(status_and_name(reply), "503 joining");
    CHECK(has_line(reply, "Retry-After: 1"));
    CHECK(reply.close);
  }
  CHECK_EQ(places, 1000u);
  CHECK(shown.empty());
  CHECK(handshakes.empty());
  // It may know others already.
  others = {"ws://b:8080/ws"};
  CHECK(
    upgrade("/ws").body().ends_with("\", \"urls\": [\"ws://b:8080/ws\"]}\n"));
  is_ready = false;
  CHECK_EQ(status_and_name(upgrade("/ws")), "503 shutting_down");
  is_ready = true;
  is_joining = false;
  CHECK_EQ(upgrade("/ws").status, 101u);
}

// -- limits -------------------------------------------------------------------

CAF_TEST(the address of a client is the one that it was forwarded for) {
  CHECK_EQ(upgrade("/ws").upgrade->address, "192.0.2.7");
  auto reply = upgrade("/ws", "X-Forwarded-For: 198.51.100.1\r\n");
  CAF_REQUIRE(reply.upgrade);
  CHECK_EQ(reply.upgrade->address, "198.51.100.1");
  std::vector expected{"192.0.2.7"s, "198.51.100.1"s};
  CHECK_EQ(handshakes, expected);
  CHECK_EQ(admitted, expected);
  require_login();
  upgrade("/ws?token=a+b/c", "X-Forwarded-For: 198.51.100.1\r\n");
  CHECK_EQ(shown, std::vector{"a+b/c from 198.51.100.1"s});
}

CAF_TEST(handshakes beyond a rate are refused before a token is looked at) {
  require_login();
  handshake_hit = limit_hit{limit_kind::address_handshakes, 2001};
  auto reply = upgrade("/ws?token=a+b/c");
  CHECK_EQ(status_and_name(reply), "429 rate_limited");
  CHECK(has_line(reply, "Retry-After: 3"));
  CHECK(reply.head.starts_with("HTTP/1.1 429 Too Many Requests\r\n"));
  CHECK(reply.close);
  handshake_hit = limit_hit{limit_kind::handshakes, 2000};
  reply = upgrade("/ws?token=a+b/c");
  CHECK_EQ(status_and_name(reply), "503 overloaded");
  CHECK(has_line(reply, "Retry-After: 2"));
  CHECK(shown.empty());
  CHECK_EQ(places, 1000u);
}

CAF_TEST(a loop with too much to do takes no connection) {
  require_login();
  load_hit = limit_hit{limit_kind::load_connections};
  auto reply = upgrade("/ws?token=a%2Bb/c");
  CHECK_EQ(status_and_name(reply), "503 overloaded");
  CHECK(has_line(reply, "Retry-After: 5"));
  CHECK_EQ(status_and_name(upgrade("/echo")), "503 overloaded");
  CHECK_EQ(status_and_name(upgrade("/ws", "Sec-WebSocket-Protocol: x\r\n")),
           "400 unknown_subprotocol");
  // Nothing was done for it.
  CHECK(handshakes.empty());
  CHECK(shown.empty());
  CHECK(admitted.empty());
  CHECK_EQ(ask("GET /health").status, 200u);
  load_hit.reset();
  CHECK_EQ(upgrade("/ws?token=a%2Bb/c").status, 101u);
}

CAF_TEST(a handshake may wait where nothing but a place is missing) {
  what.accept_wait = std::chrono::seconds{1};
  CHECK(!upgrade("/ws").waits);
  places = 0;
  auto reply = upgrade("/ws");
  CHECK_EQ(reply.status, 101u);
  CHECK(reply.waits);
  CHECK_EQ(admitted.size(), 1u);
  address_hit = limit_hit{limit_kind::address_connections};
  CHECK_EQ(status_and_name(upgrade("/ws")), "429 limit_exceeded");
  address_hit.reset();
  what.accept_wait = caf::timespan{0};
  CHECK_EQ(status_and_name(upgrade("/ws")), "503 overloaded");
}

CAF_TEST(what is no good handshake does not count as one) {
  ask("GET /ws");
  upgrade("/ws", "Sec-WebSocket-Protocol: mqtt\r\n");
  upgrade("/ws", "Origin: http://evil.example\r\n");
  is_ready = false;
  upgrade("/ws");
  CHECK(handshakes.empty());
}

CAF_TEST(an address with too many connections is told so) {
  address_hit = limit_hit{limit_kind::address_connections};
  for (auto path : {"/ws", "/echo"}) {
    auto reply = upgrade(path);
    CHECK_EQ(status_and_name(reply), "429 limit_exceeded");
    CHECK(has_line(reply, "Retry-After: 5"));
  }
}

CAF_TEST(who is refused because of the node is told of others) {
  others = {"ws://b:8080/ws", "wss://c/ws"};
  auto tells = [this](std::string_view name) {
    auto reply = upgrade("/ws");
    CHECK_EQ(status_and_name(reply), "503 " + std::string{name});
    CHECK(has_line(reply, "Retry-After: 5"));
    return reply.body().ends_with(
      "\", \"urls\": [\"ws://b:8080/ws\", \"wss://c/ws\"]}\n");
  };
  load_hit = limit_hit{limit_kind::load_connections};
  CHECK(tells("overloaded"));
  load_hit.reset();
  places = 0;
  CHECK(tells("overloaded"));
  is_ready = false;
  CHECK(tells("shutting_down"));
  CHECK_EQ(redirects, 3u);
  others.clear();
  CHECK(upgrade("/ws").body().find("urls") == std::string_view::npos);
}

CAF_TEST(who is refused for another reason is not told of others) {
  others = {"ws://b/ws"};
  CHECK_EQ(upgrade("/ws").status, 101u);
  address_hit = limit_hit{limit_kind::address_connections};
  CHECK_EQ(upgrade("/ws").status, 429u);
  CHECK_EQ(upgrade("/ws", "Sec-WebSocket-Protocol: x\r\n").status, 400u);
  is_ready = false;
  CHECK_EQ(ask("GET /ready").status, 503u);
  CHECK_EQ(redirects, 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
