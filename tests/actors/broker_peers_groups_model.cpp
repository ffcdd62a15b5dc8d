// Groups with members at several nodes, under random work.

#include <callboard/actors/cluster/broker_peers_groups.hpp>

#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>

#include "actors/peer_groups_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct model_member {
  size_t site = 0;
  client* who = nullptr;
  std::set<std::string> topics;
  /// What it was given and has not answered, by seqId; it may be another's.
  std::map<uint32_t, std::string> open;
};

/// Lets clients at three nodes work at topics of the first one, publishes to
/// them, and loses clients, and the other two nodes and their shards. What goes
/// from node to node waits for random times, in its order.
struct fixture : peer_groups_fixture {
  uint32_t random(uint32_t n) {
    return std::uniform_int_distribution<uint32_t>{0, n - 1}(engine);
  }

  void begin(uint64_t seed) {
    engine.seed(seed);
    sites.clear();
    members.clear();
    published.clear();
    done.clear();
    dead.clear();
    number = 0;
    cut = 0;
    start();
    topics = {topic_of(0, 0, "a"), topic_of(0, 0, "kept/"),
              topic_of(0, 0, "b")};
    publisher = &connect(0);
    reader = &connect(0);
    for (auto& x : topics)
      subscribe(*reader, "$dead/" + x);
    for (size_t i = 0; i < 6; ++i)
      make_member(i % 3);
    for (auto& x : topics)
      toggle(members[0], x);
    settle();
    // A group that has had none goes with its last member.
    for (auto& x : topics)
      publish_to(x);
    settle();
  }

  void make_member(size_t site) {
    auto loop = random(sites[site].self.loops);
    members.push_back({site, &sites[site].node.connect(loop), {}, {}});
  }

  // -- what happens -----------------------------------------------------------

  void publish_to(const std::string& topic) {
    auto name = std::to_string(published.size());
    published.push_back(name);
    auto content = text(name);
    frame_view x;
    x.type = type::publish;
    x.subject = topic;
    x.payload = content.view();
    auto key = "k" + std::to_string(random(3));
    if (random(2) == 0) {
      x.meta.mark(meta_key::key);
      x.meta.key = key;
    }
    publisher->say(x);
  }

  void answer_one(bool confirm) {
    auto& x = pick();
    if (x.open.empty())
      return;
    auto i = x.open.begin();
    std::advance(i, random(static_cast<uint32_t>(x.open.size())));
    x.who->say(confirm ? type::ack : type::error, i->first);
    if (confirm)
      done.insert(i->second);
    x.open.erase(i);
  }

  // Lets a client join the topic's group, or leave it.
  void toggle(model_member& x, const std::string& topic) {
    frame_view y;
    y.type = x.topics.erase(topic) > 0 ? type::unsubscribe : type::subscribe;
    y.seq_id = ++last_seq_id;
    y.subject = topic;
    y.meta.mark(meta_key::group);
    y.meta.group = "g";
    if (y.type == type::subscribe) {
      x.topics.insert(topic);
      y.meta.mark(meta_key::ack);
      y.meta.ack = true;
    }
    x.who->say(y);
  }

  void kill_one() {
    auto& x = pick();
    sites[x.site].node.kill(x.who->handle);
    auto site = x.site;
    std::swap(x, members.back());
    members.pop_back();
    make_member(site);
  }

  void pass_some() {
    auto x = std::chrono::milliseconds{1 + random(4000)};
    for (auto& site : sites)
      site.node.pass(x);
  }

  void move_some() {
    if (random(3) == 0)
      carry();
    else
      sites[random(3)].node.turn();
  }

  // A node is cut off, goes on alone, and comes back.
  void cut_or_join() {
    settle();
    ++number;
    if (cut == 0) {
      cut = 1 + random(2);
      auto other = 3 - cut;
      tell(cut, {cut});
      for (size_t site : {size_t{0}, other})
        tell(site, {0, other});
    } else {
      cut = 0;
      for (size_t site : {0, 1, 2})
        tell(site, {0, 1, 2});
    }
  }

  void lose_shard() {
    settle();
    auto site = 1 + random(2);
    replace_broker(site, random(sites[site].self.loops));
    // Until it has asked again, the reader misses what comes.
    settle();
  }

  // -- what is seen -----------------------------------------------------------

  void look() {
    for (auto& x : members)
      for (auto& y : x.who->take()) {
        if (y.type == type::event)
          x.open[y.seq_id] = text_of(y.content);
        else if (y.type == type::cancel)
          x.open.erase(y.seq_id);
        else if (y.type == type::error && y.seq_id == 0)
          CAF_FAIL("a member is none any more: " << y.words());
      }
    for (auto& y : reader->take())
      if (y.type == type::event) {
        auto is_new = dead.insert(text_of(y.content)).second;
        REQUIRE(is_new);
        REQUIRE_EQ(y.meta.attempt, 3u);
      }
    publisher->take();
  }

  model_member& pick() {
    return members[random(static_cast<uint32_t>(members.size()))];
  }

  void step(bool views) {
    auto dice = random(100);
    if (dice < 25)
      publish_to(topics[random(3)]);
    else if (dice < 50)
      answer_one(true);
    else if (dice < 55)
      answer_one(false);
    else if (dice < 60)
      toggle(pick(), topics[random(3)]);
    else if (dice < 62)
      kill_one();
    else if (dice < 65)
      pass_some();
    else if (views && dice < 67)
      cut_or_join();
    else if (views && dice < 68)
      lose_shard();
    else
      move_some();
    look();
  }

  // Lets everybody confirm everything.
  void finish() {
    if (cut != 0)
      cut_or_join();
    settle();
    look();
    for (auto& x : topics)
      if (!members[0].topics.contains(x))
        toggle(members[0], x);
    auto pending = [this] { return sum(0, &group_metrics::events); };
    // What a member has that was told of nothing is another's after a while.
    for (int i = 0; i < 10'000 && (i == 0 || pending() > 0); ++i) {
      settle();
      look();
      auto idle = true;
      for (auto& x : members)
        for (auto& [seq_id, name] : std::exchange(x.open, {})) {
          idle = false;
          done.insert(name);
          x.who->say(type::ack, seq_id);
        }
      if (idle)
        wait(1s);
    }
    settle();
    look();
  }

  void check() {
    CHECK_EQ(sum(0, &group_metrics::events), 0);
    CHECK_EQ(sum(0, &group_metrics::lost), 0);
    // The owner has seen each of them finished, once.
    CHECK_EQ(sum(0, &group_metrics::confirmations)
               + sum(0, &group_metrics::dead_letters),
             static_cast<int64_t>(published.size()));
    CHECK_EQ(sum(0, &group_metrics::dead_letters),
             static_cast<int64_t>(dead.size()));
    for (auto& x : published)
      CHECK(done.contains(x) || dead.contains(x));
    // And has the members that think so, and no others.
    size_t all = 0;
    for (auto& x : members)
      all += x.topics.size();
    CHECK_EQ(sum(0, &group_metrics::members), static_cast<int64_t>(all));
  }

  std::mt19937_64 engine;
  std::vector<std::string> topics;
  client* publisher = nullptr;
  client* reader = nullptr;
  std::vector<model_member> members;
  // The names of all events; of those that somebody has confirmed; and of those
  // that are dead letters.
  std::vector<std::string> published;
  std::set<std::string> done;
  std::set<std::string> dead;
  uint32_t last_seq_id = 0;
  // The node that is alone; 0: none is.
  size_t cut = 0;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(each event is confirmed once or a dead letter) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    MESSAGE("seed " << seed);
    begin(seed);
    for (int i = 0; i < 500; ++i)
      step(false);
    finish();
    check();
  }
}

CAF_TEST(no event of an owner that stays is lost whatever other nodes do) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    MESSAGE("seed " << seed);
    begin(seed);
    for (int i = 0; i < 500; ++i)
      step(true);
    finish();
    check();
  }
}

END_FIXTURE_SCOPE()
