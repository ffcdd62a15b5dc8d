// Who is in topics, where nodes differ.

#include <callboard/actors/broker.hpp>

#include <string>
#include <vector>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/cluster/messages.hpp>
#include <callboard/actors/cluster/peer_presence_frames.hpp>

#include "support/presence_sites_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : presence_sites_fixture {
  /// The second node has two loops.
  fixture() {
    for (uint32_t loops : {1, 2, 1})
      add(loops);
    view({0, 1, 2});
  }

  /// Asks a site as an embedded actor.
  presence_page page(size_t site, const std::string& topic, uint32_t limit,
                     const std::string& after = {}) {
    auto& node = sites[site].node;
    auto answer = node.self->request(node.loops[0]->broker_of(topic).actor,
                                     caf::infinite, presence_atom_v, topic,
                                     limit, after);
    settle();
    presence_page result;
    answer.receive([&](const presence_page& x) { result = x; },
                   [](caf::error& x) { CAF_FAIL("no page: " << words_of(x)); });
    return result;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(watchers at all nodes hear who comes and goes anywhere) {
  for (size_t owner : {0, 1, 2}) {
    auto topic = topic_of(owner, 0, "o" + std::to_string(owner) + '/');
    std::vector<client*> watchers;
    for (size_t site : {0, 1, 2})
      watchers.push_back(&watcher(site, site == 1 ? 1 : 0, topic));
    for (auto* x : watchers)
      x->heard();
    auto& alice = connect(1, 0, "alice");
    subscribe(alice, topic);
    for (auto* x : watchers)
      CHECK_EQ(x->heard(), step(topic, "join", "alice", alice));
    lose(alice);
    pass(4900ms);
    for (auto* x : watchers)
      CHECK_EQ(x->heard(), "");
    pass(200ms);
    for (auto* x : watchers)
      CHECK_EQ(x->heard(), step(topic, "leave", "alice", alice));
  }
}

CAF_TEST(news go to a node once for all its watchers) {
  auto topic = topic_of(0);
  for (uint32_t i = 0; i < 6; ++i)
    watcher(1, i % 2, topic);
  auto before = frames(0, 1);
  auto others = frames(0, 2);
  say(connect(0), type::subscribe, 1, topic);
  CHECK_EQ(frames(0, 1), before + 1);
  CHECK_EQ(frames(0, 2), others);
}

CAF_TEST(a node without watchers is told nothing) {
  auto topic = topic_of(0);
  auto& x = watcher(1, 0, topic);
  auto& y = watcher(1, 1, topic);
  say(x, type::unsubscribe, 2, topic);
  say(y, type::unsubscribe, 2, topic);
  pass(1s);
  auto before = frames(0, 1);
  say(connect(0), type::subscribe, 1, topic);
  pass(1s);
  CHECK_EQ(frames(0, 1), before);
}

CAF_TEST(lists and counts are those of all nodes wherever one asks) {
  auto& nobody = connect(0);
  auto& alice = connect(0, 0, "alice");
  auto& again = connect(1, 1, "alice");
  auto& stranger = connect(2);
  for (size_t owner : {0, 1, 2}) {
    auto topic = topic_of(owner, 0, "o" + std::to_string(owner) + '/');
    for (auto* x : {&nobody, &alice, &again, &stranger})
      subscribe(*x, topic);
    // Connections of different nodes have the same numbers.
    for (auto* x : {&connect(0), &connect(1, 0), &connect(1, 1), &connect(2)}) {
      CHECK_EQ(members(*x, topic),
               "[{\"connections\":[\"a-1\"]},{\"connections\":[\"c-1\"]},"
               "{\"user\":\"alice\",\"connections\":[\"a-2\",\"b-1\"]}]");
      CHECK_EQ(count(*x, topic), "3/4");
    }
    for (auto* x : {&nobody, &alice, &again, &stranger})
      say(*x, type::unsubscribe, 2, topic);
  }
}

CAF_TEST(pages go on at another node) {
  auto topic = topic_of(2);
  for (int i = 0; i < 6; ++i)
    subscribe(connect(static_cast<size_t>(i % 3)), topic);
  std::string after;
  std::string seen;
  for (size_t site : {0, 1, 2, 0, 1, 2}) {
    auto x = page(site, topic, 1, after);
    CHECK_EQ(x.members.size(), 1u);
    auto& one = x.members.at(0);
    auto node = one.nodes.empty() ? sites[site].self.name : one.nodes.at(0);
    seen += node + std::to_string(one.connections.at(0)) + ' ';
    after = x.next;
  }
  CHECK_EQ(seen, "a1 b1 c1 a2 b2 c2 ");
  CHECK_EQ(after, "");
}

CAF_TEST(a page of another node is bounded and goes on) {
  auto topic = topic_of(2);
  report(0, topic, 1'000, std::string(1'000, 'x'));
  size_t found = 0;
  int pages = 0;
  std::string after;
  do {
    auto x = page(1, topic, 1'000, after);
    CAF_CHECK_LESS(x.members.size(), 500u);
    found += x.members.size();
    after = x.next;
    ++pages;
  } while (!after.empty() && pages < 100);
  CHECK_EQ(found, 1'000u);
}

CAF_TEST(a user at two nodes is one member) {
  auto topic = topic_of(0);
  auto& x = watcher(2, 0, topic);
  auto& one = connect(0, 0, "alice");
  auto& two = connect(1, 0, "alice");
  subscribe(one, topic);
  subscribe(two, topic);
  pass(1s);
  CHECK_EQ(x.heard(), step(topic, "join", "alice", one));
  CHECK_EQ(count(x, topic), "2/3");
  lose(one);
  pass(10s);
  CHECK_EQ(x.heard(), "");
  CHECK_EQ(count(x, topic), "2/2");
  lose(two);
  pass(6s);
  CHECK_EQ(x.heard(), step(topic, "leave", "alice", two));
}

CAF_TEST(who reconnects to another node does not flicker) {
  auto topic = topic_of(0);
  auto& x = watcher(2, 0, topic);
  auto& before = connect(0, 0, "alice");
  subscribe(before, topic);
  x.heard();
  lose(before);
  pass(4s);
  auto& after = connect(1, 1, "alice");
  subscribe(after, topic);
  pass(10s);
  CHECK_EQ(x.heard(), "");
  CHECK_EQ(count(x, topic), "2/2");
}

CAF_TEST(a topic that does not keep who is there says so) {
  auto topic = topic_of(2, 0, "none/");
  auto& x = connect(0);
  CHECK_EQ(watch(x, topic), "error 1 no_presence");
  CHECK_EQ(count(x, topic), "error 9 no_presence");
}

CAF_TEST(who asks an owner that is lost is told so) {
  auto topic = topic_of(2);
  auto& x = connect(0);
  x.say(type::request, 9, "callboard.presence_count",
        *payload::from_json("{\"topic\":\"" + topic + "\"}"));
  sites[0].node.turn();
  sites[0].sent->clear();
  CHECK_EQ(x.heard(), "");
  view({0, 1});
  CHECK_EQ(x.heard(), "error 9 owner_down");
}

// -- bounds -------------------------------------------------------------------

CAF_TEST(ten thousand who join at another node come in batches) {
  auto topic = topic_of(2);
  auto& x = watcher(1, 0, topic);
  auto& link = *sites[0].nodes->at(2)->traffic;
  auto batches = link.batches_sent.load();
  report(0, topic, 10'000);
  CAF_CHECK_LESS(link.batches_sent - batches, 20u);
  pass(3s);
  size_t told = 0;
  size_t steps = 0;
  for (auto& y : x.take()) {
    CHECK(y.type == type::presence);
    ++told;
    auto words = y.words();
    for (auto at = words.find("\"join\""); at != std::string::npos;
         at = words.find("\"join\"", at + 1))
      ++steps;
  }
  CHECK_EQ(steps, 10'000u);
  CAF_CHECK_LESS(told, 60u);
  CHECK_EQ(count(x, topic), "10001/10001");
}

CAF_TEST(a node that does not keep up is told to ask again) {
  auto topic = topic_of(0);
  auto& x = watcher(1, 0, topic);
  auto& link = *sites[0].nodes->at(1)->traffic;
  auto most = sites[0].nodes->outbox_bytes_max;
  link.sent += most;
  auto before = frames(0, 1);
  report(0, topic, 100);
  pass(2s);
  CHECK_EQ(frames(0, 1), before);
  link.acknowledged += most;
  pass(1s);
  CHECK_EQ(x.heard(), reset(topic));
  auto& y = connect(0);
  subscribe(y, topic);
  CHECK_EQ(x.heard(), step(topic, "join", "", y));
}

CAF_TEST(nobody more comes while the link to the owner is full) {
  auto topic = topic_of(2);
  auto& link = *sites[0].nodes->at(2)->traffic;
  auto most = sites[0].nodes->outbox_bytes_max;
  link.sent += most;
  auto& x = connect(0);
  CHECK_EQ(subscribe(x, topic), "error 1 overloaded");
  CHECK_EQ(count(x, topic), "error 9 overloaded");
  link.acknowledged += most;
  CHECK_EQ(subscribe(x, topic), subscribed(1, "c.1", 0));
}

CAF_TEST(an owner gives no page while the way back is full) {
  auto topic = topic_of(2);
  auto& x = connect(0);
  subscribe(x, topic);
  auto& back = *sites[2].nodes->at(0)->traffic;
  auto most = sites[2].nodes->outbox_bytes_max;
  back.sent += most;
  CHECK_EQ(members(x, topic), "error 9 overloaded");
  CHECK_EQ(count(x, topic), "1/1");
  back.acknowledged += most;
  CHECK_EQ(members(x, topic), "[{\"connections\":[\"a-1\"]}]");
}

CAF_TEST(what is to be told anew is told once and when there is room) {
  auto topic = topic_of(2);
  auto& x = connect(0);
  subscribe(x, topic);
  auto give_back = [&] {
    shard_batch batch{2, number, {}};
    for (int i = 0; i < 50; ++i)
      append_frame(batch.frames, peer_presence_returned{{1, topic, 99, {}}});
    caf::anon_send(sites[0].node.loops[0]->brokers[0].actor, std::move(batch));
    settle();
  };
  auto before = frames(0, 2);
  give_back();
  // That it begins anew, and who is there.
  CHECK_EQ(frames(0, 2), before + 2);
  auto& link = *sites[0].nodes->at(2)->traffic;
  auto most = sites[0].nodes->outbox_bytes_max;
  link.sent += most;
  give_back();
  pass(2s);
  CHECK_EQ(frames(0, 2), before + 2);
  link.acknowledged += most;
  pass(1s);
  CHECK_EQ(frames(0, 2), before + 4);
  CHECK_EQ(count(x, topic), "1/1");
}

END_FIXTURE_SCOPE()
