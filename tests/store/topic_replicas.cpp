// Topics with replicas of several nodes, each with a store of its own.

#include <callboard/actors/cluster/topic_replicas.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <caf/make_counted.hpp>

#include <callboard/actors/cluster/peer_replica_frames.hpp>
#include <callboard/store/memory_store.hpp>

#include "support/test.hpp"

using namespace callboard;

namespace {

using offsets = std::vector<uint64_t>;

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
struct fixture {
  fixture() {
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
    for (auto busy = true; std::exchange(busy, false);)
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

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a topic goes on at the next keeper) {
  auto topic = topic_of("three/", 0, 1);
  lead(0, topic);
  CHECK_EQ(at(0).heard(), "begun " + topic);
  append(0, topic);
  append(0, topic);
  CHECK_EQ(at(0).heard(), "1; 2");
  CHECK_EQ(kept(2, topic), offsets({1, 2}));
  lose(0);
  lead(1, topic);
  CHECK_EQ(at(1).heard(), "begun " + topic);
  append(1, topic);
  CHECK_EQ(at(1).heard(), "3");
  CHECK_EQ(kept(2, topic), offsets({1, 2, 3}));
  CHECK_EQ(kept(0, topic), offsets({1, 2}));
  bring_back(0);
  CHECK_EQ(kept(0, topic), offsets({1, 2, 3}));
  // The first one owns it again.
  at(1).topics->release(topic);
  lead(0, topic);
  CHECK_EQ(at(0).heard(), "begun " + topic);
  append(0, topic);
  CHECK_EQ(at(0).heard(), "4");
  CHECK_EQ(kept(1, topic), offsets({1, 2, 3, 4}));
}

CAF_TEST(what is not on two disks is not acknowledged) {
  auto topic = topic_of("two/", 0, 1);
  lead(0, topic);
  at(0).heard();
  at(1).store.at_once = false;
  append(0, topic);
  CHECK_EQ(at(0).heard(), "");
  at(1).store.commit();
  settle();
  CHECK_EQ(at(0).heard(), "1");
  CHECK_EQ(kept(2, topic), offsets({}));
}

CAF_TEST(two copies go on with a witness) {
  auto topic = topic_of("two/", 0, 1);
  lead(0, topic);
  append(0, topic);
  lose(0);
  lead(1, topic);
  CHECK_EQ(at(1).heard(), "begun " + topic);
  CHECK(at(1).topics->served() == std::pair(size_t{1}, size_t{1}));
  append(1, topic);
  CHECK_EQ(at(1).heard(), "2");
  // It begins a term with who is back.
  bring_back(0);
  CHECK_EQ(at(1).heard(), "lost " + topic + "; begun " + topic);
  CHECK(at(1).topics->served() == std::pair(size_t{1}, size_t{0}));
  CHECK_EQ(kept(0, topic), offsets({1, 2}));
}

CAF_TEST(a node that is cut off serves nothing) {
  auto topic = topic_of("three/", 0, 1);
  lead(0, topic);
  at(0).heard();
  at(0).topics->install(1, 6);
  settle();
  CHECK_EQ(at(0).heard(), "lost " + topic + "; lost " + topic);
  CHECK(!at(0).topics->leads(topic));
}

CAF_TEST(a failing disk takes a node out) {
  auto topic = topic_of("two/", 0, 1);
  lead(0, topic);
  at(0).heard();
  at(0).store.broken = true;
  append(0, topic);
  CHECK_EQ(at(0).heard(), "lost " + topic);
  CHECK_EQ(at(0).topics->size(), 0u);
  at(0).store.broken = false;
  lead(0, topic);
  CHECK_EQ(at(0).heard(), "begun " + topic);
  // The other one had it already.
  CHECK_EQ(kept(0, topic), offsets({1}));
}

CAF_TEST(a keeper that cannot write is gone on without) {
  auto topic = topic_of("two/", 0, 1);
  lead(0, topic);
  at(0).heard();
  at(1).store.broken = true;
  append(0, topic);
  CHECK_EQ(at(0).heard(), "");
  for (uint32_t i = 0;
       i < topic_replica::stalled_max + topic_replica::patience_max; ++i) {
    at(0).topics->tick();
    settle();
  }
  CHECK_EQ(at(0).heard(), "lost " + topic + "; begun " + topic);
  CHECK(at(0).topics->served().second == 1);
}

CAF_TEST(long histories come by pages) {
  auto topic = topic_of("three/", 0, 1);
  lead(0, topic);
  lose(1);
  auto n = topic_replicas::page_events_max * 2 + 5;
  for (size_t i = 0; i < n; ++i)
    append(0, topic);
  bring_back(1);
  CHECK_EQ(kept(1, topic).size(), n);
}

CAF_TEST(what nobody uses is forgotten) {
  auto topic = topic_of("three/", 0, 1);
  lead(0, topic);
  append(0, topic);
  CHECK_EQ(at(1).topics->size(), 1u);
  for (auto i = 0; i < 2; ++i) {
    for (uint32_t j = 0; j < 3; ++j)
      at(j).topics->tick();
    settle();
  }
  CHECK_EQ(at(0).topics->size(), 1u);
  CHECK_EQ(at(1).topics->size(), 0u);
  // It is made of what is on the disk.
  at(0).heard();
  append(0, topic);
  CHECK_EQ(at(0).heard(), "2");
  CHECK_EQ(kept(1, topic), offsets({1, 2}));
  at(0).topics->release(topic);
  for (auto i = 0; i < 2; ++i)
    at(0).topics->tick();
  CHECK_EQ(at(0).topics->size(), 0u);
}

CAF_TEST(there are no more than may be) {
  for (auto i = 0; i < 5; ++i)
    at(0).topics->lead("three/" + std::to_string(i));
  CHECK_EQ(at(0).topics->size(), 4u);
  CHECK_EQ(at(0).heard(), "lost three/4");
}

CAF_TEST(who has no vote takes no part) {
  auto topic = topic_of("two/", 0, 1);
  lead(2, topic);
  CHECK_EQ(at(2).heard(), "lost " + topic);
  at(0).topics->take(1, "one/a", {});
  CHECK_EQ(at(0).topics->size(), 0u);
}

CAF_TEST(a call that does not exist is no frame) {
  caf::byte_buffer buffer;
  replica_message x;
  x.what = static_cast<replica_call>(200);
  append_frame(buffer, boxed("t", x));
  frame_source source{buffer};
  peer_frame number;
  peer_replica frame;
  REQUIRE(source.next(number));
  CHECK(!source.read(frame));
}

END_FIXTURE_SCOPE()
