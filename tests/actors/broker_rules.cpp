// Rules that change while a node runs, and rules about publishing.

#include <callboard/actors/broker.hpp>

#include <string>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

rule_set_ptr make_rules(std::vector<topic_rule> x) {
  return caf::make_counted<rule_set>(std::move(x));
}

struct fixture : node_fixture {
  /// Lets all shards go by other rules.
  /// @returns how many topics keep another durability.
  uint64_t reload(std::vector<topic_rule> x) {
    auto rules = make_rules(std::move(x));
    uint64_t result = 0;
    for (auto& shard : loops[0]->brokers)
      ask(shard.actor, reload_atom_v, rules)
        .receive([&](uint64_t n) { result += n; },
                 [](const caf::error& why) { CAF_FAIL(why); });
    return result;
  }

  /// Publishes, and returns the answer.
  std::string publish(client& x, const std::string& topic, uint32_t seq_id = 1,
                      const std::string& text = "x") {
    x.publish(topic, text, seq_id);
    turn();
    return x.heard();
  }

  /// Returns the answer in a word: "response", or the error's name.
  std::string outcome(client& x, const std::string& topic,
                      const std::string& text = "x") {
    auto words = publish(x, topic, 1, text);
    return words.starts_with("response") ? "response" : words;
  }

  int64_t kept(client& x, const std::string& topic) {
    auto page = say(x, type::request, 9, "callboard.history",
                    *payload::from_json("{\"topic\":\"" + topic + "\"}"));
    int64_t n = 0;
    for (size_t at = 0; (at = page.find("\"sender\"", at)) != page.npos; ++at)
      ++n;
    return n;
  }

  int64_t refusals(publish_refusal x) const {
    int64_t result = 0;
    for (auto& ctx : loops)
      result += ctx->metrics.refusals_by(x)->value();
    return result;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- other rules --------------------------------------------------------------

CAF_TEST(topics of all shards keep what the new rules say) {
  node.options.topics = {{"#", {.history_size = 10}}};
  start(2);
  auto& x = connect();
  for (uint32_t shard : {0, 1}) {
    auto topic = name_on(shard, 2);
    for (int i = 0; i < 8; ++i)
      publish(x, topic);
    CHECK_EQ(kept(x, topic), 8);
  }
  CHECK_EQ(reload({{"#", {.history_size = 3}}}), 0u);
  for (uint32_t shard : {0, 1}) {
    auto topic = name_on(shard, 2);
    CHECK_EQ(kept(x, topic), 3);
    publish(x, topic);
    CHECK_EQ(kept(x, topic), 3);
  }
  CHECK(loops[0]->metrics.history_bytes->value() > 0);
  reload({});
  CHECK_EQ(kept(x, name_on(0, 2)), 0);
  CHECK_EQ(loops[0]->metrics.history_bytes->value(), 0);
}

CAF_TEST(presence comes and goes with the rules) {
  start();
  auto& alice = connect(0, "alice");
  say(alice, type::subscribe, 1, "a");
  auto count = [&](client& x) {
    return say(x, type::request, 9, "callboard.presence_count",
               *payload::from_json("{\"topic\":\"a\"}"));
  };
  auto watch = [&](client& x) {
    frame_view y;
    y.type = type::subscribe;
    y.seq_id = 2;
    y.subject = "a";
    y.meta.mark(meta_key::presence);
    y.meta.presence = true;
    return say(x, y);
  };
  auto& bob = connect();
  CHECK_EQ(count(bob), "error 9 no_presence");
  CHECK_EQ(watch(bob), "error 2 no_presence");
  reload({{"#", {.presence = true}}});
  CHECK_EQ(count(bob), "response 9 {\"members\":1,\"connections\":1}");
  CHECK(watch(bob).starts_with("response 2 {"));
  CHECK_EQ(count(bob), "response 9 {\"members\":2,\"connections\":2}");
  pass(1s);
  bob.heard();
  reload({});
  CHECK_EQ(bob.heard(), "presence a [{\"event\":\"reset\"}]");
  CHECK_EQ(count(bob), "error 9 no_presence");
  // Those who were there linger, and then nobody is left.
  pass(10s);
  CHECK_EQ(loops[0]->metrics.presence_members->value(), 0);
  CHECK_EQ(bob.heard(), "");
}

CAF_TEST(many topics and rules take many steps) {
  node.options.topics = {{"#", {.history_size = 10}}};
  start();
  auto& x = connect();
  for (int i = 0; i < 40; ++i)
    publish(x, "t/" + std::to_string(i));
  // Ten topics would be too much for one step.
  std::vector<topic_rule> many;
  for (int i = 0; i < 10'000; ++i)
    many.push_back({"r/" + std::to_string(i), {}});
  auto answer = self->request(loops[0]->brokers[0].actor, caf::infinite,
                              reload_atom_v, make_rules(std::move(many)));
  turn();
  CHECK(loops[0]->metrics.history_bytes->value() > 0);
  // What is new does not wait.
  publish(x, "new");
  CHECK_EQ(kept(x, "new"), 0);
  pass(1s);
  auto answered = false;
  answer.receive([&](uint64_t) { answered = true; },
                 [](const caf::error& why) { CAF_FAIL(why); });
  CHECK(answered);
  CHECK_EQ(loops[0]->metrics.history_bytes->value(), 0);
}

CAF_TEST(the last of several rules holds and all are answered) {
  node.options.topics = {{"#", {.history_size = 10}}};
  start();
  auto& x = connect();
  for (int i = 0; i < 40; ++i)
    publish(x, "t/" + std::to_string(i));
  std::vector<topic_rule> many;
  for (int i = 0; i < 10'000; ++i)
    many.push_back({"r/" + std::to_string(i), {}});
  auto& shard = loops[0]->brokers[0].actor;
  auto first = self->request(shard, caf::infinite, reload_atom_v,
                             make_rules(std::move(many)));
  auto second
    = self->request(shard, caf::infinite, reload_atom_v,
                    make_rules({{"t/7", {}}, {"#", {.history_size = 10}}}));
  turn();
  pass(1s);
  auto answers = 0;
  for (auto* y : {&first, &second})
    y->receive([&](uint64_t) { ++answers; },
               [](const caf::error& why) { CAF_FAIL(why); });
  CHECK_EQ(answers, 2);
  CHECK_EQ(kept(x, "t/7"), 0);
  publish(x, "t/8");
  CHECK(kept(x, "t/8") > 0);
}

CAF_TEST(a shard that ends meanwhile leaves nobody waiting) {
  node.options.topics = {{"#", {.history_size = 10}}};
  start();
  auto& x = connect();
  for (int i = 0; i < 40; ++i)
    publish(x, "t/" + std::to_string(i));
  std::vector<topic_rule> many;
  for (int i = 0; i < 10'000; ++i)
    many.push_back({"r/" + std::to_string(i), {}});
  auto answer = self->request(loops[0]->brokers[0].actor, caf::infinite,
                              reload_atom_v, make_rules(std::move(many)));
  turn();
  kill(loops[0]->brokers[0].actor);
  install(0, make_broker(0));
  turn();
  auto failed = false;
  answer.receive([](uint64_t) {}, [&](const caf::error&) { failed = true; });
  CHECK(failed);
  // The loop knows the rules, and so does its new shard.
  publish(x, "t/1");
  CHECK_EQ(kept(x, "t/1"), 0);
}

// -- rules about publishing ---------------------------------------------------

CAF_TEST(a payload may be as large as its topic takes and no larger) {
  // A text of n bytes, n below 32, has n + 1.
  node.options.topics = {{"small/+", {.payload_bytes_max = 10}}};
  start(2);
  auto& x = connect();
  CHECK_EQ(outcome(x, "small/a", "123456789"), "response");
  CHECK_EQ(outcome(x, "small/a", "1234567890"), "error 1 frame_too_large");
  CHECK_EQ(outcome(x, "large", "1234567890"), "response");
  CHECK(x.alive());
  CHECK_EQ(refusals(publish_refusal::payload_bytes), 1);
  // Nothing of it is left, and nobody hears of it who does not want to.
  CHECK_EQ(publish(x, "small/a", 0, "1234567890"), "");
  CHECK_EQ(refusals(publish_refusal::payload_bytes), 2);
  CHECK_EQ(publish(x, "small/a", 2),
           "response 2 {\"epoch\":\"run.1\",\"offset\":2}");
  reload({{"small/+", {.payload_bytes_max = 11}}});
  CHECK_EQ(outcome(x, "small/a", "1234567890"), "response");
}

CAF_TEST(clients do not publish where only the application does) {
  node.options.topics = {{"news", {.publishers = publishers::server}},
                         {"$user/+", {.publishers = publishers::server}}};
  start();
  auto& x = connect();
  auto& reader = connect(0, "ann");
  say(reader, type::subscribe, 1, "news");
  CHECK_EQ(outcome(x, "news"), "error 1 forbidden");
  CHECK_EQ(outcome(x, "other"), "response");
  CHECK_EQ(say(x, type::request, 3, "callboard.push",
               *payload::from_json("{\"user\":\"ann\",\"payload\":1}")),
           "error 3 forbidden");
  CHECK_EQ(refusals(publish_refusal::publishers), 2);
  CHECK_EQ(reader.heard(), "");
  auto own = caf::make_counted<publication>();
  own->topic = "news";
  own->payload = text("x");
  loops[0]->brokers[0].waiting->add(own->cost());
  caf::anon_send(loops[0]->brokers[0].actor, publish_atom_v, own);
  turn();
  CHECK_EQ(reader.heard(), "event news @1 \"x\"");
}

CAF_TEST(a topic takes so much a second from all clients together) {
  node.options.topics = {{"slow/+", {.publish_rate = 2, .publish_burst = 3}}};
  start(2);
  auto topic = name_on(1, 2, "slow/");
  auto& x = connect(0);
  auto& y = connect(1);
  CHECK_EQ(outcome(x, topic), "response");
  CHECK_EQ(outcome(y, topic), "response");
  CHECK_EQ(outcome(x, topic), "response");
  y.publish(topic, "x", 4);
  turn();
  auto frames = y.take();
  REQUIRE_EQ(frames.size(), 1u);
  CHECK_EQ(frames[0].words(), "error 4 rate_limited");
  CHECK_EQ(frames[0].meta.retry_after_ms, 500u);
  CHECK_EQ(refusals(publish_refusal::rate), 1);
  // Not even the owner has room for it before.
  pass(499ms);
  CHECK_EQ(outcome(y, topic), "error 1 rate_limited");
  pass(1ms);
  CHECK_EQ(publish(y, topic, 5),
           "response 5 {\"epoch\":\"run.1\",\"offset\":4}");
  CHECK_EQ(loops[1]->brokers[1].waiting->count(), 0);
}

CAF_TEST(a rule that comes later limits at once) {
  start();
  auto& x = connect();
  for (int i = 0; i < 5; ++i)
    CHECK_EQ(outcome(x, "a"), "response");
  reload({{"a", {.publish_rate = 1}}});
  CHECK_EQ(outcome(x, "a"), "response");
  CHECK_EQ(outcome(x, "a"), "error 1 rate_limited");
  reload({});
  CHECK_EQ(outcome(x, "a"), "response");
}

CAF_TEST(another rate brings no burst) {
  node.options.topics = {{"a", {.publish_rate = 1, .publish_burst = 2}}};
  start();
  auto& x = connect();
  CHECK_EQ(outcome(x, "a"), "response");
  CHECK_EQ(outcome(x, "a"), "response");
  reload({{"a", {.publish_rate = 2, .publish_burst = 10}}});
  CHECK_EQ(outcome(x, "a"), "error 1 rate_limited");
  pass(500ms);
  CHECK_EQ(outcome(x, "a"), "response");
  CHECK_EQ(outcome(x, "a"), "error 1 rate_limited");
}

END_FIXTURE_SCOPE()
