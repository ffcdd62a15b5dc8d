#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "store/broker_durable_fixture.hpp"

#include "support/test.hpp"

namespace callboard {

/// Members of groups of topics that are on the disk. A member has three events
/// at once, and a group keeps ten.
struct work_fixture : durable_fixture {
  work_fixture() {
    node.options.group_ack_timeout = std::chrono::seconds{10};
    node.options.group_inflight_max = 3;
    node.options.group_pending_max = 10;
  }

  std::string ask(client& x, frame_type what, const std::string& topic,
                  const std::string& group = "g", const position& since = {}) {
    frame_view y;
    y.type = what;
    y.seq_id = 1;
    y.subject = topic;
    y.meta.mark(meta_key::group);
    y.meta.group = group;
    y.meta.mark(meta_key::ack);
    y.meta.ack = true;
    if (!since.epoch.empty()) {
      y.meta.mark(meta_key::since);
      y.meta.since = {since.epoch, since.offset};
    }
    x.say(y);
    turn();
    return tale(x);
  }

  /// Returns what a client got, in words, and of events only the offsets and
  /// attempts: "response …; 1; 2x2". They are left to be confirmed.
  std::string tale(client& x) {
    std::string result;
    for (auto& y : x.take()) {
      auto is_event = y.type == frame_type::event;
      auto attempt = y.meta.has(meta_key::attempt)
                       ? 'x' + std::to_string(y.meta.attempt)
                       : std::string{};
      result += (result.empty() ? "" : "; ")
                + (is_event ? std::to_string(y.meta.offset) + attempt
                            : y.words());
      if (is_event)
        got.push_back(std::move(y));
    }
    return result;
  }

  std::string join(client& x, const std::string& topic,
                   const std::string& group = "g", const position& since = {}) {
    return ask(x, frame_type::subscribe, topic, group, since);
  }

  static std::string joined(uint64_t offset, bool recovered,
                            const std::string& epoch = "run.1") {
    return "response 1 {\"epoch\":\"" + epoch
           + "\",\"offset\":" + std::to_string(offset)
           + ",\"recovered\":" + (recovered ? "true" : "false") + '}';
  }

  void publish_many(const std::string& topic, int n) {
    for (int i = 0; i < n; ++i)
      publish(topic, "x", 0);
  }

  /// Confirms what a client got and gets until nothing comes any more.
  /// @returns the offsets.
  std::vector<uint64_t> work(client& x) {
    std::vector<uint64_t> result;
    for (auto idle = 0; idle < 3; ++idle) {
      tale(x);
      for (auto& y : std::exchange(got, {})) {
        idle = 0;
        result.push_back(y.meta.offset);
        x.say(frame_type::ack, y.seq_id);
      }
      pass(std::chrono::milliseconds{300});
    }
    return result;
  }

  /// Returns where the groups of a topic stand in the store: "g 3-5 4x1".
  std::string stored(const std::string& topic) {
    std::string result;
    for (auto& x : store->groups_of(topic)) {
      result += (result.empty() ? "" : "; ") + x.group + ' '
                + std::to_string(x.place) + '-' + std::to_string(x.reach);
      for (auto& y : x.open)
        result += ' ' + std::to_string(y.offset) + 'x'
                  + std::to_string(y.attempts);
    }
    return result;
  }

  /// All members are gone, and then the node.
  void restart_alone(bool cleanly) {
    for (auto* x : {one, two})
      kill(x->handle);
    restart(cleanly);
    one = &connect(0);
    two = &connect(node.loops - 1);
    got.clear();
  }

  int64_t count(caf::telemetry::int_counter* group_metrics::*which) {
    int64_t result = 0;
    for (auto& ctx : loops)
      result += (ctx->metrics.groups.*which)->value();
    return result;
  }

  std::vector<frame> got;
};

/// Returns `first` … `last`.
inline std::vector<uint64_t> numbers(uint64_t first, uint64_t last) {
  std::vector<uint64_t> result;
  for (auto i = first; i <= last; ++i)
    result.push_back(i);
  return result;
}

} // namespace callboard
