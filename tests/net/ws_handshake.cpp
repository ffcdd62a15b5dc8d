#include "support/test.hpp"

#include <iterator>
#include <string>
#include <string_view>

#include <callboard/net/ws_handshake.hpp>

using namespace callboard::net;

namespace {

constexpr std::string_view names[] = {"callboard.v1.msgpack",
                                      "callboard.v1.json"};

struct fixture {
  /// RFC 6455's example of a request, but for what it offers.
  ws_request request{
    .upgrade = "websocket",
    .connection = "Upgrade",
    .version = "13",
    .key = "dGhlIHNhbXBsZSBub25jZQ==",
  };

  ws_endpoint endpoint{.subprotocols = names};

  ws_handshake decide() const {
    return decide_ws_handshake(request, endpoint);
  }

  /// Returns the status and, for a refusal, its name.
  std::string verdict() const {
    auto result = decide();
    auto text = std::to_string(result.status);
    CHECK_EQ(result.status == 101, result.error.empty());
    CHECK_EQ(result.status == 101, result.message.empty());
    return result.status == 101 ? text : text + ' ' + std::string{result.error};
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(ws_handshake_tests, fixture)

CAF_TEST(the accept key is that of RFC 6455) {
  CHECK_EQ(ws_accept_key("dGhlIHNhbXBsZSBub25jZQ=="),
           "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  CHECK_EQ(decide().accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

CAF_TEST(an upgrade must be asked for) {
  CHECK_EQ(verdict(), "101");
  for (auto value : {"WebSocket", "h2c, websocket", "HTTP/2.0 , WEBSOCKET"}) {
    request.upgrade = value;
    CHECK_EQ(verdict(), "101");
  }
  for (auto value : {"", "h2c", "websockets", "web socket", "websocket/8"}) {
    request.upgrade = value;
    CHECK_EQ(verdict(), "400 bad_upgrade");
  }
  request.upgrade = "websocket";
  for (auto value : {"upgrade", "keep-alive, Upgrade", "Upgrade,keep-alive"}) {
    request.connection = value;
    CHECK_EQ(verdict(), "101");
  }
  for (auto value : {"", "keep-alive", "close, upgrades"}) {
    request.connection = value;
    CHECK_EQ(verdict(), "400 bad_upgrade");
  }
}

CAF_TEST(the version must be 13) {
  for (auto value : {"", "8", "12", "14", "013", "13, 8"}) {
    request.version = value;
    CHECK_EQ(verdict(), "426 unsupported_version");
  }
}

CAF_TEST(a key is 16 bytes in base64) {
  for (auto value : {"AAAAAAAAAAAAAAAAAAAAAA==", "+/+/+/+/+/+/+/+/+/+/+w=="}) {
    request.key = value;
    CHECK_EQ(verdict(), "101");
  }
  for (auto value : {"", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ",
                     "dGhlIHNhbXBsZSBub25jZQ===", "dGhlIHNhbXBsZSBub25jZQAA",
                     "dGhlIHNhbXBsZSBub2!jZQ==", "=GhlIHNhbXBsZSBub25jZQ=="}) {
    request.key = value;
    CHECK_EQ(verdict(), "400 bad_upgrade");
  }
}

CAF_TEST(the favorite subprotocol of the client is spoken) {
  request.subprotocols = "callboard.v1.json";
  CHECK_EQ(decide().subprotocol, "callboard.v1.json");
  request.subprotocols = "callboard.v1.json, callboard.v1.msgpack";
  CHECK_EQ(decide().subprotocol, "callboard.v1.json");
  request.subprotocols = "mqtt , callboard.v1.msgpack,callboard.v1.json";
  CHECK_EQ(decide().subprotocol, "callboard.v1.msgpack");
  CHECK(decide().subprotocol_offered);
}

CAF_TEST(who offers no subprotocol speaks the first) {
  for (auto value : {"", " ", " , "}) {
    request.subprotocols = value;
    CHECK_EQ(verdict(), "101");
    CHECK_EQ(decide().subprotocol, "callboard.v1.msgpack");
    CHECK(!decide().subprotocol_offered);
  }
}

CAF_TEST(who offers only others is told what is spoken) {
  for (auto value : {"mqtt", "callboard.v2.json, mqtt", "Callboard.v1.json"}) {
    request.subprotocols = value;
    CHECK_EQ(verdict(), "400 unknown_subprotocol");
    for (auto name : names)
      CHECK_NE(decide().message.find(name), std::string::npos);
  }
  request.subprotocols = "callboard.v1.json; q=1";
  CHECK_EQ(verdict(), "400 bad_upgrade");
}

CAF_TEST(an endpoint without subprotocols ignores offers) {
  endpoint.subprotocols = {};
  for (auto value : {"", "mqtt", "callboard.v1.json"}) {
    request.subprotocols = value;
    CHECK_EQ(verdict(), "101");
    CHECK_EQ(decide().subprotocol, "");
    CHECK(!decide().subprotocol_offered);
  }
}

CAF_TEST(compression is negotiated where it is on) {
  request.extensions = "permessage-deflate; server_max_window_bits=10";
  CHECK(!decide().deflate);
  endpoint.deflate = true;
  REQUIRE(decide().deflate);
  CHECK_EQ(decide().deflate->server_window_bits, 10);
  request.extensions = "permessage-deflate; unknown";
  CHECK_EQ(verdict(), "101");
  CHECK(!decide().deflate);
  request.extensions = "permessage-deflate;;";
  CHECK_EQ(verdict(), "400 bad_upgrade");
}

CAF_TEST(the answer is an HTTP response) {
  CHECK_EQ(to_http(decide()), "HTTP/1.1 101 Switching Protocols\r\n"
                              "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Accept: "
                              "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  request.subprotocols = "callboard.v1.json";
  request.extensions = "permessage-deflate";
  endpoint.deflate = true;
  CHECK_EQ(to_http(decide()),
           "HTTP/1.1 101 Switching Protocols\r\n"
           "Upgrade: websocket\r\n"
           "Connection: Upgrade\r\n"
           "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
           "Sec-WebSocket-Protocol: callboard.v1.json\r\n"
           "Sec-WebSocket-Extensions: permessage-deflate; "
           "server_no_context_takeover; client_no_context_takeover\r\n\r\n");
}

CAF_TEST_FIXTURE_SCOPE_END()
