// Who is in a topic, and what its watchers are told.

#include <callboard/actors/presence_registry.hpp>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

namespace {

using kind = presence_change::kind;

struct fixture {
  void change(kind what, connection_id connection = 0, std::string user = {},
              std::string topic = "t", uint32_t loop = 0) {
    registry.apply({what, std::move(topic), connection, std::move(user)},
                   {loop}, now);
  }

  /// Returns what is told by now: `t 0,2: +alice 1, -2`.
  std::string told() {
    std::string result;
    registry.advance(now, [&](const presence_news_ptr& news,
                              const loop_set& loops) {
      result += (result.empty() ? "" : "; ") + news->topic + ' ';
      std::string list;
      loops.for_each([&](uint32_t loop) {
        list += (list.empty() ? "" : ",") + std::to_string(loop);
      });
      result += list + ':';
      for (auto& x : news->steps) {
        result += x.joined ? " +" : " -";
        result += (x.user.empty() ? "" : x.user + ' ')
                  + std::to_string(x.connection);
      }
    });
    return result;
  }

  std::string told_at(int64_t ms) {
    now = ms;
    return told();
  }

  /// Returns a page in words: `alice 1,2; 3`.
  std::string page(size_t limit = 100, const std::string& after = {}) {
    auto found = registry.list("t", after, limit);
    next = found.next;
    std::string result;
    for (auto& x : found.members) {
      result += (result.empty() ? "" : "; ") + x.user;
      std::string list;
      for (auto id : x.connections)
        list += (list.empty() ? "" : ",") + std::to_string(id);
      result += (x.user.empty() || list.empty() ? "" : " ") + list;
    }
    return result;
  }

  std::string count() {
    auto x = registry.count("t");
    return std::to_string(x.members) + '/' + std::to_string(x.connections);
  }

  presence_registry registry{{5'000, 250, 3}};
  int64_t now = 0;
  std::string next;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a user is one member with all its connections) {
  change(kind::join, 1, "alice");
  change(kind::join, 2, "alice");
  change(kind::join, 3);
  CHECK_EQ(page(), "3; alice 1,2");
  CHECK_EQ(count(), "2/3");
  change(kind::leave, 1);
  CHECK_EQ(page(), "3; alice 2");
  CHECK_EQ(count(), "2/2");
  CHECK_EQ(registry.members(), 2u);
}

CAF_TEST(a name like a connection is still a user) {
  change(kind::join, 1, "0000000000000002");
  change(kind::join, 2);
  CHECK_EQ(count(), "2/2");
}

CAF_TEST(what was told twice counts once) {
  change(kind::join, 1, "alice");
  change(kind::join, 1, "alice");
  CHECK_EQ(count(), "1/1");
  change(kind::leave, 7);
  change(kind::leave, 1, {}, "elsewhere");
  CHECK_EQ(count(), "1/1");
}

CAF_TEST(watchers hear of the first at once and of those after it together) {
  change(kind::watch, 0, {}, "t", 2);
  change(kind::join, 1, "alice");
  CHECK_EQ(told(), "t 2: +alice 1");
  change(kind::join, 2, "bob");
  change(kind::join, 3);
  CHECK_EQ(registry.due_ms(), 250);
  CHECK_EQ(told_at(249), "");
  auto both = told_at(250);
  CHECK(both == "t 2: +bob 2 +3" || both == "t 2: +3 +bob 2");
  CHECK_EQ(registry.due_ms(), presence_registry::never);
  change(kind::leave, 3);
  CHECK_EQ(told_at(499), "");
  CHECK_EQ(told_at(500), "t 2: -3");
}

CAF_TEST(nobody is told where nobody watches) {
  change(kind::join, 1);
  CHECK_EQ(registry.due_ms(), presence_registry::never);
  change(kind::watch);
  change(kind::unwatch);
  change(kind::leave, 1);
  CHECK_EQ(told_at(10'000), "");
}

CAF_TEST(the loops that watch are told) {
  change(kind::watch, 0, {}, "t", 0);
  change(kind::watch, 0, {}, "t", 3);
  change(kind::join, 1);
  CHECK_EQ(told(), "t 0,3: +1");
  change(kind::unwatch, 0, {}, "t", 0);
  change(kind::join, 2);
  CHECK_EQ(told_at(250), "t 3: +2");
}

CAF_TEST(a reconnect within the linger is neither leave nor join) {
  change(kind::watch);
  change(kind::join, 1, "alice");
  told();
  change(kind::leave, 1);
  CHECK_EQ(registry.due_ms(), 5'000);
  CHECK_EQ(page(), "alice");
  CHECK_EQ(count(), "1/0");
  now = 4'999;
  change(kind::join, 2, "alice");
  CHECK_EQ(told(), "");
  CHECK_EQ(told_at(60'000), "");
  CHECK_EQ(page(), "alice 2");
}

CAF_TEST(who does not come back leaves when the linger is over) {
  change(kind::watch);
  change(kind::join, 1, "alice");
  change(kind::join, 2, "alice");
  told();
  change(kind::leave, 2);
  now = 1'000;
  change(kind::leave, 1);
  CHECK_EQ(told_at(5'999), "");
  CHECK_EQ(told_at(6'000), "t 0: -alice 1");
  CHECK_EQ(count(), "0/0");
}

CAF_TEST(a second linger counts from its own beginning) {
  change(kind::watch);
  change(kind::join, 1, "alice");
  told();
  change(kind::leave, 1);
  now = 4'000;
  change(kind::join, 2, "alice");
  change(kind::leave, 2);
  CHECK_EQ(told_at(8'999), "");
  CHECK_EQ(told_at(9'000), "t 0: -alice 2");
}

CAF_TEST(a nameless connection leaves at once) {
  change(kind::watch);
  change(kind::join, 1);
  told();
  change(kind::leave, 1);
  CHECK_EQ(told_at(250), "t 0: -1");
}

CAF_TEST(the oldest of too many who linger goes early) {
  change(kind::watch);
  for (connection_id id = 1; id <= 4; ++id)
    change(kind::join, id, "u" + std::to_string(id));
  told();
  for (connection_id id = 1; id <= 3; ++id)
    change(kind::leave, id);
  CHECK_EQ(told_at(250), "");
  change(kind::leave, 4);
  CHECK_EQ(told_at(500), "t 0: -u1 1");
  CHECK_EQ(count(), "3/0");
}

CAF_TEST(what cancels out is not told) {
  change(kind::watch);
  change(kind::join, 1);
  told();
  change(kind::join, 2);
  change(kind::leave, 2);
  CHECK_EQ(told_at(250), "");
}

CAF_TEST(what cancels out after somebody read the list is told) {
  change(kind::watch);
  change(kind::join, 1);
  told();
  change(kind::join, 2);
  CHECK_EQ(page(), "1; 2");
  change(kind::leave, 2);
  CHECK_EQ(told_at(250), "t 0: -2");
  change(kind::join, 3);
  change(kind::leave, 3);
  CHECK_EQ(told_at(500), "");
}

CAF_TEST(pages follow each other) {
  for (connection_id id = 1; id <= 5; ++id)
    change(kind::join, id, "u" + std::to_string(id));
  CHECK_EQ(page(2), "u1 1; u2 2");
  CHECK_EQ(next, "uu2");
  CHECK_EQ(page(2, next), "u3 3; u4 4");
  CHECK_EQ(page(2, next), "u5 5");
  CHECK_EQ(next, "");
  CHECK_EQ(page(5), "u1 1; u2 2; u3 3; u4 4; u5 5");
  CHECK_EQ(next, "");
  CHECK_EQ(page(2, "uu5"), "");
  CHECK_EQ(next, "");
  presence_member last{"u2", {2}};
  CHECK_EQ(presence_registry::cursor_of(last, "n"), "uu2");
}

CAF_TEST(who reads the pages and follows the news knows who is there) {
  std::mt19937 random{7};
  auto pick = [&random](uint32_t n) { return random() % n; };
  for (int run = 0; run < 500; ++run) {
    presence_registry owner{{1'000, 250, 3}};
    int64_t time = 0;
    std::map<connection_id, bool> here;
    connection_id last = 0;
    auto tell = [&](kind what, connection_id id, std::string user = {}) {
      owner.apply({what, "t", id, std::move(user)}, {}, time);
    };
    // The client: what it has read, and what it was told, in order.
    std::set<std::string> known;
    auto key = [](const std::string& user, connection_id id) {
      return user.empty() ? std::to_string(id) : user;
    };
    auto follow = [&] {
      owner.advance(time, [&](const presence_news_ptr& news, const loop_set&) {
        for (auto& x : news->steps)
          if (x.joined)
            known.insert(key(x.user, x.connection));
          else
            known.erase(key(x.user, x.connection));
      });
    };
    auto read = [&](std::set<std::string>& to, const std::string& from,
                    size_t limit) {
      auto found = owner.list("t", from, limit);
      for (auto& x : found.members)
        to.insert(key(x.user, x.connections.empty() ? 0 : x.connections[0]));
      return found.next;
    };
    auto churn = [&](uint32_t steps) {
      for (uint32_t i = 0; i < steps; ++i) {
        time += pick(100);
        if (here.empty() || pick(2) == 0) {
          here[++last] = true;
          tell(kind::join, last,
               pick(2) == 0 ? "" : "u" + std::to_string(pick(6)));
        } else {
          auto x = here.lower_bound(1 + pick(static_cast<uint32_t>(last)));
          x = x == here.end() ? here.begin() : x;
          tell(kind::leave, x->first);
          here.erase(x);
        }
        follow();
      }
    };
    churn(pick(20));
    known.clear();
    tell(kind::watch, 0);
    std::string after;
    do {
      churn(pick(4));
      after = read(known, after, 2);
    } while (!after.empty());
    churn(pick(20));
    for (int i = 0; i < 20; ++i) {
      time += 500;
      follow();
    }
    std::set<std::string> truth;
    read(truth, {}, 1000);
    CHECK(known == truth);
    CHECK_EQ(owner.count("t").connections, here.size());
  }
}

CAF_TEST(the bound of those who linger counts users) {
  change(kind::join, 1, "alice");
  change(kind::leave, 1);
  for (connection_id id = 2; id < 100; ++id) {
    change(kind::join, id, "eve");
    change(kind::leave, id);
  }
  CHECK_EQ(page(), "alice; eve");
}

CAF_TEST(connections of a user go in any order) {
  for (connection_id id = 1; id <= 4; ++id)
    change(kind::join, id, "alice");
  change(kind::leave, 1);
  change(kind::leave, 4);
  CHECK_EQ(count(), "1/2");
  change(kind::leave, 2);
  CHECK_EQ(page(), "alice 3");
  change(kind::leave, 3);
  CHECK_EQ(count(), "1/0");
}

CAF_TEST(a page names up to one hundred connections of a user) {
  for (connection_id id = 1; id <= 101; ++id)
    change(kind::join, id, "alice");
  CHECK_EQ(registry.list("t", "", 1).members.at(0).connections.size(), 100u);
  change(kind::leave, 101);
  CHECK_EQ(registry.list("t", "", 1).members.at(0).connections.size(), 100u);
  change(kind::leave, 100);
  CHECK_EQ(registry.list("t", "", 1).members.at(0).connections.size(), 99u);
}

CAF_TEST(a telling is bounded and the others follow) {
  auto most = presence_registry::steps_max;
  change(kind::watch);
  for (connection_id id = 1; id <= 2 * most + 1; ++id)
    change(kind::join, id);
  size_t steps = 0;
  auto listen = [&](int64_t ms) {
    now = ms;
    registry.advance(now, [&](const presence_news_ptr& x, const loop_set&) {
      steps += x->steps.size();
    });
    return steps;
  };
  CHECK_EQ(listen(0), most);
  CHECK_EQ(listen(249), most);
  CHECK_EQ(listen(250), 2 * most);
  CHECK_EQ(listen(500), 2 * most + 1);
  CHECK_EQ(registry.due_ms(), presence_registry::never);
}

CAF_TEST(what is unused is forgotten) {
  change(kind::watch);
  change(kind::join, 1, "alice");
  change(kind::unwatch);
  change(kind::leave, 1);
  CHECK_EQ(told_at(5'000), "");
  CHECK_EQ(count(), "0/0");
  CHECK_EQ(registry.members(), 0u);
  CHECK_EQ(registry.due_ms(), presence_registry::never);
}

END_FIXTURE_SCOPE()
