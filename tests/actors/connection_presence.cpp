// Who is in a topic, as connections and embedded actors hear it.

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
    node.options.topics.push_back({"none/+", {}});
    node.options.topics.push_back({"#", {.presence = true}});
  }

  std::string watch(client& x, const std::string& topic, uint32_t seq_id = 1) {
    frame_view y;
    y.type = type::subscribe;
    y.seq_id = seq_id;
    y.subject = topic;
    y.meta.mark(meta_key::presence);
    y.meta.presence = true;
    x.say(y);
    turn();
    return x.heard();
  }

  std::string ask_for(client& x, const std::string& action,
                      const std::string& json) {
    return say(x, type::request, 9, action, *payload::from_json(json));
  }

  std::string members(client& x, const std::string& topic) {
    auto answer = ask_for(x, "callboard.presence",
                          "{\"topic\":\"" + topic + "\"}");
    return answer.substr(std::string{"response 9 "}.size());
  }

  std::string count(client& x, const std::string& topic) {
    return ask_for(x, "callboard.presence_count",
                   "{\"topic\":\"" + topic + "\"}");
  }

  static std::string name_of(client& x) {
    return x->wire_name();
  }

  static std::string step(const std::string& what, const std::string& user,
                          client& x) {
    return "{\"event\":\"" + what + "\""
           + (user.empty() ? "" : ",\"user\":\"" + user + "\"")
           + ",\"connection\":\"" + name_of(x) + "\"}";
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(watchers on any loop hear who comes and goes) {
  start(3);
  auto topic = name_on(1, 3);
  std::vector<client*> watchers;
  for (uint32_t loop : {0, 1, 2}) {
    watchers.push_back(&connect(loop, "w" + std::to_string(loop)));
    CHECK(watch(*watchers.back(), topic).starts_with("response 1 {"));
    pass(1s);
    for (auto* x : watchers)
      x->heard();
  }
  auto& alice = connect(0, "alice");
  say(alice, type::subscribe, 1, topic);
  for (auto* x : watchers)
    CHECK_EQ(x->heard(),
             "presence " + topic + " [" + step("join", "alice", alice) + "]");
  // Who did not ask hears nothing.
  CHECK_EQ(alice.heard(), "");
  alice->enter([&] { alice->lost(1001, "gone"); });
  turn();
  pass(4998ms);
  CHECK_EQ(watchers[2]->heard(), "");
  pass(5ms);
  for (auto* x : watchers)
    CHECK_EQ(x->heard(),
             "presence " + topic + " [" + step("leave", "alice", alice) + "]");
}

CAF_TEST(an unsubscribe is a leave too) {
  start();
  auto& bob = connect();
  watch(bob, "a");
  pass(1s);
  bob.heard();
  auto& alice = connect();
  say(alice, type::subscribe, 1, "a");
  CHECK_EQ(bob.heard(), "presence a [" + step("join", "", alice) + "]");
  pass(1s);
  say(alice, type::unsubscribe, 2, "a");
  CHECK_EQ(bob.heard(), "presence a [" + step("leave", "", alice) + "]");
}

CAF_TEST(the list names users and connections) {
  start(2);
  auto topic = name_on(0, 2);
  auto& alice = connect(0, "alice");
  auto& again = connect(1, "alice");
  auto& nobody = connect(1);
  for (auto* x : {&alice, &again, &nobody})
    say(*x, type::subscribe, 1, topic);
  for (auto* x : {&alice, &nobody})
    CHECK_EQ(members(*x, topic),
             "{\"members\":[{\"connections\":[\"" + name_of(nobody)
               + "\"]},{\"user\":\"alice\",\"connections\":[\"" + name_of(alice)
               + "\",\"" + name_of(again) + "\"]}]}");
  CHECK_EQ(count(again, topic), "response 9 {\"members\":2,\"connections\":3}");
  // Who has no subscription may ask as well.
  auto& stranger = connect(1);
  CHECK_EQ(count(stranger, topic),
           "response 9 {\"members\":2,\"connections\":3}");
}

CAF_TEST(the list comes in pages) {
  start();
  std::vector<client*> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(&connect(0, "u" + std::to_string(i)));
    say(*all.back(), type::subscribe, 1, "a");
  }
  auto& x = *all[0];
  std::string after;
  std::string seen;
  for (auto n : {2, 2, 1}) {
    auto words = ask_for(x, "callboard.presence",
                         R"({"topic":"a","limit":2)" + after + '}');
    auto found = 0;
    for (int i = 0; i < 5; ++i) {
      auto user = "\"u" + std::to_string(i) + '"';
      if (words.find("\"user\":" + user) != std::string::npos) {
        ++found;
        seen += std::to_string(i);
      }
    }
    CHECK_EQ(found, n);
    auto next = words.find("\"next\":");
    CHECK_EQ(next == std::string::npos, n == 1);
    if (next != std::string::npos)
      after = ",\"after\":" + words.substr(next + 7, words.size() - next - 8);
  }
  CHECK_EQ(seen, "01234");
}

CAF_TEST(a page is no longer than a frame but has one member) {
  node.options.frame_bytes_max = 128;
  start();
  for (auto user :
       {std::string(100, 'a'), std::string(100, 'b'), std::string(100, 'c')}) {
    auto& x = connect(0, user);
    say(x, type::subscribe, 1, "a");
  }
  auto& x = connect();
  auto page = ask_for(x, "callboard.presence", R"({"topic":"a"})");
  CHECK(page.find("aaa") != std::string::npos);
  CHECK(page.find("\"next\":\"u" + std::string(100, 'b') + '"')
        != std::string::npos);
  CHECK(page.find("ccc") == std::string::npos);
}

CAF_TEST(a topic that does not keep who is there says so) {
  start();
  auto& x = connect();
  CHECK_EQ(watch(x, "none/a"), "error 1 no_presence");
  CHECK_EQ(watch(x, "a/#"), "error 1 no_presence");
  CHECK_EQ(count(x, "none/a"), "error 9 no_presence");
  CHECK_EQ(ask_for(x, "callboard.presence", R"({"topic":"none/a"})"),
           "error 9 no_presence");
  CHECK(x->state() == connection_state::connected);
  CHECK_EQ(x.box->subscriptions.size(), 0u);
}

CAF_TEST(questions are checked) {
  start();
  node.rights.authorize = [](const identity&, operation, std::string_view y) {
    return y != "secret";
  };
  auto& x = connect();
  auto ask_all = [&](const std::string& json) {
    return ask_for(x, "callboard.presence", json);
  };
  CHECK_EQ(ask_all(R"({"topic":"a","limit":0})"), "error 9 bad_payload");
  CHECK_EQ(ask_all(R"({"topic":"a","limit":1001})"), "error 9 bad_payload");
  CHECK_EQ(ask_all(R"({"topic":"a","limit":1})"),
           "response 9 {\"members\":[]}");
  CHECK_EQ(ask_all(R"({"topic":"a","limit":1000})"),
           "response 9 {\"members\":[]}");
  CHECK_EQ(ask_all(R"({"limit":10})"), "error 9 bad_payload");
  CHECK_EQ(ask_all(R"(7)"), "error 9 bad_payload");
  CHECK_EQ(ask_all(R"({"topic":"a//b"})"), "error 9 bad_subject");
  CHECK_EQ(ask_all(R"({"topic":"secret"})"), "error 9 forbidden");
  CHECK_EQ(count(x, "secret"), "error 9 forbidden");
}

CAF_TEST(a crowd is told in batches) {
  start(2);
  auto topic = name_on(0, 2);
  auto& watcher = connect(1);
  watch(watcher, topic);
  pass(1s);
  watcher.take();
  for (int i = 0; i < 600; ++i) {
    auto& x = connect(0);
    x.say(type::subscribe, 1, topic);
  }
  turn();
  pass(1s);
  size_t frames = 0;
  size_t steps = 0;
  for (auto& x : watcher.take()) {
    ++frames;
    auto words = x.words();
    for (size_t at = 0; (at = words.find("\"join\"", at)) != std::string::npos;
         ++at)
      ++steps;
  }
  CHECK_EQ(steps, 600u);
  // The first at once, and the others in frames of 256.
  CHECK_EQ(frames, 4u);
}

CAF_TEST(a killed shard of the owner learns again who is there) {
  start(2);
  auto topic = name_on(0, 2);
  auto& watcher = connect(1, "watcher");
  watch(watcher, topic);
  auto& alice = connect(0, "alice");
  say(alice, type::subscribe, 1, topic);
  pass(1s);
  watcher.heard();
  kill(loops[0]->brokers[0].actor);
  install(0, make_broker(0));
  pass(1s);
  auto heard = watcher.heard();
  auto reset = heard.find("presence " + topic + " [{\"event\":\"reset\"}]");
  CHECK(reset != std::string::npos);
  // The news after it are true, if not new.
  CHECK(heard.find("leave") == std::string::npos);
  CHECK_EQ(count(watcher, topic),
           "response 9 {\"members\":2,\"connections\":2}");
  say(alice, type::unsubscribe, 2, topic);
  pass(6s);
  CHECK(watcher.heard().find(step("leave", "alice", alice))
        != std::string::npos);
}

CAF_TEST(a killed shard of the watcher tells it to ask again) {
  start(2);
  auto topic = name_on(0, 2);
  auto& watcher = connect(1, "watcher");
  watch(watcher, topic);
  pass(1s);
  watcher.heard();
  kill(loops[1]->brokers[1].actor);
  install(1, make_broker(1));
  pass(1s);
  CHECK(watcher.heard().starts_with("presence " + topic
                                    + " [{\"event\":\"reset\"}]"));
  auto& alice = connect(0, "alice");
  say(alice, type::subscribe, 1, topic);
  CHECK_EQ(watcher.heard(),
           "presence " + topic + " [" + step("join", "alice", alice) + "]");
  CHECK_EQ(count(watcher, topic),
           "response 9 {\"members\":2,\"connections\":2}");
}

CAF_TEST(timers do not add up while people come and go) {
  start();
  auto& watcher = connect(0, "watcher");
  watch(watcher, "a");
  auto timers = [this] { return sched.clock().schedule.size(); };
  size_t most = 0;
  for (int i = 0; i < 300; ++i) {
    auto& x = connect(0, "u" + std::to_string(i % 7));
    say(x, type::subscribe, 1, "a");
    pass(300ms);
    x->enter([&] { x->lost(1001, "gone"); });
    turn();
    pass(200ms);
    watcher.heard();
    if (i == 20)
      most = timers();
  }
  CHECK(timers() <= most + 1);
}

CAF_TEST(who subscribes and asks in one breath misses nobody who leaves) {
  start(3);
  auto topic = name_on(0, 3);
  auto& nobody = connect(2);
  say(nobody, type::subscribe, 1, topic);
  auto& watcher = connect(1);
  frame_view y;
  y.type = type::subscribe;
  y.seq_id = 1;
  y.subject = topic;
  y.meta.mark(meta_key::presence);
  y.meta.presence = true;
  watcher.say(y);
  watcher.say(type::request, 9, "callboard.presence",
              *payload::from_json("{\"topic\":\"" + topic + "\"}"));
  nobody.say(type::unsubscribe, 2, topic);
  turn();
  pass(1s);
  auto heard = watcher.heard();
  auto listed = heard.find("[\"" + name_of(nobody) + "\"]");
  auto left = heard.find(step("leave", "", nobody));
  CHECK(listed == std::string::npos || left != std::string::npos);
  CHECK(heard.find("response 9") != std::string::npos);
}

CAF_TEST(nobody more comes while the owner has too much to hear) {
  start(2);
  auto topic = name_on(0, 2);
  auto& x = connect(1);
  auto& waiting = *loops[1]->brokers[0].waiting;
  auto most = static_cast<int64_t>(node.options.shard_bytes_max);
  waiting.add(most + 1);
  CHECK_EQ(say(x, type::subscribe, 1, topic), "error 1 overloaded");
  CHECK(say(x, type::subscribe, 2, name_on(0, 2, "none/"))
          .starts_with("response 2"));
  waiting.remove(most + 1);
  CHECK(say(x, type::subscribe, 3, topic).starts_with("response 3"));
  CHECK_EQ(waiting.count(), 0);
}

CAF_TEST(an embedded actor asks and watches but is nobody) {
  start(2);
  auto topic = name_on(0, 2);
  auto owner = loops[1]->brokers[0].actor;
  auto server = loops[1]->brokers[1].actor;
  std::vector<std::string> heard;
  auto me = sys.spawn([&heard](caf::event_based_actor*) {
    return caf::behavior{[&heard](const presence_update& x) {
      std::string words = x.topic + (x.reset ? " reset" : "");
      for (auto& y : x.steps)
        words += (y.joined ? " +" : " -") + y.user;
      heard.push_back(words);
    }};
  });
  auto subscribed = ask(server, subscribe_atom_v, presence_atom_v, me, topic);
  auto answered = false;
  subscribed.receive([&](const position&) { answered = true; },
                     [](caf::error&) {});
  CHECK(answered);
  auto& alice = connect(0, "alice");
  say(alice, type::subscribe, 1, topic);
  pass(1s);
  CHECK_EQ(heard, std::vector<std::string>{topic + " +alice"});
  presence_count n;
  ask(owner, presence_atom_v, topic)
    .receive([&](const presence_count& x) { n = x; }, [](caf::error&) {});
  CHECK_EQ(n, (presence_count{1, 1}));
  presence_page page;
  ask(owner, presence_atom_v, topic, uint32_t{10}, std::string{})
    .receive([&](const presence_page& x) { page = x; }, [](caf::error&) {});
  CHECK_EQ(page.members.size(), 1u);
  CHECK_EQ(page.members.at(0).user, "alice");
  std::string wrong;
  ask(owner, presence_atom_v, std::string{"none/a"})
    .receive([](const presence_count&) {},
             [&](caf::error& x) { wrong = words_of(x); });
  CHECK_EQ(wrong, "no_presence");
  ask(server, subscribe_atom_v, presence_atom_v, me, std::string{"none/a"})
    .receive([](const position&) {},
             [&](caf::error& x) { wrong += ' ' + words_of(x); });
  CHECK_EQ(wrong, "no_presence no_presence");
  kill(me);
}

END_FIXTURE_SCOPE()
