// Who is in topics that go to another node.

#include <callboard/actors/broker.hpp>

#include <string>
#include <utility>
#include <vector>

#include "support/presence_sites_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

/// Three sites that are a cluster, `a`, `b` and `c`, and one that is about to
/// join, `d`. The second one has two loops.
struct fixture : presence_sites_fixture {
  fixture() {
    for (uint32_t loops : {1, 2, 1, 1})
      add(loops);
    view({0, 1, 2});
  }

  /// Makes a view with all four that only these learn of.
  void tell_some(const std::vector<size_t>& told) {
    ++number;
    for (auto site : told)
      tell(site, {0, 1, 2, 3});
    settle();
  }

  /// Lets one more of them learn of it.
  void tell_too(size_t site) {
    tell(site, {0, 1, 2, 3});
    settle();
  }

  /// Lets `x` publish as often as calls may wait at a shard.
  void fill(client& x) {
    auto topic = joining(2, "u");
    for (size_t i = 0; i < parked_calls::bounds{}.calls_max; ++i)
      x.publish(topic, "1");
    settle();
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- a node that joins, and one that leaves -----------------------------------

CAF_TEST(watchers see nothing of a node that joins) {
  std::vector<std::string> topics{joining(0), joining(1), joining(2)};
  std::vector<client*> watchers;
  for (auto& topic : topics)
    for (auto [site, loop] : {std::pair{0u, 0u}, {1u, 1u}, {2u, 0u}}) {
      watchers.push_back(&watcher(site, loop, topic));
      subscribe(connect(site, 0, "alice"), topic);
    }
  pass(1s);
  for (auto* x : watchers)
    news(*x);
  view({0, 1, 2, 3});
  pass(2s);
  for (auto* x : watchers)
    CHECK_EQ(news(*x), "");
  for (size_t i = 0; i < topics.size(); ++i) {
    CHECK(sites[3].nodes->owner_of(topics[i]) == peer_set::here);
    for (size_t site : {0, 1, 2, 3})
      CHECK_EQ(count(connect(site), topics[i]), "4/6");
    auto& bob = connect(3, 0, "bob");
    subscribe(bob, topics[i]);
    auto joined = step(topics[i], "join", "bob", bob);
    auto left = step(topics[i], "leave", "bob", bob);
    pass(1s);
    for (size_t n : {0, 1, 2})
      CHECK_EQ(news(*watchers[3 * i + n]), joined);
    lose(bob);
    pass(6s);
    for (size_t n : {0, 1, 2})
      CHECK_EQ(news(*watchers[3 * i + n]), left);
  }
}

CAF_TEST(watchers see nothing of a node that leaves but its clients) {
  for (uint32_t to : {0, 1}) {
    auto topic = leaving(to);
    std::vector<client*> watchers{&watcher(0, 0, topic), &watcher(1, 1, topic)};
    auto& here = watcher(2, 0, topic);
    for (auto* x : watchers)
      news(*x);
    sites[2].self.state = member_state::leaving;
    view({0, 1, 2});
    pass(2s);
    CHECK(sites[2].nodes->owner_of(topic) != peer_set::here);
    auto& x = connect(1, 0);
    subscribe(x, topic);
    watchers.push_back(&here);
    for (auto* y : watchers)
      CHECK_EQ(news(*y), step(topic, "join", "", x));
    watchers.pop_back();
    lose(here);
    view({0, 1});
    pass(2s);
    for (auto* y : watchers)
      CHECK_EQ(news(*y), step(topic, "leave", "", here));
    CHECK_EQ(count(x, topic), "3/3");
    // For the other topic.
    sites[2].self.state = member_state::up;
    view({0, 1, 2});
    pass(1s);
  }
}

CAF_TEST(a topic that goes back and forth takes all along) {
  auto topic = joining(2);
  auto& x = watcher(0, 0, topic);
  auto& y = watcher(2, 0, topic);
  subscribe(connect(1, 0), topic);
  pass(1s);
  news(x);
  news(y);
  for (int i = 0; i < 3; ++i) {
    sites[3].self.state = member_state::up;
    view({0, 1, 2, 3});
    sites[3].self.state = member_state::leaving;
    view({0, 1, 2, 3});
  }
  pass(2s);
  CHECK_EQ(news(x) + news(y), "");
  CHECK_EQ(count(connect(3), topic), "3/3");
  auto& z = connect(1, 1);
  subscribe(z, topic);
  CHECK_EQ(news(x), step(topic, "join", "", z));
  CHECK_EQ(news(y), step(topic, "join", "", z));
}

CAF_TEST(who lingers does so at the new owner) {
  auto topic = joining(2);
  auto& x = watcher(0, 0, topic);
  auto& alice = connect(1, 0, "alice");
  auto& bob = connect(1, 1, "bob");
  subscribe(alice, topic);
  subscribe(bob, topic);
  pass(1s);
  news(x);
  lose(alice);
  lose(bob);
  view({0, 1, 2, 3});
  CHECK_EQ(count(x, topic), "3/1");
  pass(3s);
  subscribe(connect(3, 0, "alice"), topic);
  CHECK_EQ(news(x), "");
  pass(3s);
  CHECK_EQ(news(x), step(topic, "leave", "bob", bob));
}

CAF_TEST(what was to be told is told before the topic goes) {
  auto topic = joining(2);
  auto& x = watcher(0, 0, topic);
  auto& here = watcher(2, 0, topic);
  pass(1s);
  news(x);
  subscribe(connect(1, 0), topic);
  news(x);
  news(here);
  // Within the same interval.
  auto& y = connect(1, 1);
  subscribe(y, topic);
  CHECK_EQ(news(x), "");
  view({0, 1, 2, 3});
  CHECK_EQ(news(x), step(topic, "join", "", y));
  CHECK_EQ(news(here), step(topic, "join", "", y));
  pass(2s);
  CHECK_EQ(news(x), "");
}

CAF_TEST(who has more to be told than one telling holds asks again) {
  auto topic = joining(2);
  auto& x = watcher(1, 1, topic);
  subscribe(connect(0), topic);
  report(0, topic, 3'000);
  news(x);
  view({0, 1, 2, 3});
  pass(2s);
  CHECK(news(x).ends_with(reset(topic)));
  CHECK_EQ(count(x, topic), "3002/3002");
}

CAF_TEST(many members go in parts) {
  auto topic = joining(2);
  auto& x = watcher(1, 1, topic);
  subscribe(connect(0), topic);
  report(0, topic, 5'000, std::string(50, 'x'));
  pass(2s);
  news(x);
  auto frames_before = frames(2, 1);
  view({0, 1, 2, 3});
  CAF_CHECK_GREATER(frames(2, 3), 5u);
  CAF_CHECK_LESS(frames(2, 1), frames_before + 10);
  pass(2s);
  CHECK_EQ(news(x), "");
  CHECK_EQ(count(x, topic), "5002/5002");
}

// -- what is reported meanwhile -----------------------------------------------

CAF_TEST(who comes and goes meanwhile is told of when all go by the view) {
  auto topic = joining(2);
  auto& x = watcher(0, 0, topic);
  auto& y = connect(0);
  auto& z = connect(3);
  subscribe(y, topic);
  pass(1s);
  news(x);
  tell_some({0, 2, 3});
  z.say(type::subscribe, 1, topic);
  y.say(type::unsubscribe, 2, topic);
  settle();
  pass(1s);
  CHECK_EQ(news(x), "");
  auto& asks = connect(2);
  asks.say(type::request, 9, "callboard.presence_count",
           *payload::from_json("{\"topic\":\"" + topic + "\"}"));
  settle();
  CHECK_EQ(asks.heard(), "");
  tell_too(1);
  CHECK(asks.heard().starts_with("response 9 "));
  pass(1s);
  auto told = news(x);
  CHECK_NE(told.find("join"), std::string::npos);
  CHECK_NE(told.find("leave"), std::string::npos);
  CHECK_EQ(told.find("reset"), std::string::npos);
  CHECK_EQ(members(x, topic), "[{\"connections\":[\"" + x->wire_name()
                                + "\"]},{\"connections\":[\"" + z->wire_name()
                                + "\"]}]");
}

CAF_TEST(what comes to the old owner too late goes to the new one in order) {
  auto topic = joining(2);
  auto& x = watcher(1, 1, topic);
  auto& y = connect(0);
  auto& z = connect(0);
  auto& late = connect(0);
  subscribe(y, topic);
  subscribe(z, topic);
  pass(1s);
  news(x);
  tell_some({1, 2, 3});
  for (int i = 0; i < 3; ++i) {
    say(z, type::unsubscribe, 2, topic);
    say(z, type::subscribe, 1, topic);
    say(y, type::unsubscribe, 2, topic);
    if (i < 2)
      say(y, type::subscribe, 1, topic);
  }
  watch(late, topic);
  say(late, type::request, 9, "callboard.presence_count",
      *payload::from_json("{\"topic\":\"" + topic + "\"}"));
  CHECK_EQ(news(x), "");
  tell_too(0);
  CHECK_NE(late.heard().find("{\"members\":3,\"connections\":3}"),
           std::string::npos);
  pass(2s);
  auto told = news(x);
  CHECK_EQ(told.find("reset"), std::string::npos);
  CHECK_EQ(told.find(z->wire_name()), std::string::npos);
  CHECK_NE(told.find("\"leave\",\"connection\":\"" + y->wire_name()),
           std::string::npos);
  CHECK_NE(told.find("\"join\",\"connection\":\"" + late->wire_name()),
           std::string::npos);
  news(late);
  auto& other = connect(3);
  subscribe(other, topic);
  CHECK_EQ(news(late), step(topic, "join", "", other));
}

CAF_TEST(reports that have no room are told anew) {
  auto topic = joining(2);
  auto& x = watcher(1, 1, topic);
  auto& y = connect(0);
  auto& z = connect(0);
  subscribe(y, topic);
  pass(1s);
  news(x);
  tell_some({0, 2, 3});
  fill(connect(0));
  z.say(type::subscribe, 1, topic);
  y.say(type::unsubscribe, 2, topic);
  settle();
  tell_too(1);
  pass(2s);
  CHECK_EQ(count(connect(2), topic), "2/2");
  auto told = news(x);
  CHECK_NE(told.find("leave"), std::string::npos);
  CHECK_EQ(told.find("reset"), std::string::npos);
}

CAF_TEST(an owner that had no room is told anew) {
  auto topic = joining(2);
  auto& x = watcher(1, 1, topic);
  auto& y = connect(0);
  subscribe(y, topic);
  pass(1s);
  news(x);
  tell_some({1, 2, 3});
  fill(connect(2));
  say(y, type::unsubscribe, 2, topic);
  tell_too(0);
  pass(2s);
  CHECK_EQ(count(connect(2), topic), "1/1");
  CHECK_EQ(news(x), step(topic, "leave", "", y));
}

CAF_TEST(reports leave room for publications) {
  auto topic = joining(2);
  auto& x = connect(0);
  tell_some({0, 2, 3});
  report(0, topic, parked_calls::bounds{}.calls_max);
  CHECK_EQ(publish(x, topic, "1", 5), "");
  tell_too(1);
  CHECK(x.heard().starts_with("response 5 "));
}

// -- views that are skipped ---------------------------------------------------

CAF_TEST(watchers see nothing of views that are skipped) {
  auto topic = joining(2);
  auto& x = watcher(0, 0, topic);
  auto& y = watcher(1, 1, topic);
  auto& z = watcher(2, 0, topic);
  pass(1s);
  for (auto* who : {&x, &y, &z})
    news(*who);
  // One that only the old and the new owner have seen, and one in which the
  // topic is the old one's again.
  tell_some({2, 3});
  sites[3].self.state = member_state::leaving;
  view({0, 1, 2, 3});
  pass(2s);
  for (auto* who : {&x, &y, &z})
    CHECK_EQ(news(*who), "");
  // One that the old owner misses.
  sites[3].self.state = member_state::up;
  tell_some({0, 1, 3});
  tell_some({0, 1, 2, 3});
  pass(2s);
  for (auto* who : {&x, &y, &z})
    CHECK_EQ(news(*who), "");
  CHECK_EQ(count(connect(3), topic), "3/3");
  auto& other = connect(3);
  subscribe(other, topic);
  for (auto* who : {&x, &y, &z})
    CHECK_EQ(news(*who), step(topic, "join", "", other));
}

END_FIXTURE_SCOPE()
