// Topics with copies at other nodes whose owner goes, and comes back.

#include <callboard/actors/broker.hpp>

#include <string>

#include <caf/make_counted.hpp>

#include <callboard/actors/cluster/store_nodes.hpp>

#include "actors/member_fixture.hpp"
#include "store/durable_sites_fixture.hpp"

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : durable_sites {
  // Returns a topic of `c` that goes to this one of the others without it.
  std::string copied(const std::string& prefix, uint32_t next) {
    auto nodes = caf::make_counted<store_nodes>(store_names, rules);
    for (int n = 0;; ++n) {
      auto name = prefix + std::to_string(n);
      auto places = nodes->voters_of(name).places;
      if (places[0] == 2 && places[1] == next)
        return name;
    }
  }

  size_t kept(size_t store, const std::string& topic) {
    return stores[store]->events_of(topic).size();
  }

  void join(client& x, const std::string& topic) {
    member_fixture::ask_for(x, type::subscribe, topic, "g");
    settle();
  }

  void wait(caf::timespan x) {
    for (auto& site : sites)
      site.node.pass(x);
    settle();
  }

  // Returns how many timers a site has, but for those of a moment.
  size_t timers(size_t site) {
    auto& node = sites[site].node;
    node.pass(100ms);
    return node.sched.clock().schedule.size();
  }

  static std::string of_g(const std::string& topic, int offset) {
    return topic + " @" + std::to_string(offset) + " of g";
  }

  // Clients of both other nodes have a topic while its owner is away, and when
  // it is back.
  void go_on_and_back(const std::string& prefix, uint32_t next) {
    auto topic = copied(prefix, next);
    auto& x = connect(0, 0, "ann");
    auto& y = connect(0);
    auto& z = connect(1);
    subscribe(y, topic);
    subscribe(z, topic);
    CHECK_EQ(publish(x, topic, "1", 5, false, "i"), answered(5, "c.1", 1));
    y.heard();
    z.heard();
    lose_c();
    // It is accepted once, wherever.
    CHECK_EQ(publish(x, topic, "1", 6, false, "i"), answered(6, "c.1", 1));
    CHECK_EQ(publish(x, topic, "2", 7, false, "j"), answered(7, "c.1", 2));
    CHECK_EQ(y.heard(), event(topic, 2, "2"));
    CHECK_EQ(z.heard(), event(topic, 2, "2"));
    CHECK_EQ(kept(2, topic), 1u);
    bring_c_back();
    CHECK_EQ(publish(x, topic, "2", 8, false, "j"), answered(8, "c.1", 2));
    CHECK_EQ(publish(x, topic, "3", 9), answered(9, "c.1", 3));
    CHECK_EQ(y.heard(), event(topic, 3, "3"));
    CHECK_EQ(z.heard(), event(topic, 3, "3"));
    CHECK_EQ(kept(2, topic), 3u);
  }

  // A member of the first node has what it has not confirmed, and what comes.
  void members_go_on(uint32_t next) {
    auto topic = copied("copies3/", next);
    auto& x = connect(0);
    join(x, topic);
    publish(connect(1), topic, "1");
    publish(connect(1), topic, "2");
    x.heard();
    say(x, type::ack, 1);
    // Until the place is on the disks.
    wait(1s);
    lose_c();
    auto told = x.heard();
    CHECK(has(told, of_g(topic, 2)));
    CHECK(!has(told, of_g(topic, 1)));
    publish(connect(1), topic, "3");
    CHECK(has(x.heard(), of_g(topic, 3)));
    bring_c_back();
    publish(connect(1), topic, "4");
    // A try that came before the topic did is made again.
    for (auto i = 0; i < 2; ++i)
      wait(1s);
    told = x.heard();
    CHECK(has(told, of_g(topic, 4)));
    CHECK(!has(told, of_g(topic, 1)));
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a topic goes on at the next keeper and comes back) {
  go_on_and_back("copies3/", 0);
}

CAF_TEST(it does so where that is any other one) {
  go_on_and_back("copies3/", 1);
}

CAF_TEST(two copies and a witness are enough) {
  go_on_and_back("copies2/", 0);
}

CAF_TEST(the witness may be where the clients are) {
  go_on_and_back("copies2/", 1);
}

CAF_TEST(who comes back gets what it missed from the next owner) {
  auto topic = copied("copies3/", 1);
  auto& x = connect(0);
  publish(x, topic, "1", 5);
  publish(x, topic, "2", 6);
  x.heard();
  lose_c();
  auto& y = connect(1);
  CHECK_EQ(come_back(y, topic, "c.1", 1),
           subscribed(1, "c.1", 2, true) + "; " + event(topic, 2, "2"));
}

CAF_TEST(who comes back as the owner changes gets what it missed) {
  auto topic = copied("copies3/", 0);
  auto& x = connect(1);
  publish(x, topic, "1", 5);
  publish(x, topic, "2", 6);
  lose_c();
  auto& y = connect(0);
  stores[0]->slow = true;
  CHECK_EQ(come_back(y, topic, "c.1", 1), "");
  bring_c_back();
  stores[0]->answer();
  settle();
  CHECK_EQ(y.heard(),
           subscribed(1, "c.1", 2, true) + "; " + event(topic, 2, "2"));
}

CAF_TEST(members go on although nobody used the topic since it was lost) {
  auto topic = copied("copies3/", 0);
  lose_c();
  auto& y = connect(0);
  join(y, topic);
  crash(1);
  view({0});
  auto c = next_run(2);
  view({0, c, next_run(1)});
  for (auto i = 0; i < 2; ++i)
    wait(1s);
  y.heard();
  publish(connect(c), topic, "1");
  CHECK(has(y.heard(), of_g(topic, 1)));
}

CAF_TEST(who has subscribed asks again when there is a majority) {
  auto topic = copied("copies3/", 0);
  subscribe(connect(2), topic);
  publish(connect(2), topic, "1");
  auto term = stores[0]->record_of(topic).term;
  crash(0);
  crash(1);
  view({2});
  CHECK_EQ(stores[0]->record_of(topic).term, term);
  view({2, next_run(0)});
  for (auto i = 0; i < 2; ++i)
    wait(1s);
  CHECK(stores[0]->record_of(topic).term > term);
}

CAF_TEST(a group without members stands where it did at the next owner) {
  auto topic = copied("copies2/", 1);
  auto& x = connect(0);
  join(x, topic);
  publish(connect(0), topic, "1");
  say(x, type::ack, 1);
  member_fixture::ask_for(x, type::unsubscribe, topic, "g", false);
  wait(1s);
  publish(connect(0), topic, "2");
  lose_c();
  auto& y = connect(1);
  join(y, topic);
  auto told = y.heard();
  CHECK(has(told, subscribed(1, "c.1", 1, true)));
  CHECK(has(told, of_g(topic, 2)));
}

CAF_TEST(a topic is handed over with what was confirmed a moment ago) {
  auto topic = copied("copies3/", 0);
  lose_c();
  auto& x = connect(0);
  join(x, topic);
  for (auto what : {"1", "2", "3"})
    publish(connect(1), topic, what);
  x.heard();
  // This one is on its way to the disks, and that one waits for it.
  stores[0]->at_once = stores[1]->at_once = false;
  say(x, type::ack, 1);
  wait(300ms);
  say(x, type::ack, 2);
  bring_c_back();
  for (auto i = 0; i < 3; ++i) {
    stores[0]->commit();
    stores[1]->commit();
    settle();
  }
  stores[0]->at_once = stores[1]->at_once = true;
  for (auto i = 0; i < 2; ++i)
    wait(1s);
  auto told = x.heard();
  CHECK(has(told, of_g(topic, 3)));
  CHECK(!has(told, of_g(topic, 2)));
  CHECK(!has(told, of_g(topic, 1)));
}

CAF_TEST(nobody waits to join a group where there is no majority) {
  auto topic = copied("copies3/", 0);
  crash(1);
  crash(2);
  view({0, 3});
  auto& x = connect(3);
  join(x, topic);
  CHECK_EQ(x.heard(), "error 1 owner_down");
}

CAF_TEST(members whose owner has no majority ask again together) {
  view({0, 1, 2, 3});
  auto topic = copied("copies3/", 0);
  for (auto i = 0; i < 3; ++i) {
    auto& x = connect(3);
    join(x, topic);
    CHECK(has(x.heard(), "response 1"));
  }
  crash(0);
  crash(1);
  // The two that are left begin anew.
  view({2});
  view({3});
  auto before = timers(3);
  view({2, 3});
  CHECK_EQ(timers(3), before + 1);
}

CAF_TEST(a member tries no more often where views come and go) {
  auto topic = copied("copies3/", 0);
  auto& x = connect(0);
  join(x, topic);
  CHECK(has(x.heard(), "response 1"));
  crash(1);
  crash(2);
  view({0});
  auto before = timers(0);
  for (auto i = 0; i < 3; ++i) {
    view({0, 3});
    view({0});
  }
  CHECK(timers(0) <= before);
}

CAF_TEST(a node that runs for long forgets no group that comes to it) {
  auto topic = copied("copies2/", 1);
  auto& x = connect(0);
  join(x, topic);
  publish(connect(0), topic, "1");
  say(x, type::ack, 1);
  member_fixture::ask_for(x, type::unsubscribe, topic, "g", false);
  sites[1].node.node.options.group_linger = 1s;
  for (auto i = 0; i < 3; ++i)
    wait(1s);
  publish(connect(0), topic, "2");
  lose_c();
  auto& y = connect(1);
  join(y, topic);
  CHECK(has(y.heard(), subscribed(1, "c.1", 1, true)));
}

CAF_TEST(members go on at the next owner with what they have not confirmed) {
  members_go_on(1);
}

CAF_TEST(members of the next owner go on too) {
  members_go_on(0);
}

CAF_TEST(a group is on two disks before it has a member) {
  auto topic = copied("copies2/", 1);
  auto& x = connect(0);
  publish(x, topic, "1");
  stores[1]->at_once = false;
  join(x, topic);
  CHECK_EQ(x.heard(), "");
  stores[1]->commit();
  settle();
  CHECK_EQ(x.heard(), subscribed(1, "c.1", 1));
  CHECK_EQ(stores[1]->groups_of(topic).size(), 1u);
}

END_FIXTURE_SCOPE()
