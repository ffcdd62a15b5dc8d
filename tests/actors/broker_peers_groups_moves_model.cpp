// Members of groups under publishing, as nodes join and leave gracefully, in
// any order of what they hear and do.

#include <callboard/actors/cluster/broker_peers_groups.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <callboard/actors/broker.hpp>

#include "actors/changing_sites.hpp"
#include "actors/peer_groups_fixture.hpp"
#include "support/seeds.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

class group_moves_model : public changing_sites<peer_groups_fixture> {
public:
  explicit group_moves_model(uint64_t seed) : changing_sites{seed, 6} {
    // What is not confirmed at once is not given to others for that.
    adjust = [](node_options& x) { x.group_ack_timeout = 1h; };
    begin();
    for (size_t site : {0, 1, 0, 1})
      joined(site);
    settle();
    publishers_ = {&connect(0), &connect(1)};
  }

  void run() {
    for (int i = 0; i < 300 && fault.empty(); ++i) {
      if (auto what = below(14); what < steps)
        step(what);
      else if (what < steps + 3)
        confirm_one();
      else
        publish_one();
      look();
    }
    finish();
    check();
  }

private:
  static constexpr size_t topics = 4;

  struct worker {
    size_t site;
    client* who;
    // What it has, by seqId.
    std::map<uint32_t, std::string> open;
  };

  static std::string name_of(size_t i) {
    return "t" + std::to_string(i);
  }

  void joined(size_t site) override {
    auto& x = sites[site].node.connect(
      static_cast<uint32_t>(below(sites[site].self.loops)));
    for (uint32_t i = 0; i < topics; ++i) {
      auto name = name_of(i);
      frame_view wish;
      wish.type = type::subscribe;
      wish.seq_id = i + 1;
      wish.subject = name;
      wish.meta.mark(meta_key::group);
      wish.meta.group = "g";
      wish.meta.mark(meta_key::ack);
      wish.meta.ack = true;
      x.say(wish);
    }
    workers_.push_back({site, &x, {}});
  }

  // The clients of those nodes go first.
  void going(const std::vector<size_t>& leaving) override {
    look();
    auto leaves = [&](auto& x) {
      return std::ranges::find(leaving, x.site) != leaving.end();
    };
    for (auto& x : workers_)
      if (leaves(x))
        sites[x.site].node.kill(x.who->handle);
    std::erase_if(workers_, leaves);
    settle();
  }

  // -- what happens -----------------------------------------------------------

  void publish_one() {
    auto name = std::to_string(published_.size());
    auto topic = name_of(below(topics));
    published_.push_back(name);
    auto key = "k" + std::to_string(below(3));
    if (below(2) != 0)
      key.clear();
    member_fixture::publish_text(*publishers_[below(2)], topic, name, key);
  }

  void confirm_one() {
    auto& x = workers_[below(workers_.size())];
    if (x.open.empty())
      return;
    auto i = x.open.begin();
    std::advance(i, below(x.open.size()));
    confirm(x, i->first);
  }

  void confirm(worker& x, uint32_t seq_id) {
    x.who->say(type::ack, seq_id);
    done_.insert(x.open.extract(seq_id).mapped());
  }

  // Lets everybody confirm everything.
  void finish() {
    settle_all();
    look();
    for (auto idle = false; !idle && fault.empty();) {
      idle = true;
      for (auto& x : workers_)
        while (!x.open.empty()) {
          confirm(x, x.open.begin()->first);
          idle = false;
        }
      settle();
      look();
    }
  }

  // -- what is seen -----------------------------------------------------------

  void look() {
    for (auto& x : workers_)
      for (auto& y : x.who->take()) {
        if (y.type == type::response)
          continue;
        if (y.type != type::event)
          return fail("a member was told " + y.words());
        take(x, y);
      }
  }

  void take(worker& x, const frame& y) {
    auto name = text_of(y.content);
    if (done_.contains(name))
      return fail("given although it was confirmed: " + y.words());
    for (auto& other : workers_)
      for (auto& [seq_id, has] : other.open)
        if (has == name)
          return fail("given although somebody has it: " + y.words());
    auto& last = last_[{y.subject, y.key}];
    if (!y.key.empty() && y.meta.offset < last)
      return fail("given behind " + std::to_string(last) + ": " + y.words());
    last = y.meta.offset;
    x.open[y.seq_id] = name;
  }

  void check() {
    if (done_.size() != published_.size())
      fail(std::to_string(done_.size()) + " of "
           + std::to_string(published_.size()) + " were confirmed");
    auto must_be = [this](const char* what, int64_t is, size_t should_be) {
      if (is != static_cast<int64_t>(should_be))
        fail(std::to_string(is) + ' ' + what + ", not "
             + std::to_string(should_be));
    };
    must_be("confirmations", sum_all(&group_metrics::confirmations),
            published_.size());
    must_be("events", sum_all(&group_metrics::events), 0);
    must_be("lost", sum_all(&group_metrics::lost), 0);
    must_be("dead letters", sum_all(&group_metrics::dead_letters), 0);
    must_be("groups", sum_all(&group_metrics::groups), topics);
    must_be("members", sum_all(&group_metrics::members),
            topics * workers_.size());
  }

  std::vector<worker> workers_;
  std::vector<client*> publishers_;
  std::vector<std::string> published_;
  std::set<std::string> done_;
  // The last offset of each topic and key.
  std::map<std::pair<std::string, std::string>, uint64_t> last_;
};

} // namespace

CAF_TEST(nothing is lost and nothing confirmed is given again) {
  for (auto seed : seeds_to_try(50)) {
    group_moves_model x{seed};
    x.run();
    if (!x.fault.empty())
      FAIL("seed " << seed << ", " << x.fault);
  }
}
