// HTTP sessions whose requests have bodies, and are answered later.

#include <callboard/net/http_session.hpp>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include <callboard/net/http_desk.hpp>

#include "support/fake_http_front.hpp"
#include "support/test.hpp"

using namespace callboard::net;

using namespace std::literals;

namespace {

http_content content(unsigned status, std::string text) {
  http_content result;
  result.status = status;
  result.type = "text/plain";
  result.text = std::move(text);
  return result;
}

/// Takes what is below /api, and refuses what is below /no.
struct fixture : fake_http_front, http_desk {
  fixture() {
    int fds[2];
    CAF_REQUIRE_EQUAL(
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    tcp::socket socket{loop};
    socket.assign(tcp::v4(), fds[0]);
    client = fds[1];
    serve_http(std::move(socket), *this, sessions);
    run();
  }

  ~fixture() override {
    hang_up();
  }

  void hang_up() {
    if (client != -1)
      ::close(std::exchange(client, -1));
  }

  void run() {
    loop.restart();
    loop.poll();
  }

  /// Returns what comes back for these bytes.
  std::string talk(std::string_view bytes) {
    CHECK_EQ(::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL),
             static_cast<ssize_t>(bytes.size()));
    run();
    return take();
  }

  std::string take() {
    std::string result;
    std::array<char, 4096> buffer;
    for (;;) {
      auto n = ::recv(client, buffer.data(), buffer.size(), 0);
      if (n < 0)
        return result;
      if (n == 0)
        return result + "<end>";
      result.append(buffer.data(), static_cast<size_t>(n));
    }
  }

  /// Answers the request that waits first.
  void answer(unsigned status, std::string text) {
    auto f = std::move(waiting.front());
    waiting.erase(waiting.begin());
    f(content(status, std::move(text)));
    run();
  }

  http_desk* desk() override {
    return this;
  }

  std::optional<http_content> check(const http_request& x) override {
    if (impatient)
      what.request_timeout = caf::timespan{0};
    if (x.target.starts_with("/no"))
      return content(411, "no");
    return {};
  }

  bool takes(const http_request& x) override {
    return x.target.starts_with("/api");
  }

  void serve(http_request x, reply f) override {
    served.push_back(std::move(x));
    if (at_once)
      f(content(200, "at once"));
    else
      waiting.push_back(std::move(f));
  }

  asio::io_context loop{1};
  http_sessions sessions{3};
  int client = -1;
  bool at_once = false;
  bool impatient = false;
  std::vector<http_request> served;
  std::vector<reply> waiting;
};

constexpr auto get_api = "GET /api HTTP/1.1\r\nHost: a\r\n\r\n"sv;

std::string post(std::string_view body) {
  return "POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Type: t\r\n"
         "Content-Length: "
         + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

/// Returns the head of a request for a body of 5 bytes.
std::string head(std::string_view expect, std::string_view version = "1.1") {
  return "POST /api HTTP/" + std::string{version}
         + "\r\nHost: a\r\nContent-Length: 5\r\nExpect: " + std::string{expect}
         + "\r\n\r\n";
}

bool is(std::string_view answer, std::string_view status,
        std::string_view end) {
  return answer.starts_with("HTTP/1.1 " + std::string{status} + ' ')
         && answer.ends_with(end);
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(session_desk, fixture)

CAF_TEST(an answer comes later) {
  CHECK_EQ(talk(get_api), "");
  REQUIRE(served.size() == 1u);
  CHECK_EQ(served[0].target, "/api");
  CHECK_EQ(served[0].body, "");
  answer(200, "later");
  CHECK(is(take(), "200", "\r\n\r\nlater"));
  // The connection goes on.
  CHECK_EQ(talk(get_api), "");
  answer(200, "again");
  CHECK(is(take(), "200", "\r\n\r\nagain"));
  CHECK_EQ(counted, (std::vector<unsigned>{200, 200}));
}

CAF_TEST(an answer may come at once) {
  at_once = true;
  CHECK(is(talk(get_api), "200", "\r\n\r\nat once"));
  CHECK(is(talk(get_api), "200", "\r\n\r\nat once"));
}

CAF_TEST(bodies come whole) {
  CHECK_EQ(talk(post("{\"a\": 1}")), "");
  REQUIRE(served.size() == 1u);
  CHECK_EQ(served[0].method, "POST");
  CHECK_EQ(served[0].body, "{\"a\": 1}");
  CHECK_EQ(served[0].content_type, "t");
}

CAF_TEST(bodies come in pieces) {
  auto bytes = post("0123456789");
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    CHECK_EQ(talk(std::string_view{bytes}.substr(i, 1)), "");
    CHECK(served.empty());
  }
  talk(std::string_view{bytes}.substr(bytes.size() - 1));
  REQUIRE(served.size() == 1u);
  CHECK_EQ(served[0].body, "0123456789");
}

CAF_TEST(what follows a body is the next request) {
  talk(post("12") + post("345") + std::string{get_api});
  REQUIRE(served.size() == 1u);
  CHECK_EQ(served[0].body, "12");
  answer(200, "one");
  CHECK(is(take(), "200", "one"));
  REQUIRE(served.size() == 2u);
  CHECK_EQ(served[1].body, "345");
  answer(200, "two");
  CHECK(is(take(), "200", "two"));
  CHECK_EQ(served.size(), 3u);
}

CAF_TEST(a refusal ends the connection before the body) {
  auto answer
    = talk("POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
  CHECK(is(answer, "411", "no<end>"));
  CHECK(answer.find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(served.empty());
  CHECK_EQ(counted, std::vector<unsigned>{411});
}

CAF_TEST(an error ends the connection) {
  talk(get_api);
  answer(503, "gone");
  CHECK(is(take(), "503", "gone<end>"));
}

CAF_TEST(everything else is answered as for clients) {
  CHECK(is(talk("GET /health HTTP/1.1\r\nHost: a\r\n\r\n"), "200",
           "{\"status\": \"ok\"}\n"));
  CHECK(served.empty());
}

CAF_TEST(nobody opens a WebSocket) {
  auto answer = talk("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                     "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  CHECK(answer.starts_with("HTTP/1.1 404 "));
  CHECK(admitted.empty());
}

CAF_TEST(a client that goes away does no harm) {
  talk(get_api);
  hang_up();
  run();
  answer(200, "nobody");
  CHECK_EQ(sessions.size(), 0u);
}

CAF_TEST(sessions that are closed are answered no more) {
  talk(get_api);
  sessions.close_all();
  CHECK_EQ(sessions.size(), 0u);
  answer(200, "nobody");
  CHECK_EQ(counted.size(), 0u);
  CHECK_EQ(take(), "<end>");
}

CAF_TEST(nobody waits for ever) {
  impatient = true;
  auto answer = talk(get_api);
  CHECK(answer.starts_with("HTTP/1.1 504 Gateway Timeout\r\n"));
  CHECK(answer.find("{\"error\": \"timeout\"") != std::string::npos);
  CHECK(answer.ends_with("<end>"));
  REQUIRE(waiting.size() == 1u);
  waiting.front()(content(200, "late"));
  run();
  CHECK_EQ(counted, std::vector<unsigned>{504});
}

CAF_TEST(a second answer counts for nothing) {
  talk(get_api);
  auto again = waiting.front();
  answer(200, "one");
  again(content(200, "two"));
  run();
  CHECK(is(take(), "200", "\r\n\r\none"));
  CHECK_EQ(counted.size(), 1u);
}

// -- places -------------------------------------------------------------------

CAF_TEST(who is let in keeps its place) {
  // The desk has let its head through, and then the body.
  CHECK_EQ(talk("POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"),
           "");
  CHECK(!sessions.end_oldest_idle());
  CHECK_EQ(talk("x"), "");
  REQUIRE(served.size() == 1u);
  CHECK(!sessions.end_oldest_idle());
  answer(200, "one");
  CHECK(is(take(), "200", "one"));
  CHECK(sessions.end_oldest_idle());
  CHECK_EQ(take(), "<end>");
  run();
}

// -- bodies that wait for word ------------------------------------------------

constexpr auto go_on = "HTTP/1.1 100 Continue\r\n\r\n"sv;

CAF_TEST(a body that waits for word gets it) {
  for (auto expect : {"100-continue", "100-Continue"}) {
    CHECK_EQ(talk(head(expect)), go_on);
    CHECK_EQ(talk("12"), "");
    CHECK_EQ(talk("345"), "");
    REQUIRE(served.size() == 1u);
    CHECK_EQ(served[0].body, "12345");
    answer(200, "one");
    CHECK(is(take(), "200", "\r\n\r\none"));
    served.clear();
  }
  // It is no answer.
  CHECK_EQ(counted, (std::vector<unsigned>{200, 200}));
}

CAF_TEST(a body that is on its way needs no word) {
  CHECK_EQ(talk(head("100-continue") + "1"), "");
  CHECK_EQ(talk("2345"), "");
  CHECK_EQ(served.size(), 1u);
}

CAF_TEST(word is for those who know it and may go on) {
  CHECK_EQ(talk(head("100-continue", "1.0")), "");
  CHECK_EQ(talk("12345"), "");
  REQUIRE(served.size() == 1u);
  answer(200, "one");
  CHECK(is(take(), "200", "one<end>"));
}

CAF_TEST(who is refused gets no word) {
  auto answer = talk("POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                     "Expect: 100-continue\r\n\r\n");
  CHECK(is(answer, "411", "no<end>"));
}

CAF_TEST(without a body there is no word) {
  CHECK_EQ(talk("GET /api HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                "\r\n"),
           "");
  CHECK_EQ(served.size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
