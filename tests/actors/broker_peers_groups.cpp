// Groups with members at several nodes.

#include <callboard/actors/cluster/broker_peers_groups.hpp>

#include <string>
#include <vector>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>

#include "actors/peer_groups_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

constexpr uint64_t half = 32 * 1024 * 1024;

struct fixture : peer_groups_fixture {
  // Returns a topic of the first node whose dead letters are another one's.
  std::string name_with_dead_elsewhere() {
    for (int i = 0;; ++i) {
      auto name = topic_of(0, 0, 'p' + std::to_string(i) + '-');
      if (owner_of("$dead/" + name) != 0)
        return name;
    }
  }

  // Gives the first node a frame as the second one would.
  template <class Frame>
  void send(const Frame& x) {
    shard_batch batch{1, number, {}};
    append_frame(batch.frames, x);
    caf::anon_send(sites[0].node.loops[0]->brokers[0].actor, std::move(batch));
    settle();
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(members at all nodes share the events of a topic) {
  start();
  for (size_t owner : {0, 1, 2}) {
    auto topic = topic_of(owner, 0, "o" + std::to_string(owner) + '/');
    std::vector<client*> workers{&connect(0), &connect(1, 1), &connect(2)};
    for (auto* x : workers)
      CHECK_EQ(join(*x, topic),
               subscribed(1, epoch_of(owner), 0, x != workers[0]));
    CHECK_EQ(join(*workers[1], topic), "error 1 already_subscribed");
    auto& publisher = connect(1, 0);
    give(publisher, topic, 6);
    int offset = 0;
    for (auto* x : workers) {
      ++offset;
      auto got = x->take();
      REQUIRE_EQ(got.size(), 2u);
      CHECK_EQ(got[0].words(), event(1, topic, offset));
      CHECK_EQ(got[0].sender, publisher->wire_name());
      CHECK_EQ(got[1].words(), event(2, topic, offset + 3));
      say(*x, type::ack, 1);
      say(*x, type::ack, 2);
    }
    CHECK_EQ(sum(owner, &group_metrics::confirmations), 6);
    CHECK_EQ(sum(owner, &group_metrics::events), 0);
    CHECK_EQ(sum(owner, &group_metrics::members), 3);
    CHECK_EQ(join(connect(2), topic), subscribed(1, epoch_of(owner), 6, true));
  }
}

CAF_TEST(who does not confirm has confirmed when it has the event) {
  start();
  auto topic = topic_of(0);
  auto& x = connect(1);
  join(x, topic, "g", false);
  give(x, topic, 2);
  CHECK_EQ(x.heard(), "event " + topic + " @1 of g \"x\"; event " + topic
                        + " @2 of g \"x\"");
  CHECK_EQ(sum(0, &group_metrics::confirmations), 2);
}

CAF_TEST(a new group begins where its first member says) {
  start();
  auto topic = topic_of(0, 0, "kept/");
  auto& x = connect(1);
  give(x, topic, 4);
  CHECK_EQ(join(x, topic, "g", true, {"a.1", 3}),
           subscribed(1, "a.1", 3, true) + "; " + event(1, topic, 4));
  CHECK_EQ(join(x, topic, "h", true, {"b.1", 3}), subscribed(1, "a.1", 4));
}

CAF_TEST(the events of a key go to one member of any node in order) {
  start();
  auto topic = topic_of(0);
  std::vector<client*> workers{&connect(0), &connect(1), &connect(2)};
  for (auto* x : workers)
    join(*x, topic);
  give(*workers[0], topic, 5, "k");
  client* who = nullptr;
  for (int offset = 1; offset <= 5; ++offset) {
    std::string all;
    for (auto* x : workers)
      if (auto heard = x->heard(); !heard.empty()) {
        all += heard;
        CHECK(who == nullptr || who == x);
        who = x;
      }
    auto words = event(static_cast<uint32_t>(offset), topic, offset);
    CHECK_EQ(all, words.insert(words.find(" \"x\""), " key k"));
    REQUIRE(who != nullptr);
    who->say(type::ack, static_cast<uint32_t>(offset));
    settle();
  }
  CHECK_EQ(sum(0, &group_metrics::confirmations), 5);
}

CAF_TEST(what a member does not want goes to one of another node) {
  start();
  auto topic = topic_of(0);
  auto& x = connect(1);
  auto& y = connect(2);
  join(x, topic);
  join(y, topic);
  give(x, topic);
  CHECK_EQ(x.heard(), event(1, topic, 1));
  CHECK_EQ(say(x, type::error, 1, "busy"), "");
  CHECK_EQ(y.heard(), event(1, topic, 1, 2));
  // Answers to what is not there mean nothing.
  for (uint32_t id : {0, 1, 77})
    CHECK_EQ(say(x, type::ack, id), "");
  CHECK_EQ(sum(0, &group_metrics::events), 1);
}

CAF_TEST(what is not confirmed in time is taken back across nodes) {
  start();
  auto topic = topic_of(0);
  auto& x = connect(1);
  auto& y = connect(0);
  join(x, topic);
  join(y, topic);
  give(x, topic);
  CHECK_EQ(x.heard(), event(1, topic, 1));
  sites[0].node.pass(10s);
  settle();
  CHECK_EQ(x.heard(), "cancel 1");
  CHECK_EQ(y.heard(), event(1, topic, 1, 2));
  CHECK_EQ(say(x, type::ack, 1), "");
  CHECK_EQ(sum(0, &group_metrics::confirmations), 0);
  CHECK_EQ(sum(0, &group_metrics::timeouts), 1);
  say(y, type::ack, 1);
  CHECK_EQ(sum(0, &group_metrics::confirmations), 1);
}

CAF_TEST(what a member that dies had goes to one of another node) {
  start();
  auto topic = topic_of(0);
  auto& x = connect(1);
  auto& y = connect(2);
  join(x, topic);
  join(y, topic);
  give(y, topic);
  end(1, x);
  CHECK_EQ(y.heard(), event(1, topic, 1, 2));
  CHECK_EQ(sum(0, &group_metrics::members), 1);
}

CAF_TEST(who leaves gets nothing more and takes a group without events along) {
  start();
  auto topic = topic_of(0);
  auto& x = connect(1);
  auto& y = connect(2);
  join(x, topic);
  CHECK_EQ(leave(x, topic), "response 1");
  CHECK_EQ(sum(0, &group_metrics::groups), 0);
  CHECK_EQ(leave(x, topic), "error 1 not_subscribed");
  join(x, topic);
  give(x, topic);
  x.heard();
  CHECK_EQ(leave(x, topic), "response 1");
  CHECK_EQ(say(x, type::ack, 1), "");
  // A group that had one keeps its place.
  CHECK_EQ(join(y, topic),
           subscribed(1, "a.1", 0, true) + "; " + event(1, topic, 1, 2));
}

CAF_TEST(a subscribe whose unsubscribe came first is cancelled at its node) {
  start();
  auto topic = topic_of(0);
  auto& x = connect(1);
  member_fixture::ask_for(x, type::subscribe, topic, "g");
  member_fixture::ask_for(x, type::unsubscribe, topic, "g", false);
  settle();
  CHECK_EQ(x.heard(), "error 1 cancelled; response 1");
  CHECK_EQ(sum(0, &group_metrics::members), 0);
}

CAF_TEST(a member whose outbox is full gets the rest when it has room) {
  adjust = [](node_options& x) {
    x.outbox_bytes_max = 4096;
    x.group_inflight_max = 100;
  };
  start();
  auto topic = topic_of(0);
  auto& x = connect(1);
  join(x, topic, "g", false);
  x.socket.stuck = true;
  give(connect(0), topic, 100);
  CHECK(x.alive());
  CHECK(sum(0, &group_metrics::events) > 20);
  x.socket.stuck = false;
  x.socket.flush(*x.box);
  settle();
  auto got = x.take();
  REQUIRE_EQ(got.size(), 100u);
  for (size_t i = 0; i < got.size(); ++i)
    CHECK_EQ(got[i].meta.offset, i + 1);
  CHECK_EQ(sum(0, &group_metrics::confirmations), 100);
}

// -- what the owner does ------------------------------------------------------

CAF_TEST(a dead letter goes to the node that owns its topic) {
  start();
  auto topic = name_with_dead_elsewhere();
  auto dead = "$dead/" + topic;
  auto& x = connect(1);
  auto& reader = connect(2);
  subscribe(reader, dead);
  join(x, topic);
  give(x, topic);
  for (uint32_t id : {1, 2, 3})
    say(x, type::error, id);
  CHECK_EQ(reader.heard(), "event " + dead + " @1 attempt 3 from g \"x\"");
  CHECK_EQ(sum(0, &group_metrics::dead_letters), 1);
  CHECK_EQ(sum(0, &group_metrics::lost), 0);
  CHECK_EQ(sum(0, &group_metrics::events), 0);
}

CAF_TEST(members at other nodes are told what the topic forgot) {
  adjust = [](node_options& x) {
    x.group_inflight_max = 1;
    x.group_pending_max = 1;
  };
  start();
  auto topic = topic_of(0, 0, "few/");
  auto& x = connect(1);
  join(x, topic);
  give(x, topic, 6);
  CHECK_EQ(x.heard(), event(1, topic, 1));
  CHECK_EQ(say(x, type::ack, 1), event(2, topic, 2) + "; position " + topic
                                   + " of g {\"epoch\":\"a.1\",\"offset\":1,"
                                     "\"reason\":\"history exceeded\"}");
  CHECK_EQ(say(x, type::ack, 2), event(3, topic, 5));
}

// -- bounds -------------------------------------------------------------------

CAF_TEST(a member of another node has so many events and no more) {
  adjust = [](node_options& x) { x.group_inflight_max = 2; };
  start();
  auto topic = topic_of(0);
  auto& x = connect(1);
  join(x, topic);
  give(x, topic, 4);
  CHECK_EQ(x.heard(), event(1, topic, 1) + "; " + event(2, topic, 2));
  CHECK_EQ(say(x, type::ack, 1), event(3, topic, 3));
}

CAF_TEST(an owner has so many groups and no more) {
  adjust = [](node_options& x) { x.groups_max = 2; };
  start();
  auto& x = connect(1);
  CHECK(join(x, topic_of(0, 0, "a")).starts_with("response 1 "));
  CHECK(join(x, topic_of(0, 0, "b")).starts_with("response 1 "));
  CHECK_EQ(join(x, topic_of(0, 0, "c")), "error 1 overloaded");
  // Who was refused can ask again.
  leave(x, topic_of(0, 0, "a"));
  CHECK(join(x, topic_of(0, 0, "c")).starts_with("response 1 "));
}

CAF_TEST(a member waits while too much is on its way to its node) {
  start();
  auto topic = topic_of(0);
  auto& x = connect(1);
  join(x, topic);
  auto& sent = sites[0].nodes->at(1)->traffic->sent;
  sent += half + 1;
  // The first one shows it.
  give(connect(0), topic, 3);
  CHECK_EQ(x.heard(), event(1, topic, 1));
  CHECK_EQ(say(x, type::ack, 1), "");
  wait(20ms);
  CHECK_EQ(x.heard(), "");
  // Others get what there is.
  auto& y = connect(2);
  CHECK_EQ(join(y, topic), subscribed(1, "a.1", 1, true) + "; "
                             + event(1, topic, 2) + "; " + event(2, topic, 3));
  give(connect(0), topic);
  y.heard();
  end(2, y);
  CHECK_EQ(x.heard(), "");
  sent -= half + 1;
  wait(20ms);
  CHECK_EQ(x.heard(), event(2, topic, 2, 2) + "; " + event(3, topic, 3, 2)
                        + "; " + event(4, topic, 4, 2));
}

CAF_TEST(nobody joins while too much is on its way to the owner) {
  start();
  auto& sent = sites[1].nodes->at(0)->traffic->sent;
  sent = half;
  auto& x = connect(1);
  CHECK_EQ(join(x, topic_of(0)), subscribed(1, "a.1", 0));
  sent = half + 1;
  CHECK_EQ(join(x, topic_of(0, 0, "u")), "error 1 overloaded");
}

CAF_TEST(an owner takes only what a home can say) {
  start();
  auto topic = topic_of(0);
  auto members = [&] { return sum(0, &group_metrics::members); };
  send(peer_group_join{77, topic, std::string(65, 'g'), {}, false});
  send(peer_group_join{77, topic, {}, {}, false});
  send(peer_group_join{77, "a/+", "g", {}, false});
  send(peer_group_join{0, topic, "g", {}, false});
  CHECK_EQ(members(), 0);
  send(peer_group_join{77, topic, std::string(64, 'g'), {}, false});
  CHECK_EQ(members(), 1);
  send(peer_group_join{77, topic, "h", {}, false});
  CHECK_EQ(members(), 1);
  give(connect(0), topic);
  for (uint8_t verdict : {4, 255})
    send(peer_group_answer{77, 1, verdict});
  send(peer_group_answer{78, 1, 0});
  send(peer_group_leave{78, true});
  CHECK_EQ(sum(0, &group_metrics::events), 1);
  send(peer_group_answer{77, 1, 0});
  CHECK_EQ(sum(0, &group_metrics::events), 0);
  // What an owner says to nobody means nothing.
  auto event = caf::make_counted<publication>();
  event->topic = topic;
  event->payload = text("x");
  send(peer_group_joined{5, errc::none, {}, true});
  send(peer_group_event{5, 1, 1, 0, {event, 0}});
  send(peer_group_withdraw{5, 1});
  send(peer_group_gap{5, {}});
  // Nor what the last owner says of what has not come from it.
  send(peer_group_confirmed{topic, "g", 1, {"a.1", 1}});
  send(peer_group_leave{77, false});
  CHECK_EQ(members(), 0);
}

END_FIXTURE_SCOPE()
