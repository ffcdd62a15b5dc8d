// Random work in a cluster that keeps who is in topics.

#include <callboard/actors/broker.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <msgpack.hpp>

#include "support/presence_sites_fixture.hpp"
#include "support/seeds.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct told_step {
  std::string event;
  std::string user;
  std::string connection;

  MSGPACK_DEFINE_MAP(event, user, connection)
};

struct told_member {
  std::string user;
  std::vector<std::string> connections;

  MSGPACK_DEFINE_MAP(user, connections)
};

struct told_page {
  std::vector<told_member> members;
  std::string next;

  MSGPACK_DEFINE_MAP(members, next)
};

constexpr uint32_t list_seq_id = 9;

/// A client that comes and goes, and perhaps wants to know who is there.
struct guest {
  client* who = nullptr;
  size_t site = 0;
  std::string user;
  bool watches = false;
  /// What it knows of who is there: users and names of connections.
  std::set<std::string> known;
  bool lists = false;
};

struct model : presence_sites_fixture {
  explicit model(uint64_t seed) : rng{seed} {
    for (uint32_t loops : {1, 2, 1, 2})
      add(loops);
    view({0, 1, 2, 3});
    topic = topic_of(below(4), 0, "t" + std::to_string(seed) + '-');
    // Of few the last one at a node goes often.
    auto n = seed % 2 == 0 ? 12 : 3 + below(2);
    while (guests.size() < n)
      open(guests.emplace_back());
  }

  size_t below(size_t n) {
    return static_cast<size_t>(rng() % n);
  }

  // -- what guests do ---------------------------------------------------------

  void open(guest& x) {
    x = {};
    x.site = below(sites.size());
    if (below(3) > 0)
      x.user = "u" + std::to_string(below(5));
    auto& node = sites[x.site].node;
    auto loop = static_cast<uint32_t>(below(node.loops.size()));
    x.who = &connect(x.site, loop, x.user);
  }

  bool is_in(const guest& x) const {
    return topic_table::has(*x.who->box, topic);
  }

  void toggle(guest& x) {
    if (is_in(x)) {
      x.who->say(type::unsubscribe, 2, topic);
      x.watches = false;
      return;
    }
    x.watches = below(2) == 0;
    frame_view y;
    y.type = type::subscribe;
    y.seq_id = 1;
    y.subject = topic;
    y.meta.mark(meta_key::presence);
    y.meta.presence = x.watches;
    x.who->say(y);
  }

  void ask_page(guest& x, const std::string& after) {
    x.lists = true;
    auto json = "{\"topic\":\"" + topic + "\",\"limit\":2"
                + (after.empty() ? "" : ",\"after\":\"" + after + '"') + '}';
    x.who->say(type::request, list_seq_id, "callboard.presence",
               *payload::from_json(json));
  }

  void begin_list(guest& x) {
    x.known.clear();
    // One that is under way goes on, and the first page comes after it.
    if (!std::exchange(x.lists, true))
      ask_page(x, {});
    else
      again.insert(&x);
  }

  // Takes what it was told in order.
  void follow(guest& x) {
    for (auto& y : x.who->take()) {
      if (!x.watches) {
        x.lists = x.lists && y.seq_id != list_seq_id;
        continue;
      }
      if (y.type == type::response && y.seq_id == 1)
        begin_list(x);
      else if (y.seq_id == list_seq_id)
        take_page(x, y);
      else if (y.type == type::presence)
        take_steps(x, y);
    }
  }

  void take_page(guest& x, const frame& y) {
    x.lists = false;
    if (y.type == type::error || again.erase(&x) > 0)
      return begin_list(x);
    auto page = y.content.get_as<told_page>();
    REQUIRE(page.has_value());
    for (auto& z : page->members)
      x.known.insert(z.user.empty() ? z.connections.at(0) : z.user);
    if (!page->next.empty())
      ask_page(x, page->next);
  }

  void take_steps(guest& x, const frame& y) {
    auto steps = y.content.get_as<std::vector<told_step>>();
    REQUIRE(steps.has_value());
    for (auto& z : *steps) {
      auto& key = z.user.empty() ? z.connection : z.user;
      if (z.event == "reset")
        begin_list(x);
      else if (z.event == "join")
        x.known.insert(key);
      else
        x.known.erase(key);
    }
  }

  // -- what happens to nodes --------------------------------------------------

  void change_view() {
    settle();
    switch (below(8)) {
      case 0:
        return part({0, 1, 2}, 3);
      case 1:
        return part({1, 2, 3}, 0);
      case 2:
        return part({0, 2, 3}, 1);
      case 3:
        return part({0, 1, 3}, 2);
      case 4:
      case 5:
        return retire(below(sites.size()));
      default:
        view({0, 1, 2, 3});
    }
  }

  // A node owns nothing from now on, and the one that did so before does. They
  // learn of it one by one, while guests come and go.
  void retire(size_t leaver) {
    view({0, 1, 2, 3});
    for (auto& x : guests)
      follow(x);
    settle();
    for (size_t site = 0; site < sites.size(); ++site)
      sites[site].self.state = site == leaver ? member_state::leaving
                                              : member_state::up;
    ++number;
    std::vector<size_t> order{0, 1, 2, 3};
    std::ranges::shuffle(order, rng);
    std::set<size_t> busy;
    for (auto site : order) {
      tell(site, {0, 1, 2, 3});
      for (int i = 0; i < 3; ++i) {
        if (auto guest = below(guests.size()); busy.insert(guest).second)
          toggle(guests[guest]);
        sites[below(sites.size())].node.turn();
        carry(below(sites.size()));
      }
      if (below(6) == 0)
        disturb();
    }
    settle();
  }

  // While topics move, a shard dies, or two nodes begin anew with each other.
  void disturb() {
    auto site = below(sites.size());
    if (below(2) == 0) {
      auto loops = sites[site].node.loops.size();
      return replace_broker(site, static_cast<uint32_t>(below(loops)));
    }
    auto other = (site + 1 + below(sites.size() - 1)) % sites.size();
    ++rounds[std::minmax<size_t>(site, other)];
    tell(site, {0, 1, 2, 3});
    tell(other, {0, 1, 2, 3});
  }

  // The last one is alone from now on.
  void part(std::initializer_list<size_t> members, size_t alone) {
    view(members);
    tell(alone, {alone});
    settle();
  }

  void replace_shard() {
    auto site = below(sites.size());
    auto loops = sites[site].node.loops.size();
    settle();
    replace_broker(site, static_cast<uint32_t>(below(loops)));
  }

  void act() {
    auto dice = below(100);
    auto& x = guests[below(guests.size())];
    if (dice < 50) {
      // What is answered is known before it asks for something else.
      settle();
      follow(x);
      toggle(x);
    } else if (dice < 60) {
      settle();
      again.erase(&x);
      lose(*x.who);
      open(x);
    } else if (dice < 63) {
      change_view();
    } else if (dice < 66) {
      replace_shard();
    } else if (dice < 80) {
      pass(std::chrono::milliseconds{50 * below(12)});
    } else {
      sites[below(sites.size())].node.turn();
    }
    for (auto& y : guests)
      follow(y);
  }

  // -- what must be true ------------------------------------------------------

  void finish() {
    settle();
    for (auto& x : sites)
      x.self.state = member_state::up;
    view({0, 1, 2, 3});
    // All lingers are over, and all pages read.
    for (int i = 0; i < 20; ++i) {
      pass(500ms);
      for (auto& x : guests)
        follow(x);
    }
    std::set<std::string> truth;
    size_t connections = 0;
    for (auto& x : guests)
      if (is_in(x)) {
        truth.insert(x.user.empty() ? x.who->actor->wire_name() : x.user);
        ++connections;
      }
    auto expected = std::to_string(truth.size()) + '/'
                    + std::to_string(connections);
    for (size_t site = 0; site < sites.size(); ++site)
      REQUIRE_EQ(count(connect(site), topic), expected);
    for (auto& x : guests)
      if (x.watches && is_in(x))
        REQUIRE(x.known == truth);
  }

  std::mt19937_64 rng;
  std::string topic;
  // Guests whose page is on its way and who begin anew when it has come.
  std::set<guest*> again;
  std::deque<guest> guests;
};

} // namespace

CAF_TEST(who lists and follows the news knows who is there at all nodes) {
  for (auto seed : seeds_to_try(20)) {
    MESSAGE("seed " << seed);
    model uut{seed};
    for (int i = 0; i < 150; ++i)
      uut.act();
    uut.finish();
  }
}
