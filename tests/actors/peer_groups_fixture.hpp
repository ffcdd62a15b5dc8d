#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "actors/member_fixture.hpp"
#include "support/sites_fixture.hpp"

namespace callboard {

/// Clients at three nodes, the second one with two loops, that are members of
/// groups. Topics `kept/…` keep a history; an event is given to three members
/// at most, and to each for 10 s.
struct peer_groups_fixture : sites_fixture {
  peer_groups_fixture() {
    rules.push_back({"kept/#", {.history_size = 5000}});
    rules.push_back({"few/#", {.history_size = 2}});
    rules.push_back({"$dead/#", {.history_size = 1000}});
    adjust = [](node_options& x) {
      x.group_ack_timeout = std::chrono::seconds{10};
      x.group_attempts_max = 3;
    };
  }

  /// Makes the nodes and their cluster.
  void start() {
    for (uint32_t loops : {1, 2, 1})
      add(loops);
    view({0, 1, 2});
  }

  // -- members ----------------------------------------------------------------

  std::string join(client& x, const std::string& topic,
                   const std::string& group = "g", bool ack = true,
                   const position& since = {}) {
    member_fixture::ask_for(x, frame_type::subscribe, topic, group, ack, since);
    settle();
    return x.heard();
  }

  std::string leave(client& x, const std::string& topic,
                    const std::string& group = "g") {
    member_fixture::ask_for(x, frame_type::unsubscribe, topic, group, false);
    settle();
    return x.heard();
  }

  void give(client& x, const std::string& topic, int n = 1,
            const std::string& key = {}) {
    member_fixture::publish_each(x, topic, n, key);
    settle();
  }

  void end(size_t site, client& x) {
    sites[site].node.kill(x.handle);
    settle();
  }

  // -- words ------------------------------------------------------------------

  /// Returns an event's words; `times` is how often it was given to somebody.
  static std::string event(uint32_t seq_id, const std::string& topic,
                           int offset, int times = 1) {
    return "event " + std::to_string(seq_id) + ' ' + topic + " @"
           + std::to_string(offset) + " of g"
           + (times > 1 ? " attempt " + std::to_string(times) : std::string{})
           + " \"x\"";
  }

  /// Returns what members are told of a topic's new epoch.
  static std::string new_epoch(const std::string& topic,
                               const std::string& epoch) {
    return "position " + topic + " of g {\"epoch\":\"" + epoch
           + "\",\"offset\":0,\"reason\":\"epoch changed\"}";
  }

  // -- nodes ------------------------------------------------------------------

  /// Lets time pass at all nodes.
  void wait(caf::timespan x) {
    for (auto& site : sites)
      site.node.pass(x);
    settle();
  }

  /// Sums a metric up over the loops of a node.
  template <class Metric>
  int64_t sum(size_t site, Metric* group_metrics::*which) {
    int64_t result = 0;
    for (auto& ctx : sites[site].node.loops)
      result += (ctx->metrics.groups.*which)->value();
    return result;
  }

  /// The same of all nodes.
  template <class Metric>
  int64_t sum_all(Metric* group_metrics::*which) {
    int64_t result = 0;
    for (size_t i = 0; i < sites.size(); ++i)
      result += sum(i, which);
    return result;
  }

  /// Returns the place of the site that owns a topic in the newest view.
  size_t owner_of(const std::string& topic) {
    for (size_t i = 0; i < sites.size(); ++i)
      if (auto& nodes = sites[i].nodes;
          nodes != nullptr && nodes->number == number
          && nodes->owner_of(topic) == peer_set::here)
        return i;
    return sites.size();
  }

  /// Returns the epoch of the first topic of a site.
  std::string epoch_of(size_t site) const {
    return sites[site].self.name + ".1";
  }
};

} // namespace callboard
