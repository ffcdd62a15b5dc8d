// Groups with members at several nodes, as nodes and shards come and go.

#include <callboard/actors/cluster/broker_peers_groups.hpp>

#include <string>
#include <vector>

#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>

#include "actors/peer_groups_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : peer_groups_fixture {
  // Lets all confirm what they have; returns how many events that were.
  size_t confirm(const std::vector<client*>& all) {
    size_t result = 0;
    for (auto* x : all)
      for (auto& y : x->take())
        if (y.type == type::event) {
          ++result;
          x->say(type::ack, y.seq_id);
        }
    settle();
    return result;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- homes --------------------------------------------------------------------

CAF_TEST(what members of a lost node had goes to others once) {
  start();
  auto topic = topic_of(0);
  auto& x = connect(0);
  join(x, topic);
  for (uint32_t i : {0, 1, 0, 1, 0})
    join(connect(1, i), topic);
  give(x, topic, 6);
  CHECK_EQ(x.heard(), event(1, topic, 1));
  view({0, 2});
  // Not to others of that node in between.
  std::string all;
  for (int i = 2; i <= 6; ++i)
    all += (i > 2 ? "; " : "") + event(static_cast<uint32_t>(i), topic, i, 2);
  CHECK_EQ(x.heard(), all);
  CHECK_EQ(sum(0, &group_metrics::members), 1);
  CHECK_EQ(sum(0, &group_metrics::dead_letters), 0);
}

CAF_TEST(members of a shard that begins anew join again) {
  start();
  for (uint32_t shard : {0, 1}) {
    auto topic = topic_of(0, 0, "s" + std::to_string(shard) + '/');
    while (shard_of(topic, 2) != shard)
      topic = topic_of(0, 0, topic + '-');
    auto& x = connect(0);
    auto& y = connect(1, 1);
    join(x, topic);
    join(y, topic);
    give(x, topic, 2);
    CHECK_EQ(x.heard(), event(1, topic, 1));
    CHECK_EQ(y.heard(), event(1, topic, 2));
    replace_broker(1, shard);
    settle();
    CHECK_EQ(x.heard(), event(2, topic, 2, 2));
    CHECK_EQ(y.heard(), "");
    // It is another one's.
    CHECK_EQ(say(y, type::ack, 1), "");
    CHECK_EQ(sum(0, &group_metrics::confirmations), 0);
    give(x, topic, 2);
    CHECK_EQ(y.heard(), event(2, topic, 3) + "; " + event(3, topic, 4));
    CHECK_EQ(sum(0, &group_metrics::members), 2);
    end(1, y);
    end(0, x);
  }
}

// -- owners -------------------------------------------------------------------

CAF_TEST(members join the shard in place of the owners) {
  start();
  auto topic = topic_of(1, 1);
  std::vector<client*> all{&connect(0), &connect(1, 0), &connect(2)};
  for (auto* x : all)
    join(*x, topic);
  give(*all[0], topic, 3);
  for (auto* x : all)
    CHECK_EQ(x->take().size(), 1u);
  replace_broker(1, 1);
  settle();
  for (auto* x : all)
    CHECK_EQ(x->heard(), new_epoch(topic, "b.2"));
  // Confirmations of what the old one gave mean nothing.
  for (auto* x : all)
    CHECK_EQ(say(*x, type::ack, 1), "");
  give(*all[0], topic, 3);
  CHECK_EQ(confirm(all), 3u);
  CHECK_EQ(sum(1, &group_metrics::confirmations), 3);
}

CAF_TEST(where the owner is lost its members go on at another node) {
  start();
  auto topic = topic_of(2);
  std::vector<client*> all{&connect(0), &connect(1, 0), &connect(1, 1)};
  for (auto* x : all)
    join(*x, topic);
  give(*all[0], topic, 3);
  for (auto* x : all)
    CHECK_EQ(x->take().size(), 1u);
  view({0, 1});
  auto owner = owner_of(topic);
  for (auto* x : all)
    CHECK_EQ(x->heard(), new_epoch(topic, epoch_of(owner)));
  for (auto* x : all)
    CHECK_EQ(say(*x, type::ack, 1), "");
  CHECK_EQ(sum(owner, &group_metrics::confirmations), 0);
  CHECK_EQ(sum(owner, &group_metrics::members), 3);
  give(*all[0], topic, 3);
  for (auto* x : all) {
    auto got = x->take();
    REQUIRE_EQ(got.size(), 1u);
    CHECK_EQ(got[0].seq_id, 2u);
    x->say(type::ack, 2);
  }
  settle();
  CHECK_EQ(sum(owner, &group_metrics::confirmations), 3);
  // They can still leave, and join again.
  CHECK_EQ(leave(*all[0], topic), "response 1");
  CHECK_EQ(join(*all[0], topic), subscribed(1, epoch_of(owner), 3, true));
}

CAF_TEST(what is published before the members are there is theirs) {
  start();
  for (const std::string prefix : {"kept/", "few/", "t"}) {
    auto topic = topic_of(2, 0, prefix);
    std::vector<client*> all{&connect(0), &connect(1)};
    placement after{{"a", "b"}};
    auto owner = after.owner_of(topic);
    auto& x = *all[1 - owner];
    join(x, topic);
    ++number;
    tell(owner, {0, 1});
    for (int i = 0; i < 3; ++i)
      all[owner]->publish(topic, "x");
    sites[owner].node.turn();
    tell(1 - owner, {0, 1});
    settle();
    CHECK(x.heard().ends_with(",\"offset\":0,\"reason\":\"epoch changed\"}; "
                              + event(1, topic, 1) + "; " + event(2, topic, 2)
                              + "; " + event(3, topic, 3)));
    ++number;
    tell(2, {2});
    view({0, 1, 2});
  }
}

CAF_TEST(a member for which the next owner has no room is told so) {
  adjust = [](node_options& x) { x.groups_max = 1; };
  start();
  auto topic = topic_of(2);
  auto& x = connect(0);
  join(x, topic);
  for (size_t i : {0, 1})
    for (uint32_t shard = 0; shard < sites[i].self.loops; ++shard)
      join(connect(i), topic_of(i, shard));
  view({0, 1});
  CHECK_EQ(x.heard(), "error overloaded");
  CHECK_EQ(leave(x, topic), "error 1 not_subscribed");
}

CAF_TEST(who waits to be a member is told that the owner is lost) {
  start();
  auto topic = topic_of(2);
  auto& x = connect(0);
  member_fixture::ask_for(x, type::subscribe, topic, "g");
  sites[0].node.turn();
  sites[0].sent->clear();
  view({0, 1});
  CHECK_EQ(x.heard(), "error 1 owner_down");
  CHECK_EQ(join(x, topic), subscribed(1, epoch_of(owner_of(topic)), 0));
}

// -- views that are not the same everywhere -----------------------------------

CAF_TEST(who joins at a node that knows a newer view waits for that view) {
  start();
  add(1);
  auto topic = joining(2);
  auto& x = connect(0);
  ++number;
  for (size_t site : {1, 2, 3})
    tell(site, {0, 1, 2, 3});
  CHECK_EQ(join(x, topic), "");
  wait(20ms);
  CHECK_EQ(x.heard(), "");
  tell(0, {0, 1, 2, 3});
  settle();
  CHECK_EQ(x.heard(), subscribed(1, "d.1", 0));
  CHECK_EQ(sum(2, &group_metrics::members), 0);
}

CAF_TEST(who misses a view in which a group was elsewhere joins it again) {
  start();
  add(1);
  auto topic = joining(2);
  auto& x = connect(0);
  join(x, topic);
  ++number;
  for (size_t site : {1, 2, 3})
    tell(site, {0, 1, 2, 3});
  ++number;
  for (size_t site : {0, 1, 2})
    tell(site, {0, 1, 2});
  settle();
  wait(20ms);
  CHECK_EQ(x.heard(), new_epoch(topic, "c.2"));
  give(x, topic);
  CHECK_EQ(x.heard(), event(1, topic, 1));
}

CAF_TEST(members that were elsewhere keep what they have from one who stays) {
  start();
  add(1);
  auto topic = joining(2);
  auto& x = connect(0);
  auto& y = connect(2);
  join(x, topic);
  join(y, topic);
  give(y, topic);
  CHECK_EQ(x.heard(), event(1, topic, 1));
  ++number;
  for (size_t site : {0, 3})
    tell(site, {0, 1, 2, 3});
  settle();
  ++number;
  for (size_t site : {0, 1, 2})
    tell(site, {0, 1, 2});
  settle();
  // The owner has missed the view in which it was none.
  CHECK_EQ(y.heard(), "");
  CHECK_EQ(x.heard(), "");
  CHECK_EQ(sum(2, &group_metrics::members), 2);
  CHECK_EQ(say(x, type::ack, 1), "");
  CHECK_EQ(sum(2, &group_metrics::confirmations), 1);
  CHECK_EQ(sum(2, &group_metrics::events), 0);
}

CAF_TEST(what an old owner gives to a home that has gone on is given again) {
  start();
  add(1);
  auto topic = joining(2);
  auto& x = connect(0);
  join(x, topic);
  // It has gone out before the home knows of the next view.
  connect(2).publish(topic, "x");
  sites[2].node.turn();
  ++number;
  for (size_t site : {0, 3})
    tell(site, {0, 1, 2, 3});
  settle();
  CHECK_EQ(x.heard(), "");
  for (size_t site : {1, 2})
    tell(site, {0, 1, 2, 3});
  settle();
  CHECK_EQ(x.heard(), event(1, topic, 1, 2));
}

CAF_TEST(a node alone serves its members and has them join when it is back) {
  start();
  auto topic = topic_of(0);
  auto& x = connect(0);
  auto& y = connect(1);
  join(x, topic);
  join(y, topic);
  ++number;
  tell(0, {0, 2});
  tell(2, {0, 2});
  tell(1, {1});
  settle();
  CHECK_EQ(y.heard(), new_epoch(topic, "b.1"));
  give(y, topic);
  CHECK_EQ(y.heard(), event(1, topic, 1));
  CHECK_EQ(x.heard(), "");
  give(x, topic);
  CHECK_EQ(x.heard(), event(1, topic, 1));
  view({0, 1, 2});
  CHECK_EQ(y.heard(), new_epoch(topic, "a.1"));
  give(x, topic);
  CHECK_EQ(y.heard(), event(2, topic, 2));
  CHECK_EQ(sum(1, &group_metrics::members), 0);
}

END_FIXTURE_SCOPE()
