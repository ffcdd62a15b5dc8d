// What a client has again behind a lost connection, and what it is told.

#include <callboard/net/client_session.hpp>

#include "net/client_session_fixture.hpp"

using namespace callboard;
using namespace callboard::net;
using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(client_session_resume_tests, client_session_fixture)

CAF_TEST(idempotent requests are sent again in their order) {
  connect();
  ask("a", true);
  ask("b");
  ask("c", true);
  uut->disconnected();
  CAF_CHECK_EQUAL(take_log(), lines{"b socket_disconnected"});
  connect();
  CAF_CHECK_EQUAL(take_sent(), (lines{"request a", "request c"}));
}

CAF_TEST(a subscription begins behind a position) {
  connect();
  subscribe({.since = {"e", 3}});
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe t since 3"});
  respond(R"({"epoch":"e","offset":5,"recovered":true})");
  event(4);
  CAF_CHECK_EQUAL(take_log(), (lines{"recovered", "event 4"}));
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe t since 4"});
  respond(R"({"epoch":"e","offset":5,"recovered":true})");
  CAF_CHECK_EQUAL(take_log(), lines{"recovered t from 4"});
}

CAF_TEST(an event comes once) {
  connect();
  subscribe();
  respond(R"({"epoch":"e","offset":4})");
  event(4);
  event(5);
  event(5);
  CAF_CHECK_EQUAL(take_log(), (lines{"from 4", "event 5"}));
  // Offsets of another epoch are others.
  event(1, false, "f");
  event(1, false, "f");
  event(2);
  CAF_CHECK_EQUAL(take_log(), (lines{"event 1", "event 2"}));
}

CAF_TEST(a last value is from before and moves nothing) {
  connect();
  subscribe();
  respond(R"({"epoch":"e","offset":4})");
  event(2, true);
  CAF_CHECK_EQUAL(take_log(), (lines{"from 4", "last 2"}));
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe t since 4"});
  // It comes again only if it is another one.
  respond(R"({"epoch":"e","offset":9})");
  event(4, true);
  event(5, true);
  CAF_CHECK_EQUAL(take_log(), (lines{"gap t at 9", "last 5"}));
}

CAF_TEST(a topic that stands where it stood has recovered) {
  connect();
  subscribe();
  respond(R"({"epoch":"e","offset":4})");
  uut->disconnected();
  connect();
  respond(R"({"epoch":"e","offset":4})");
  CAF_CHECK_EQUAL(take_log(), (lines{"from 4", "recovered t from 4"}));
}

CAF_TEST(what crossed a goaway waits for the next connection) {
  connect();
  publish("a", {.id = "1"});
  auto first = last_seq_id;
  publish("b");
  auto second = last_seq_id;
  uut->pause();
  take_sent();
  refuse(first, errc::shutting_down);
  refuse(second, errc::shutting_down);
  CAF_CHECK_EQUAL(take_log(), lines{"b shutting_down"});
  CAF_CHECK_EQUAL(take_sent(), lines{});
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{"publish a id 1"});
  // Without a goaway it is an error like any other.
  refuse(last_seq_id, errc::shutting_down);
  CAF_CHECK_EQUAL(take_log(), lines{"a shutting_down"});
}

CAF_TEST(what is lost twice is sent again in its order) {
  connect();
  for (auto topic : {"a", "b", "c"})
    publish(topic, {.id = topic});
  auto all = take_sent();
  for (int i = 0; i < 2; ++i) {
    uut->disconnected();
    connect();
    CAF_CHECK_EQUAL(take_sent(), all);
  }
}

CAF_TEST(what crossed a goaway keeps its order) {
  connect();
  std::vector<uint32_t> numbers;
  for (auto topic : {"a", "b"}) {
    publish(topic, {.id = topic});
    numbers.push_back(last_seq_id);
  }
  uut->pause();
  publish("c");
  for (auto number : numbers)
    refuse(number, errc::shutting_down);
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(take_sent(),
                  (lines{"publish a id a", "publish b id b", "publish c"}));
}

CAF_TEST(what is sent again counts towards no bound) {
  connect();
  for (auto topic : {"a", "b", "c"})
    publish(topic, {.id = topic}, payload::pack(std::string(40, 'x')));
  uut->disconnected();
  // As much may wait as if nothing had been on its way.
  publish("d");
  publish("e");
  CAF_CHECK_EQUAL(take_log(), lines{});
  // And what gives way is not what was promised.
  publish("f");
  CAF_CHECK_EQUAL(take_log(), lines{"d overloaded"});
  connect(4);
  CAF_CHECK_EQUAL(take_sent(), (lines{"publish a id a", "publish b id b",
                                      "publish c id c", "publish e"}));
  publish("g");
  CAF_CHECK_EQUAL(take_log(), lines{});
  publish("h");
  CAF_CHECK_EQUAL(take_log(), lines{"f overloaded"});
}

CAF_TEST(what is to end has ended with the connection) {
  connect(1);
  ask("a");
  uut->unsubscribe("t", note<void>("t"));
  uut->disconnected();
  CAF_CHECK_EQUAL(take_log(), (lines{"a socket_disconnected", "t ok"}));
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{});
}

CAF_TEST(a request that is sent again has the time that is left) {
  connect();
  ask("a", true);
  CAF_CHECK_EQUAL(last_timeout_ms, 10'000u);
  now += 4s;
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(last_timeout_ms, 6'000u);
  now += 7s;
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(last_timeout_ms, 1u);
}

CAF_TEST(a gap tells behind which all is there) {
  connect();
  subscribe();
  respond(R"({"epoch":"e","offset":4})");
  tell(frame_type::position, 0, "t",
       R"({"epoch":"f","offset":9,"reason":"epoch changed"})");
  CAF_CHECK_EQUAL(take_log(), (lines{"from 4", "gap t at 9"}));
}

CAF_TEST(a subscription that cannot be had again is lost) {
  connect();
  subscribe();
  respond(R"({"epoch":"e","offset":4})");
  uut->disconnected();
  connect();
  tell(frame_type::error, last_seq_id, "forbidden");
  CAF_CHECK_EQUAL(take_log(), (lines{"from 4", "lost t"}));
}

CAF_TEST(presence is told and asked for again) {
  connect();
  subscribe({.presence = true});
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe t presence"});
  respond(R"({"epoch":"e","offset":0})");
  take_log();
  tell(frame_type::presence, 0, "t",
       R"([{"event":"join","user":"ann","connection":"c1"},
           {"event":"leave","connection":"c2"},{"event":"reset"}])");
  CAF_CHECK_EQUAL(take_log(), (lines{"0 ann/c1", "1 /c2", "2 /"}));
  tell(frame_type::presence, 0, "other", R"([{"event":"reset"}])");
  tell(frame_type::presence, 0, "t", R"("nonsense")");
  CAF_CHECK_EQUAL(take_log(), lines{});
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe t presence since 0"});
}

CAF_TEST_FIXTURE_SCOPE_END()
