// Handshakes that wait for a place on a node that is full.

#include <callboard/net/http_session.hpp>

#include <string>
#include <vector>

#include "net/http_session_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;

using namespace std::literals;

namespace {

struct fixture : http_session_fixture {
  fixture() {
    places = 0;
    what.accept_wait = 1h;
  }

  /// Returns a client that waits.
  peer wait() {
    auto result = connect();
    CHECK_EQ(talk(result, get_ws), "");
    return result;
  }

  /// Returns the status and the name of a refusal behind which all ends.
  static std::string refusal_in(const std::string& bytes) {
    constexpr auto mark = "{\"error\": \""sv;
    auto at = bytes.find(mark);
    if (at == std::string::npos || !bytes.ends_with("<end>"))
      return bytes;
    auto name = bytes.substr(at + mark.size());
    return bytes.substr(9, 3) + ' ' + name.substr(0, name.find('"'));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(session_wait, fixture)

CAF_TEST(who waits is let in when there is a place) {
  auto client = wait();
  CHECK_EQ(waiting.size(), 1u);
  CHECK_EQ(sessions.size(), 1u);
  CHECK(counted.empty());
  reserve_next()();
  run();
  CHECK_EQ(client.take(), switching);
  CHECK_EQ(opened.size(), 1u);
  CHECK_EQ(sessions.size(), 0u);
  CHECK_EQ(counted, std::vector{101u});
  CHECK_EQ(places, 0u);
}

CAF_TEST(who has waited in vain is told of other nodes) {
  constexpr auto urls = "\"urls\": [\"ws://b/ws\"]}\n<end>"sv;
  others = {"ws://b/ws"};
  auto client = wait();
  CHECK_EQ(redirects, 0u);
  sessions.turn_away();
  run();
  CHECK(client.take().ends_with(urls));
  // And who may not even wait.
  waiting_max = 0;
  auto late = connect();
  CHECK(talk(late, get_ws).ends_with(urls));
  CHECK_EQ(redirects, 2u);
}

CAF_TEST(nobody waits unless it is switched on) {
  what.accept_wait = 0h;
  auto client = connect();
  CHECK_EQ(refusal_in(talk(client, get_ws)), "503 overloaded");
  CHECK(waiting.empty());
}

CAF_TEST(other requests do not wait) {
  auto client = connect();
  auto bytes = talk(client, "GET /health HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_EQ(status_of(bytes), "HTTP/1.1 200 OK");
}

CAF_TEST(as many wait as may and the next is refused) {
  waiting_max = 1;
  auto first = wait();
  auto second = connect();
  auto bytes = talk(second, get_ws);
  CHECK_EQ(refusal_in(bytes), "503 overloaded");
  CHECK(bytes.find("\r\nRetry-After: ") != std::string::npos);
  CHECK_EQ(first.take(), "");
  CHECK_EQ(waiting.size(), 1u);
}

CAF_TEST(who has waited for too long is refused) {
  what.accept_wait = 1ns;
  auto client = connect();
  client.send(get_ws);
  run();
  run();
  CHECK_EQ(refusal_in(client.take()), "503 overloaded");
  CHECK(waiting.empty());
  CHECK_EQ(waited.size(), 1u);
  CHECK(waited == std::vector{limit_kind::connections});
  CHECK_EQ(places, 0u);
  CHECK_EQ(counted, std::vector{503u});
}

CAF_TEST(who goes away waits no longer) {
  auto client = wait();
  client.close();
  run();
  CHECK(waiting.empty());
  CHECK(waited.empty());
  CHECK_EQ(sessions.size(), 0u);
  CHECK_EQ(places, 0u);
}

CAF_TEST(what comes behind the request is kept) {
  auto early = "\x82\x81\1\2\3\4\5"s;
  auto client = connect();
  CHECK_EQ(talk(client, std::string{get_ws} + early), "");
  reserve_next()();
  run();
  CHECK_EQ(client.take(), switching);
  CAF_REQUIRE_EQUAL(opened.size(), 1u);
  CHECK_EQ(opened[0].head, early);
}

CAF_TEST(who goes away behind frames is noticed in its turn) {
  auto client = wait();
  CHECK_EQ(talk(client, "frames"), "");
  client.close();
  run();
  CHECK_EQ(waiting.size(), 1u);
  reserve_next()();
  run();
  CHECK_EQ(sessions.size(), 0u);
  CHECK(opened.empty());
  CHECK_EQ(places, 1u);
}

CAF_TEST(a place is given back that comes too late) {
  auto client = wait();
  auto called = reserve_next();
  client.close();
  run();
  CHECK_EQ(sessions.size(), 0u);
  CHECK_EQ(places, 1u);
  called();
  run();
  CHECK(opened.empty());
  CHECK_EQ(places, 1u);
}

CAF_TEST(the end of the node refuses those who wait) {
  auto client = wait();
  auto other = connect();
  sessions.turn_away();
  run();
  CHECK_EQ(refusal_in(client.take()), "503 shutting_down");
  CHECK_EQ(other.take(), "");
  CHECK(waiting.empty());
  CHECK(waited.empty());
  CHECK_EQ(places, 0u);
}

CAF_TEST(who has its place by then takes it) {
  auto client = wait();
  auto called = reserve_next();
  sessions.turn_away();
  run();
  CHECK_EQ(client.take(), switching);
  CHECK_EQ(opened.size(), 1u);
  called();
  run();
  CHECK_EQ(opened.size(), 1u);
}

CAF_TEST(all that wait can be closed) {
  auto first = wait();
  auto second = wait();
  sessions.close_all();
  CHECK(waiting.empty());
  CHECK_EQ(first.take(), "<end>");
  CHECK_EQ(second.take(), "<end>");
  CHECK_EQ(places, 0u);
  run();
}

CAF_TEST_FIXTURE_SCOPE_END()
