// What a connection does with topics and patterns.

#include <callboard/actors/connection.hpp>

#include <string>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

/// What a subscribe is answered with.
struct head_of {
  std::string epoch;
  uint64_t offset = 0;

  MSGPACK_DEFINE_MAP(epoch, offset)
};

struct fixture : node_fixture {
  std::string subscribe_since(client& x, uint32_t seq_id,
                              const std::string& topic,
                              const std::string& epoch, uint64_t offset) {
    frame_view y;
    y.type = type::subscribe;
    y.seq_id = seq_id;
    y.subject = topic;
    y.meta.mark(meta_key::since);
    y.meta.since = {epoch, offset};
    return say(x, y);
  }

  static std::string head(uint32_t seq_id, int offset, bool recovered = false,
                          const std::string& epoch = "run.1") {
    return "response " + std::to_string(seq_id) + " {\"epoch\":\"" + epoch
           + "\",\"offset\":" + std::to_string(offset)
           + ",\"recovered\":" + (recovered ? "true" : "false") + '}';
  }

  static std::string accepted(uint32_t seq_id, int offset) {
    return "response " + std::to_string(seq_id)
           + " {\"epoch\":\"run.1\",\"offset\":" + std::to_string(offset) + '}';
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- subscribing --------------------------------------------------------------

CAF_TEST(a subscriber gets the head and then every event in order) {
  start();
  auto& alice = connect(0, "alice");
  auto& bob = connect();
  CHECK_EQ(say(bob, type::subscribe, 1, "news"), head(1, 0));
  alice.publish("news", "one", 5);
  alice.publish("news", "two");
  turn();
  CHECK_EQ(alice.heard(), accepted(5, 1));
  auto events = bob.take();
  REQUIRE_EQ(events.size(), 2u);
  CHECK_EQ(events[0].words(), "event news @1 \"one\"");
  CHECK_EQ(events[0].sender, "alice");
  CHECK_EQ(events[0].epoch, "run.1");
  CHECK_EQ(events[0].timestamp, loops[0]->unix_ms);
  CHECK_EQ(events[1].words(), "event news @2 \"two\"");
  CHECK(!events[1].meta.has(meta_key::epoch));
  CHECK_EQ(say(alice, type::subscribe, 6, "news"), head(6, 2));
}

CAF_TEST(the answer comes before the first event even in one turn) {
  start(2);
  auto topic = name_on(0, 2);
  auto& publisher = connect(0);
  uint64_t published = 0;
  for (uint32_t loop : {0, 1}) {
    auto& x = connect(loop);
    x.say(type::subscribe, 1, topic);
    for (int i = 0; i < 3; ++i)
      publisher.publish(topic, "x");
    published += 3;
    turn();
    auto frames = x.take();
    REQUIRE_EQ(frames.size(), 4u);
    CHECK(frames[0].type == type::response);
    auto next = frames[0].content.get_as<head_of>()->offset;
    for (size_t i = 1; i < frames.size(); ++i)
      CHECK_EQ(frames[i].meta.offset, ++next);
    CHECK_EQ(next, published);
  }
}

CAF_TEST(a pattern is confirmed without a place) {
  start(3);
  auto& x = connect(1);
  CHECK_EQ(say(x, type::subscribe, 1, "a/+"), "response 1 {}");
  CHECK_EQ(say(x, type::subscribe, 2, "a/b"), head(2, 0));
  connect(2).publish("a/b", "hi");
  turn();
  auto heard = x.heard();
  CHECK(heard == "event a/b @1 \"hi\"; event a/b @1 by a/+ \"hi\""
        || heard == "event a/b @1 by a/+ \"hi\"; event a/b @1 \"hi\"");
}

CAF_TEST(only who missed nothing has recovered) {
  start();
  auto& x = connect();
  x.publish("a", "one");
  x.publish("a", "two");
  turn();
  auto again = [&] {
    x.say(type::unsubscribe, 0, "a");
    turn();
    x.heard();
  };
  CHECK_EQ(subscribe_since(x, 1, "a", "run.1", 2), head(1, 2, true));
  again();
  CHECK_EQ(subscribe_since(x, 2, "a", "run.1", 1), head(2, 2));
  again();
  CHECK_EQ(subscribe_since(x, 3, "a", "run.0", 2), head(3, 2));
  again();
  CHECK_EQ(subscribe_since(x, 4, "a", "", 0), head(4, 2));
  again();
  // The position of one subscribe is not another's.
  CHECK_EQ(say(x, type::subscribe, 1, "a"), head(1, 2));
  CHECK_EQ(subscribe_since(x, 5, "a/+", "run.1", 2),
           "response 5 {\"recovered\":false}");
}

CAF_TEST(a subscription that is there is not made twice) {
  start();
  auto& x = connect();
  say(x, type::subscribe, 1, "a");
  CHECK_EQ(say(x, type::subscribe, 2, "a"), "error 2 already_subscribed");
  say(x, type::unsubscribe, 3, "a");
  CHECK_EQ(say(x, type::subscribe, 4, "a"), head(4, 0));
}

CAF_TEST(unsubscribing ends the events and what waits) {
  start(2);
  auto& x = connect(0);
  CHECK_EQ(say(x, type::unsubscribe, 1, "a"), "error 1 not_subscribed");
  say(x, type::subscribe, 2, "a");
  CHECK_EQ(say(x, type::unsubscribe, 3, "a"), "response 3");
  CHECK_EQ(say(x, type::unsubscribe, 4, "a"), "error 4 not_subscribed");
  x.publish("a", "hi");
  turn();
  CHECK_EQ(x.heard(), "");
  // Before the owner has answered.
  x.say(type::subscribe, 5, "b");
  x.say(type::unsubscribe, 6, "b");
  turn();
  CHECK_EQ(x.heard(), "error 5 cancelled; response 6");
  CHECK_EQ(loops[0]->topics.subscriptions(), 0u);
  CHECK_EQ(loops[0]->topics.topics(), 0u);
}

CAF_TEST(subjects must be well formed) {
  start();
  auto& x = connect();
  for (auto bad : {"", "/", "a//b", "a/", "a\x01", "\xff"}) {
    CHECK_EQ(say(x, type::subscribe, 1, bad).substr(0, 19),
             "error 1 bad_subject");
    CHECK_EQ(say(x, type::publish, 2, bad).substr(0, 19),
             "error 2 bad_subject");
  }
  CHECK_EQ(say(x, type::subscribe, 3, "a/#/b"), "error 3 bad_subject");
  CHECK_EQ(say(x, type::subscribe, 4, "$sys/a"), "error 4 bad_subject");
  CHECK_EQ(say(x, type::publish, 5, "a/+"), "error 5 bad_subject");
  CHECK_EQ(say(x, type::publish, 6, "$sys/a"), "error 6 bad_subject");
  CHECK_EQ(say(x, type::subscribe, 7, std::string(256, 'a')),
           "error 7 bad_subject");
  CHECK_EQ(say(x, type::subscribe, 8, std::string(255, 'a')), head(8, 0));
}

CAF_TEST(as many subscriptions as may be and one more) {
  node.options.subscriptions_max = 3;
  start();
  auto& x = connect();
  CHECK_EQ(say(x, type::subscribe, 1, "a"), head(1, 0));
  CHECK_EQ(say(x, type::subscribe, 2, "b/+"), "response 2 {}");
  CHECK_EQ(say(x, type::subscribe, 3, "c"), head(3, 0, false, "run.2"));
  CHECK_EQ(say(x, type::subscribe, 4, "d"), "error 4 too_many_subscriptions");
  say(x, type::unsubscribe, 5, "a");
  CHECK_EQ(say(x, type::subscribe, 6, "d"), head(6, 0, false, "run.3"));
}

CAF_TEST(a shard with as many topics as may be refuses the next) {
  node.options.topics_max = 1;
  start();
  auto& x = connect();
  say(x, type::subscribe, 1, "a");
  auto frames = (x.say(type::subscribe, 2, "b"), turn(), x.take());
  REQUIRE_EQ(frames.size(), 1u);
  CHECK_EQ(frames[0].words(), "error 2 overloaded");
  CHECK_GT(frames[0].meta.retry_after_ms, 0u);
  CHECK_EQ(say(x, type::publish, 3, "b"), "error 3 overloaded");
  CHECK_EQ(x->state(), connection_state::connected);
  CHECK_EQ(loops[0]->topics.subscriptions(), 1u);
}

// -- publishing ---------------------------------------------------------------

CAF_TEST(a publication with seqId 0 is never answered) {
  node.options.topics_max = 1;
  node.rights.authorize = [](auto&, auto, std::string_view subject) {
    return subject != "forbidden";
  };
  start();
  auto& x = connect();
  for (auto topic : {"a", "full", "forbidden", "bad//subject"}) {
    x.publish(topic, "hi");
    turn();
    CHECK_EQ(x.heard(), "");
  }
  CHECK_EQ(loops[0]->metrics.publications->value(), 1);
}

CAF_TEST(no echo keeps an event from its publisher only) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(alice, type::subscribe, 1, "a");
  say(bob, type::subscribe, 1, "a");
  alice.publish("a", "mine", 2, true);
  alice.publish("a", "all", 0);
  turn();
  CHECK_EQ(alice.heard(), accepted(2, 1) + "; event a @2 \"all\"");
  CHECK_EQ(bob.heard(), "event a @1 \"mine\"; event a @2 \"all\"");
}

CAF_TEST(an id is accepted once and answered alike) {
  start();
  auto& alice = connect(0, "alice");
  auto& same = connect(0, "alice");
  auto& bob = connect(0, "bob");
  say(bob, type::subscribe, 1, "a");
  alice.publish("a", "one", 1, false, "x");
  same.publish("a", "one", 2, false, "x");
  bob.publish("a", "other", 3, false, "x");
  turn();
  CHECK_EQ(alice.heard(), accepted(1, 1));
  CHECK_EQ(same.heard(), accepted(2, 1));
  CHECK_EQ(bob.take().size(), 3u);
  pass(5min);
  alice.publish("a", "one", 4, false, "x");
  turn();
  CHECK_EQ(alice.heard(), accepted(4, 3));
}

CAF_TEST(the trace goes along) {
  start();
  auto& x = connect();
  say(x, type::subscribe, 1, "a");
  frame_view y;
  y.type = type::publish;
  y.subject = "a";
  y.meta.mark(meta_key::trace);
  y.meta.trace = "00-ab-cd-01";
  x.say(y);
  turn();
  auto frames = x.take();
  REQUIRE_EQ(frames.size(), 1u);
  CHECK_EQ(frames[0].trace, "00-ab-cd-01");
}

// -- rights -------------------------------------------------------------------

CAF_TEST(the application decides who may do what) {
  std::vector<std::string> asked;
  node.rights.authorize = [&](const identity& who, operation what,
                              std::string_view subject) {
    asked.push_back(who.user + ' ' + std::string{to_string(what)} + ' '
                    + std::string{subject});
    if (subject == "throw")
      throw std::runtime_error{"no"};
    return subject == "yes";
  };
  start();
  auto& x = connect(0, "alice");
  for (auto subject : {"no", "throw"}) {
    for (auto what :
         {type::subscribe, type::publish, type::request, type::register_action})
      CHECK_EQ(say(x, what, 1, subject), "error 1 forbidden");
  }
  CHECK_EQ(asked, (std::vector<std::string>{
                    "alice subscribe no", "alice publish no",
                    "alice request no", "alice register no",
                    "alice subscribe throw", "alice publish throw",
                    "alice request throw", "alice register throw"}));
  CHECK_EQ(say(x, type::subscribe, 2, "yes"), head(2, 0));
  CHECK_EQ(say(x, type::register_action, 3, "yes"), "response 3");
}

END_FIXTURE_SCOPE()
