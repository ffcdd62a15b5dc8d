// Nodes that join and leave under publishing, in any order of what they hear
// and do. CALLBOARD_TEST_SEEDS says how many; a seed that fails is printed.

#include <callboard/actors/broker.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/sites_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

class moves_model : sites_fixture {
public:
  explicit moves_model(uint64_t seed) : random_{seed} {
    add(1);
    add(2);
    members_ = {0, 1};
    told_ = {0, 0};
    view(members_);
    told_ = {number, number};
    for (auto [site, loop] : {std::pair{0u, 0u}, {1u, 1u}}) {
      auto& x = connect(site, loop);
      for (size_t i = 0; i < topics; ++i)
        subscribe(x, name_of(i));
      readers_.push_back(&x);
    }
    for (auto site : members_)
      writers_.push_back(&connect(site));
  }

  void run() {
    for (int i = 0; i < 300; ++i)
      step();
    end_changes();
    check();
  }

  std::string fault;

private:
  static constexpr size_t topics = 5;
  static constexpr size_t sites_max = 7;

  static std::string name_of(size_t i) {
    return "t" + std::to_string(i);
  }

  size_t below(size_t n) {
    return static_cast<size_t>(random_() % n);
  }

  size_t any_member() {
    return members_[below(members_.size())];
  }

  void step() {
    switch (below(12)) {
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
    }
  }

  void publish_one() {
    auto site = any_member();
    // One that joins has no clients yet.
    if (told_[site] == 0)
      return;
    auto topic = name_of(below(topics));
    published_[++last_] = topic;
    writers_[site]->publish(topic, std::to_string(last_), last_);
  }

  void tell_one(size_t site) {
    if (told_[site] == number)
      return;
    told_[site] = number;
    tell(site, members_);
  }

  void change() {
    auto leaves = [this](size_t x) {
      return sites[x].self.state == member_state::leaving;
    };
    auto going = std::ranges::count_if(members_, leaves);
    if (going > 0 && below(2) == 0) {
      // Those that leave wait until their topics are elsewhere.
      end_changes();
      std::erase_if(members_, leaves);
    } else if (sites.size() < sites_max && below(2) == 0) {
      members_.push_back(sites.size());
      told_.push_back(0);
      writers_.push_back(&add(1 + below(2)).node.connect());
    } else if (auto x = any_member(); x > 1 && !leaves(x)) {
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
  }

  void fail(const std::string& what) {
    if (fault.empty())
      fault = what;
  }

  void check() {
    // By topic: where each was accepted.
    std::map<std::string, std::map<uint64_t, std::string>> accepted;
    std::map<std::string, std::string> epochs;
    for (auto* x : writers_) {
      // Its own, by number.
      std::map<std::string, std::map<uint32_t, uint64_t>> own;
      for (auto& y : x->take()) {
        auto told = y.words();
        auto at = told.find("\"offset\":");
        auto begin = told.find("\"epoch\":\"");
        if (y.type != frame_type::response || at == std::string::npos)
          return fail("a publisher was told " + told);
        auto& topic = published_[y.seq_id];
        auto offset = std::stoull(told.substr(at + 9));
        if (!accepted[topic].emplace(offset, std::to_string(y.seq_id)).second)
          return fail("two were accepted at one place: " + told);
        begin += 9;
        auto epoch = told.substr(begin, told.find('"', begin) - begin);
        if (epochs.emplace(topic, epoch).first->second != epoch)
          return fail(topic + " has begun anew: " + told);
        own[topic][y.seq_id] = offset;
      }
      for (auto& [topic, offsets] : own)
        if (!std::ranges::is_sorted(offsets, {},
                                    [](auto& z) { return z.second; }))
          fail("publications of one publisher to " + topic
               + " were put in another order");
    }
    size_t answered = 0;
    for (auto& [topic, events] : accepted)
      answered += events.size();
    if (answered != published_.size())
      fail(std::to_string(answered) + " of " + std::to_string(published_.size())
           + " were answered");
    for (auto* x : readers_)
      check_heard(*x, accepted, epochs);
  }

  void check_heard(
    client& x,
    const std::map<std::string, std::map<uint64_t, std::string>>& accepted,
    const std::map<std::string, std::string>& epochs) {
    std::map<std::string, uint64_t> last;
    for (auto& y : x.take()) {
      if (y.type != frame_type::event)
        return fail("a subscriber was told " + y.words());
      auto topic = accepted.find(y.subject);
      if (topic == accepted.end())
        return fail("nobody published " + y.words());
      auto event = topic->second.find(y.meta.offset);
      if (y.meta.offset != ++last[y.subject] || event == topic->second.end()
          || event->second != text_of(y.content)
          || (y.meta.offset == 1 && y.epoch != epochs.at(y.subject)))
        return fail("a subscriber heard " + y.words() + " behind "
                    + std::to_string(last[y.subject] - 1));
    }
    for (auto& [topic, events] : accepted)
      if (last[topic] != events.size())
        fail("a subscriber has heard " + std::to_string(last[topic]) + " of "
             + std::to_string(events.size()) + " events of " + topic);
  }

  std::mt19937_64 random_;
  std::vector<size_t> members_;
  // The last view that each site was told of; 0: none.
  std::vector<uint64_t> told_;
  std::vector<client*> writers_;
  std::vector<client*> readers_;
  std::map<uint32_t, std::string> published_;
  uint32_t last_ = 0;
};

uint64_t seeds() {
  auto* text = std::getenv("CALLBOARD_TEST_SEEDS");
  return text == nullptr ? 50 : std::strtoull(text, nullptr, 10);
}

} // namespace

CAF_TEST(nodes that come and go gracefully lose nothing) {
  for (uint64_t seed = 1; seed <= seeds(); ++seed) {
    moves_model x{seed};
    x.run();
    if (!x.fault.empty())
      FAIL("seed " << seed << ", " << x.fault);
  }
}
