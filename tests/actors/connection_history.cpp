// What a connection gets of a topic's past.

#include <callboard/actors/connection.hpp>

#include <string>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : node_fixture {
  fixture() {
    node.options.topics.push_back({"last/+", {.retain = true}});
    node.options.topics.push_back({"none/+", {}});
    node.options.topics.push_back({"#", {.history_size = 10}});
  }

  static void send_since(client& x, const std::string& topic, uint64_t offset,
                         const std::string& epoch = "run.1") {
    frame_view y;
    y.type = type::subscribe;
    y.seq_id = 1;
    y.subject = topic;
    y.meta.mark(meta_key::since);
    y.meta.since = {epoch, offset};
    x.say(y);
  }

  std::string subscribe_since(client& x, const std::string& topic,
                              uint64_t offset,
                              const std::string& epoch = "run.1") {
    send_since(x, topic, offset, epoch);
    turn();
    return x.heard();
  }

  void publish(client& x, const std::string& topic, int n) {
    for (int i = 0; i < n; ++i)
      x.publish(topic, std::to_string(++published));
    turn();
  }

  static std::string head(int offset, bool recovered) {
    return "response 1 {\"epoch\":\"run.1\",\"offset\":"
           + std::to_string(offset)
           + ",\"recovered\":" + (recovered ? "true" : "false") + '}';
  }

  std::string ask_history(client& x, const std::string& json,
                          const std::string& action = "callboard.history") {
    return say(x, type::request, 9, action, *payload::from_json(json));
  }

  int published = 0;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a client that comes back gets what it missed on any loop) {
  start(3);
  auto& alice = connect(1);
  for (uint32_t loop : {0, 1, 2}) {
    published = 0;
    auto topic = name_on(0, 3, "t" + std::to_string(loop));
    publish(alice, topic, 4);
    auto epoch = "run." + std::to_string(loop + 1);
    auto& bob = connect(loop);
    auto heard = subscribe_since(bob, topic, 2, epoch);
    CHECK_EQ(heard, "response 1 {\"epoch\":\"" + epoch
                      + "\",\"offset\":4,\"recovered\":true}; event " + topic
                      + " @3 \"3\"; event " + topic + " @4 \"4\"");
    publish(alice, topic, 1);
    CHECK_EQ(bob.heard(), "event " + topic + " @5 \"5\"");
    CHECK_EQ(loops[loop]->metrics.recoveries_whole->value(), 1);
  }
}

CAF_TEST(as many as are kept can be missed and one more is lost) {
  start();
  auto& alice = connect();
  publish(alice, "a", 15);
  auto& bob = connect();
  CHECK_EQ(subscribe_since(bob, "a", 4), head(15, false));
  say(bob, type::unsubscribe, 2, "a");
  CHECK(subscribe_since(bob, "a", 5).starts_with(head(15, true) + "; event"));
  CHECK_EQ(loops[0]->metrics.recoveries_lost->value(), 1);
}

CAF_TEST(nothing is missed or doubled while publishing goes on) {
  node.options.topics = {{"#", {.history_size = 5000}}};
  start(2);
  auto topic = name_on(0, 2);
  auto& alice = connect(0);
  uint64_t sent = 0;
  auto publish_some = [&](int n) {
    for (int i = 0; i < n; ++i)
      alice.publish(topic, std::to_string(++sent));
  };
  publish_some(2000);
  turn();
  struct reader {
    client* who;
    uint64_t last;
  };
  std::vector<reader> readers;
  for (uint64_t i = 0; i < 20; ++i) {
    readers.push_back({&connect(i % 2), i * 100});
    send_since(*readers.back().who, topic, i * 100);
    publish_some(10);
    step();
  }
  for (int i = 0; i < 50; ++i) {
    publish_some(7);
    step();
  }
  turn();
  for (auto& [who, last] : readers) {
    auto frames = who->take();
    REQUIRE(!frames.empty());
    CHECK(frames[0].type == type::response);
    CHECK(frames[0].words().ends_with("\"recovered\":true}"));
    for (size_t i = 1; i < frames.size(); ++i)
      REQUIRE_EQ(frames[i].meta.offset, ++last);
    CHECK_EQ(last, sent);
  }
}

CAF_TEST(a shard that dies takes its history along) {
  start(2);
  auto topic = name_on(0, 2);
  auto& alice = connect(0);
  publish(alice, topic, 3);
  auto& bob = connect(1);
  kill(loops[0]->brokers[0].actor);
  install(0, make_broker(0));
  CHECK(subscribe_since(bob, topic, 1).ends_with("\"recovered\":false}"));
  publish(alice, topic, 1);
  CHECK_EQ(bob.heard(), "event " + topic + " @1 \"4\"");
}

CAF_TEST(a client that waits for its past when the shard dies is answered) {
  start(2);
  auto topic = name_on(0, 2);
  auto& alice = connect(1);
  say(alice, type::subscribe, 1, topic);
  publish(alice, topic, 3);
  auto& bob = connect(1);
  send_since(bob, topic, 1);
  // The question is on its way to the dead shard.
  caf::anon_send_exit(loops[0]->brokers[0].actor, caf::exit_reason::kill);
  turn();
  CHECK_EQ(bob.heard(), "");
  install(0, make_broker(0));
  turn();
  CHECK(bob.heard().ends_with("\"recovered\":false}"));
}

// -- last values --------------------------------------------------------------

CAF_TEST(a newcomer on any loop gets the last value after its answer) {
  start(2);
  auto topic = name_on(0, 2, "last/");
  REQUIRE(topic.starts_with("last/"));
  auto& alice = connect(0);
  publish(alice, topic, 2);
  for (uint32_t loop : {0, 1, 1})
    CHECK_EQ(say(connect(loop), type::subscribe, 1, topic),
             head(2, false) + "; event " + topic + " @2 retained \"2\"");
  alice.say(type::publish, 0, topic);
  turn();
  CHECK_EQ(say(connect(1), type::subscribe, 1, topic), head(3, false));
  CHECK_EQ(say(connect(0), type::subscribe, 1, topic), head(3, false));
}

// -- questions ----------------------------------------------------------------

CAF_TEST(a client reads what a topic keeps) {
  start(2);
  auto topic = name_on(1, 2);
  auto& alice = connect(0, "alice");
  publish(alice, topic, 12);
  auto& bob = connect(0);
  auto heard = ask_history(bob, "{\"topic\":\"" + topic + "\",\"limit\":2}");
  auto stamp = std::to_string(loops[0]->unix_ms);
  auto event = [&](int n) {
    return "{\"offset\":" + std::to_string(n) + ",\"timestamp\":" + stamp
           + ",\"sender\":\"alice\",\"payload\":\"" + std::to_string(n) + "\"}";
  };
  auto answer = [&](bool more, const std::string& events) {
    return std::string{"response 9 {\"epoch\":\"run.1\",\"offset\":12,"}
           + "\"more\":" + (more ? "true" : "false") + ",\"events\":[" + events
           + "]}";
  };
  CHECK_EQ(heard, answer(true, event(3) + ',' + event(4)));
  auto asked = [&](const std::string& rest) {
    return ask_history(bob, "{\"topic\":\"" + topic + "\"," + rest + '}');
  };
  CHECK_EQ(asked("\"since\":{\"epoch\":\"run.1\",\"offset\":11}"),
           answer(false, event(12)));
  CHECK_EQ(asked("\"since\":{\"epoch\":\"run.1\",\"offset\":12}"),
           answer(false, ""));
  CHECK_EQ(asked("\"since\":{\"epoch\":\"other\",\"offset\":11},"
                 "\"limit\":1"),
           answer(true, event(3)));
  CHECK_EQ(asked("\"before\":5,\"reverse\":true"),
           answer(false, event(4) + ',' + event(3)));
  CHECK_EQ(asked("\"limit\":2,\"reverse\":true"),
           answer(true, event(12) + ',' + event(11)));
  CHECK_EQ(asked("\"before\":3"), answer(false, ""));
  CHECK_EQ(ask_history(bob, "{\"topic\":\"" + topic + "\"}",
                       "callboard.position"),
           "response 9 {\"epoch\":\"run.1\",\"offset\":12}");
  // A topic that nobody used stands at its beginning.
  CHECK(ask_history(bob, R"({"topic":"fresh"})").ends_with("\"events\":[]}"));
}

CAF_TEST(an answer says of an event what a live one does in both codecs) {
  node.options.group_attempts_max = 1;
  node.options.topics.insert(node.options.topics.begin(),
                             {"$dead/+", {.history_size = 10}});
  start(2);
  auto topic = name_on(1, 2);
  auto& alice = connect(0, "alice");
  auto& worker = connect(1);
  frame_view join;
  join.type = type::subscribe;
  join.seq_id = 1;
  join.subject = topic;
  join.meta.mark(meta_key::group);
  join.meta.group = "g";
  join.meta.mark(meta_key::ack);
  join.meta.ack = true;
  say(worker, join);
  auto value = text("x");
  frame_view y;
  y.type = type::publish;
  y.subject = topic;
  y.payload = value.view();
  y.meta.mark(meta_key::key);
  y.meta.key = "k";
  y.meta.mark(meta_key::trace);
  y.meta.trace = "00-1";
  say(alice, y);
  // Nobody else may try, so that it becomes a dead letter.
  say(worker, type::error, 1, "overloaded");
  auto tail = [&](const std::string& rest) {
    return "\"more\":false,\"events\":[{\"offset\":1,\"timestamp\":"
           + std::to_string(loops[0]->unix_ms)
           + ",\"sender\":\"alice\",\"trace\":\"00-1\",\"key\":\"k\"" + rest
           + ",\"payload\":\"x\"}]}";
  };
  for (auto form : {wire_form::msgpack, wire_form::json}) {
    auto& reader = open(0, {}, false, form);
    reader.heard();
    auto json = "{\"topic\":\"" + topic + "\"}";
    CHECK(ask_history(reader, json).ends_with(tail("")));
    json = "{\"topic\":\"$dead/" + topic + "\"}";
    CHECK(ask_history(reader, json)
            .ends_with(tail(",\"origin\":\"g\",\"attempt\":1")));
  }
}

CAF_TEST(an answer ends where it would be too long) {
  node.options.frame_bytes_max = 1000;
  start();
  auto& alice = connect();
  for (int i = 0; i < 10; ++i)
    alice.publish("a", std::string(600, 'x'));
  turn();
  auto heard = ask_history(alice, R"({"topic":"a"})");
  CHECK(heard.starts_with("response 9 {\"epoch\":\"run.1\",\"offset\":10,"
                          "\"more\":true,\"events\":[{\"offset\":1,"));
  CHECK_EQ(heard.find("\"offset\":2"), std::string::npos);
}

CAF_TEST(a question that cannot be is told why) {
  node.rights.authorize = [](const identity&, operation what,
                             std::string_view subject) {
    return what != operation::subscribe || subject != "secret";
  };
  node.options.inflight_max = 1;
  start(2);
  auto& x = connect();
  for (auto* wrong :
       {"null", "{}", "7", R"({"topic":7})", R"({"topic":""})",
        R"({"topic":"a","limit":0})", R"({"topic":"a","limit":1001})",
        R"({"topic":"a","before":-1})"})
    CHECK_EQ(ask_history(x, wrong), "error 9 bad_payload");
  CHECK(ask_history(x, R"({"topic":"a","limit":1000})").starts_with("resp"));
  CHECK_EQ(ask_history(x, R"({"topic":"a//b"})"), "error 9 bad_subject");
  CHECK_EQ(ask_history(x, R"({"topic":"a/+"})"), "error 9 bad_subject");
  CHECK_EQ(ask_history(x, R"({"topic":"secret"})"), "error 9 forbidden");
  // It is in flight like any other.
  auto far = *payload::from_json("{\"topic\":\"" + name_on(1, 2) + "\"}");
  x.say(type::request, 1, "callboard.position", far);
  x.say(type::request, 1, "callboard.position", far);
  x.say(type::request, 2, "callboard.position", far);
  loops[0]->flush();
  CHECK_EQ(x.heard(), "error 1 duplicate_seq_id; error 2 too_many_inflight");
  turn();
  CHECK(x.heard().starts_with("response 1 "));
}

CAF_TEST(a question can be cancelled) {
  start(2);
  auto& x = connect();
  x.say(type::request, 1, "callboard.position",
        *payload::from_json("{\"topic\":\"" + name_on(1, 2) + "\"}"));
  CHECK_EQ(say(x, type::cancel, 1), "error 1 cancelled");
}

CAF_TEST(a seqId is free when its subscription was cancelled) {
  start(2);
  auto topic = name_on(1, 2);
  auto& alice = connect(0);
  say(alice, type::subscribe, 1, topic);
  publish(alice, topic, 3);
  auto& bob = connect(0);
  send_since(bob, topic, 1);
  CHECK_EQ(say(bob, type::unsubscribe, 2, topic),
           "error 1 cancelled; response 2");
  CHECK(subscribe_since(bob, topic, 1).starts_with(head(3, true) + "; event"));
}

CAF_TEST(a loop whose own shard died hears of what it lost) {
  start(2);
  auto topic = name_on(1, 2);
  auto& alice = connect(1);
  auto& bob = connect(0);
  say(bob, type::subscribe, 1, topic);
  publish(alice, topic, 1);
  bob.heard();
  // The next event dies in the mailbox of the loop's shard.
  caf::anon_send_exit(loops[0]->brokers[0].actor, caf::exit_reason::kill);
  publish(alice, topic, 1);
  CHECK_EQ(bob.heard(), "");
  auto& carol = connect(0);
  install(0, make_broker(0));
  turn();
  CHECK_EQ(bob.heard(), "position " + topic
                          + " {\"epoch\":\"run.1\",\"offset\":2,"
                            "\"reason\":\"events lost\"}");
  CHECK(
    subscribe_since(carol, topic, 0).starts_with(head(2, true) + "; event"));
  publish(alice, topic, 1);
  CHECK_EQ(bob.heard(), "event " + topic + " @3 \"3\"");
}

CAF_TEST(a question that a dead shard had is answered) {
  start(2);
  auto& x = connect();
  caf::anon_send_exit(loops[0]->brokers[1].actor, caf::exit_reason::kill);
  x.say(type::request, 1, "callboard.position",
        *payload::from_json("{\"topic\":\"" + name_on(1, 2) + "\"}"));
  turn();
  CHECK_EQ(x.heard(), "");
  install(1, make_broker(1));
  turn();
  CHECK_EQ(x.heard(), "error 1 internal");
}

END_FIXTURE_SCOPE()
