// Durable topics in a cluster: they stay at the node that keeps them.

#include <callboard/actors/broker.hpp>

#include <map>
#include <string>
#include <vector>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "store/durable_sites_fixture.hpp"

#include "support/test.hpp"

using namespace callboard;

BEGIN_FIXTURE_SCOPE(durable_sites)

// -- at their node ------------------------------------------------------------

CAF_TEST(each node reaches a topic that one of them keeps) {
  for (size_t owner : {0, 1, 2}) {
    auto epoch = sites[owner].self.name + ".1";
    auto topic = topic_of(owner, 0, "disk/" + std::to_string(owner) + '-');
    std::vector<client*> all{&connect(0), &connect(1, 0), &connect(1, 1),
                             &connect(2)};
    for (auto* x : all)
      CHECK_EQ(subscribe(*x, topic), subscribed(1, epoch, 0));
    for (size_t i = 0; i < all.size(); ++i) {
      auto offset = static_cast<int>(i + 1);
      auto told = publish(*all[i], topic, "hi", 5);
      CHECK(has(told, answered(5, epoch, offset)));
      CHECK(has(told, event(topic, offset, "hi")));
      for (auto* x : all)
        if (x != all[i])
          CHECK_EQ(x->heard(), event(topic, offset, "hi"));
    }
    for (size_t i = 0; i < stores.size(); ++i)
      CHECK_EQ(stores[i]->events_of(topic).size(), i == owner ? 4u : 0u);
  }
}

CAF_TEST(another node is answered when the disk has it) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  auto& y = connect(1);
  subscribe(y, topic);
  stores[2]->at_once = false;
  CHECK_EQ(publish(x, topic, "1", 5), "");
  CHECK_EQ(publish(x, topic, "2", 6), "");
  CHECK_EQ(y.heard(), "");
  stores[2]->commit(1);
  settle();
  CHECK_EQ(x.heard(), answered(5, "c.1", 1));
  CHECK_EQ(y.heard(), event(topic, 1, "1"));
  stores[2]->commit();
  settle();
  CHECK_EQ(x.heard(), answered(6, "c.1", 2));
}

CAF_TEST(what another node asks waits until the topic was loaded) {
  auto topic = topic_of(2, 0, "disk/");
  publish(connect(2), topic, "1");
  lose_c();
  auto again = bring_c_back();
  stores[2]->at_once = false;
  auto& x = connect(0);
  auto& y = connect(1);
  CHECK_EQ(publish(x, topic, "2", 5), "");
  CHECK_EQ(ask(x, "callboard.position", topic), "");
  CHECK_EQ(subscribe(y, topic), "");
  auto& shard = sites[again].node.loops[0]->brokers[0];
  CHECK(shard.waiting->count() > 0);
  stores[2]->commit();
  settle();
  CHECK_EQ(y.heard(), subscribed(1, "c.1", 1));
  CHECK_EQ(x.heard(), answered(9, "c.1", 1));
  stores[2]->commit();
  settle();
  CHECK_EQ(x.heard(), answered(5, "c.1", 2));
  CHECK_EQ(y.heard(), event(topic, 2, "2"));
  CHECK_EQ(shard.waiting->count(), 0);
}

CAF_TEST(an owner with as much as may wait refuses more) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  auto& shard = sites[2].node.loops[0]->brokers[0];
  auto max = static_cast<int64_t>(sites[2].node.node.options.shard_bytes_max);
  shard.waiting->add(max + 1);
  CHECK_EQ(publish(x, topic, "1", 5), "error 5 overloaded");
  CHECK_EQ(ask(x, "callboard.position", topic), "error 9 overloaded");
  shard.waiting->remove(max + 1);
  CHECK_EQ(publish(x, topic, "1", 6), answered(6, "c.1", 1));
}

CAF_TEST(what was missed comes from the disk of the owner) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  for (int i = 1; i <= 4; ++i)
    publish(x, topic, std::to_string(i));
  lose_c();
  bring_c_back();
  publish(x, topic, "5");
  auto answer = subscribed(1, "c.1", 5, true);
  stores[2]->slow = true;
  auto& y = connect(1, 0);
  auto& z = connect(1, 1);
  CHECK_EQ(come_back(y, topic, "c.1", 2), "");
  // This one needs nothing of the disk, and does not wait for the other one.
  CHECK_EQ(come_back(z, topic, "c.1", 4), answer + "; " + event(topic, 5, "5"));
  CHECK_EQ(y.heard(), "");
  stores[2]->answer();
  settle();
  CHECK_EQ(y.heard(), answer + "; " + event(topic, 3, "3") + "; "
                        + event(topic, 4, "4") + "; " + event(topic, 5, "5"));
  auto told = ask(x, "callboard.history", topic);
  CHECK(told.starts_with("response 9 {\"epoch\":\"c.1\",\"offset\":5,"));
  CHECK(has(told, "\"payload\":\"1\""));
}

CAF_TEST(a last value is there again with its node) {
  auto topic = topic_of(2, 0, "last/");
  publish(connect(0), topic, "1");
  lose_c();
  bring_c_back();
  auto told = subscribe(connect(1), topic);
  CHECK(told.starts_with("response 1 {\"epoch\":\"c.1\",\"offset\":1,"));
  CHECK(told.ends_with("; event " + topic + " @1 retained \"1\""));
}

CAF_TEST(an owner whose store fails says so) {
  auto topic = topic_of(2, 0, "disk/");
  stores[2]->broken = true;
  auto& x = connect(0);
  CHECK_EQ(publish(x, topic, "1", 5), "error 5 storage_unavailable");
  CHECK_EQ(subscribe(x, topic), "error 1 storage_unavailable");
  // Nobody at that node wants it any more.
  stores[2]->broken = false;
  auto before = frames(2, 0);
  publish(connect(2), topic, "2");
  CHECK_EQ(frames(2, 0), before);
}

// -- as others come and go ----------------------------------------------------

CAF_TEST(nodes that come and go move no durable topic) {
  auto& x = connect(0);
  auto& y = connect(1);
  std::map<std::string, std::string> epochs;
  std::vector<std::string> topics;
  for (int i = 0; i < 30; ++i) {
    topics.push_back("disk/" + std::to_string(i));
    subscribe(y, topics.back());
    auto told = publish(x, topics.back(), "1", 5);
    epochs[topics.back()] = told.substr(0, told.find(",\"offset\":1"));
  }
  y.heard();
  auto round = [&](int offset) {
    for (auto& topic : topics) {
      CHECK_EQ(publish(x, topic, "x", 5),
               epochs[topic] + ",\"offset\":" + std::to_string(offset) + '}');
      CHECK_EQ(y.heard(), event(topic, offset, "x"));
    }
  };
  view({0, 1, 2, 3});
  round(2);
  view({0, 1, 2});
  round(3);
}

CAF_TEST(a durable topic does not wait for nodes that have yet to settle) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  ++number;
  for (size_t site : {0, 2})
    tell(site, {0, 1, 2, 3});
  CHECK_EQ(publish(x, topic, "1", 5), answered(5, "c.1", 1));
}

CAF_TEST(a node that is about to leave keeps its durable topics) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  publish(x, topic, "1");
  sites[2].self.state = member_state::leaving;
  view({0, 1, 2});
  CHECK_EQ(publish(x, topic, "2", 5), answered(5, "c.1", 2));
  auto done = 0;
  auto& leaver = sites[2].node;
  leaver.sys.spawn([&](caf::event_based_actor* self) {
    self
      ->request(leaver.loops[0]->brokers[0].actor, caf::infinite, leave_atom_v)
      .then([&] { ++done; });
  });
  settle();
  CHECK_EQ(done, 1);
  CHECK_EQ(publish(x, topic, "3", 6), answered(6, "c.1", 3));
}

CAF_TEST(what a node has in memory is there when it ended well) {
  auto topic = topic_of(2, 0, "ram/");
  auto& x = connect(0);
  auto& y = connect(1);
  subscribe(y, topic);
  for (int i = 1; i <= 3; ++i)
    publish(x, topic, std::to_string(i));
  y.heard();
  sites[2].self.state = member_state::leaving;
  view({0, 1, 2});
  view({0, 1});
  caf::anon_send(sites[2].node.loops[0]->brokers[0].actor, drain_atom_v);
  sites[2].node.turn();
  stores[2]->finish();
  sites[2].self.state = member_state::up;
  crash(2);
  bring_c_back();
  CHECK_EQ(y.heard(), "");
  CHECK_EQ(publish(x, topic, "4", 5), answered(5, "c.1", 4));
  CHECK_EQ(y.heard(), event(topic, 4, "4"));
}

END_FIXTURE_SCOPE()
