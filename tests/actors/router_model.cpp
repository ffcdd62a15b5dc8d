#include <callboard/actors/router.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "actors/router_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

/// What must become of a request.
struct expectation {
  std::string answer;
  int64_t due_ms = 0;
  bool cancelled = false;
  bool seen = false;
};

/// Does random things to a router and checks that each request of an asker that
/// lives gets exactly one answer, and the right one.
struct fixture : router_fixture {
  using key = std::pair<size_t, uint32_t>;

  size_t below(size_t n) {
    return static_cast<size_t>(rng() % n);
  }

  void begin(uint64_t seed) {
    rng.seed(seed);
    restart();
    expected.clear();
    askers.clear();
    responders.clear();
    for (int i = 0; i < 4; ++i)
      askers.push_back(connect());
    for (int i = 0; i < 4; ++i)
      responders.push_back(connect());
    offers.assign(responders.size(), {});
    checked.assign(responders.size(), 0);
  }

  bool served(const std::string& action) const {
    return std::ranges::any_of(offers,
                               [&](auto& x) { return x.count(action) > 0; });
  }

  void toggle() {
    auto i = below(responders.size());
    auto& action = actions[below(2)];
    if (offers[i].erase(action) > 0) {
      say(responders[i], unregister_atom_v, action, uint32_t{1});
    } else {
      offers[i].insert(action);
      serve(responders[i], action);
    }
  }

  void ask_something() {
    auto who = below(askers.size());
    auto& action = actions[below(2)];
    auto timeout_ms = static_cast<int64_t>(1 + below(200));
    auto call_id = ++last_call_id;
    expectation x;
    x.due_ms = now_ms() + timeout_ms;
    x.answer = served(action) ? "" : "no_responder";
    expected[{who, call_id}] = x;
    ask(askers[who], action, call_id, std::chrono::milliseconds{timeout_ms});
    note_served(who, call_id);
  }

  /// Finds out which responder got the request.
  void note_served(size_t who, uint32_t call_id) {
    size_t receivers = 0;
    for (size_t i = 0; i < responders.size(); ++i)
      for (; checked[i] < responders[i]->served.size(); ++checked[i]) {
        open[responders[i]->served[checked[i]].first.number] = {i,
                                                                {who, call_id}};
        ++receivers;
      }
    key asked{who, call_id};
    REQUIRE_EQ(receivers, expected[asked].answer.empty() ? 1u : 0u);
  }

  bool waits(const key& x) {
    auto i = expected.find(x);
    return i != expected.end() && i->second.answer.empty()
           && !i->second.cancelled;
  }

  /// Answers something that was served, be it wanted or not.
  void answer_something() {
    if (open.empty())
      return;
    auto i = std::next(open.begin(),
                       static_cast<ptrdiff_t>(below(open.size())));
    auto [responder, asked] = i->second;
    auto text = "answer " + std::to_string(i->first);
    if (waits(asked))
      expected[asked].answer = text;
    answer(responders[responder], {0, i->first}, text);
    // Now and then it is answered again.
    if (below(4) != 0)
      open.erase(i);
  }

  void cancel_something() {
    auto who = below(askers.size());
    auto call_id = static_cast<uint32_t>(1 + below(last_call_id + 1));
    if (waits({who, call_id}))
      expected[{who, call_id}].cancelled = true;
    say(askers[who], cancel_atom_v, call_id);
  }

  void kill_responder() {
    auto i = below(responders.size());
    for (auto j = open.begin(); j != open.end();) {
      if (j->second.first != i) {
        ++j;
        continue;
      }
      if (waits(j->second.second))
        expected[j->second.second].answer = "responder_failed";
      j = open.erase(j);
    }
    kill(responders[i]);
    responders[i] = connect();
    offers[i].clear();
    checked[i] = 0;
  }

  void kill_asker() {
    auto who = below(askers.size());
    check_answers();
    std::erase_if(expected, [&](auto& x) { return x.first.first == who; });
    kill(askers[who]);
    askers[who] = connect();
  }

  void let_time_pass(int64_t ms) {
    auto end = now_ms() + ms;
    for (auto& [asked, x] : expected)
      if (x.answer.empty() && !x.cancelled && x.due_ms <= end)
        x.answer = "timeout";
    pass(std::chrono::milliseconds{ms});
  }

  void check_answers() {
    for (size_t who = 0; who < askers.size(); ++who) {
      for (auto& [call_id, outcome] : askers[who]->answers) {
        auto i = expected.find({who, call_id});
        REQUIRE(i != expected.end());
        auto& x = i->second;
        REQUIRE(!x.seen);
        REQUIRE(!x.cancelled);
        x.seen = true;
        REQUIRE_EQ(outcome.failed() ? outcome.name : text_of(outcome.payload),
                   x.answer);
      }
      askers[who]->answers.clear();
    }
    for (auto& [asked, x] : expected)
      REQUIRE_EQ(x.seen, !x.answer.empty());
  }

  void step() {
    auto dice = below(100);
    if (dice < 35)
      ask_something();
    else if (dice < 65)
      answer_something();
    else if (dice < 75)
      cancel_something();
    else if (dice < 85)
      toggle();
    else if (dice < 87)
      kill_responder();
    else if (dice < 89)
      kill_asker();
    else
      let_time_pass(static_cast<int64_t>(1 + below(30)));
    check_answers();
  }

  std::mt19937_64 rng;
  const std::vector<std::string> actions{"sum", "product"};
  std::vector<fake_client> askers;
  std::vector<fake_client> responders;
  // The actions that each responder serves.
  std::vector<std::set<std::string>> offers;
  // How many of each responder's requests were looked at.
  std::vector<size_t> checked;
  // By ticket: which responder has it, and what it is.
  std::map<uint64_t, std::pair<size_t, key>> open;
  std::map<key, expectation> expected;
  uint32_t last_call_id = 0;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(each request gets exactly one answer whatever happens) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    MESSAGE("seed " << seed);
    begin(seed);
    for (int i = 0; i < 500; ++i)
      step();
    let_time_pass(1000);
    check_answers();
    for (auto& [asked, x] : expected)
      REQUIRE(x.seen || x.cancelled);
    CHECK_EQ(pending_timers(), 0u);
  }
}

END_FIXTURE_SCOPE()
