// What is under way when a broker shard dies, where the loops learn of the one
// in its place at different moments.

#include <callboard/actors/broker.hpp>

#include <string>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

/// Shard 1 owns the topic; it is the shard of loop 0 that dies.
struct fixture : node_fixture {
  fixture() {
    node.options.topics.push_back({"#", {.presence = true}});
    start(2);
  }

  std::string watch(client& x) {
    frame_view y;
    y.type = type::subscribe;
    y.seq_id = 1;
    y.subject = topic;
    y.meta.mark(meta_key::presence);
    y.meta.presence = true;
    return say(x, y);
  }

  void kill_shard() {
    caf::anon_send_exit(loops[0]->brokers[0].actor, caf::exit_reason::kill);
  }

  std::string topic = name_on(1, 2);
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a question of history is answered by the owner all the same) {
  auto& x = connect(0);
  kill_shard();
  x.say(type::request, 1, "callboard.position",
        *payload::from_json("{\"topic\":\"" + topic + "\"}"));
  install(0, make_broker(0));
  turn();
  CHECK_EQ(x.heard(), "response 1 {\"epoch\":\"run.1\",\"offset\":0}");
}

CAF_TEST(who waits for a topic gets it although its loop learned first) {
  auto& bob = connect(0);
  bob.say(type::subscribe, 1, topic);
  kill_shard();
  auto shard = make_broker(0);
  install_on(*loops[0], 0, shard);
  // The owner's loop still sends to the dead one.
  turn();
  CHECK_EQ(bob.heard(), "");
  install_on(*loops[1], 0, shard);
  turn();
  CHECK_EQ(bob.heard(),
           "response 1 {\"epoch\":\"run.1\",\"offset\":0,\"recovered\":false}");
  connect(1).publish(topic, "x");
  turn();
  CHECK_EQ(bob.heard(), "event " + topic + " @1 \"x\"");
}

CAF_TEST(who has it by a pattern is told once when all know the new one) {
  auto& x = connect(0);
  say(x, type::subscribe, 1, "#");
  kill_shard();
  auto shard = make_broker(0);
  install_on(*loops[0], 0, shard);
  // The other loop still sends to the dead one.
  turn();
  connect(1).publish(topic, "x");
  turn();
  CHECK_EQ(x.heard(), "");
  install_on(*loops[1], 0, shard);
  turn();
  CHECK_EQ(x.heard(), "position # {\"reason\":\"events lost\"}");
  connect(1).publish(topic, "y");
  turn();
  CHECK_EQ(x.heard(), "event " + topic + " @2 by # \"y\"");
}

CAF_TEST(news that went to the dead one are followed by a reset) {
  auto& watcher = connect(0, "watcher");
  watch(watcher);
  pass(1s);
  watcher.heard();
  kill_shard();
  auto shard = make_broker(0);
  install_on(*loops[0], 0, shard);
  turn();
  auto& alice = connect(1, "alice");
  say(alice, type::subscribe, 1, topic);
  pass(1s);
  CHECK(watcher.heard().find("join") == std::string::npos);
  install_on(*loops[1], 0, shard);
  turn();
  CHECK_EQ(watcher.heard(), "presence " + topic + " [{\"event\":\"reset\"}]");
  say(alice, type::unsubscribe, 2, topic);
  pass(6s);
  CHECK(watcher.heard().find("\"leave\"") != std::string::npos);
}

END_FIXTURE_SCOPE()
