// What applications read of a topic's past.

#include <callboard/actors/server_actor.hpp>

#include <string>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using type = frame_type;

namespace {

struct fixture : node_fixture {
  fixture() {
    node.options.topics.push_back({"none/#", {}});
    node.options.topics.push_back({"#", {.history_size = 10}});
    node.options.topics.push_back({"$user/+", {.history_size = 10}});
    server = start_server();
  }

  ~fixture() override {
    kill(server);
  }

  void publish(const std::string& topic, int n,
               const std::string& content = "x") {
    for (int i = 0; i < n; ++i)
      caf::anon_send(server, publish_atom_v, topic, text(content));
    turn();
  }

  /// Returns the offsets of what is found, after where the topic stands and
  /// before "…" if there is more.
  static std::string words(const history_page& x) {
    auto result = x.head.epoch + '@' + std::to_string(x.head.offset) + ':';
    for (auto& y : x.events)
      result += ' ' + std::to_string(y.offset);
    return result + (x.more ? " …" : "");
  }

  template <class Handle>
  static std::string words_of_page(Handle&& x) {
    std::string result;
    x.receive([&](const history_page& y) { result = words(y); },
              [&](const caf::error& y) { result = words_of(y); });
    return result;
  }

  std::string read(const std::string& topic, history_options x = {}) {
    return words_of_page(ask(server, history_atom_v, topic, std::move(x)));
  }

  std::string where(const std::string& topic) {
    std::string result;
    ask(server, history_atom_v, topic)
      .receive(
        [&](const position& x) {
          result = x.epoch + '@' + std::to_string(x.offset);
        },
        [&](const caf::error& x) { result = words_of(x); });
    return result;
  }

  server_handle server;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(an application pages through what a topic keeps) {
  for (uint32_t shard : {0, 1}) {
    auto topic = name_on(shard, 2);
    auto epoch = "run." + std::to_string(shard + 1);
    publish(topic, 12);
    CHECK_EQ(read(topic), epoch + "@12: 3 4 5 6 7 8 9 10 11 12");
    CHECK_EQ(read(topic, {.limit = 4}), epoch + "@12: 3 4 5 6 …");
    CHECK_EQ(read(topic, {.since = {epoch, 6}, .limit = 4}),
             epoch + "@12: 7 8 9 10 …");
    CHECK_EQ(read(topic, {.since = {epoch, 10}, .limit = 4}),
             epoch + "@12: 11 12");
    CHECK_EQ(read(topic, {.since = {epoch, 12}}), epoch + "@12:");
    CHECK_EQ(read(topic, {.since = {"other", 11}, .limit = 1}),
             epoch + "@12: 3 …");
    CHECK_EQ(read(topic, {.limit = 2, .reverse = true}),
             epoch + "@12: 12 11 …");
    CHECK_EQ(read(topic, {.before = 5, .limit = 2, .reverse = true}),
             epoch + "@12: 4 3");
    CHECK_EQ(read(topic, {.before = 3}), epoch + "@12:");
    CHECK_EQ(where(topic), epoch + "@12");
  }
  // One that nobody used stands at its beginning.
  CHECK_EQ(read("fresh"), "run.3@0:");
  publish("none/a", 2);
  CHECK_EQ(read("none/a"), "run.4@2:");
  for (auto& x : loops[0]->brokers)
    CHECK_EQ(x.waiting->count(), 0);
}

CAF_TEST(a page says of an event what a live one does) {
  auto& alice = connect(1, "alice");
  auto value = text("one");
  frame_view y;
  y.type = type::publish;
  y.subject = "a";
  y.payload = value.view();
  y.meta.mark(meta_key::key);
  y.meta.key = "k";
  alice.say(y);
  turn();
  auto found = false;
  ask(server, history_atom_v, std::string{"a"}, history_options{})
    .receive(
      [&](const history_page& x) {
        REQUIRE_EQ(x.events.size(), 1u);
        auto& event = x.events[0];
        CHECK_EQ(event.topic, "a");
        CHECK_EQ(event.epoch, x.head.epoch);
        CHECK_EQ(event.offset, 1u);
        CHECK_EQ(event.sender, "alice");
        CHECK_EQ(event.timestamp, loops[0]->unix_ms);
        CHECK_EQ(event.key, "k");
        CHECK_EQ(text_of(event.payload), "one");
        CHECK(!event.retained);
        found = true;
      },
      [](const caf::error& e) { CAF_FAIL(e); });
  CHECK(found);
}

CAF_TEST(what is pushed to a user can be read) {
  ask(server, push_atom_v, std::string{"ann"}, text("x"))
    .receive([](const position&) {}, [](const caf::error& e) { CAF_FAIL(e); });
  CHECK_EQ(read("$user/ann"), "run.1@1: 1");
  CHECK_EQ(where("$user/ann"), "run.1@1");
}

CAF_TEST(a page has as many events and bytes as may be) {
  node.options.outbox_bytes_max = 2000;
  publish("a", 10, std::string(600, 'x'));
  CHECK_EQ(read("a"), "run.1@10: 1 2 …");
  CHECK_EQ(read("a", {.reverse = true}), "run.1@10: 10 9 …");
  publish("b", 2, std::string(3000, 'x'));
  CHECK_EQ(read("b"), "run.2@2: 1 …");
  CHECK(read("a", {.limit = 1000}).starts_with("run.1"));
  CHECK_EQ(read("a", {.limit = 1001}), "bad_payload");
  CHECK_EQ(read("a", {.limit = 0}), "bad_payload");
  CHECK(read("a", {.since = {std::string(255, 'e'), 1}}).starts_with("run.1"));
  CHECK_EQ(read("a", {.since = {std::string(256, 'e'), 1}}), "bad_payload");
}

CAF_TEST(a question that cannot be is told why) {
  for (auto topic : {"", "a//b", "a/+", "$sys/a", "$user/", "$dead/a/#"}) {
    CHECK_EQ(read(topic), "bad_subject");
    CHECK_EQ(where(topic), "bad_subject");
  }
  CHECK_EQ(read("$dead/a"), "run.1@0:");
  auto& waiting = *loops[0]->brokers[shard_of("a", 2)].waiting;
  auto most = static_cast<int64_t>(node.options.shard_bytes_max);
  waiting.add(most + 1);
  CHECK_EQ(read("a"), "overloaded");
  CHECK_EQ(where("a"), "overloaded");
  waiting.remove(most + 1);
  CHECK_EQ(where("a"), "run.2@0");
}

CAF_TEST(a question that a dead shard had is answered) {
  auto topic = name_on(0, 2);
  publish(topic, 1);
  caf::anon_send_exit(loops[0]->brokers[0].actor, caf::exit_reason::kill);
  auto lost = self->request(server, caf::infinite, history_atom_v, topic,
                            history_options{});
  turn();
  CHECK_EQ(words_of_page(lost), "internal");
  // Its successor has started over.
  CHECK(read(topic).ends_with("@0:"));
}

END_FIXTURE_SCOPE()
