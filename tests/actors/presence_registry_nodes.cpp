// Who is in topics, as the owner hears it from other nodes.

#include <callboard/actors/presence_registry.hpp>

#include <string>
#include <vector>

#include <caf/make_counted.hpp>

#include "support/test.hpp"

using namespace callboard;

namespace {

using kind = presence_change::kind;

/// Loop 0 is this node's; loops 1 and 2 are the nodes b and c.
struct fixture {
  void change(uint32_t from, kind what, connection_id connection = 0,
              std::string user = {}, std::string topic = "t") {
    registry.apply({what, std::move(topic), connection, std::move(user)},
                   source_of(from), now);
  }

  presence_registry::source source_of(uint32_t from) const {
    if (from == 0)
      return {0, nullptr};
    // A name of its own, as another link to the same node would have.
    std::string name{from == 1 ? 'b' : 'c'};
    return {from, caf::make_counted<node_name>(name)};
  }

  /// Returns what is told by now: `t 0,2: +alice b1 -c2`, `t 1: reset`.
  std::string told(int64_t at_ms) {
    now = at_ms;
    std::string result;
    registry.advance(now, [&](const presence_news_ptr& news,
                              const loop_set& loops) {
      result += (result.empty() ? "" : "; ") + news->topic + ' ';
      std::string list;
      loops.for_each([&](uint32_t loop) {
        list += (list.empty() ? "" : ",") + std::to_string(loop);
      });
      result += list + ':' + (news->reset ? " reset" : "");
      for (auto& x : news->steps)
        result += (x.joined ? " +" : " -")
                  + (x.user.empty() ? "" : x.user + ' ') + x.node
                  + std::to_string(x.connection);
    });
    return result;
  }

  std::string count(const std::string& topic = "t") const {
    auto x = registry.count(topic);
    return std::to_string(x.members) + '/' + std::to_string(x.connections);
  }

  /// Returns what goes to another owner, and sets `last` to who is told before
  /// and how many steps.
  presence_registry::extracted take_out(std::string& last) {
    auto tell = [&](const presence_news_ptr& news, const loop_set& loops) {
      loops.for_each([&](uint32_t loop) {
        last += (last.empty() ? "" : ",") + std::to_string(loop);
      });
      last += ": " + std::to_string(news->steps.size());
    };
    return registry.extract("t", now, tell);
  }

  presence_registry registry{{5'000, 0, 100}, "a"};
  int64_t now = 0;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(connections of different nodes with one number are not the same) {
  change(0, kind::watch);
  for (uint32_t from : {0, 1, 2, 1})
    change(from, kind::join, 7);
  CHECK_EQ(count(), "3/3");
  told(1);
  change(1, kind::leave, 7);
  CHECK_EQ(told(2), "t 0: -b7");
  auto page = registry.list("t", {}, 10);
  CHECK_EQ(page.members.size(), 2u);
  CHECK(page.members.at(0) == (presence_member{"", {7}}));
  CHECK(page.members.at(1) == (presence_member{"", {7}, {"c"}}));
}

CAF_TEST(pages go on wherever one asks) {
  change(0, kind::join, 7);
  change(1, kind::join, 7);
  auto first = registry.list("t", {}, 1);
  CHECK_EQ(first.next, presence_registry::cursor_of(first.members.at(0), "a"));
  // As the node b knows them.
  presence_registry other{{5'000, 0, 100}, "b"};
  other.apply({kind::join, "t", 7, {}}, {}, 0);
  other.apply({kind::join, "t", 7, {}}, {1, caf::make_counted<node_name>("a")},
              0);
  auto second = other.list("t", first.next, 10);
  CHECK_EQ(second.members.size(), 1u);
  CHECK(second.members.at(0) == (presence_member{"", {7}}));
}

CAF_TEST(all of a node that is lost go by the linger) {
  change(0, kind::watch);
  change(1, kind::watch);
  change(1, kind::join, 1);
  change(1, kind::join, 2, "alice");
  change(1, kind::join, 3, "bob");
  change(2, kind::join, 1, "bob");
  change(1, kind::join, 4, {}, "other");
  told(0);
  registry.drop(source_of(1), now);
  CHECK_EQ(told(1), "t 0: -b1");
  CHECK_EQ(count(), "2/1");
  CHECK_EQ(count("other"), "0/0");
  change(2, kind::join, 2, "alice");
  CHECK_EQ(told(10'000), "");
  CHECK_EQ(count(), "2/2");
  CHECK_EQ(registry.members(), 2u);
}

CAF_TEST(who is not told again after a home began anew goes) {
  change(0, kind::watch);
  change(1, kind::watch);
  change(1, kind::join, 1);
  change(1, kind::join, 2);
  change(2, kind::join, 2);
  change(1, kind::join, 3, {}, "other");
  told(0);
  registry.renew(
    source_of(1), [](const std::string& x) { return x == "t"; }, now);
  change(1, kind::join, 1);
  CHECK_EQ(told(presence_registry::settle_ms - 1), "");
  CHECK_EQ(count(), "3/3");
  CHECK_EQ(registry.due_ms(), presence_registry::settle_ms);
  CHECK_EQ(told(presence_registry::settle_ms), "t 0: -b2");
  CHECK_EQ(count(), "2/2");
  CHECK_EQ(count("other"), "1/1");
  CHECK_EQ(registry.due_ms(), presence_registry::never);
}

CAF_TEST(who is not told again of one topic goes) {
  change(0, kind::watch);
  change(1, kind::watch);
  for (connection_id x : {1, 2})
    change(1, kind::join, x);
  change(2, kind::join, 2);
  change(1, kind::join, 2, {}, "other");
  told(0);
  change(1, kind::renew);
  change(1, kind::join, 1);
  // Nor does another time count that begins meanwhile.
  change(2, kind::renew);
  change(2, kind::join, 2);
  CHECK_EQ(told(presence_registry::settle_ms - 1), "");
  CHECK_EQ(registry.due_ms(), presence_registry::settle_ms);
  CHECK_EQ(told(presence_registry::settle_ms), "t 0: -b2");
  CHECK_EQ(count(), "2/2");
  CHECK_EQ(count("other"), "1/1");
  CHECK_EQ(registry.due_ms(), presence_registry::never);
}

// -- topics that change their owner -------------------------------------------

CAF_TEST(who is there goes to another owner) {
  change(0, kind::watch);
  change(1, kind::watch);
  change(2, kind::watch_anew);
  change(0, kind::join, 1);
  change(1, kind::join, 1, "alice");
  change(2, kind::join, 2, "alice");
  change(2, kind::join, 3, "bob");
  change(2, kind::leave, 3);
  change(1, kind::join, 9, {}, "other");
  // It is told before.
  std::string last;
  auto x = take_out(last);
  CHECK_EQ(last, "0,1: 3");
  CHECK_EQ(count(), "0/0");
  CHECK_EQ(count("other"), "1/1");
  CHECK_EQ(registry.members(), 1u);
  CHECK_EQ(told(10'000), "");
  CHECK_EQ(registry.due_ms(), presence_registry::never);
  for (uint32_t loop : {0, 1, 2}) {
    CHECK(x.watchers.contains(loop));
    CHECK_EQ(x.missed.contains(loop), loop == 2);
  }
  // As the node b takes it in.
  presence_registry other{{5'000, 0, 100}, "b"};
  std::vector<node_name_ptr> names;
  for (auto& node : x.room.nodes)
    if (node.name == "b")
      names.emplace_back();
    else
      names.emplace_back(caf::make_counted<node_name>(node.name));
  other.adopt("t", x.room, names, now);
  other.apply({kind::watch, "t", 0, {}}, {7}, now);
  CHECK_EQ(other.members(), 3u);
  auto page = other.list("t", {}, 10);
  CAF_REQUIRE_EQUAL(page.members.size(), 3u);
  CHECK(page.members[0] == (presence_member{"", {1}, {"a"}}));
  CHECK(page.members[1] == (presence_member{"alice", {1, 2}, {"", "c"}}));
  CHECK(page.members[2] == (presence_member{"bob", {}}));
  // Who lingers does so anew.
  CHECK_EQ(other.due_ms(), now + 5'000);
  // One of the nodes has gone.
  other.drop("t", caf::make_counted<node_name>("a"), now);
  auto news = other.take_news("t", now);
  CAF_REQUIRE(news != nullptr);
  CHECK(news->steps == (std::vector<presence_step>{{false, "", 1, "a"}}));
}

CAF_TEST(who lingers is gone where the new owner lets nobody linger) {
  change(1, kind::join, 1, "alice");
  change(1, kind::join, 2, "bob");
  change(1, kind::leave, 2);
  std::string last;
  auto x = take_out(last);
  CAF_REQUIRE_EQUAL(x.room.members.size(), 2u);
  presence_registry other{{0, 0, 100}, "c"};
  other.adopt("t", x.room, {source_of(1).node}, now);
  CHECK_EQ(other.count("t").members, 1u);
  CHECK_EQ(other.members(), 1u);
  CHECK_EQ(other.due_ms(), presence_registry::never);
}

CAF_TEST(who has yet to be told again does not go along) {
  change(0, kind::watch);
  for (connection_id x : {1, 2, 3})
    change(1, kind::join, x);
  told(0);
  registry.renew(
    source_of(1), [](const std::string& x) { return x == "t"; }, now);
  change(1, kind::join, 1);
  change(1, kind::join, 2);
  change(1, kind::renew);
  change(1, kind::join, 1);
  std::string last;
  auto x = take_out(last);
  CHECK_EQ(last, "0: 2");
  CAF_REQUIRE_EQUAL(x.room.members.size(), 1u);
  CHECK_EQ(x.room.members[0].connections[0].number, 1u);
  CHECK_EQ(told(10'000), "");
}

CAF_TEST(watchers whom one telling is not enough have to ask) {
  change(1, kind::watch);
  for (connection_id x = 0; x <= presence_registry::steps_max; ++x)
    change(0, kind::join, x + 1);
  std::string last;
  auto x = take_out(last);
  CHECK_EQ(last, "1: " + std::to_string(presence_registry::steps_max));
  CHECK(x.missed.contains(1));
}

CAF_TEST(who watches anew is told once when all are there) {
  change(1, kind::watch_anew);
  change(1, kind::join, 1);
  change(0, kind::watch_anew);
  change(0, kind::join, 1);
  CHECK_EQ(told(presence_registry::settle_ms - 1), "");
  CHECK_EQ(count(), "2/2");
  CHECK_EQ(told(presence_registry::settle_ms), "t 0,1: reset");
  change(2, kind::join, 1);
  CHECK_EQ(told(now), "t 0,1: +c1");
}

CAF_TEST(who watches already hears of all while others are held) {
  change(0, kind::watch);
  change(1, kind::watch_anew);
  change(1, kind::join, 1);
  CHECK_EQ(told(1), "t 0: +b1");
  CHECK_EQ(told(presence_registry::settle_ms), "t 1: reset");
}

CAF_TEST(who does not watch any more is told nothing) {
  change(1, kind::watch_anew);
  change(1, kind::unwatch);
  change(0, kind::join, 1);
  CHECK_EQ(told(presence_registry::settle_ms), "");
  // One that begins to watch later settles in its own time.
  change(1, kind::watch_anew);
  now += 100;
  change(1, kind::unwatch);
  change(1, kind::watch_anew);
  CHECK_EQ(told(2 * presence_registry::settle_ms), "");
  CHECK_EQ(told(2 * presence_registry::settle_ms + 100), "t 1: reset");
}

CAF_TEST(topics of other owners are forgotten) {
  change(0, kind::watch);
  change(0, kind::join, 1, "alice");
  change(0, kind::join, 2, "bob");
  change(0, kind::leave, 2);
  change(0, kind::join, 3, "eve", "mine");
  registry.keep_if([](const std::string& x) { return x == "mine"; });
  CHECK_EQ(count(), "0/0");
  CHECK_EQ(count("mine"), "1/1");
  CHECK_EQ(registry.members(), 1u);
  CHECK_EQ(registry.due_ms(), presence_registry::never);
}

END_FIXTURE_SCOPE()
