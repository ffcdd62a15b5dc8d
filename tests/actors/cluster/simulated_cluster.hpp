#pragma once

#include <callboard/actors/cluster/membership.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <callboard/actors/cluster/placement.hpp>

namespace callboard {

/// Nodes with nothing but their `membership`, on a network that loses, delays,
/// duplicates and reorders, and that can be cut in one direction or in both.
/// All of it follows from a seed. What has to be so at any time is looked at
/// with each view that a node goes by.
class simulated_cluster {
public:
  simulated_cluster(uint64_t seed, size_t nodes) : random_{seed} {
    nodes_.resize(nodes);
    cut_.assign(nodes, std::vector<bool>(nodes));
    for (size_t i = 0; i < nodes; ++i) {
      nodes_[i].name = "node-" + std::to_string(i);
      // They need not begin at the same time.
      nodes_[i].begins_ms = now_ms_ + below(3000);
    }
  }

  void run(int64_t ms) {
    for (auto end = now_ms_ + ms; now_ms_ < end && fault.empty();)
      step();
  }

  /// The first thing that was wrong; empty: nothing was.
  std::string fault;

protected:
  static constexpr int64_t tick_ms = 250;

  struct letter {
    size_t from;
    size_t to;
    std::string from_run;
    std::string to_run;
    std::variant<peer_heartbeat, cluster_view> what;
  };

  struct node {
    std::string name;
    int runs = 0;
    int64_t begins_ms = 0;
    int64_t ticks_ms = 0;
    bool stopped = false;
    // Whether it wants to own nothing.
    bool retires = false;
    bool has_left = false;
    std::unique_ptr<membership> state;
    // What came while it was stopped.
    std::vector<letter> inbox;
    // The runs that it takes itself for linked with.
    std::map<size_t, std::string> links;
    cluster_view view;
  };

  int64_t below(int64_t n) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(n));
  }

  size_t any() {
    return static_cast<size_t>(below(static_cast<int64_t>(nodes_.size())));
  }

  void fail(const std::string& what) {
    if (fault.empty())
      fault = std::to_string(now_ms_) + " ms: " + what;
  }

  static std::string in_words(const cluster_view& x) {
    auto result = std::to_string(x.number) + ' ' + x.coordinator + ':';
    for (auto& y : x.members)
      result += ' ' + y.name + '/' + y.incarnation;
    return result;
  }

  std::string incarnation_of(const std::string& name) const {
    for (auto& x : nodes_)
      if (x.name == name)
        return std::to_string(x.runs);
    return {};
  }

  member self_of(size_t i) const {
    member result;
    result.name = nodes_[i].name;
    result.incarnation = std::to_string(nodes_[i].runs);
    result.address = std::to_string(i);
    return result;
  }

  // -- time -------------------------------------------------------------------

  void step() {
    now_ms_ += 10;
    while (!letters_.empty() && letters_.begin()->first <= now_ms_) {
      auto x = std::move(letters_.begin()->second);
      letters_.erase(letters_.begin());
      arrive(std::move(x));
    }
    for (size_t i = 0; i < nodes_.size(); ++i) {
      auto& x = nodes_[i];
      if (x.state == nullptr && !x.has_left && now_ms_ >= x.begins_ms)
        begin(i);
      if (x.state != nullptr && !x.stopped && now_ms_ >= x.ticks_ms) {
        x.ticks_ms = now_ms_ + tick_ms;
        x.state->tick(now_ms_);
        after(i);
        if (x.state != nullptr)
          dial(i);
      }
    }
  }

  void begin(size_t i) {
    auto& x = nodes_[i];
    ++x.runs;
    x.state = std::make_unique<membership>(membership_options{}, self_of(i));
    x.view = {};
    x.links.clear();
    x.inbox.clear();
    x.stopped = false;
    x.retires = false;
    x.ticks_ms = now_ms_ + below(tick_ms);
    after(i);
  }

  void end(size_t i) {
    nodes_[i].state = nullptr;
    nodes_[i].begins_ms = now_ms_ + 100 + below(15'000);
  }

  void resume(size_t i) {
    auto& x = nodes_[i];
    if (x.state == nullptr || !std::exchange(x.stopped, false))
      return;
    // The tick that was due may come before what has arrived, and after it.
    if (below(2) == 0) {
      x.state->tick(now_ms_);
      after(i);
    }
    for (auto& y : std::exchange(x.inbox, {}))
      if (x.state != nullptr)
        take(y);
  }

  // -- the network ------------------------------------------------------------

  void arrive(letter x) {
    auto& to = nodes_[x.to];
    if (to.state == nullptr)
      return;
    // There is no such connection.
    if (std::to_string(to.runs) != x.to_run)
      return reset(x);
    if (to.stopped)
      to.inbox.push_back(std::move(x));
    else
      take(x);
  }

  void reset(const letter& x) {
    auto& from = nodes_[x.from];
    if (from.state == nullptr || from.stopped
        || std::to_string(from.runs) != x.from_run)
      return;
    if (auto i = from.links.find(x.to);
        i != from.links.end() && i->second == x.to_run)
      disconnect(x.from, x.to);
  }

  void take(const letter& x) {
    auto& to = nodes_[x.to];
    auto i = to.links.find(x.from);
    if (i == to.links.end() || i->second != x.from_run)
      return;
    std::visit(
      [&](auto& what) {
        to.state->receive(nodes_[x.from].name, what, now_ms_);
      },
      x.what);
    after(x.to);
  }

  void send(size_t from, membership::message x) {
    auto& links = nodes_[from].links;
    auto i = std::ranges::find(links, x.to, [this](auto& y) {
      return nodes_[y.first].name;
    });
    if (i == links.end() || cut_[from][i->first])
      return;
    letter y{from, i->first, std::to_string(nodes_[from].runs), i->second,
             std::move(x.what)};
    auto times = below(100) < loss_percent_ ? 0 : below(50) == 0 ? 2 : 1;
    for (int64_t n = 0; n < times; ++n)
      letters_.emplace(now_ms_ + below(delay_ms_max_), y);
  }

  // Does what a node wants by now, and looks at what it goes by.
  void after(size_t i) {
    auto& x = nodes_[i];
    for (auto& y : x.state->take_messages())
      send(i, std::move(y));
    if (x.state->view() != x.view)
      look_at_view(i);
    if (x.state->left()) {
      // The first one comes back, because all others look for it.
      x.has_left = i > 0;
      crash(i, true);
    }
  }

  void dial(size_t i) {
    auto addresses = nodes_[i].state->missing();
    // Each knows the first two of all.
    for (size_t seed = 0; seed < std::min<size_t>(2, nodes_.size()); ++seed)
      if (!nodes_[i].links.contains(seed))
        addresses.push_back(std::to_string(seed));
    for (auto& y : addresses) {
      auto j = static_cast<size_t>(std::stoul(y));
      if (i != j && below(4) == 0)
        connect(i, j);
      if (nodes_[i].state == nullptr)
        return;
    }
  }

  void connect(size_t i, size_t j) {
    auto& x = nodes_[i];
    auto& y = nodes_[j];
    if (y.state == nullptr || y.stopped || cut_[i][j] || cut_[j][i]
        || !y.state->refusal(self_of(i), now_ms_).empty()
        || !x.state->refusal(self_of(j), now_ms_).empty())
      return;
    x.links[j] = std::to_string(y.runs);
    y.links[i] = std::to_string(x.runs);
    x.state->linked(self_of(j), now_ms_);
    y.state->linked(self_of(i), now_ms_);
    after(i);
    if (y.state != nullptr)
      after(j);
  }

  // Ends a link as one of the two sees it.
  void disconnect(size_t i, size_t j) {
    auto& x = nodes_[i];
    if (x.state == nullptr || x.links.erase(j) == 0)
      return;
    x.state->unlinked(nodes_[j].name, now_ms_);
    after(i);
  }

  // @param told whether the others' links to it end.
  void crash(size_t i, bool told) {
    if (nodes_[i].state == nullptr)
      return;
    end(i);
    for (size_t j = 0; j < nodes_.size(); ++j)
      if (told && j != i && !nodes_[j].stopped)
        disconnect(j, i);
  }

  // -- what has to be so at any time ------------------------------------------

  void look_at_view(size_t i) {
    auto& x = nodes_[i];
    auto& view = x.state->view();
    if (x.view.number != 0 && !view.newer_than(x.view))
      fail(x.name + " went from " + in_words(x.view) + " back to "
           + in_words(view));
    auto* me = view.find(x.name);
    if (me == nullptr || me->incarnation != std::to_string(x.runs))
      fail(x.name + " goes by a view that it is not in: " + in_words(view));
    x.view = view;
    auto* maker = view.find(view.coordinator);
    if (maker == nullptr)
      return fail("a view without who made it: " + in_words(view));
    auto [known, is_new] = views_.try_emplace(
      std::tuple{view.number, view.coordinator, maker->incarnation}, view);
    if (known->second != view)
      fail("two views with one number: " + in_words(view) + ", and "
           + in_words(known->second));
    if (owner_in(view, false) != owner_in(view, true))
      fail("two owners in " + in_words(view));
  }

  // Returns the owner of some topic, with the members in either order.
  std::string owner_in(const cluster_view& view, bool turned) const {
    std::vector<std::string> names;
    for (auto& x : view.members)
      names.push_back(x.name);
    if (turned)
      std::ranges::reverse(names);
    auto topic = std::to_string(view.number);
    return names[placement{names}.owner_of(topic)];
  }

  std::mt19937_64 random_;
  int64_t now_ms_ = 1'000'000;
  std::vector<node> nodes_;
  // By from and to.
  std::vector<std::vector<bool>> cut_;
  std::multimap<int64_t, letter> letters_;
  int64_t loss_percent_ = 0;
  int64_t delay_ms_max_ = 50;
  std::map<std::tuple<uint64_t, std::string, std::string>, cluster_view> views_;
};

} // namespace callboard
