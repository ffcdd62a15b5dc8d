#pragma once

#include <string>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

namespace callboard {

/// Clients that are members of groups. Topics `kept/…` keep a history; an event
/// is given to three members at most, and to each for 10 s.
struct member_fixture : node_fixture {
  member_fixture() {
    node.options.topics.push_back({"kept/#", {.history_size = 5000}});
    node.options.topics.push_back({"$dead/#", {.history_size = 100}});
    node.options.group_ack_timeout = std::chrono::seconds{10};
    node.options.group_attempts_max = 3;
  }

  static void ask_for(client& x, frame_type what, const std::string& topic,
                      const std::string& group, bool ack = true,
                      const position& since = {}) {
    frame_view y;
    y.type = what;
    y.seq_id = 1;
    y.subject = topic;
    y.meta.mark(meta_key::group);
    y.meta.group = group;
    if (ack) {
      y.meta.mark(meta_key::ack);
      y.meta.ack = true;
    }
    if (!since.epoch.empty()) {
      y.meta.mark(meta_key::since);
      y.meta.since = {since.epoch, since.offset};
    }
    x.say(y);
  }

  std::string join(client& x, const std::string& topic,
                   const std::string& group = "g", bool ack = true,
                   const position& since = {}) {
    ask_for(x, frame_type::subscribe, topic, group, ack, since);
    turn();
    return x.heard();
  }

  std::string leave(client& x, const std::string& topic,
                    const std::string& group = "g") {
    ask_for(x, frame_type::unsubscribe, topic, group, false);
    turn();
    return x.heard();
  }

  static void publish_text(client& x, const std::string& topic,
                           const std::string& what,
                           const std::string& key = {}) {
    auto content = text(what);
    frame_view y;
    y.type = frame_type::publish;
    y.subject = topic;
    y.payload = content.view();
    if (!key.empty()) {
      y.meta.mark(meta_key::key);
      y.meta.key = key;
    }
    x.say(y);
  }

  static void publish_each(client& x, const std::string& topic, int n,
                           const std::string& key) {
    for (int i = 0; i < n; ++i)
      publish_text(x, topic, "x", key);
  }

  void publish(client& x, const std::string& topic, int n = 1,
               const std::string& key = {}) {
    publish_each(x, topic, n, key);
    turn();
  }

  static std::string head(uint64_t offset, bool recovered,
                          const std::string& epoch = "run.1") {
    return "response 1 {\"epoch\":\"" + epoch
           + "\",\"offset\":" + std::to_string(offset)
           + ",\"recovered\":" + (recovered ? "true" : "false") + '}';
  }

  static std::string refusal(const std::string& name) {
    return "error 1 " + name;
  }

  int64_t count(caf::telemetry::int_counter* group_metrics::*which) {
    int64_t result = 0;
    for (auto& ctx : loops)
      result += (ctx->metrics.groups.*which)->value();
    return result;
  }

  void replace_broker(uint32_t index) {
    kill(loops[0]->brokers[index].actor);
    install(index, make_broker(index));
    turn();
  }
};

} // namespace callboard
