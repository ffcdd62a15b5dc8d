#pragma once

#include <callboard/actors/cluster/membership.hpp>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "support/test.hpp"

namespace callboard {

inline member a_node(const std::string& name, const std::string& run = "1") {
  member result;
  result.name = name;
  result.incarnation = run;
  result.address = name + ":1";
  return result;
}

/// Returns a view in words: "2 a: a b! c"; `!`: it leaves.
inline std::string words(const cluster_view& x) {
  auto result = std::to_string(x.number) + ' ' + x.coordinator + ':';
  for (auto& y : x.members)
    result += ' ' + y.name + (y.state == member_state::leaving ? "!" : "");
  return result;
}

/// One membership, and others that say what a test lets them say.
struct membership_fixture {
  explicit membership_fixture(const member& self = a_node("a"))
    : x{options, self} {
  }

  /// Links a node, which goes by a view of its own.
  void meet(const member& who) {
    x.linked(who, now);
    x.receive(who.name, cluster_view{1, who.name, {who}}, now);
  }

  static peer_heartbeat beat(const member& who, const view_id& view,
                             const std::vector<member>& hears) {
    peer_heartbeat result;
    result.name = who.name;
    result.incarnation = who.incarnation;
    result.view = view;
    for (auto& y : hears)
      result.hears.push_back(run_of(y));
    return result;
  }

  /// Lets a known node say whom it hears. A member goes by the view of `x`.
  void say(const member& who, const std::vector<member>& hears) {
    auto* y = x.view().find(who.name);
    auto is_member = y != nullptr && y->same_run(who);
    auto by = is_member ? id_of(x.view()) : x.find(who.name)->goes_by;
    x.receive(who.name, beat(who, by, hears), now);
  }

  /// Lets all of these say that they hear each other and `x`.
  void all_say(std::vector<member> those) {
    auto hears = those;
    hears.push_back(x.self());
    for (auto& who : those)
      say(who, hears);
  }

  /// Lets these become members, one after the other.
  void form(const std::vector<member>& those) {
    std::vector<member> known;
    for (auto& who : those) {
      known.push_back(who);
      meet(who);
      all_say(known);
      tick();
    }
  }

  void tick() {
    x.tick(now);
  }

  /// Lets time pass with ticks, without anybody saying anything.
  void pass(int64_t ms) {
    for (auto end = now + ms; now < end;) {
      now = std::min(end, now + 250);
      tick();
    }
  }

  /// The same, while these hear all.
  void pass_with(int64_t ms, const std::vector<member>& those) {
    for (auto end = now + ms; now < end;) {
      now = std::min(end, now + 250);
      all_say(those);
      tick();
    }
  }

  std::string view() const {
    return words(x.view());
  }

  /// Takes the messages, and returns the views among them: "b<2 a: a b".
  std::vector<std::string> sent_views() {
    std::vector<std::string> result;
    for (auto& y : x.take_messages())
      if (auto* view = std::get_if<cluster_view>(&y.what))
        result.push_back(y.to + '<' + words(*view));
    return result;
  }

  membership_options options;
  int64_t now = 1'000'000;
  member a = a_node("a");
  member b = a_node("b");
  member c = a_node("c");
  member d = a_node("d");
  membership x;
};

} // namespace callboard
