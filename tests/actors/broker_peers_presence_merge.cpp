// Who is in topics that move more than once, or between nodes that differ: in
// what they know of each other, in their rules, in the room that they have.

#include <callboard/actors/broker.hpp>

#include <string>
#include <vector>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/rule_set.hpp>

#include "support/presence_sites_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : presence_sites_fixture {
  /// Adds sites with one loop each.
  void add_sites(size_t n) {
    for (size_t i = 0; i < n; ++i)
      add();
  }

  /// Lets these sites learn of the newest view.
  void tell_all(const std::vector<size_t>& told,
                const std::vector<size_t>& members) {
    for (auto site : told)
      tell(site, members);
    settle();
  }

  /// Returns a topic that `c` owns before `d` joins, and then.
  static std::string staying(const std::string& prefix) {
    return moving({"a", "b", "c"}, 2, {"a", "b", "c", "d"}, 2, prefix);
  }

  /// Returns a topic of one who lingers, which `d` is about to give to `c`.
  std::string lingering_topic() {
    view({0, 1, 2});
    view({3});
    auto topic = staying("t");
    auto& alice = connect(3, 0, "alice");
    subscribe(alice, topic);
    lose(alice);
    return topic;
  }

  /// Two clusters, of `a` and `b`, and of `c` and `d`, become one. A topic that
  /// `a` owned in one of them and `c` in the other one is this node's then.
  void check_merge(uint32_t owner) {
    add_sites(4);
    view({0, 1});
    view({2, 3});
    std::string topic;
    placement ab{{"a", "b"}};
    placement cd{{"c", "d"}};
    placement all{{"a", "b", "c", "d"}};
    for (int i = 0; topic.empty(); ++i)
      if (auto name = "t" + std::to_string(i); ab.owner_of(name) == 0
                                               && cd.owner_of(name) == 0
                                               && all.owner_of(name) == owner)
        topic = name;
    auto& x = watcher(1, 0, topic);
    auto& y = watcher(3, 0, topic);
    subscribe(connect(0), topic);
    subscribe(connect(2), topic);
    pass(1s);
    news(x);
    news(y);
    view({0, 1, 2, 3});
    pass(2s);
    for (size_t site : {0, 1, 2, 3})
      CHECK_EQ(count(connect(site), topic), "4/4");
    auto told = news(x);
    CHECK_EQ(told.find("reset"), std::string::npos);
    CHECK_NE(told.find("\"join\",\"connection\":\"" + y->wire_name()),
             std::string::npos);
    CHECK(news(y).ends_with(reset(topic)));
    auto& z = connect(2);
    subscribe(z, topic);
    CHECK_EQ(news(x), step(topic, "join", "", z));
    CHECK_EQ(news(y), step(topic, "join", "", z));
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(who is in both of two clusters is there at the older one) {
  check_merge(0);
}

CAF_TEST(who is in both of two clusters is there at the younger one) {
  check_merge(2);
}

CAF_TEST(who comes to a topic that has come goes along when it moves again) {
  add_sites(4);
  auto topic = lingering_topic();
  ++number;
  tell_all({2, 3}, {0, 1, 2, 3});
  auto& bob = watcher(1, 0, topic, "bob");
  // The owner has yet to settle as it is none any more. Bob's node has missed
  // a view by then, so it tells of him anew.
  sites[2].self.state = member_state::leaving;
  view({0, 1, 2, 3});
  pass(1s);
  CHECK_EQ(news(bob), reset(topic));
  CHECK_EQ(count(bob, topic), "2/1");
  auto& z = connect(0);
  subscribe(z, topic);
  CHECK_EQ(news(bob), step(topic, "join", "", z));
}

CAF_TEST(nobody is in a topic for which there was no room) {
  add_sites(2);
  adjust = [](node_options& x) { x.topics_max = 1; };
  add();
  adjust = {};
  add();
  auto topic = lingering_topic();
  auto& other = connect(2);
  subscribe(other, staying("none/"));
  CHECK_EQ(count(connect(3), topic), "1/0");
  ++number;
  tell_all({2, 3}, {0, 1, 2, 3});
  CHECK_EQ(count(connect(2), topic), "0/0");
}

CAF_TEST(who goes as a topic goes on to one more node is not given to it) {
  add_sites(5);
  view({0, 1, 2});
  std::string topic;
  placement abc{{"a", "b", "c"}};
  placement abcd{{"a", "b", "c", "d"}};
  placement all{{"a", "b", "c", "d", "e"}};
  for (int i = 0; topic.empty(); ++i)
    if (auto name = "t" + std::to_string(i); abc.owner_of(name) == 2
                                             && abcd.owner_of(name) == 3
                                             && all.owner_of(name) == 4)
      topic = name;
  auto& x = watcher(1, 0, topic);
  auto& y = connect(0);
  subscribe(y, topic);
  pass(1s);
  news(x);
  ++number;
  tell_all({0, 2, 3}, {0, 1, 2, 3});
  say(y, type::unsubscribe, 2, topic);
  view({0, 1, 2, 3, 4});
  pass(2s);
  CHECK_EQ(news(x), step(topic, "leave", "", y));
  CHECK_EQ(count(connect(4), topic), "1/1");
}

CAF_TEST(an owner that has yet to be given the rules keeps who is there) {
  add_sites(3);
  auto newer = rules;
  rules.clear();
  add();
  view({0, 1, 2});
  auto topic = joining(2);
  auto& x = watcher(0, 0, topic);
  subscribe(connect(1), topic);
  pass(1s);
  news(x);
  view({0, 1, 2, 3});
  CHECK_EQ(count(x, topic), "error 9 no_presence");
  auto& y = connect(2);
  subscribe(y, topic);
  rule_set_ptr given = caf::make_counted<rule_set>(newer);
  caf::anon_send(sites[3].node.loops[0]->brokers[0].actor, reload_atom_v,
                 given);
  pass(1s);
  CHECK_EQ(news(x), step(topic, "join", "", y));
  CHECK_EQ(count(x, topic), "3/3");
}

END_FIXTURE_SCOPE()
