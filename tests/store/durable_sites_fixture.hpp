#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <callboard/store/memory_store.hpp>

#include "support/sites_fixture.hpp"
#include "support/test.hpp"

namespace callboard {

/// A store whose disk answers when it is told to.
struct slow_store : memory_store {
  void read(const store_receiver_ptr& to, uint64_t token,
            store_query what) override {
    if (slow)
      questions.push_back([=, this] { memory_store::read(to, token, what); });
    else
      memory_store::read(to, token, std::move(what));
  }

  /// Answers what it was asked.
  void answer() {
    slow = false;
    for (auto& f : std::exchange(questions, {}))
      f();
  }

  bool slow = false;
  std::vector<std::function<void()>> questions;
};

/// Three nodes with stores, `a`, `b` with two loops, and `c`; and `d`, which is
/// in no view yet and keeps nothing.
struct durable_sites : sites_fixture {
  durable_sites() {
    rules.push_back(
      {"disk/+", {.history_size = 10, .durability = durability::disk}});
    rules.push_back(
      {"last/+", {.retain = true, .durability = durability::disk}});
    rules.push_back(
      {"ram/+", {.history_size = 10, .durability = durability::memory}});
    rules.push_back(
      {"room/+", {.presence = true, .durability = durability::disk}});
    for (uint32_t n : {2, 3})
      rules.push_back(
        {"copies" + std::to_string(n) + "/+",
         {.history_size = 10, .durability = durability::disk, .replicas = n}});
    store_names = {"c", "a", "b"};
    for (uint32_t loops : {1, 2, 1}) {
      stores.push_back(std::make_shared<slow_store>());
      stores.back()->now_ms = [] { return 1'700'000'000'000; };
      add(loops, stores.back());
    }
    add(1);
    view({0, 1, 2});
  }

  /// Starts the next run of a node on its store, which is in no view yet.
  /// @returns its place.
  size_t next_run(size_t of) {
    stores[of]->restart();
    add_run(of, sites[of].self.name + "-next", stores[of]);
    return sites.size() - 1;
  }

  /// Lets `c` be dead, and the others know.
  void lose_c() {
    crash(2);
    view({0, 1});
  }

  /// Brings `c` back after that.
  size_t bring_c_back() {
    auto result = next_run(2);
    view({0, 1, result});
    return result;
  }

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

  std::string ask(client& x, const std::string& action,
                  const std::string& topic) {
    return say(x, frame_type::request, 9, action,
               *payload::from_json("{\"topic\":\"" + topic + "\"}"));
  }

  static std::string event(const std::string& topic, int offset,
                           const std::string& what) {
    return "event " + topic + " @" + std::to_string(offset) + " \"" + what
           + '"';
  }

  static bool has(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
  }

  std::vector<std::shared_ptr<slow_store>> stores;
};

} // namespace callboard
