#pragma once

#include <callboard/store/memory_store.hpp>

#include <memory>
#include <string>

#include <callboard/actors/broker.hpp>

#include "support/node_fixture.hpp"

namespace callboard {

/// A node with a store that does things when it is told to.
struct durable_fixture : node_fixture {
  durable_fixture() {
    auto add = [this](const char* pattern, topic_options options) {
      node.options.topics.push_back({pattern, options});
    };
    add("disk/+", {.history_size = 100, .durability = durability::disk});
    add("few/+", {.history_size = 3, .durability = durability::disk});
    add("aged/+", {.history_size = 100,
                   .history_ttl = std::chrono::seconds{10},
                   .durability = durability::disk});
    add("place/+", {.durability = durability::disk});
    add("last/+", {.retain = true, .durability = durability::disk});
    add("ram/+", {.history_size = 100, .durability = durability::memory});
    add("#", {.history_size = 100});
    store->now_ms = [this] { return 1'700'000'000'000 + now_ms(); };
    node.store = store;
  }

  void run(uint32_t loops = 1) {
    start(loops);
    one = &connect(0, "ann");
    // Its own topic has nothing to do with these tests.
    say(*one, frame_type::unsubscribe, 0, "$user/ann");
    two = &connect(loops - 1);
  }

  /// What was asked of the store is done.
  std::string commit(client& x, size_t n = SIZE_MAX) {
    store->commit(n);
    turn();
    return x.heard();
  }

  std::string publish(const std::string& topic, const std::string& content,
                      uint32_t seq_id = 1, const std::string& id = {}) {
    one->publish(topic, content, seq_id, false, id);
    turn();
    return one->heard();
  }

  std::string subscribe(client& x, const std::string& topic,
                        uint32_t seq_id = 1) {
    return say(x, frame_type::subscribe, seq_id, topic);
  }

  std::string come_back(client& x, const std::string& topic,
                        const std::string& epoch, uint64_t offset) {
    frame_view y;
    y.type = frame_type::subscribe;
    y.seq_id = 9;
    y.subject = topic;
    y.meta.mark(meta_key::since);
    y.meta.since = {epoch, offset};
    return say(x, y);
  }

  std::string history(const std::string& json) {
    auto heard = say(*one, frame_type::request, 5, "callboard.history",
                     *payload::from_json(json));
    // Offsets are enough here.
    std::string result;
    for (size_t at = 0;;) {
      at = heard.find("{\"offset\":", at);
      if (at == std::string::npos)
        break;
      at += 10;
      result += (result.empty() ? "" : " ")
                + heard.substr(at, heard.find(',', at) - at);
    }
    if (heard.starts_with("error"))
      return heard;
    return result
           + (heard.find("\"more\":true") != std::string::npos ? " …" : "");
  }

  /// Ends all shards and starts others, as a node that is started again does.
  void restart(bool cleanly) {
    if (cleanly) {
      for (auto& x : loops[0]->brokers)
        caf::anon_send(x.actor, drain_atom_v);
      turn();
      store->finish();
      turn();
    }
    store->restart();
    for (uint32_t i = 0; i < node.loops; ++i) {
      kill(loops[0]->brokers[i].actor);
      install(i, make_broker(i));
    }
    turn();
  }

  std::shared_ptr<memory_store> store = std::make_shared<memory_store>();
  client* one = nullptr;
  client* two = nullptr;
};

/// Returns what a publish is answered, in words.
inline std::string response(uint32_t seq_id, const std::string& epoch,
                            uint64_t offset) {
  return "response " + std::to_string(seq_id) + " {\"epoch\":\"" + epoch
         + "\",\"offset\":" + std::to_string(offset) + '}';
}

} // namespace callboard
