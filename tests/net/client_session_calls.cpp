// Cancelling, notifications, what gives way, and a fresh token.

#include <callboard/net/client_session.hpp>

#include "net/client_session_fixture.hpp"

using namespace callboard;
using namespace callboard::net;
using namespace std::chrono_literals;

namespace {

struct rejecting_fixture : client_session_fixture {
  rejecting_fixture() : client_session_fixture{queue_policy::reject} {
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_session_calls_tests, client_session_fixture)

CAF_TEST(a request in flight is cancelled at the server) {
  connect();
  auto id = ask("a");
  auto seq_id = last_seq_id;
  CAF_CHECK(uut->cancel(id));
  CAF_CHECK_EQUAL(take_sent(), (lines{"request a", "cancel"}));
  CAF_CHECK_EQUAL(last_seq_id, seq_id);
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
  // The server's own answer is late.
  tell(frame_type::error, seq_id, "cancelled");
  CAF_CHECK(!uut->cancel(id));
  CAF_CHECK_EQUAL(take_log(), lines{});
  CAF_CHECK_EQUAL(uut->pending(), 0u);
}

CAF_TEST(what is cancelled makes room for what waits) {
  connect(1);
  auto first = ask("a");
  ask("b");
  CAF_CHECK_EQUAL(take_sent(), lines{"request a"});
  uut->cancel(first);
  CAF_CHECK_EQUAL(take_sent(), (lines{"cancel", "request b"}));
}

CAF_TEST(what waits is cancelled without a word to the server) {
  auto id = ask("a");
  CAF_CHECK(uut->cancel(id));
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{});
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
}

CAF_TEST(a publication in flight is forgotten) {
  connect();
  auto id = publish("a");
  CAF_CHECK(uut->cancel(id));
  CAF_CHECK_EQUAL(take_sent(), lines{"publish a"});
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
}

CAF_TEST(a number holds when something is sent again) {
  connect();
  auto id = publish("a", {.id = "1"});
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{"publish a id 1"});
  CAF_CHECK(uut->cancel(id));
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
}

CAF_TEST(notifications are over when they are sent) {
  uut->notify("a", {}, note<void>("a"));
  CAF_CHECK_EQUAL(take_log(), lines{});
  connect(1);
  CAF_CHECK_EQUAL(take_sent(), lines{"notify a unanswered"});
  CAF_CHECK_EQUAL(take_log(), lines{"a ok"});
  publish("b", {.trace = "x", .ack = false});
  CAF_CHECK_EQUAL(take_sent(), lines{"publish b unanswered trace x"});
  CAF_CHECK_EQUAL(take_log(), lines{"b ok"});
  CAF_CHECK_EQUAL(uut->pending(), 0u);
}

CAF_TEST(the oldest gives way) {
  ask("a");
  publish("b");
  CAF_CHECK_EQUAL(take_log(), lines{});
  ask("c");
  CAF_CHECK_EQUAL(take_log(), lines{"a overloaded"});
  connect();
  CAF_CHECK_EQUAL(take_sent(), (lines{"publish b", "request c"}));
}

CAF_TEST(as many give way as bytes are needed) {
  publish("a", {}, payload::pack(std::string(20, 'x')));
  publish("b", {}, payload::pack(std::string(20, 'x')));
  publish("c", {}, payload::pack(std::string(47, 'x')));
  CAF_CHECK_EQUAL(take_log(), (lines{"a overloaded", "b overloaded"}));
  // 50 bytes fit, and 51 do not fit even alone.
  publish("d", {}, payload::pack(std::string(48, 'x')));
  CAF_CHECK_EQUAL(take_log(), lines{"c overloaded"});
  publish("e", {}, payload::pack(std::string(49, 'x')));
  CAF_CHECK_EQUAL(take_log(), lines{"e overloaded"});
}

CAF_TEST(subscriptions do not give way) {
  subscribe();
  ask("a");
  ask("b");
  CAF_CHECK_EQUAL(take_log(), lines{"a overloaded"});
  connect();
  CAF_CHECK_EQUAL(take_sent(), (lines{"subscribe t", "request b"}));
}

CAF_TEST(subscriptions that wait keep the queue full) {
  connect(1);
  ask("a");
  uut->subscribe("t", {}, {});
  uut->subscribe("u", {}, {});
  publish("b");
  CAF_CHECK_EQUAL(take_log(), lines{"b overloaded"});
  CAF_CHECK_EQUAL(uut->pending(), 3u);
}

CAF_TEST(subscriptions that are made again do not ) {
  connect();
  for (auto topic : {"t", "u", "v"}) {
    uut->subscribe(topic, {}, {});
    respond(R"({"epoch":"e","offset":1})");
  }
  uut->disconnected();
  connect(1);
  take_log();
  publish("a");
  publish("b");
  CAF_CHECK_EQUAL(take_log(), lines{});
  publish("c");
  CAF_CHECK_EQUAL(take_log(), lines{"a overloaded"});
}

CAF_TEST(a connection is busy where what is new waits for what is old) {
  CAF_CHECK(!uut->is_busy());
  ask("a");
  // It waits for a connection.
  CAF_CHECK(!uut->is_busy());
  connect(1);
  CAF_CHECK(uut->is_busy());
  respond();
  CAF_CHECK(!uut->is_busy());
  ask("b");
  CAF_CHECK(uut->is_busy());
  // This waits for the next connection.
  uut->pause();
  CAF_CHECK(!uut->is_busy());
  uut->disconnected();
  CAF_CHECK(!uut->is_busy());
}

CAF_TEST(a full connection lets what is new wait) {
  auto full = false;
  uut->connected(
    [this](const frame_view& x) {
      sent.push_back(words_of(x));
      return true;
    },
    10, [&full] { return full; });
  publish("a", {.ack = false});
  full = true;
  for (auto topic : {"b", "c", "d"})
    publish(topic, {.ack = false});
  CAF_CHECK_EQUAL(take_sent(), lines{"publish a unanswered"});
  CAF_CHECK_EQUAL(take_log(), (lines{"a ok", "b overloaded"}));
  full = false;
  uut->pump();
  CAF_CHECK_EQUAL(take_sent(),
                  (lines{"publish c unanswered", "publish d unanswered"}));
  CAF_CHECK_EQUAL(take_log(), (lines{"c ok", "d ok"}));
}

CAF_TEST(an error tells whether the server said it) {
  frame_view x;
  x.type = frame_type::error;
  x.subject = "overloaded";
  x.meta.code = info(errc::overloaded).number;
  CAF_CHECK(to_error(x) == errc::overloaded);
  CAF_CHECK(is_from_server(to_error(x)));
  CAF_CHECK(!is_from_server(
    caf::make_error(errc::overloaded, std::string{"too much waits"})));
  CAF_CHECK(!is_from_server(caf::make_error(errc::timeout)));
  CAF_CHECK(!is_from_server({}));
}

CAF_TEST(a responder may end itself) {
  connect();
  auto life = std::make_shared<int>(0);
  std::weak_ptr<int> watched = life;
  uut->respond("act",
               [this, life = std::move(life), &watched](incoming_request x) {
                 auto& to = log;
                 auto& left = watched;
                 uut->stop_responding("act", {});
                 to.emplace_back(left.expired() ? "gone" : "there");
                 x.answer({});
               },
               {});
  respond();
  take_sent();
  tell(frame_type::request, 1, "act");
  CAF_CHECK_EQUAL(take_log(), lines{"there"});
  CAF_CHECK_EQUAL(take_sent(), (lines{"unregister act", "response"}));
  CAF_CHECK(watched.expired());
}

CAF_TEST(a request whose time is over is cancelled) {
  connect();
  ask("a");
  take_sent();
  now += 12s - 1ms;
  uut->expire();
  CAF_CHECK_EQUAL(take_sent(), lines{});
  now += 1ms;
  uut->expire();
  CAF_CHECK_EQUAL(take_sent(), lines{"cancel"});
  CAF_CHECK_EQUAL(take_log(), lines{"a timeout"});
}

CAF_TEST(a subscription whose time is over is taken back) {
  connect();
  subscribe();
  take_sent();
  now += 30s;
  uut->expire();
  CAF_CHECK_EQUAL(take_log(), lines{"timeout"});
  CAF_CHECK_EQUAL(take_sent(), lines{"unsubscribe t"});
  subscribe();
  CAF_CHECK_EQUAL(take_sent(), lines{"subscribe t"});
}

CAF_TEST(a fresh token is answered by a welcome) {
  connect(1);
  ask("a");
  take_sent();
  std::string heard;
  auto done = [&heard](const caf::error& why, const frame_view* reply) {
    heard = why ? details(why).name : payload{reply->payload}.to_json();
  };
  // It waits for its turn, in front of everything else.
  ask("b");
  uut->log_in("T", done);
  CAF_CHECK_EQUAL(take_sent(), lines{});
  respond();
  CAF_CHECK_EQUAL(take_sent(), lines{"connect"});
  tell(frame_type::welcome, last_seq_id, "", "7");
  CAF_CHECK_EQUAL(heard, "7");
  CAF_CHECK_EQUAL(take_sent(), lines{"request b"});
  // With the connection it is forgotten.
  respond();
  uut->log_in("T", done);
  heard = "nothing";
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(take_sent(), lines{});
  CAF_CHECK_EQUAL(heard, "nothing");
}

CAF_TEST(who has given up takes nothing until it begins anew) {
  uut->give_up(caf::make_error(errc::cancelled));
  CAF_CHECK_EQUAL(ask("a"), 0u);
  CAF_CHECK_EQUAL(take_log(), lines{"a cancelled"});
  uut->resume();
  ask("b");
  CAF_CHECK_EQUAL(take_log(), lines{});
  CAF_CHECK_EQUAL(uut->pending(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST_FIXTURE_SCOPE(client_session_reject_tests, rejecting_fixture)

CAF_TEST(what is new is refused) {
  ask("a");
  ask("b");
  CAF_CHECK_EQUAL(take_log(), lines{});
  ask("c");
  CAF_CHECK_EQUAL(take_log(), lines{"c overloaded"});
}

CAF_TEST_FIXTURE_SCOPE_END()
