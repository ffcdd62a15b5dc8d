#pragma once

#include <string>
#include <utility>
#include <vector>

#include "support/sites_fixture.hpp"
#include "support/test.hpp"

namespace callboard {

/// What clients hear of topics.
struct moves_words : sites_fixture {
  moves_words() {
    rules.push_back({"last/+", {.retain = true}});
    rules.push_back({"kept/+", {.history_size = 10}});
  }

  /// Returns what subscribers are told of a topic's new epoch.
  static std::string new_epoch(const std::string& topic,
                               const std::string& epoch, int offset = 0) {
    return "position " + topic + " {\"epoch\":\"" + epoch + "\",\"offset\":"
           + std::to_string(offset) + ",\"reason\":\"epoch changed\"}";
  }

  static std::string event(const std::string& topic, int offset,
                           const std::string& what) {
    return "event " + topic + " @" + std::to_string(offset) + " \"" + what
           + '"';
  }

  using strings = std::vector<std::string>;

  /// Returns the events that came since the last call, and all else.
  static std::pair<strings, strings> sorted(client& x) {
    std::pair<strings, strings> result;
    for (auto& y : x.take())
      (y.type == frame_type::event ? result.first : result.second)
        .push_back(y.words());
    return result;
  }

  /// Lets `x` subscribe with what it missed since a position.
  std::string come_back(client& x, const std::string& topic,
                        const std::string& epoch, uint64_t offset) {
    frame_view since;
    since.type = frame_type::subscribe;
    since.seq_id = 1;
    since.subject = topic;
    since.meta.mark(meta_key::since);
    since.meta.since = {epoch, offset};
    return say(x, since);
  }
};

/// Three sites that are a cluster, `a`, `b` and `c`, and one that is about to
/// join, `d`. The second one has two loops.
struct moves_fixture : moves_words {
  moves_fixture() {
    for (uint32_t loops : {1, 2, 1, 1})
      add(loops);
    view({0, 1, 2});
  }

  /// Lets `c` own nothing and be a member still, in the next view.
  void retire() {
    sites[2].self.state = member_state::leaving;
  }

  /// Makes a view with all four that only these learn of.
  void tell_some(const std::vector<size_t>& told) {
    ++number;
    for (auto site : told)
      tell(site, {0, 1, 2, 3});
    settle();
  }
};

} // namespace callboard
