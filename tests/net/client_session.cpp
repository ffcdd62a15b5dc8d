#include <callboard/net/client_session.hpp>

#include <map>

#include "net/played_session.hpp"

using namespace callboard;
using namespace callboard::net;
using namespace std::chrono_literals;

namespace {

struct fixture : played_session {
  fixture() {
    client_handlers handlers;
    handlers.on_gap = [this](const gap& x) {
      log.push_back("gap " + std::string{x.subject} + ' ' + x.at.epoch + '/'
                    + std::to_string(x.at.offset) + ' '
                    + std::string{x.reason});
    };
    handlers.on_error = [this](const caf::error& x) {
      log.push_back("error " + details(x).name);
    };
    client_options options;
    options.queue_max = 4;
    make(options, handlers);
  }

  void connect(size_t inflight_max = 10) {
    sent.clear();
    uut->connected(
      [this](const frame_view& x) {
        if (x.payload.bytes.size() > 100)
          return false;
        sent.push_back(std::string{to_string(x.type)} + ' '
                       + std::string{x.subject});
        if (x.meta.has(meta_key::since))
          sent.back() += " since " + std::string{x.meta.since.epoch} + '/'
                         + std::to_string(x.meta.since.offset);
        last_seq_id = x.seq_id;
        return true;
      },
      inflight_max);
  }

  void event(std::string_view topic, uint64_t offset) {
    frame_view x;
    x.type = frame_type::event;
    x.subject = topic;
    x.meta.offset = offset;
    x.meta.mark(meta_key::offset);
    uut->handle(x);
  }

  static payload at(const std::string& text) {
    return payload::from_json(text).value();
  }

  void ask(const std::string& action, caf::timespan timeout = 10s) {
    uut->request(action, {}, timeout, [this, action](auto x) {
      log.push_back(action + ' '
                    + (x ? x->to_json() : details(x.error()).name));
    });
  }

  void publish(const std::string& topic, std::string id = {},
               payload body = {}) {
    uut->publish(topic, std::move(body), {false, std::move(id)},
                 [this, topic](caf::expected<net::position> x) {
                   log.push_back(topic + ' '
                                 + (x ? std::to_string(x->offset)
                                      : details(x.error()).name));
                 });
  }

  void subscribe(const std::string& subject) {
    uut->subscribe(
      subject,
      [this](const event_view& x) {
        log.push_back("event " + std::string{x.topic} + ' '
                      + std::to_string(x.offset));
      },
      [this, subject](caf::expected<net::position> x) {
        log.push_back(
          subject + ' '
          + (x ? std::to_string(x->offset) : details(x.error()).name));
      });
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_session_tests, fixture)

CAF_TEST(what is asked for without a connection waits for one) {
  ask("a");
  CAF_CHECK_EQUAL(sent, lines{});
  connect();
  CAF_CHECK_EQUAL(sent, lines{"request a"});
  respond(last_seq_id, payload::pack(1));
  CAF_CHECK_EQUAL(log, lines{"a 1"});
  CAF_CHECK_EQUAL(uut->pending(), 0u);
}

CAF_TEST(no more is in flight than the server takes) {
  connect(2);
  for (auto action : {"a", "b", "c"})
    ask(action);
  CAF_CHECK_EQUAL(sent, (lines{"request a", "request b"}));
  respond(last_seq_id);
  CAF_CHECK_EQUAL(sent, (lines{"request a", "request b", "request c"}));
}

CAF_TEST(the queue is bounded) {
  for (auto action : {"a", "b", "c", "d", "e"})
    ask(action);
  CAF_CHECK_EQUAL(log, lines{"e overloaded"});
  CAF_CHECK_EQUAL(uut->pending(), 4u);
}

CAF_TEST(errors keep code and name) {
  connect();
  ask("a");
  refuse(last_seq_id, errc::no_responder);
  CAF_CHECK_EQUAL(log, lines{"a no_responder"});
}

CAF_TEST(a request whose time is over fails once) {
  connect();
  ask("a", 1s);
  now += 2999ms;
  uut->expire();
  CAF_CHECK_EQUAL(log, lines{});
  CAF_REQUIRE(uut->next_deadline().has_value());
  now = *uut->next_deadline();
  uut->expire();
  CAF_CHECK_EQUAL(log, lines{"a timeout"});
  respond(last_seq_id);
  CAF_CHECK_EQUAL(log.size(), 1u);
}

CAF_TEST(what waits past its time makes room) {
  for (auto action : {"a", "b", "c", "d"})
    ask(action, 1s);
  now += 3s;
  uut->expire();
  CAF_CHECK_EQUAL(log.size(), 4u);
  log.clear();
  ask("e");
  CAF_CHECK_EQUAL(log, lines{});
}

CAF_TEST(a frame that is too large fails alone) {
  connect();
  publish("t", "", payload::pack(std::string(200, 'x')));
  CAF_CHECK_EQUAL(log, lines{"t frame_too_large"});
  publish("t");
  respond(last_seq_id, at(R"({"epoch":"e","offset":7})"));
  CAF_CHECK_EQUAL(log.back(), "t 7");
}

CAF_TEST(a lost connection fails what was sent but not what has an id) {
  connect();
  publish("a");
  publish("b", "id-b");
  publish("c", "id-c");
  uut->disconnected();
  CAF_CHECK_EQUAL(log, lines{"a socket_disconnected"});
  connect();
  CAF_CHECK_EQUAL(sent, (lines{"publish b", "publish c"}));
}

CAF_TEST(a subscription comes back from its position) {
  connect();
  subscribe("t");
  respond(last_seq_id, at(R"({"epoch":"e","offset":4,"recovered":false})"));
  event("t", 5);
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(sent, lines{"subscribe t since e/5"});
  respond(last_seq_id, at(R"({"epoch":"e","offset":9,"recovered":true})"));
  event("t", 6);
  CAF_CHECK_EQUAL(log, (lines{"t 4", "event t 5", "event t 6"}));
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(sent, lines{"subscribe t since e/6"});
}

CAF_TEST(what cannot be recovered is a gap) {
  connect();
  subscribe("t");
  respond(last_seq_id, at(R"({"epoch":"e","offset":4,"recovered":false})"));
  log.clear();
  uut->disconnected();
  connect();
  respond(last_seq_id, at(R"({"epoch":"f","offset":1,"recovered":false})"));
  CAF_CHECK_EQUAL(log, lines{"gap t f/1 not_recovered"});
}

CAF_TEST(a gap without a position moves no subscription) {
  connect();
  subscribe("a/+");
  respond(last_seq_id);
  subscribe("t");
  respond(last_seq_id, at(R"({"epoch":"e","offset":4})"));
  log.clear();
  std::map<std::string, std::string> packed{{"reason", "events lost"}};
  tell(frame_type::position, 0, "a/+", payload::pack(packed));
  tell(frame_type::position, 0, "t", R"({"reason":"events lost"})");
  CAF_CHECK_EQUAL(log,
                  (lines{"gap a/+ /0 events lost", "gap t /0 events lost"}));
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(sent, (lines{"subscribe a/+", "subscribe t since e/4"}));
}

CAF_TEST(a position frame that tells nothing is malformed) {
  connect();
  subscribe("t");
  respond(last_seq_id, at(R"({"epoch":"e","offset":4})"));
  log.clear();
  for (auto text : {"null", "5", "{}", R"({"offset":9})", R"({"reason":5})",
                    R"({"epoch":1,"offset":9})"})
    tell(frame_type::position, 0, "t", text);
  CAF_CHECK_EQUAL(log, lines(6, "error malformed_frame"));
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(sent, lines{"subscribe t since e/4"});
}

CAF_TEST(a topic that stands where it stood has no gap) {
  connect();
  subscribe("t");
  respond(last_seq_id, at(R"({"epoch":"e","offset":4,"recovered":false})"));
  log.clear();
  uut->disconnected();
  connect();
  respond(last_seq_id, at(R"({"epoch":"e","offset":4,"recovered":false})"));
  CAF_CHECK_EQUAL(log, lines{});
}

CAF_TEST(a connection that is lost twice subscribes once) {
  connect();
  subscribe("t");
  respond(last_seq_id, at(R"({"epoch":"e","offset":4})"));
  uut->disconnected();
  connect();
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(sent, lines{"subscribe t since e/4"});
  CAF_CHECK_EQUAL(uut->pending(), 1u);
}

CAF_TEST(a first subscription survives a lost connection) {
  connect();
  subscribe("t");
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(sent, lines{"subscribe t"});
  respond(last_seq_id, at(R"({"epoch":"e","offset":4})"));
  CAF_CHECK_EQUAL(log, lines{"t 4"});
}

CAF_TEST(a temporary refusal of a known subscription is tried again) {
  connect();
  subscribe("t");
  respond(last_seq_id, at(R"({"epoch":"e","offset":4})"));
  uut->disconnected();
  connect();
  refuse(last_seq_id, errc::overloaded);
  CAF_CHECK_EQUAL(sent.size(), 1u);
  now += 1s;
  uut->expire();
  CAF_CHECK_EQUAL(sent.size(), 2u);
  refuse(last_seq_id, errc::forbidden);
  CAF_CHECK_EQUAL(log.back(), "error forbidden");
  event("t", 5);
  CAF_CHECK_EQUAL(log.back(), "error forbidden");
}

CAF_TEST(one topic has one subscription) {
  connect();
  subscribe("t");
  respond(last_seq_id, at(R"({"epoch":"e","offset":4})"));
  subscribe("t");
  CAF_CHECK_EQUAL(log.back(), "t already_subscribed");
  event("t", 5);
  CAF_CHECK_EQUAL(log.back(), "event t 5");
}

CAF_TEST(what becomes of an earlier subscription does not end a later one) {
  connect();
  subscribe("t");
  auto first = last_seq_id;
  uut->unsubscribe("t", {});
  auto gone = last_seq_id;
  subscribe("t");
  auto second = last_seq_id;
  // The server has all three before it answers the first.
  refuse(first, errc::cancelled);
  respond(gone);
  respond(second, at(R"({"epoch":"e","offset":4})"));
  event("t", 5);
  CAF_CHECK_EQUAL(log, (lines{"t cancelled", "t 4", "event t 5"}));
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(sent, lines{"subscribe t since e/5"});
  // Nor does a try that comes later subscribe a second time.
  refuse(last_seq_id, errc::overloaded);
  uut->unsubscribe("t", {});
  respond(last_seq_id);
  subscribe("t");
  respond(last_seq_id, at(R"({"epoch":"e","offset":9})"));
  sent.clear();
  now += 1s;
  uut->expire();
  CAF_CHECK_EQUAL(sent, lines{});
}

CAF_TEST(only the last of several subscriptions in a row is sent) {
  subscribe("t");
  uut->unsubscribe("t", {});
  subscribe("t");
  connect();
  CAF_CHECK_EQUAL(sent, lines{"subscribe t"});
  respond(last_seq_id, at(R"({"epoch":"e","offset":4})"));
  event("t", 5);
  CAF_CHECK_EQUAL(log, (lines{"t cancelled", "t 4", "event t 5"}));
}

CAF_TEST(only the last of several responders in a row registers) {
  auto note = [this](const char* what) {
    return [this, what](caf::expected<void> x) {
      log.push_back(what + (x ? " ok" : ' ' + details(x.error()).name));
    };
  };
  auto answer = [this](auto) { log.emplace_back("asked"); };
  uut->respond("act", {}, note("1"));
  uut->stop_responding("act", {});
  uut->respond("act", answer, note("2"));
  connect();
  CAF_CHECK_EQUAL(sent, lines{"register act"});
  respond(last_seq_id);
  frame_view x;
  x.type = frame_type::request;
  x.subject = "act";
  uut->handle(x);
  CAF_CHECK_EQUAL(log, (lines{"1 cancelled", "2 ok", "asked"}));
}

CAF_TEST(a request gets one answer and none on another connection) {
  connect();
  std::vector<incoming_request> requests;
  uut->respond("act", [&](incoming_request x) { requests.push_back(x); }, {});
  respond(last_seq_id);
  frame_view x;
  x.type = frame_type::request;
  x.subject = "act";
  for (uint32_t seq_id : {1, 2}) {
    x.seq_id = seq_id;
    uut->handle(x);
  }
  CAF_REQUIRE_EQUAL(requests.size(), 2u);
  CAF_CHECK(requests[0].answer(payload::pack(1)));
  CAF_CHECK(!requests[0].answer(payload::pack(1)));
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(sent, lines{"register act"});
  CAF_CHECK(!requests[1].answer(payload::pack(1)));
}

CAF_TEST(an action that nobody registered is refused) {
  connect();
  frame_view x;
  x.type = frame_type::request;
  x.seq_id = 1;
  x.subject = "act";
  uut->handle(x);
  CAF_CHECK_EQUAL(sent, lines{"error no_responder"});
}

CAF_TEST(a pause holds back what is new) {
  connect();
  uut->pause();
  ask("a");
  CAF_CHECK_EQUAL(sent, lines{});
  uut->disconnected();
  connect();
  CAF_CHECK_EQUAL(sent, lines{"request a"});
}

CAF_TEST(giving up fails everything) {
  ask("a");
  subscribe("t");
  uut->give_up(caf::make_error(errc::cancelled));
  CAF_CHECK_EQUAL(log, (lines{"a cancelled", "t cancelled"}));
  CAF_CHECK(!uut->next_deadline());
}

CAF_TEST_FIXTURE_SCOPE_END()
