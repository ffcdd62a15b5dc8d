#include "support/test.hpp"

#include <string>
#include <string_view>

#include <callboard/net/http_router.hpp>

#include "support/http_client_fixture.hpp"

using namespace callboard::net;

using namespace std::literals;

namespace {

constexpr auto ok_head = "HTTP/1.1 200 OK\r\n"
                         "Content-Type: application/json\r\n"
                         "Content-Length: 17\r\n"
                         "Cache-Control: no-store\r\n"
                         "X-Content-Type-Options: nosniff\r\n"sv;

constexpr auto ok_body = "{\"status\": \"ok\"}\n"sv;

} // namespace

CAF_TEST_FIXTURE_SCOPE(router, http_client_fixture)

// -- probes -------------------------------------------------------------------

CAF_TEST(health is served while anything is) {
  auto expected = std::string{ok_head} + "\r\n" + std::string{ok_body};
  CHECK_EQ(bytes("GET /health"), expected);
  CHECK_EQ(bytes("GET /health?x=1"), expected);
  CHECK_EQ(bytes("GET http://a/health"), expected);
  CHECK(!ask("GET /health").close);
  CHECK_EQ(bytes("HEAD /health"), std::string{ok_head} + "\r\n");
  is_ready = false;
  CHECK_EQ(bytes("GET /health"), std::string{ok_head}
                                   + "Connection: close\r\n\r\n"
                                   + std::string{ok_body});
  CHECK(ask("GET /health").close);
}

CAF_TEST(the client may end the connection) {
  CHECK(ask("GET /health", "Connection: close\r\n").close);
  http_request request;
  request.method = "GET";
  request.target = "/health";
  request.http_1_0 = true;
  request.keep_alive = true;
  auto reply = answer(request, *this, {"192.0.2.7"});
  CHECK_EQ(reply.status, 200u);
  CHECK(reply.close);
  CHECK(has_line(reply, "Connection: close"));
}

CAF_TEST(ready says whether connections are taken) {
  CHECK_EQ(bytes("GET /ready"),
           std::string{ok_head} + "\r\n" + std::string{ok_body});
  is_ready = false;
  CHECK_EQ(bytes("GET /ready"),
           refused("503 Service Unavailable", "Retry-After: 5\r\n",
                   "{\"error\": \"shutting_down\", \"message\": "
                   "\"The server is shutting down.\"}\n"));
}

CAF_TEST(a node that has yet to join its cluster is not ready) {
  is_joining = true;
  CHECK_EQ(bytes("GET /ready"),
           refused("503 Service Unavailable", "Retry-After: 1\r\n",
                   "{\"error\": \"joining\", \"message\": "
                   "\"The node has yet to join its cluster.\"}\n"));
  // Everything else is as ever, and so are its connections.
  CHECK_EQ(bytes("GET /health"),
           std::string{ok_head} + "\r\n" + std::string{ok_body});
  CHECK(!ask("GET /metrics").close);
  CHECK(!ask("GET /").close);
  // One that ends has no time to join.
  is_ready = false;
  CHECK_EQ(status_and_name(ask("GET /ready")), "503 shutting_down");
  is_ready = true;
  is_joining = false;
  CHECK_EQ(ask("GET /ready").status, 200u);
}

CAF_TEST(ready tells of a store that does not work) {
  store = "unavailable";
  auto answer = bytes("GET /ready");
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.ends_with(
    "\r\n\r\n{\"status\": \"degraded\", \"store\": \"unavailable\"}\n"));
  CHECK_EQ(bytes("GET /health"),
           std::string{ok_head} + "\r\n" + std::string{ok_body});
}

CAF_TEST(metrics are Prometheus text) {
  CHECK_EQ(bytes("GET /metrics"),
           "HTTP/1.1 200 OK\r\n"
           "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
           "Content-Length: 19\r\n"
           "Cache-Control: no-store\r\n"
           "X-Content-Type-Options: nosniff\r\n"
           "\r\n"
           "callboard_metric 1\n");
  what.metrics = false;
  CHECK_EQ(status_and_name(ask("GET /metrics")), "404 not_found");
}

// -- refusals -----------------------------------------------------------------

CAF_TEST(unknown paths are not found) {
  CHECK_EQ(bytes("GET /nothing"),
           refused("404 Not Found", "",
                   "{\"error\": \"not_found\", \"message\": "
                   "\"There is nothing at this path.\"}\n"));
  for (auto line :
       {"GET /WS", "GET /ws/", "GET //ws", "GET /%77s", "POST /nothing",
        "OPTIONS *", "CONNECT a:80", "GET /../health", "GET /index.html"})
    CHECK_EQ(status_and_name(ask(line)), "404 not_found");
  what.echo_path.clear();
  CHECK_EQ(status_and_name(upgrade("/echo")), "404 not_found");
}

CAF_TEST(an upgrade elsewhere is left undone) {
  // RFC 7230, 6.7: a server may ignore Upgrade.
  CHECK_EQ(upgrade("/health").status, 200u);
  CHECK_EQ(upgrade("/").status, 200u);
  CHECK_EQ(places, 1000u);
}

CAF_TEST(other methods are refused) {
  CHECK_EQ(bytes("POST /health"),
           refused("405 Method Not Allowed", "Allow: GET, HEAD\r\n",
                   "{\"error\": \"method_not_allowed\", \"message\": "
                   "\"Only GET and HEAD are allowed.\"}\n"));
  CHECK_EQ(bytes("POST /ws"),
           refused("405 Method Not Allowed", "Allow: GET\r\n",
                   "{\"error\": \"method_not_allowed\", \"message\": "
                   "\"Only GET is allowed here.\"}\n"));
  for (auto line : {"HEAD /ws", "get /health", "DELETE /", "OPTIONS /echo"})
    CHECK_EQ(ask(line).status, 405u);
  CHECK_EQ(ask("HEAD /ws").body(), "");
}

CAF_TEST(bodies are refused) {
  constexpr auto field = "Content-Length: 1\r\n"sv;
  CHECK_EQ(bytes("GET /health", field),
           refused("413 Content Too Large", "",
                   "{\"error\": \"body_too_large\", \"message\": "
                   "\"No request here has a body.\"}\n"));
  for (auto line : {"GET /ws", "GET /", "GET /echo", "HEAD /metrics"})
    CHECK_EQ(ask(line, field).status, 413u);
  CHECK_EQ(ask("GET /ws", "Transfer-Encoding: chunked\r\n").status, 413u);
  CHECK_EQ(ask("POST /health", field).status, 405u);
}

CAF_TEST_FIXTURE_SCOPE_END()
