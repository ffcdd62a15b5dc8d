// Members of groups under publishing, as nodes join and leave gracefully, in
// any order of what they hear and do. CALLBOARD_TEST_SEEDS says how many; a
// seed that fails is printed.

#include <callboard/actors/cluster/broker_peers_groups.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <callboard/actors/broker.hpp>

#include "actors/peer_groups_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

class group_moves_model : peer_groups_fixture {
public:
  explicit group_moves_model(uint64_t seed) : random_{seed} {
    // What is not confirmed at once is not given to others for that.
    adjust = [](node_options& x) { x.group_ack_timeout = 1h; };
    add(1);
    add(2);
    view({0, 1});
    told_ = {number, number};
    for (size_t site : {0, 1, 0, 1})
      add_worker(site);
    settle();
    publishers_ = {&connect(0), &connect(1)};
  }

  void run() {
    for (int i = 0; i < 300 && fault.empty(); ++i) {
      step();
      look();
    }
    finish();
    check();
  }

  std::string fault;

private:
  static constexpr size_t topics = 4;
  static constexpr size_t sites_max = 6;

  struct worker {
    size_t site;
    client* who;
    // What it has, by seqId.
    std::map<uint32_t, std::string> open;
  };

  static std::string name_of(size_t i) {
    return "t" + std::to_string(i);
  }

  size_t below(size_t n) {
    return static_cast<size_t>(random_() % n);
  }

  size_t any_member() {
    return members_[below(members_.size())];
  }

  void fail(const std::string& what) {
    if (fault.empty())
      fault = what;
  }

  void add_worker(size_t site) {
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

  // -- what happens -----------------------------------------------------------

  void step() {
    switch (below(14)) {
      default:
        publish_one();
        break;
      case 0:
      case 1:
      case 2:
        sites[any_member()].node.turn();
        break;
      case 3:
      case 4:
      case 5:
        carry(any_member());
        break;
      case 6:
        tell_one(any_member());
        break;
      case 7:
        if (below(4) == 0)
          change();
        else
          tell_one(any_member());
        break;
      case 8:
      case 9:
      case 10:
        confirm_one();
        break;
    }
  }

  void publish_one() {
    auto name = std::to_string(published_.size());
    auto topic = name_of(below(topics));
    published_.push_back(name);
    auto content = text(name);
    auto key = "k" + std::to_string(below(3));
    frame_view x;
    x.type = type::publish;
    x.subject = topic;
    x.payload = content.view();
    if (below(2) == 0) {
      x.meta.mark(meta_key::key);
      x.meta.key = key;
    }
    publishers_[below(2)]->say(x);
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

  void tell_one(size_t site) {
    if (told_[site] == number)
      return;
    auto is_new = std::exchange(told_[site], number) == 0;
    tell(site, members_);
    if (is_new)
      add_worker(site);
  }

  void change() {
    auto leaves = [this](size_t x) {
      return sites[x].self.state == member_state::leaving;
    };
    auto going = std::ranges::count_if(members_, leaves);
    if (going > 0 && below(2) == 0) {
      // Those that leave wait until their topics are elsewhere, and their
      // clients away.
      end_changes();
      for (auto& x : workers_)
        if (leaves(x.site))
          sites[x.site].node.kill(x.who->handle);
      std::erase_if(workers_, [&](auto& x) { return leaves(x.site); });
      settle();
      std::erase_if(members_, leaves);
    } else if (sites.size() < sites_max && below(2) == 0) {
      members_.push_back(sites.size());
      told_.push_back(0);
      add(1 + static_cast<uint32_t>(below(2)));
    } else if (auto x = any_member(); x > 1 && told_[x] > 0 && !leaves(x)) {
      sites[x].self.state = member_state::leaving;
    } else {
      return;
    }
    ++number;
  }

  void end_changes() {
    for (auto x : members_)
      tell_one(x);
    for (int i = 0; i < 3; ++i) {
      settle();
      for (auto x : members_)
        sites[x].node.pass(20ms);
    }
    settle();
    look();
  }

  // Lets everybody confirm everything.
  void finish() {
    end_changes();
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

  template <class Metric>
  int64_t sum_all(Metric* group_metrics::*which) {
    int64_t result = 0;
    for (size_t i = 0; i < sites.size(); ++i)
      result += sum(i, which);
    return result;
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

  std::mt19937_64 random_;
  std::vector<size_t> members_{0, 1};
  // The last view that each site was told of; 0: none.
  std::vector<uint64_t> told_;
  std::vector<worker> workers_;
  std::vector<client*> publishers_;
  std::vector<std::string> published_;
  std::set<std::string> done_;
  // The last offset of each topic and key.
  std::map<std::pair<std::string, std::string>, uint64_t> last_;
};

uint64_t model_seeds() {
  auto* words = std::getenv("CALLBOARD_TEST_SEEDS");
  return words == nullptr ? 50 : std::strtoull(words, nullptr, 10);
}

} // namespace

CAF_TEST(nothing is lost and nothing confirmed is given again) {
  for (uint64_t seed = 1; seed <= model_seeds(); ++seed) {
    group_moves_model x{seed};
    x.run();
    if (!x.fault.empty())
      FAIL("seed " << seed << ", " << x.fault);
  }
}
