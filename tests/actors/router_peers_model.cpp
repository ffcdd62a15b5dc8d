#include <callboard/actors/router.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "actors/router_peers_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

/// What is known of a request.
struct asked_request {
  size_t asker = 0;
  size_t node = 0;
  std::string action;
  int64_t due_ms = 0;
  /// How often a responder got it, and how often its asker an answer.
  size_t served = 0;
  size_t answered = 0;
  /// Whether no answer may come, or need not.
  bool cancelled = false;
  bool orphaned = false;
};

struct given_request {
  request_ticket ticket;
  std::string name;
  bool answered = false;
};

struct model_client {
  size_t node = 0;
  fake_client who;
  std::set<std::string> serves;
  /// How many of what it was told were looked at.
  size_t seen = 0;
  /// What it was given and not told to forget.
  std::vector<given_request> open;
};

/// Does random things to nodes, shards, links and clients, and checks that each
/// request of an asker that lives gets exactly one answer, that of its
/// responder or why there is none.
struct fixture : router_peers_fixture {
  size_t below(size_t n) {
    return static_cast<size_t>(rng() % n);
  }

  void start(uint64_t seed) {
    rng.seed(seed);
    for (size_t n = 0; n < sites.size(); ++n)
      stop_site(n);
    sites.clear();
    requests.clear();
    askers.clear();
    responders.clear();
    last_call_id = 0;
    for (size_t n = 0; n < 3; ++n)
      add_sites({static_cast<uint32_t>(1 + below(2))});
    introduce();
    for (size_t i = 0; i < 6; ++i) {
      askers.push_back({i % 3, connect(), {}, 0, {}});
      responders.push_back({i % 3, connect(), {}, 0, {}});
    }
  }

  // -- what happens -----------------------------------------------------------

  void ask_something() {
    auto who = below(askers.size());
    auto& x = askers[who];
    auto call_id = ++last_call_id;
    auto timeout_ms = static_cast<int64_t>(1 + below(200));
    auto& action = actions[below(actions.size())];
    auto name = std::to_string(call_id);
    requests[name] = {who, x.node, action, now_ms() + timeout_ms};
    ask(x.node, x.who, action, call_id, std::chrono::milliseconds{timeout_ms},
        name);
  }

  void answer_something() {
    auto& x = responders[below(responders.size())];
    if (x.open.empty())
      return;
    auto i = x.open.begin() + static_cast<long>(below(x.open.size()));
    i->answered = true;
    auto [ticket, name, answered] = *i;
    // Now and then it is answered again.
    if (below(4) != 0)
      x.open.erase(i);
    auto outcome = request_outcome::answer(payload::pack("re " + name));
    answer(x.node, x.who, ticket, outcome);
  }

  void cancel_something() {
    auto call_id = static_cast<uint32_t>(1 + below(last_call_id + 1));
    auto i = requests.find(std::to_string(call_id));
    if (i == requests.end())
      return;
    // Of somebody else it means nothing.
    auto who = below(askers.size());
    auto& x = i->second;
    if (who == x.asker && x.answered == 0)
      x.cancelled = true;
    cancel(x.node, askers[who].who, x.action, call_id);
  }

  void toggle() {
    auto& x = responders[below(responders.size())];
    auto& action = actions[below(actions.size())];
    if (x.serves.erase(action) > 0) {
      unserve(x.node, x.who, action);
    } else {
      x.serves.insert(action);
      serve(x.node, x.who, action);
    }
  }

  void kill_responder() {
    auto& x = responders[below(responders.size())];
    end(x.who);
    x = {x.node, connect(), {}, 0, {}};
  }

  void kill_asker() {
    auto who = below(askers.size());
    std::erase_if(requests, [who](auto& x) { return x.second.asker == who; });
    end(askers[who].who);
    askers[who].who = connect();
  }

  void toggle_link() {
    auto n = below(sites.size());
    cut(n, !sites[n]->cut);
  }

  // A shard dies: clients register anew, and askers are told by their
  // connections.
  void lose_shard() {
    auto n = below(sites.size());
    auto shard = static_cast<uint32_t>(below(sites[n]->routers.size()));
    look();
    for (auto& [name, x] : requests)
      if (x.node == n && shard_at(n, x.action) == shard)
        x.orphaned = true;
    restart_router(n, shard);
    for (auto& x : responders) {
      if (x.node != n)
        continue;
      std::erase_if(x.open,
                    [shard](auto& y) { return y.ticket.shard == shard; });
      for (auto& action : x.serves)
        if (shard_at(n, action) == shard)
          serve(n, x.who, action);
    }
  }

  // A node dies, and another run of it begins, of which the others hear at once
  // or after they have missed it.
  void lose_node() {
    auto n = below(sites.size());
    look();
    for (auto& [name, x] : requests)
      if (x.node == n)
        x.orphaned = true;
    if (below(2) == 0)
      lose(n);
    restart_site(n);
    sites[n]->up = true;
    sites[n]->cut = false;
    introduce();
    for (auto& x : responders)
      if (x.node == n)
        x = {n, connect(), {}, 0, {}};
  }

  // -- what must be true ------------------------------------------------------

  // Looks at what clients were told.
  void look() {
    for (auto& x : responders) {
      for (; x.seen < x.who->served.size(); ++x.seen) {
        auto& [ticket, request] = x.who->served[x.seen];
        auto name = text_of(request->content.payload);
        x.open.push_back({ticket, name});
        if (auto i = requests.find(name); i != requests.end())
          REQUIRE_EQ(++i->second.served, 1u);
      }
      for (auto& ticket : x.who->cancelled)
        std::erase_if(x.open, [&](auto& y) { return y.ticket == ticket; });
      x.who->cancelled.clear();
    }
    for (size_t who = 0; who < askers.size(); ++who) {
      auto& answers = askers[who].who->answers;
      for (auto& [call_id, outcome] : answers) {
        auto name = std::to_string(call_id);
        auto i = requests.find(name);
        REQUIRE(i != requests.end());
        auto& request = i->second;
        REQUIRE_EQ(request.asker, who);
        REQUIRE(!request.cancelled && !request.orphaned);
        REQUIRE_EQ(++request.answered, 1u);
        check(name, request, outcome);
      }
      answers.clear();
    }
  }

  void check(const std::string& name, const asked_request& x,
             const request_outcome& outcome) {
    if (!outcome.failed()) {
      REQUIRE_EQ(text_of(outcome.payload), "re " + name);
      REQUIRE_EQ(x.served, 1u);
    } else if (outcome.name == "timeout") {
      REQUIRE_GE(now_ms(), x.due_ms);
    } else if (outcome.name == "no_responder") {
      REQUIRE_EQ(x.served, 0u);
    } else {
      REQUIRE_EQ(outcome.name, "responder_failed");
    }
  }

  void step() {
    auto dice = below(100);
    if (dice < 35)
      ask_something();
    else if (dice < 60)
      answer_something();
    else if (dice < 68)
      cancel_something();
    else if (dice < 80)
      toggle();
    else if (dice < 83)
      kill_responder();
    else if (dice < 85)
      kill_asker();
    else if (dice < 91)
      toggle_link();
    else if (dice < 92)
      lose_shard();
    else if (dice < 93)
      lose_node();
    else
      wait(std::chrono::milliseconds{1 + below(30)});
    look();
  }

  void finish() {
    for (size_t n = 0; n < sites.size(); ++n)
      cut(n, false);
    wait(1s);
    look();
    for (auto& [name, x] : requests)
      REQUIRE(x.answered > 0 || x.cancelled || x.orphaned);
    // Responders were told of all that was not wanted any more.
    for (auto& x : responders)
      for (auto& y : x.open)
        REQUIRE(y.answered);
    CHECK_EQ(pending_timers(), 0u);
  }

  std::mt19937_64 rng;
  const std::vector<std::string> actions{"sum", "product", "$tenant/acme/sum"};
  std::vector<model_client> askers;
  std::vector<model_client> responders;
  // By call ID, which is also the payload.
  std::map<std::string, asked_request> requests;
  uint32_t last_call_id = 0;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(each request gets exactly one answer whatever nodes and links do) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    MESSAGE("seed " << seed);
    start(seed);
    for (int i = 0; i < 400; ++i)
      step();
    finish();
  }
}

END_FIXTURE_SCOPE()
