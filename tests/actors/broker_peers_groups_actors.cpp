// Actors of the application as members of groups that other nodes serve.

#include <callboard/actors/cluster/broker_peers_groups.hpp>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>

#include "actors/peer_groups_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

/// What a worker was told, and whether it answers later, or with an error.
struct worker_log {
  bool later = false;
  bool rejects = false;
  std::vector<std::string> lines;
  std::deque<caf::typed_response_promise<void>> promises;

  std::string heard() {
    std::string result;
    for (auto& x : std::exchange(lines, {}))
      result += (result.empty() ? "" : "; ") + x;
    return result;
  }
};

caf::behavior group_worker(caf::event_based_actor* self, worker_log* log) {
  return {
    [=](callboard::event& x) -> caf::result<void> {
      auto times = x.attempt > 1 ? 'x' + std::to_string(x.attempt)
                                 : std::string{};
      log->lines.push_back(x.group + '@' + std::to_string(x.offset) + times);
      if (log->rejects)
        return caf::make_error(errc::overloaded);
      if (!log->later)
        return caf::unit;
      auto promise = self->make_response_promise<void>();
      log->promises.push_back(promise);
      return promise;
    },
    // Lets it answer what it has had for longest.
    [=](caf::ok_atom) {
      auto promise = std::move(log->promises.front());
      log->promises.pop_front();
      promise.deliver();
    },
    [=](const std::string& topic, const position& x) {
      log->lines.push_back("position " + topic + ' ' + x.epoch + '@'
                           + std::to_string(x.offset));
    },
    [=](unsubscribe_atom, const std::string& topic, const position&) {
      log->lines.push_back("no longer " + topic);
    },
  };
}

struct fixture : peer_groups_fixture {
  caf::actor worker(size_t site, worker_log& log) {
    return sites[site].node.sys.spawn(group_worker, &log);
  }

  const broker_actor& home(size_t site, const std::string& topic) {
    return sites[site].node.loops[0]->broker_of(topic).actor;
  }

  // Lets an actor ask to be a member. It is answered when the nodes have
  // settled.
  auto ask(size_t site, const caf::actor& who, const std::string& topic,
           bool again = false) {
    return sites[site].node.ask(home(site, topic), subscribe_atom_v, who, topic,
                                group_options{"g", {}}, again);
  }

  template <class Asked>
  static std::string words(Asked& asked) {
    std::string result;
    asked.receive(
      [&](const position& where, bool whole) {
        result = where.epoch + '@' + std::to_string(where.offset)
                 + (whole ? " whole" : "");
      },
      [&](const caf::error& why) { result = words_of(why); });
    return result;
  }

  std::string join_actor(size_t site, const caf::actor& who,
                         const std::string& topic, bool again = false) {
    auto asked = ask(site, who, topic, again);
    settle();
    return words(asked);
  }

  void leave_actor(size_t site, const caf::actor& who,
                   const std::string& topic) {
    caf::anon_send(home(site, topic), unsubscribe_atom_v, who, topic,
                   std::string{"g"});
    settle();
  }

  void answer_one(const caf::actor& who) {
    caf::anon_send(who, caf::ok_atom_v);
    settle();
  }

  void end_actor(size_t site, const caf::actor& who) {
    sites[site].node.kill(who);
    settle();
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(actors and clients of all nodes share the events) {
  start();
  auto topic = topic_of(0);
  worker_log here;
  worker_log there;
  auto stays = worker(0, here);
  CHECK_EQ(join_actor(0, stays, topic), "a.1@0");
  auto who = worker(1, there);
  CHECK_EQ(join_actor(1, who, topic), "a.1@0 whole");
  CHECK_EQ(join_actor(1, who, topic), "already_subscribed");
  auto& x = connect(2);
  join(x, topic);
  give(x, topic, 6);
  CHECK(here.lines.size() >= 1);
  CHECK(there.lines.size() >= 1);
  CHECK_EQ(here.lines.size() + there.lines.size() + x.take().size(), 6u);
  leave_actor(1, who, topic);
  there.lines.clear();
  give(x, topic, 6);
  CHECK_EQ(there.heard(), "");
  CHECK_EQ(sum(0, &group_metrics::members), 2);
}

CAF_TEST(what an actor refuses or had when it died goes to another node) {
  start();
  auto topic = topic_of(0);
  worker_log first;
  worker_log second;
  first.rejects = true;
  auto one = worker(1, first);
  auto two = worker(2, second);
  join_actor(1, one, topic);
  join_actor(2, two, topic);
  give(connect(0), topic);
  CHECK_EQ(first.heard() + '|' + second.heard(), "g@1|g@1x2");
  first.rejects = false;
  first.later = true;
  give(connect(0), topic, 2);
  CHECK_EQ(first.heard() + '|' + second.heard(), "g@2|g@3");
  end_actor(1, one);
  CHECK_EQ(second.heard(), "g@2x2");
  CHECK_EQ(sum(0, &group_metrics::events), 0);
  CHECK_EQ(sum(0, &group_metrics::members), 1);
}

CAF_TEST(an actor that is late keeps its place until it has answered) {
  adjust = [](node_options& x) {
    x.group_ack_timeout = 10s;
    x.group_inflight_max = 1;
  };
  start();
  auto topic = topic_of(0);
  worker_log log;
  log.later = true;
  auto who = worker(1, log);
  join_actor(1, who, topic);
  give(connect(0), topic);
  CHECK_EQ(log.heard(), "g@1");
  sites[0].node.pass(10s);
  settle();
  CHECK_EQ(log.heard(), "");
  answer_one(who);
  CHECK_EQ(log.heard(), "g@1x2");
  CHECK_EQ(sum(0, &group_metrics::confirmations), 0);
  answer_one(who);
  CHECK_EQ(sum(0, &group_metrics::confirmations), 1);
}

CAF_TEST(actors go on at the next owner and are told of it) {
  start();
  auto topic = topic_of(2);
  worker_log here;
  worker_log there;
  here.later = true;
  auto one = worker(0, here);
  auto two = worker(1, there);
  join_actor(0, one, topic);
  join_actor(1, two, topic);
  give(connect(0), topic, 2);
  CHECK_EQ(here.heard() + '|' + there.heard(), "g@1|g@2");
  view({0, 1});
  auto owner = owner_of(topic);
  auto told = "position " + topic + ' ' + epoch_of(owner) + "@0";
  CHECK_EQ(here.heard(), told);
  CHECK_EQ(there.heard(), told);
  // What it says to the old owner's event means nothing.
  answer_one(one);
  CHECK_EQ(sum(owner, &group_metrics::confirmations), 0);
  here.later = false;
  give(connect(0), topic, 2);
  CHECK_EQ(sum(owner, &group_metrics::confirmations), 2);
  CHECK_EQ(sum(owner, &group_metrics::members), 2);
}

CAF_TEST(what actors answer as their topic moves counts) {
  start();
  add(1);
  auto topic = joining(2);
  worker_log away;
  worker_log home;
  away.later = home.later = true;
  auto one = worker(0, away);
  auto two = worker(2, home);
  join_actor(0, one, topic);
  join_actor(2, two, topic);
  give(connect(0), topic, 4);
  CHECK_EQ(away.heard() + '|' + home.heard(), "g@1; g@3|g@2; g@4");
  ++number;
  for (size_t site : {0, 2, 3})
    tell(site, {0, 1, 2, 3});
  settle();
  answer_one(one);
  answer_one(two);
  tell(1, {0, 1, 2, 3});
  settle();
  CHECK_EQ(sum(3, &group_metrics::confirmations), 2);
  answer_one(one);
  answer_one(two);
  CHECK_EQ(sum(3, &group_metrics::confirmations), 4);
  CHECK_EQ(sum(3, &group_metrics::members), 2);
  CHECK_EQ(away.heard() + '|' + home.heard(), "|");
}

CAF_TEST(an actor for which the next owner has no room is told so) {
  adjust = [](node_options& x) { x.groups_max = 1; };
  start();
  auto topic = topic_of(2);
  worker_log log;
  auto who = worker(0, log);
  join_actor(0, who, topic);
  for (size_t i : {0, 1})
    for (uint32_t shard = 0; shard < sites[i].self.loops; ++shard)
      join(connect(i), topic_of(i, shard));
  view({0, 1});
  CHECK_EQ(log.heard(), "no longer " + topic);
}

CAF_TEST(an actor that was a member joins however much is on its way) {
  start();
  auto topic = topic_of(2);
  worker_log log;
  auto who = worker(0, log);
  sites[0].nodes->at(2)->traffic->sent += outbox_bytes_max;
  CHECK_EQ(join_actor(0, who, topic), "overloaded");
  CHECK_EQ(sum(2, &group_metrics::members), 0);
  CHECK_EQ(join_actor(0, who, topic, true), "c.1@0");
  CHECK_EQ(sum(2, &group_metrics::members), 1);
}

CAF_TEST(an actor that waits for an owner is answered in any case) {
  start();
  auto topic = topic_of(2);
  worker_log log;
  auto who = worker(0, log);
  auto& node = sites[0].node;
  auto lost = ask(0, who, topic);
  sites[0].sent->clear();
  view({0, 1});
  CHECK_EQ(words(lost), "owner_down");
  view({0, 1, 2});
  auto left = ask(0, who, topic);
  leave_actor(0, who, topic);
  CHECK_EQ(words(left), "cancelled");
  CHECK_EQ(sum(2, &group_metrics::members), 0);
  auto failed = ask(0, who, topic);
  sites[0].sent->clear();
  node.kill(node.loops[0]->brokers[0].actor);
  CHECK_EQ(words(failed), "internal");
}

END_FIXTURE_SCOPE()
