// Who is in topics, as nodes and shards come and go.

#include <callboard/actors/broker.hpp>

#include <string>

#include <caf/send.hpp>

#include "support/presence_sites_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : presence_sites_fixture {
  /// The second node has two loops.
  fixture() {
    for (uint32_t loops : {1, 2, 1, 1})
      add(loops);
    view({0, 1, 2});
  }

  /// Lets these sites go by a new view.
  void tell_all(std::initializer_list<size_t> sites_told,
                std::initializer_list<size_t> members_of_it) {
    ++number;
    for (auto site : sites_told)
      tell(site, members_of_it);
    settle();
  }

  /// Lets the second node hear of a fourth one last, and its shard of a topic
  /// begin anew before that as somebody there unsubscribes.
  void lose_home_of(client& gone, const std::string& topic) {
    tell_all({0, 2, 3}, {0, 1, 2, 3});
    auto shard = shard_of(topic, 2);
    auto& home = sites[1].node;
    home.kill(home.loops[shard]->brokers[shard].actor);
    gone.say(type::unsubscribe, 2, topic);
    home.turn();
    auto next = home.make_broker(shard);
    home.install(shard, next);
    caf::anon_send(next.actor, cluster_atom_v, sites[1].nodes);
    settle();
    tell(1, {0, 1, 2, 3});
    settle();
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(the connections of a node that is lost leave) {
  auto topic = topic_of(0);
  auto& x = watcher(1, 1, topic, "watcher");
  auto& nobody = connect(2);
  auto& alice = connect(2, 0, "alice");
  auto& bob = connect(2, 0, "bob");
  for (auto* y : {&nobody, &alice, &bob})
    subscribe(*y, topic);
  pass(1s);
  news(x);
  CHECK_EQ(count(x, topic), "4/4");
  view({0, 1});
  CHECK_EQ(news(x), step(topic, "leave", "", nobody));
  CHECK_EQ(count(x, topic), "3/1");
  pass(4s);
  subscribe(connect(0, 0, "bob"), topic);
  pass(2s);
  CHECK_EQ(news(x), step(topic, "leave", "alice", alice));
  CHECK_EQ(count(x, topic), "2/2");
}

CAF_TEST(watchers ask a new owner once when everybody is there) {
  auto topic = topic_of(2);
  auto& x = watcher(0, 0, topic, "x");
  auto& y = watcher(1, 1, topic, "y");
  subscribe(connect(0), topic);
  subscribe(connect(1, 0), topic);
  subscribe(connect(2), topic);
  pass(1s);
  news(x);
  news(y);
  CHECK_EQ(count(x, topic), "5/5");
  view({0, 1});
  // But for where the topic stands now.
  CHECK_EQ(news(x), "");
  CHECK_EQ(news(y), "");
  CHECK_EQ(count(x, topic), "4/4");
  pass(2s);
  CHECK_EQ(news(x), reset(topic));
  CHECK_EQ(news(y), reset(topic));
  CHECK_EQ(count(y, topic), "4/4");
  auto& z = connect(1, 0);
  subscribe(z, topic);
  CHECK_EQ(news(x), step(topic, "join", "", z));
  CHECK_EQ(news(y), step(topic, "join", "", z));
}

CAF_TEST(a shard of the owner that begins anew is told again) {
  auto topic = topic_of(1, 1);
  auto& x = watcher(0, 0, topic);
  subscribe(connect(1, 0), topic);
  subscribe(connect(2), topic);
  pass(1s);
  news(x);
  replace_broker(1, 1);
  pass(2s);
  CHECK_EQ(news(x), reset(topic));
  CHECK_EQ(count(x, topic), "3/3");
}

CAF_TEST(of a home that begins anew only those leave who are gone) {
  auto topic = topic_of(0);
  auto shard = shard_of(topic, 2);
  auto& x = watcher(0, 0, topic);
  auto& home = sites[1].node;
  auto& here = connect(1, 0);
  auto& gone = connect(1, 1);
  auto& mine = watcher(1, 1, topic);
  subscribe(here, topic);
  subscribe(gone, topic);
  pass(1s);
  news(x);
  news(mine);
  home.kill(home.loops[shard]->brokers[shard].actor);
  // Nobody hears of it.
  gone.say(type::unsubscribe, 2, topic);
  home.turn();
  auto next = home.make_broker(shard);
  home.install(shard, next);
  caf::anon_send(next.actor, cluster_atom_v, sites[1].nodes);
  settle();
  CHECK_EQ(news(x), "");
  pass(2s);
  CHECK_EQ(news(x), step(topic, "leave", "", gone));
  CHECK_EQ(count(x, topic), "3/3");
  CHECK_NE(news(mine).find(reset(topic)), std::string::npos);
  auto& y = connect(2);
  subscribe(y, topic);
  CHECK_EQ(news(mine), step(topic, "join", "", y));
}

CAF_TEST(who misses a view in which a topic was elsewhere tells it again) {
  auto topic = joining(2);
  auto& x = watcher(0, 0, topic);
  subscribe(connect(1, 0), topic);
  tell_all({1, 2, 3}, {0, 1, 2, 3});
  tell_all({0, 1, 2}, {0, 1, 2});
  pass(2s);
  CHECK_EQ(count(connect(2), topic), "2/2");
  auto told = news(x);
  CHECK(told.ends_with(reset(topic)));
}

CAF_TEST(an owner does not keep the members of who went elsewhere) {
  auto topic = joining(2);
  auto& x = connect(0);
  subscribe(x, topic);
  // The owner does not hear of the view in which it is none.
  tell_all({0, 3}, {0, 1, 2, 3});
  say(x, type::unsubscribe, 2, topic);
  tell_all({0, 1, 2}, {0, 1, 2});
  pass(1s);
  CHECK_EQ(count(connect(2), topic), "0/0");
}

// -- nodes that die as topics move --------------------------------------------

CAF_TEST(all are told anew where the old owner dies half way) {
  auto topic = joining(2);
  auto& x = watcher(0, 0, topic);
  auto& y = connect(1, 1);
  subscribe(y, topic);
  report(2, topic, 5'000);
  pass(3s);
  news(x);
  ++number;
  tell(2, {0, 1, 2, 3});
  tell(3, {0, 1, 2, 3});
  // All but the first part are lost.
  auto parts = 0;
  std::erase_if(*sites[2].sent,
                [&](auto& z) { return z.to == 3 && ++parts > 1; });
  carry(2);
  sites[3].node.turn();
  crash(2);
  view({0, 1, 3});
  CHECK_EQ(news(x), "");
  pass(2s);
  CHECK_EQ(news(x), reset(topic));
  CHECK_EQ(count(x, topic), "2/2");
}

CAF_TEST(who had no answer yet of an owner that dies is told of) {
  auto topic = joining(2);
  auto& x = connect(0);
  x.say(type::subscribe, 1, topic);
  sites[0].node.turn();
  carry();
  sites[2].node.turn();
  crash(2);
  view({0, 1, 3});
  pass(1s);
  CHECK_EQ(count(connect(1), topic), "1/1");
}

CAF_TEST(who goes as a home dies is not given to the new owner) {
  auto topic = joining(2);
  auto& x = watcher(0, 0, topic);
  auto& gone = connect(1, 1);
  subscribe(connect(1, 0), topic);
  subscribe(gone, topic);
  pass(1s);
  news(x);
  lose_home_of(gone, topic);
  CHECK_EQ(news(x), "");
  pass(2s);
  CHECK_EQ(news(x), step(topic, "leave", "", gone));
  CHECK_EQ(count(x, topic), "2/2");
}

CAF_TEST(the last one of a home that dies is not given to the new owner) {
  auto topic = joining(2);
  auto& x = watcher(0, 0, topic);
  auto& gone = connect(1, 1);
  subscribe(gone, topic);
  // It wants the topic, but not for those who are there.
  subscribe(connect(1, 0), "#");
  pass(1s);
  news(x);
  lose_home_of(gone, topic);
  CHECK_EQ(news(x), "");
  pass(2s);
  CHECK_EQ(news(x), step(topic, "leave", "", gone));
  CHECK_EQ(count(x, topic), "1/1");
}

CAF_TEST(who goes as a link begins anew is not given to the new owner) {
  auto topic = joining(2);
  auto& x = watcher(1, 1, topic);
  auto& gone = connect(0);
  subscribe(gone, topic);
  pass(1s);
  news(x);
  tell_all({1, 2, 3}, {0, 1, 2, 3});
  // The old owner is not to take it any more, and cannot give it back.
  say(gone, type::unsubscribe, 2, topic);
  ++rounds[{0, 2}];
  tell(0, {0, 1, 2, 3});
  tell(2, {0, 1, 2, 3});
  settle();
  CHECK_EQ(news(x), "");
  pass(2s);
  CHECK_EQ(news(x), step(topic, "leave", "", gone));
  CHECK_EQ(count(x, topic), "1/1");
}

CAF_TEST(a home that settles later tells a new owner that has dropped it) {
  auto topic = joining(2);
  auto& x = watcher(1, 1, topic);
  auto& asks = connect(3);
  subscribe(connect(0), topic);
  pass(1s);
  news(x);
  ++number;
  for (size_t site : {0, 1, 2, 3})
    tell(site, {0, 1, 2, 3});
  // All have handed over. That the new owner has settled does not arrive.
  carry();
  for (auto& site : sites)
    site.node.turn();
  std::erase_if(*sites[3].sent, [](auto& z) { return z.to == 0; });
  carry();
  sites[3].node.turn();
  asks.say(type::request, 9, "callboard.presence_count",
           *payload::from_json("{\"topic\":\"" + topic + "\"}"));
  sites[3].node.turn();
  CHECK(asks.heard().starts_with("response 9 "));
  ++rounds[{0, 3}];
  tell(0, {0, 1, 2, 3});
  tell(3, {0, 1, 2, 3});
  settle();
  pass(2s);
  // Who has no name leaves with the link, and is told of anew.
  news(x);
  CHECK_EQ(count(x, topic), "2/2");
}

CAF_TEST(the connections of a node that dies meanwhile leave) {
  auto topic = joining(2);
  auto& x = watcher(0, 0, topic);
  auto& y = connect(1, 0);
  auto& alice = connect(1, 1, "alice");
  subscribe(y, topic);
  subscribe(alice, topic);
  pass(1s);
  news(x);
  tell_all({0, 2, 3}, {0, 1, 2, 3});
  crash(1);
  view({0, 2, 3});
  pass(1s);
  CHECK_EQ(news(x), step(topic, "leave", "", y));
  pass(5s);
  CHECK_EQ(news(x), step(topic, "leave", "alice", alice));
  CHECK_EQ(count(connect(2), topic), "1/1");
}

END_FIXTURE_SCOPE()
