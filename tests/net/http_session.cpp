#include "support/test.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <callboard/net/http_page.hpp>
#include <callboard/net/http_session.hpp>

#include "net/http_session_fixture.hpp"

using namespace callboard::net;

using namespace std::literals;

namespace {

constexpr auto get_health = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n"sv;

constexpr auto health = "HTTP/1.1 200 OK\r\n"
                        "Content-Type: application/json\r\n"
                        "Content-Length: 17\r\n"
                        "Cache-Control: no-store\r\n"
                        "X-Content-Type-Options: nosniff\r\n"
                        "\r\n"
                        "{\"status\": \"ok\"}\n"sv;

std::string times(size_t n, std::string_view text) {
  std::string result;
  for (size_t i = 0; i < n; ++i)
    result += text;
  return result;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(session, http_session_fixture)

// -- requests -----------------------------------------------------------------

CAF_TEST(requests are answered one after the other) {
  auto client = connect();
  CHECK_EQ(sessions.size(), 1u);
  CHECK_EQ(talk(client, get_health), health);
  CHECK_EQ(talk(client, get_health), health);
  CHECK_EQ(sessions.size(), 1u);
  CHECK_EQ(counted, std::vector({200u, 200u}));
  client.close();
  run();
  CHECK_EQ(sessions.size(), 0u);
}

CAF_TEST(a request may come in pieces) {
  auto client = connect();
  for (auto c : get_health.substr(0, get_health.size() - 1))
    CHECK_EQ(talk(client, {&c, 1}), "");
  CHECK_EQ(talk(client, "\n"), health);
}

CAF_TEST(pipelined requests are answered in order) {
  auto client = connect();
  CHECK_EQ(talk(client, times(100, get_health)), times(100, health));
  CHECK_EQ(status_of(talk(client, std::string{get_health}
                                    + "GET / HTTP/1.1\r\nHost: a\r\n\r\n")),
           "HTTP/1.1 200 OK");
}

CAF_TEST(a client that ends its side gets its answers) {
  auto client = connect();
  client.send(times(2, get_health));
  client.shut_down();
  run();
  CHECK_EQ(client.take(), times(2, health) + "<end>");
  CHECK_EQ(sessions.size(), 0u);
}

CAF_TEST(answers too large for one write are sent whole) {
  metrics = times(100'000, "callboard_metric 12345678\n");
  auto client = connect();
  auto bytes = talk(client, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_LT(bytes.size(), metrics.size());
  for (auto i = 0; i < 1000 && bytes.size() < metrics.size(); ++i) {
    run();
    bytes += client.take();
  }
  run();
  bytes += client.take();
  auto body = bytes.find("\r\n\r\n") + 4;
  CHECK(bytes.substr(body) == metrics);
  CHECK_EQ(talk(client, get_health), health);
}

// -- ends ---------------------------------------------------------------------

CAF_TEST(a refusal ends the connection after it was read) {
  auto client = connect();
  auto bytes = talk(client, "nonsense\r\n\r\nmore");
  CHECK_EQ(status_of(bytes), "HTTP/1.1 400 Bad Request");
  CHECK(bytes.ends_with("<end>"));
  CHECK_EQ(sessions.size(), 1u);
  CHECK_EQ(talk(client, "what is sent meanwhile is discarded"), "<end>");
  CHECK_EQ(sessions.size(), 1u);
  client.close();
  run();
  CHECK_EQ(sessions.size(), 0u);
  CHECK_EQ(counted, std::vector{400u});
}

CAF_TEST(what follows a refusal is not served) {
  auto client = connect();
  auto bytes = talk(client, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
                              + std::string{get_health});
  CHECK_EQ(status_of(bytes), "HTTP/1.1 404 Not Found");
  CHECK(bytes.find("200 OK") == std::string::npos);
  CHECK(bytes.ends_with("}\n<end>"));
}

CAF_TEST(a client that goes away leaves nothing behind) {
  auto client = connect();
  client.send("GET /health HT");
  run();
  client.close();
  run();
  CHECK_EQ(sessions.size(), 0u);
  CHECK(counted.empty());
}

CAF_TEST(a request that is not there in time is refused) {
  for (auto bytes : {""sv, "GET"sv, get_health.substr(0, 30)}) {
    what.request_timeout = std::chrono::hours{1};
    auto client = connect();
    CHECK_EQ(talk(client, bytes), "");
    what.request_timeout = caf::timespan{0};
    auto late = connect();
    late.send(bytes);
    run();
    auto answer = late.take();
    CHECK_EQ(status_of(answer), "HTTP/1.1 408 Request Timeout");
    CHECK(answer.ends_with("{\"error\": \"request_timeout\", \"message\": "
                           "\"The request did not come in time.\"}\n<end>"));
    sessions.close_all();
  }
}

CAF_TEST(a client that rests too long is closed without a word) {
  what.request_timeout = std::chrono::hours{1};
  auto client = connect();
  client.send(get_health);
  // The next request's time is zero: the answer still goes out at once.
  what.request_timeout = caf::timespan{0};
  run();
  run();
  CHECK_EQ(client.take(), std::string{health} + "<end>");
  CHECK_EQ(sessions.size(), 0u);
}

CAF_TEST(sessions are bounded) {
  auto a = connect();
  auto b = connect();
  auto c = connect();
  CHECK_EQ(sessions.size(), 3u);
  auto d = connect();
  CHECK_EQ(d.take(), "<end>");
  CHECK_EQ(sessions.size(), 3u);
  b.close();
  run();
  auto e = connect();
  CHECK_EQ(talk(e, get_health), health);
  CHECK_EQ(talk(a, get_health), health);
  CHECK_EQ(talk(c, get_health), health);
}

CAF_TEST(who may have no session is closed at once) {
  session_places = 1;
  auto a = connect();
  CHECK_EQ(session_places, 0u);
  CHECK_EQ(sessions.size(), 1u);
  auto b = connect();
  CHECK_EQ(b.take(), "<end>");
  CHECK_EQ(sessions.size(), 1u);
  CHECK_EQ(peers.size(), 2u);
  a.close();
  run();
  CHECK_EQ(session_places, 1u);
  auto c = connect();
  CHECK_EQ(talk(c, get_health), health);
}

CAF_TEST(however a session ends its place is given back once) {
  auto upgraded = connect();
  talk(upgraded, get_ws);
  CAF_REQUIRE_EQUAL(opened.size(), 1u);
  auto refused = connect();
  talk(refused, "nonsense\r\n\r\n");
  refused.close();
  run();
  auto gone = connect();
  gone.close();
  run();
  CHECK_EQ(session_places, 1000u);
  auto a = connect();
  auto b = connect();
  CHECK_EQ(session_places, 998u);
  sessions.close_all();
  run();
  CHECK_EQ(session_places, 1000u);
}

CAF_TEST(the oldest that waits for a request gives way) {
  auto a = connect();
  auto b = connect();
  b.send("GET /hea");
  auto c = connect();
  run();
  CHECK(sessions.end_oldest_idle());
  CHECK_EQ(sessions.size(), 2u);
  CHECK_EQ(a.take(), "<end>");
  CHECK_EQ(talk(c, get_health), health);
  CHECK(sessions.end_oldest_idle());
  CHECK_EQ(b.take().substr(0, 1), "<");
  CHECK(sessions.end_oldest_idle());
  CHECK_EQ(c.take(), "<end>");
  CHECK(!sessions.end_oldest_idle());
  run();
}

CAF_TEST(one that was refused gives way too) {
  auto a = connect();
  CHECK(talk(a, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
  CHECK_EQ(sessions.size(), 1u);
  CHECK(sessions.end_oldest_idle());
  CHECK_EQ(sessions.size(), 0u);
  run();
}

CAF_TEST(all sessions can be closed) {
  auto a = connect();
  auto b = connect();
  b.send("GET /hea");
  auto c = connect();
  c.send("nonsense\r\n\r\n");
  run();
  sessions.close_all();
  CHECK_EQ(sessions.size(), 0u);
  CHECK_EQ(a.take(), "<end>");
  CHECK(b.take().ends_with("<end>"));
  run();
  CHECK_EQ(counted, std::vector{400u});
}

CAF_TEST(sessions go with their list) {
  auto list = std::make_unique<http_sessions>(1);
  int fds[2];
  CAF_REQUIRE_EQUAL(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
                    0);
  peer client{fds[1]};
  tcp::socket socket{loop};
  socket.assign(tcp::v4(), fds[0]);
  serve_http(std::move(socket), *this, *list);
  list.reset();
  CHECK_EQ(client.take(), "<end>");
  run();
}

// -- upgrades -----------------------------------------------------------------

CAF_TEST(a WebSocket leaves with what came behind its request) {
  auto client = connect();
  auto early = "\x82\x81\1\2\3\4\5"s;
  CHECK_EQ(talk(client, std::string{get_ws} + early), switching);
  CHECK_EQ(sessions.size(), 0u);
  CHECK_EQ(counted, std::vector{101u});
  CHECK_EQ(places, 999u);
  CAF_REQUIRE_EQUAL(opened.size(), 1u);
  CHECK_EQ(opened[0].head, early);
  CHECK(!opened[0].echo);
  // The socket is nobody's now: the loop does not read from it any more.
  CHECK_EQ(talk(client, "more"), "");
  std::array<char, 8> buffer;
  CHECK_EQ(::recv(opened[0].socket, buffer.data(), buffer.size(), 0), 4);
  CHECK((::fcntl(opened[0].socket, F_GETFL) & O_NONBLOCK) != 0);
  tcp::socket again{loop};
  error_code ec;
  again.assign(tcp::v4(), opened[0].socket, ec);
  CHECK(!ec);
  CHECK_EQ(again.release(), opened[0].socket);
}

CAF_TEST(a connection can become a WebSocket after other requests) {
  auto client = connect();
  CHECK_EQ(talk(client, std::string{get_health} + std::string{get_ws}),
           std::string{health} + std::string{switching});
  CAF_REQUIRE_EQUAL(opened.size(), 1u);
  CHECK_EQ(opened[0].head, "");
}

CAF_TEST(a place is given back where the 101 cannot be sent) {
  what.request_timeout = std::chrono::hours{1};
  auto client = connect();
  // Nobody reads the answers, so that the socket fills and the 101 waits.
  metrics = times(20'000, "callboard_metric 12345678\n");
  client.send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" + std::string{get_ws});
  run();
  client.close();
  run();
  CHECK_EQ(places, 1000u);
  CHECK(admitted.empty());
  CHECK(opened.empty());
  CHECK_EQ(sessions.size(), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
