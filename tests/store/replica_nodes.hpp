#pragma once

#include <callboard/actors/cluster/topic_replicas.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/make_counted.hpp>

#include <callboard/actors/cluster/peer_replica_frames.hpp>
#include <callboard/store/memory_store.hpp>

#include "support/test.hpp"

namespace callboard {

/// A store node: what its shard is told, in words, and what waits for it.
class store_node : public replica_host {
public:
  struct letter {
    uint32_t to;
    std::string topic;
    caf::byte_buffer frame;
  };

  // Keeps reports until they are taken, as a mailbox does.
  struct mailbox : store_receiver {
    void report(store_report_ptr x) override {
      reports.push_back(std::move(x));
    }

    std::deque<store_report_ptr> reports;
  };

  store_node(const store_nodes_ptr& stores, uint32_t self, size_t topics_max)
    : stores_{stores}, self_{self}, topics_max_{topics_max} {
    start();
  }

  void start() {
    topics.emplace(*this, stores_, self_, topics_max_);
    topics->install(present, 0);
  }

  /// What it asked the store for and was not done is lost.
  void crash() {
    topics.reset();
    store.restart();
    mail->reports.clear();
    questions_.clear();
    letters.clear();
  }

  /// Takes what the store has told.
  bool turn() {
    auto any = !mail->reports.empty();
    while (!mail->reports.empty()) {
      auto report = std::move(mail->reports.front());
      mail->reports.pop_front();
      for (auto& x : report->replicas)
        topics->take(x);
      for (auto& x : report->readings)
        questions_.extract(x.token).mapped()(store_report::reading{x});
    }
    return any;
  }

  std::string heard() {
    return std::exchange(words, {});
  }

  // -- replica_host -----------------------------------------------------------

  void send(uint32_t node, const std::string& topic,
            replica_message x) override {
    letter made{node, topic, {}};
    append_frame(made.frame, boxed(topic, std::move(x)));
    letters.push_back(std::move(made));
  }

  void load(const std::string& topic) override {
    store.load_replica(mail, topic);
  }

  void change(const std::string& topic, replica_write x) override {
    store.change_replica(mail, topic, std::move(x), options);
  }

  void read(store_query what,
            std::function<void(store_report::reading&&)> f) override {
    questions_.emplace(++token_, std::move(f));
    store.read(mail, token_, std::move(what));
  }

  std::string new_epoch() override {
    return std::to_string(self_) + '.' + std::to_string(++epochs_);
  }

  void begun(const std::string& topic) override {
    say("begun " + topic);
  }

  void agreed(const std::string&, uint64_t offset) override {
    say(std::to_string(offset));
  }

  void placed(const std::string&, uint64_t number) override {
    say("placed " + std::to_string(number));
  }

  void lost(const std::string& topic) override {
    say("lost " + topic);
  }

  topic_options options{.history_size = 1000, .durability = durability::disk};
  memory_store store;
  std::shared_ptr<mailbox> mail = std::make_shared<mailbox>();
  std::deque<letter> letters;
  std::optional<topic_replicas> topics;
  uint64_t present = 7;
  std::string words;

private:
  void say(const std::string& what) {
    words += (words.empty() ? "" : "; ") + what;
  }

  store_nodes_ptr stores_;
  uint32_t self_;
  size_t topics_max_;
  std::map<uint64_t, std::function<void(store_report::reading&&)>> questions_;
  uint64_t token_ = 0;
  uint64_t epochs_ = 0;
};

/// Three store nodes.
struct replica_nodes {
  using offsets = std::vector<uint64_t>;

  replica_nodes() {
    topic_rule rule{"three/+", {.durability = durability::disk, .replicas = 3}};
    rules.push_back(rule);
    rule.pattern = "two/+";
    rule.options.replicas = 2;
    rules.push_back(rule);
    rule.pattern = "one/+";
    rule.options.replicas = 1;
    rules.push_back(rule);
    stores = caf::make_counted<store_nodes>(
      std::vector<std::string>{"a", "b", "c"}, rules);
    for (uint32_t i = 0; i < 3; ++i)
      nodes.push_back(std::make_unique<store_node>(stores, i, 4));
  }

  store_node& at(uint32_t i) {
    return *nodes[i];
  }

  // Lets all hear and write what there is.
  void settle() {
    while (step())
      continue;
  }

  // Lets each of them do so once. Returns whether there was something.
  bool step() {
    auto busy = false;
    for (uint32_t i = 0; i < 3; ++i) {
      auto& x = at(i);
      if (!x.topics)
        continue;
      busy |= x.turn();
      for (auto& y : std::exchange(x.letters, {})) {
        busy = true;
        if (at(y.to).topics)
          deliver(i, y);
      }
    }
    return busy;
  }

  void deliver(uint32_t from, const store_node::letter& x) {
    frame_source source{x.frame};
    peer_frame number;
    peer_replica frame;
    REQUIRE(source.next(number));
    REQUIRE(number == peer_replica::number);
    REQUIRE(source.read(frame));
    CHECK_EQ(frame.topic, x.topic);
    at(x.to).topics->take(from, frame.topic, unboxed(frame));
  }

  void append(uint32_t owner, const std::string& topic) {
    auto x = caf::make_counted<publication>();
    x->topic = topic;
    auto last = at(owner).store.events_of(topic);
    x->offset = last.empty() ? 1 : last.back()->offset + 1;
    x->timestamp = 1000;
    x->id = "id" + std::to_string(x->offset);
    at(owner).topics->append(topic, x);
    settle();
  }

  void lose(uint32_t i) {
    at(i).crash();
    for (uint32_t j = 0; j < 3; ++j)
      if (j != i && at(j).topics) {
        at(j).present &= ~(uint64_t{1} << i);
        at(j).topics->install(at(j).present, uint64_t{1} << i);
      }
    settle();
  }

  void bring_back(uint32_t i) {
    at(i).present = 7;
    at(i).start();
    for (uint32_t j = 0; j < 3; ++j)
      if (j != i) {
        at(j).present |= uint64_t{1} << i;
        at(j).topics->install(at(j).present, 0);
      }
    settle();
  }

  void lead(uint32_t i, const std::string& topic) {
    at(i).topics->lead(topic);
    settle();
  }

  void place(uint32_t owner, const std::string& topic, uint64_t where) {
    group_place x;
    x.group = "g";
    x.place = x.reach = where;
    x.open = {{where, 2}};
    using list = std::vector<group_place>;
    at(owner).topics->place(topic, std::make_shared<const list>(list{x}));
    settle();
  }

  uint64_t placed(uint32_t i, const std::string& topic) {
    auto found = at(i).store.groups_of(topic);
    return found.empty() ? 0 : found.front().place;
  }

  offsets kept(uint32_t i, const std::string& topic) {
    offsets result;
    for (auto& x : at(i).store.events_of(topic))
      result.push_back(x->offset);
    return result;
  }

  // Returns a topic whose first keepers are these.
  std::string topic_of(const std::string& prefix, uint32_t first,
                       uint32_t second) {
    for (int n = 0;; ++n) {
      auto name = prefix + std::to_string(n);
      auto found = stores->voters_of(name).places;
      if (found[0] == first && found[1] == second)
        return name;
    }
  }

  std::vector<topic_rule> rules;
  store_nodes_ptr stores;
  std::vector<std::unique_ptr<store_node>> nodes;
};

} // namespace callboard
