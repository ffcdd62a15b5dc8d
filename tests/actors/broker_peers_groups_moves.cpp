// Groups that go to another node with their topics, as nodes join and leave.

#include <callboard/actors/cluster/broker_peers_groups.hpp>

#include <string>
#include <vector>

#include <callboard/actors/broker.hpp>

#include "actors/peer_groups_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

/// Three nodes that are a cluster, and one that is about to join.
struct fixture : peer_groups_fixture {
  // Makes them, and clients of the three.
  void begin() {
    start();
    add(1);
    workers = {&connect(0), &connect(1, 1), &connect(2)};
  }

  void join_all(const std::string& topic) {
    for (auto* x : workers)
      join(*x, topic);
  }

  // Lets all four be the cluster, and only these learn of it.
  void tell_some(const std::vector<size_t>& told) {
    ++number;
    tell_more(told);
  }

  void tell_more(const std::vector<size_t>& told) {
    for (auto site : told)
      tell(site, {0, 1, 2, 3});
    settle();
  }

  // Lets all confirm what they have, which must be events that were given to
  // nobody before; returns how many these were.
  size_t confirm_all() {
    size_t result = 0;
    for (auto* x : workers)
      for (auto& y : x->take()) {
        REQUIRE(y.type == type::event);
        REQUIRE(!y.meta.has(meta_key::attempt));
        x->say(type::ack, y.seq_id);
        ++result;
      }
    settle();
    return result;
  }

  std::vector<client*> workers;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- a node that joins, and one that leaves -----------------------------------

CAF_TEST(members see nothing of a topic that moves to a node that joins) {
  begin();
  std::vector<std::string> topics{joining(0), joining(1), joining(2)};
  for (auto& topic : topics)
    join_all(topic);
  for (auto& topic : topics)
    give(connect(0), topic, 3);
  // They have it as the owner changes.
  view({0, 1, 2, 3});
  CHECK_EQ(sum(3, &group_metrics::members), 9);
  CHECK_EQ(sum(3, &group_metrics::events), 9);
  CHECK_EQ(confirm_all(), 9u);
  CHECK_EQ(sum(3, &group_metrics::confirmations), 9);
  for (auto& topic : topics)
    give(connect(3), topic, 3);
  CHECK_EQ(confirm_all(), 9u);
  CHECK_EQ(sum_all(&group_metrics::members), 9);
  CHECK_EQ(sum_all(&group_metrics::groups), 3);
  CHECK_EQ(sum_all(&group_metrics::events), 0);
  CHECK_EQ(sum_all(&group_metrics::redeliveries), 0);
  CHECK_EQ(sum_all(&group_metrics::lost), 0);
  CHECK_EQ(join(connect(1), topics[2]), subscribed(1, "c.1", 6, true));
}

CAF_TEST(members of a node that leaves go on until they are away) {
  begin();
  std::vector<std::string> topics{leaving(0), leaving(1)};
  for (auto& topic : topics)
    join_all(topic);
  for (auto& topic : topics)
    give(connect(0), topic, 3);
  sites[2].self.state = member_state::leaving;
  view({0, 1, 2});
  CHECK_EQ(sum(2, &group_metrics::members), 0);
  CHECK_EQ(confirm_all(), 6u);
  for (auto& topic : topics)
    give(*workers[2], topic, 3);
  CHECK_EQ(confirm_all(), 6u);
  end(2, *workers[2]);
  workers.pop_back();
  view({0, 1});
  for (auto& topic : topics)
    give(*workers[0], topic, 2);
  CHECK_EQ(confirm_all(), 4u);
  CHECK_EQ(sum_all(&group_metrics::redeliveries), 0);
  CHECK_EQ(sum_all(&group_metrics::events), 0);
  CHECK_EQ(sum_all(&group_metrics::lost), 0);
}

CAF_TEST(what waits in a group goes along whatever the topic keeps) {
  adjust = [](node_options& x) { x.group_inflight_max = 1; };
  begin();
  auto topic = joining(2);
  auto& x = *workers[0];
  join(x, topic);
  give(x, topic, 4);
  CHECK_EQ(x.heard(), event(1, topic, 1));
  view({0, 1, 2, 3});
  for (int i = 1; i < 4; ++i)
    CHECK_EQ(say(x, type::ack, static_cast<uint32_t>(i)),
             event(static_cast<uint32_t>(i + 1), topic, i + 1));
  CHECK_EQ(say(x, type::ack, 4), "");
  CHECK_EQ(sum_all(&group_metrics::events), 0);
}

CAF_TEST(a group without members goes along) {
  begin();
  auto topic = joining(2);
  auto& x = *workers[0];
  join(x, topic);
  give(x, topic, 2);
  say(x, type::ack, 1);
  end(0, x);
  view({0, 1, 2, 3});
  CHECK_EQ(sum(3, &group_metrics::groups), 1);
  CHECK_EQ(join(*workers[1], topic),
           subscribed(1, "c.1", 1, true) + "; " + event(1, topic, 2, 2));
}

CAF_TEST(the events of a key keep their order as their topic moves) {
  begin();
  auto topic = joining(2);
  join_all(topic);
  give(*workers[0], topic, 4, "k");
  view({0, 1, 2, 3});
  for (int offset = 1; offset <= 4; ++offset) {
    size_t heard = 0;
    for (auto* x : workers)
      for (auto& y : x->take()) {
        ++heard;
        CHECK_EQ(y.meta.offset, static_cast<uint64_t>(offset));
        x->say(type::ack, y.seq_id);
      }
    CHECK_EQ(heard, 1u);
    settle();
  }
  CHECK_EQ(sum_all(&group_metrics::redeliveries), 0);
}

CAF_TEST(what is not confirmed after a move goes to another node) {
  begin();
  auto topic = joining(2);
  auto& x = *workers[0];
  join(x, topic);
  give(x, topic);
  view({0, 1, 2, 3});
  CHECK_EQ(x.heard(), event(1, topic, 1));
  join(*workers[1], topic);
  sites[3].node.pass(10s);
  settle();
  CHECK_EQ(x.heard(), "cancel 1");
  CHECK_EQ(workers[1]->heard(), event(1, topic, 1, 2));
  CHECK_EQ(say(x, type::ack, 1), "");
  CHECK_EQ(sum(3, &group_metrics::confirmations), 0);
}

// -- what is said meanwhile ---------------------------------------------------

CAF_TEST(a confirmation that comes to the old owner too late counts) {
  begin();
  auto topic = joining(2);
  auto& x = *workers[0];
  join(x, topic);
  give(x, topic, 2);
  x.heard();
  x.say(type::ack, 1);
  sites[0].node.turn();
  ++number;
  for (size_t site : {1, 2, 3})
    tell(site, {0, 1, 2, 3});
  settle();
  // Nor is this one's lost, whose home does not know of the view yet.
  CHECK_EQ(say(x, type::ack, 2), "");
  tell_more({0});
  CHECK_EQ(x.heard(), "");
  CHECK_EQ(sum(3, &group_metrics::confirmations), 2);
  CHECK_EQ(sum_all(&group_metrics::events), 0);
}

CAF_TEST(what members say while their topic moves waits) {
  begin();
  auto topic = joining(2);
  auto& x = *workers[0];
  auto& y = *workers[2];
  join(x, topic);
  join(y, topic);
  give(x, topic, 4);
  CHECK_EQ(x.heard(), event(1, topic, 1) + "; " + event(2, topic, 3));
  CHECK_EQ(y.heard(), event(1, topic, 2) + "; " + event(2, topic, 4));
  tell_some({0, 2, 3});
  for (auto* who : {&x, &y}) {
    CHECK_EQ(say(*who, type::ack, 1), "");
    CHECK_EQ(say(*who, type::error, 2, "busy"), "");
  }
  CHECK_EQ(sum_all(&group_metrics::confirmations), 0);
  tell_more({1});
  CHECK_EQ(sum_all(&group_metrics::confirmations), 2);
  // Each gets what the other one did not want.
  CHECK_EQ(x.heard(), event(3, topic, 4, 2));
  CHECK_EQ(y.heard(), event(3, topic, 3, 2));
}

CAF_TEST(what members had that go while their topic moves is given to others) {
  begin();
  auto topic = joining(2);
  join_all(topic);
  give(*workers[0], topic, 3);
  for (auto* x : workers)
    x->heard();
  tell_some({0, 2, 3});
  end(0, *workers[0]);
  CHECK_EQ(leave(*workers[2], topic), "response 1");
  tell_more({1});
  CHECK_EQ(workers[1]->heard(),
           event(2, topic, 1, 2) + "; " + event(3, topic, 3, 2));
  CHECK_EQ(sum_all(&group_metrics::members), 1);
}

CAF_TEST(who wants to be a member while a topic moves waits) {
  begin();
  auto topic = joining(2);
  auto& x = *workers[0];
  auto& y = *workers[2];
  auto& z = connect(0);
  give(x, topic, 2);
  tell_some({0, 2, 3});
  CHECK_EQ(join(x, topic), "");
  // At the old owner's node as well.
  CHECK_EQ(join(y, topic, "h"), "");
  CHECK_EQ(join(z, topic, "i"), "");
  CHECK_EQ(leave(z, topic, "i"), "error 1 cancelled; response 1");
  give(x, topic);
  tell_more({1});
  CHECK_EQ(x.heard(), subscribed(1, "c.1", 2) + "; " + event(1, topic, 3));
  CHECK(y.heard().starts_with("response 1 "));
  CHECK_EQ(z.heard(), "");
  CHECK_EQ(sum(3, &group_metrics::members), 2);
  CHECK_EQ(sum(3, &group_metrics::groups), 2);
}

// -- what may go wrong --------------------------------------------------------

CAF_TEST(where the old owner dies half way its groups begin anew) {
  begin();
  auto topic = joining(2);
  auto& x = *workers[0];
  auto& y = *workers[1];
  join(x, topic);
  join(y, topic);
  auto content = std::string(30'000, 'x');
  for (int i = 0; i < 10; ++i)
    workers[2]->publish(topic, content);
  settle();
  auto had = x.take().size();
  CHECK_EQ(had, 5u);
  CHECK_EQ(y.take().size(), had);
  ++number;
  tell(2, {0, 1, 2, 3});
  tell(3, {0, 1, 2, 3});
  // All but the first part are lost.
  auto parts = 0;
  std::erase_if(*sites[2].sent,
                [&](auto& z) { return z.to == 3 && ++parts > 1; });
  CAF_CHECK_GREATER(parts, 2);
  carry(2);
  sites[3].node.turn();
  crash(2);
  view({0, 1, 3});
  for (auto* who : {&x, &y}) {
    CHECK_EQ(who->heard(), new_epoch(topic, "d.1"));
    CHECK_EQ(say(*who, type::ack, 1), "");
  }
  CHECK_EQ(sum(3, &group_metrics::confirmations), 0);
  give(x, topic);
  CHECK_EQ(x.heard() + y.heard(), event(6, topic, 1));
}

CAF_TEST(a topic that goes back has its groups) {
  begin();
  auto topic = joining(2);
  auto& x = *workers[0];
  join(x, topic);
  give(x, topic, 2);
  x.heard();
  tell_some({0, 2, 3});
  CHECK_EQ(say(x, type::ack, 1), "");
  // The newcomer has it, and ends before all have settled.
  sites[3].self.state = member_state::leaving;
  tell_some({0, 1, 2, 3});
  CHECK_EQ(sum(2, &group_metrics::confirmations), 1);
  CHECK_EQ(sum(2, &group_metrics::members), 1);
  CHECK_EQ(sum(3, &group_metrics::members), 0);
  CHECK_EQ(say(x, type::ack, 2), "");
  CHECK_EQ(x.heard(), "");
  CHECK_EQ(sum_all(&group_metrics::events), 0);
}

CAF_TEST(members of a home that skips a view keep what they have) {
  begin();
  auto topic = joining(2);
  auto& x = *workers[0];
  join(x, topic);
  give(x, topic, 2);
  x.heard();
  // The topic goes, and comes back by the view that it does not skip.
  tell_some({1, 2, 3});
  sites[3].self.state = member_state::leaving;
  tell_some({0, 1, 2, 3});
  CHECK_EQ(x.heard(), "");
  CHECK_EQ(say(x, type::ack, 1), "");
  CHECK_EQ(say(x, type::ack, 2), "");
  CHECK_EQ(sum(2, &group_metrics::confirmations), 2);
  CHECK_EQ(sum_all(&group_metrics::redeliveries), 0);
}

CAF_TEST(a new owner without room for a group tells its members) {
  adjust = [](node_options& x) { x.groups_max = 1; };
  begin();
  auto topic = joining(2);
  auto& x = *workers[0];
  join(x, topic);
  give(x, topic);
  x.heard();
  // One of its own, that stays there.
  join(connect(3), joining(1));
  view({0, 1, 2, 3});
  CHECK_EQ(x.heard(), "error overloaded");
  CHECK_EQ(sum_all(&group_metrics::lost), 1);
}

END_FIXTURE_SCOPE()
