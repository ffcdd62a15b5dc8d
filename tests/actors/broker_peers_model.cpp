// Nodes that join and leave under publishing, in any order of what they hear
// and do.

#include <callboard/actors/broker.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "actors/changing_sites.hpp"
#include "support/seeds.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

class moves_model : public changing_sites<> {
public:
  explicit moves_model(uint64_t seed) : changing_sites{seed, 7} {
    begin();
    for (auto [site, loop] : {std::pair{0u, 0u}, {1u, 1u}}) {
      auto& x = connect(site, loop);
      for (size_t i = 0; i < topics; ++i)
        subscribe(x, name_of(i));
      readers_.push_back(&x);
      auto& all = connect(site, loop);
      subscribe(all, "#");
      readers_.push_back(&all);
    }
    for (size_t site : {0, 1})
      added(site);
  }

  void run() {
    for (int i = 0; i < 300; ++i)
      if (auto what = below(12); what < steps)
        step(what);
      else
        publish_one();
    settle_all();
    check();
  }

private:
  static constexpr size_t topics = 5;

  static std::string name_of(size_t i) {
    return "t" + std::to_string(i);
  }

  void added(size_t site) override {
    writers_.push_back(&sites[site].node.connect());
  }

  void publish_one() {
    auto site = any_member();
    // One that joins has no clients yet.
    if (!has_joined(site))
      return;
    auto topic = name_of(below(topics));
    published_[++last_] = topic;
    writers_[site]->publish(topic, std::to_string(last_), last_);
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

  // By site.
  std::vector<client*> writers_;
  std::vector<client*> readers_;
  std::map<uint32_t, std::string> published_;
  uint32_t last_ = 0;
};

} // namespace

CAF_TEST(nodes that come and go gracefully lose nothing) {
  for (auto seed : seeds_to_try(50)) {
    moves_model x{seed};
    x.run();
    if (!x.fault.empty())
      FAIL("seed " << seed << ", " << x.fault);
  }
}
