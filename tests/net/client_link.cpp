#include <callboard/net/client_link.hpp>

#include <string>

#include <callboard/net/client_report.hpp>

#include "net/client_link_fixture.hpp"

using namespace callboard;
using namespace callboard::net;
using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(client_link_tests, client_link_fixture)

// -- states -------------------------------------------------------------------

CAF_TEST(a client goes through its states) {
  start();
  CAF_CHECK_EQUAL(take_log(), (lines{"connecting", "open"}));
  welcome();
  CAF_CHECK_EQUAL(take_log(), lines{"connected"});
  lose();
  CAF_CHECK_EQUAL(take_log(), (lines{"retry_pending", "retry 500"}));
  pass(499ms);
  CAF_CHECK_EQUAL(take_log(), lines{});
  pass(1ms);
  CAF_CHECK_EQUAL(take_log(), (lines{"connecting", "open"}));
  welcome();
  take_log();
  uut->stop();
  CAF_CHECK_EQUAL(take_log(), lines{"close 1000"});
  lose(1000);
  CAF_CHECK_EQUAL(take_log(), (lines{"disconnected", "ended well"}));
  CAF_CHECK(!uut->next_deadline());
}

CAF_TEST(start tries again at once where the client waits) {
  start();
  lose();
  take_log();
  uut->start();
  CAF_CHECK_EQUAL(take_log(), (lines{"connecting", "open"}));
  // The wait is over.
  pass(10s - 1ms);
  CAF_CHECK_EQUAL(take_log(), lines{});
  uut->start();
  CAF_CHECK_EQUAL(take_log(), lines{});
}

CAF_TEST(waits grow to the cap and are short again after a good connection) {
  options.backoff_cap = 3s;
  start();
  lines want{"retry 500", "retry 1000", "retry 1500", "retry 1500"};
  for (auto& line : want) {
    take_log();
    lose();
    CAF_CHECK_EQUAL(log.back(), line);
    pass(3s);
  }
  // One that lived for less than 10 s was no good one.
  welcome();
  now += 9999ms;
  lose();
  CAF_CHECK_EQUAL(log.back(), "retry 1500");
  pass(3s);
  welcome();
  now += 10s;
  lose();
  CAF_CHECK_EQUAL(log.back(), "retry 500");
}

CAF_TEST(the jitter is full) {
  random = 0;
  start();
  lose();
  CAF_CHECK_EQUAL(log.back(), "retry 0");
  uut->expire();
  random = 0.75;
  lose();
  CAF_CHECK_EQUAL(log.back(), "retry 1500");
}

CAF_TEST(who does not answer in time is left) {
  start();
  take_log();
  pass(9999ms);
  CAF_CHECK_EQUAL(take_log(), lines{});
  pass(1ms);
  CAF_CHECK_EQUAL(take_log(), (lines{"drop", "retry_pending", "retry 500"}));
}

CAF_TEST(a client that is stopped on its way ends at once) {
  start();
  take_log();
  uut->stop();
  CAF_CHECK_EQUAL(take_log(), (lines{"drop", "disconnected", "ended well"}));
  uut->stop();
  CAF_CHECK_EQUAL(take_log(), lines{});
  uut->start();
  CAF_CHECK_EQUAL(take_log(), (lines{"connecting", "open"}));
}

CAF_TEST(nothing counts as sent behind the close frame) {
  start();
  welcome();
  take_log();
  uut->stop();
  uut->session().notify("a", {}, [this](const auto& x) {
    log.push_back("a " + (x ? "ok" : details(x.error()).name));
  });
  CAF_CHECK_EQUAL(take_log(), lines{"close 1000"});
  lose(1000);
  CAF_CHECK_EQUAL(take_log(),
                  (lines{"disconnected", "a cancelled", "ended well"}));
}

CAF_TEST(a client that begins anew has nothing of before) {
  start();
  welcome();
  uut->session().subscribe("t", {}, {});
  tell(frame_type::response, R"({"epoch":"e","offset":1})", {},
       transport->last_seq_id);
  lose();
  pass(500ms);
  lose();
  CAF_CHECK_EQUAL(log.back(), "retry 1000");
  uut->stop();
  uut->start();
  take_log();
  welcome();
  CAF_CHECK_EQUAL(take_log(), lines{"connected"});
  lose();
  CAF_CHECK_EQUAL(log.back(), "retry 500");
}

CAF_TEST(a client that is killed fails what waits) {
  start();
  welcome();
  uut->session().request("a", {}, 10s, [this](const auto& x) {
    log.push_back("a " + details(x.error()).name);
  });
  take_log();
  uut->kill();
  CAF_CHECK_EQUAL(take_log(),
                  (lines{"drop", "disconnected", "a cancelled", "ended well"}));
}

// -- what the server says -----------------------------------------------------

CAF_TEST(close codes say whether to come back) {
  for (auto code : {1002, 1009, 4500, 4501, 4999}) {
    start();
    welcome();
    take_log();
    lose(static_cast<uint16_t>(code));
    CAF_CHECK_EQUAL(take_log(), (lines{"retry never", "disconnected",
                                       "ended connection_closed"}));
  }
  for (auto code : {1001, 1006, 1011, 4000, 4002, 4004, 4499}) {
    start();
    welcome();
    take_log();
    lose(static_cast<uint16_t>(code));
    CAF_CHECK_EQUAL(take_log(), (lines{"retry_pending", "retry 500"}));
  }
}

CAF_TEST(goaway says when to come back) {
  start();
  welcome();
  tell(frame_type::goaway,
       R"({"reason":"x","reconnect":"backoff","afterMs":100,"spreadMs":2000})");
  lose(4004);
  CAF_CHECK_EQUAL(log.back(), "retry 1600");
  pass(1600ms);
  welcome();
  tell(frame_type::goaway,
       R"({"reason":"x","reconnect":"now","afterMs":100,"spreadMs":2000})");
  lose(4004);
  CAF_CHECK_EQUAL(log.back(), "retry 1100");
  // It is about that connection alone.
  pass(1100ms);
  lose();
  CAF_CHECK_EQUAL(log.back(), "retry 1000");
  pass(1000ms);
  welcome();
  tell(frame_type::goaway, R"({"reason":"x","reconnect":"never"})");
  lose(4004);
  CAF_CHECK_EQUAL(log.back(), "ended connection_closed");
}

CAF_TEST(no wait of a goaway is longer than an hour) {
  start();
  welcome();
  tell(frame_type::goaway, R"({"reconnect":"now","afterMs":3600001})");
  lose(4004);
  CAF_CHECK_EQUAL(log.back(), "retry 3600000");
}

CAF_TEST(addresses of a goaway are tried before our own) {
  options.server.host = "a.example";
  start();
  welcome();
  tell(frame_type::goaway,
       R"({"reconnect":"now","urls":["ws://b.example:81/ws","nonsense",)"
       R"("wss://c.example/ws"]})");
  lose(4004);
  pass(0ms);
  CAF_CHECK_EQUAL(transport->server.authority(), "b.example:81");
  lose();
  pass(1h);
  CAF_CHECK_EQUAL(transport->server.host, "c.example");
  CAF_CHECK(transport->server.encrypted);
  lose();
  pass(1h);
  CAF_CHECK_EQUAL(transport->server.host, "a.example");
}

CAF_TEST(addresses of a goaway are those of one end) {
  options.server.host = "a.example";
  start();
  welcome();
  tell(frame_type::goaway,
       R"({"reconnect":"now","urls":["ws://b.example","ws://c.example"]})");
  lose(4004);
  pass(0ms);
  CAF_CHECK_EQUAL(transport->server.host, "b.example");
  welcome();
  lose();
  pass(1h);
  CAF_CHECK_EQUAL(transport->server.host, "a.example");
}

CAF_TEST(no address of a goaway is less safe than our own) {
  options.server = {"a.example", 443, "/ws", true};
  start();
  welcome();
  tell(frame_type::goaway,
       R"({"reconnect":"now","urls":["ws://b.example","wss://c.example"]})");
  lose(4004);
  pass(0ms);
  CAF_CHECK_EQUAL(transport->server.host, "c.example");
}

CAF_TEST(eight addresses of a goaway are tried) {
  options.server.host = "own.example";
  start();
  welcome();
  std::string urls;
  for (int i = 1; i <= 9; ++i)
    urls += (urls.empty() ? "\"" : ",\"") + ("ws://" + std::to_string(i)) + '"';
  tell(frame_type::goaway, R"({"reconnect":"now","urls":[)" + urls + "]}");
  lose(4004);
  for (int i = 1; i <= 8; ++i) {
    pass(1h);
    CAF_CHECK_EQUAL(transport->server.host, std::to_string(i));
    lose();
  }
  pass(1h);
  CAF_CHECK_EQUAL(transport->server.host, "own.example");
}

CAF_TEST(a refusal may say where else to go) {
  options.server.host = "a.example";
  start();
  auto refuse = [this](const std::string& urls) {
    transport->to->on_closed(report_refusal(
      503, "5", R"({"error":"overloaded","message":"m","urls":)" + urls + '}',
      false));
  };
  refuse(R"(["ws://b.example","nonsense","ws://c.example"])");
  // It is not for the others that it shall leave this one alone.
  CAF_CHECK_EQUAL(log.back(), "retry 500");
  pass(500ms);
  CAF_CHECK_EQUAL(transport->server.host, "b.example");
  // Those that were named name no others.
  refuse(R"(["ws://d.example"])");
  CAF_CHECK_EQUAL(log.back(), "retry 1000");
  pass(1s);
  CAF_CHECK_EQUAL(transport->server.host, "c.example");
  refuse("[]");
  CAF_CHECK_EQUAL(log.back(), "retry 7000");
  pass(7s);
  CAF_CHECK_EQUAL(transport->server.host, "a.example");
  refuse("7");
  CAF_CHECK_EQUAL(log.back(), "retry 9000");
}

CAF_TEST(only a node that takes nobody says where else to go) {
  constexpr auto body = R"({"error":"x","message":"m","urls":["ws://b",)"
                        R"("wss://c"]})";
  CAF_CHECK_EQUAL(report_refusal(503, "", body, false).elsewhere.size(), 2u);
  CAF_CHECK_EQUAL(report_refusal(503, "", body, true).elsewhere.size(), 1u);
  for (auto status : {400u, 401u, 429u, 500u})
    CAF_CHECK(report_refusal(status, "", body, false).elsewhere.empty());
}

CAF_TEST(what is wrong in the addresses changes nothing of a goaway) {
  start();
  welcome();
  tell(frame_type::goaway, R"({"reconnect":"now","afterMs":100,"urls":7})");
  lose(4004);
  CAF_CHECK_EQUAL(log.back(), "retry 100");
}

CAF_TEST(nothing new is sent after a goaway) {
  start();
  welcome();
  tell(frame_type::goaway, R"({"reconnect":"now"})");
  take_log();
  uut->session().request("a", {}, 10s, [](const auto&) {});
  CAF_CHECK_EQUAL(take_log(), lines{});
}

CAF_TEST(without reconnect the first end is the last) {
  options.reconnect = false;
  start();
  take_log();
  lose();
  CAF_CHECK_EQUAL(take_log(), (lines{"retry never", "disconnected",
                                     "ended connection_closed"}));
}

CAF_TEST_FIXTURE_SCOPE_END()
