#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "actors/cluster/replica_world.hpp"

namespace callboard {

/// Does to the voters of a topic what may happen, in an order that a seed says;
/// then all becomes well, and so must the topic.
class replica_simulator {
public:
  /// Rounds until a topic is served again: an owner gives up after
  /// `stalled_max` of them, and may have lost a try to one that is none.
  static constexpr size_t rounds_max = 2 * topic_replica::stalled_max;

  replica_simulator(uint64_t seed, uint32_t keepers, uint32_t voters)
    : world{keepers, voters}, random_{seed}, backups_(voters) {
    world.slow_reads = pick(2) == 0;
    calm_ = 1 + pick(16);
  }

  virtual ~replica_simulator() = default;

  void run(size_t steps) {
    connect((1u << voters()) - 1);
    for (size_t i = 0; i < steps && !failed(); ++i)
      step();
    if (!failed() && pick(8) == 0)
      restore_some();
    if (!failed())
      heal();
    // All of them are level: any one may go.
    for (uint32_t i = 0; i < voters() && voters() == 3 && !failed(); ++i) {
      lose(i);
      if (!failed())
        heal();
    }
  }

  replica_world world;

protected:
  virtual void step() = 0;

  /// Lets messages go between these, and no others; they know it.
  virtual void connect(uint32_t places) = 0;

  /// Tells a node that was made anew whom it can reach.
  virtual void restarted(uint32_t) {
  }

  uint32_t pick(uint64_t n) {
    return static_cast<uint32_t>(random_() % n);
  }

  uint32_t voters() const {
    return static_cast<uint32_t>(world.sites.size());
  }

  /// Returns whether it is time for something bad.
  bool is_bad_time() {
    return pick(calm_) == 0;
  }

  bool failed() const {
    return !world.oracle.trouble.empty();
  }

  // -- what happens in all models ---------------------------------------------

  /// Somebody publishes at a node that serves: something new, or what they do
  /// not know to be there.
  void publish(uint32_t place) {
    if (world.unsure.empty() || pick(2) == 0)
      return world.append(place);
    auto i = world.unsure.begin();
    std::advance(i, pick(world.unsure.size()));
    publish_again(place, *i);
  }

  /// A disk fails once.
  void fail_write(uint32_t place) {
    if (world.sites[place].writes.empty())
      return;
    world.fail_write(place, pick(2) == 0);
    restarted(place);
  }

  void back_up(uint32_t place) {
    if (world.sites[place].record.promised != 0)
      backups_[place] = world.sites[place];
  }

  /// A node has its disk of before. Only where the others know all without it,
  /// nothing is lost by that.
  void restore(uint32_t place) {
    if (backups_[place].record.promised == 0 || !is_dispensable(place))
      return;
    world.crash(place);
    std::erase_if(world.network, [place](auto& x) {
      return x.from == place || x.to == place;
    });
    world.restore(place, backups_[place]);
    world.start(place);
    for (uint32_t i = 0; i < voters(); ++i)
      if (world.sites[i].replica && i != place)
        world.present(i, present_[i] &= ~(1u << place));
    restarted(place);
  }

  /// Histories are cut where all is acknowledged, and nobody asks again.
  void prune(uint32_t place) {
    auto& x = world.sites[place];
    auto& log = x.log.events;
    if (log.empty())
      return;
    auto upto = std::min(x.record.agreed, log.begin()->first + pick(4));
    for (auto& [offset, event] : log)
      if (offset <= upto && world.may_ask_again(event->timestamp))
        return;
    world.prune(place, upto);
  }

  void present(uint32_t place, uint32_t places) {
    present_[place] = places;
    world.present(place, places);
  }

private:
  void publish_again(uint32_t place, int64_t value) {
    auto& x = world.sites[place];
    if (x.known.count(value) == 0)
      world.append(place, value);
    else if (world.oracle.has(value))
      world.unsure.erase(value);
  }

  bool is_dispensable(uint32_t place) const {
    uint32_t votes = 0;
    uint64_t floor = 0;
    uint64_t best = 0;
    auto some = false;
    for (uint32_t i = 0; i < voters(); ++i) {
      auto& x = world.sites[i];
      if (i == place)
        continue;
      if (!x.writes.empty())
        return false;
      votes += x.record.forgot ? 0 : 1;
      floor = std::max(floor, x.record.floor);
      if (i < world.keepers && x.record.whole()) {
        some = true;
        best = std::max(best, x.record.term);
      }
    }
    auto majority = voters() / 2 + 1;
    return some && votes > voters() - majority && floor <= best;
  }

  // All are lost, and some come back as they were before.
  void restore_some() {
    for (uint32_t i = 0; i < voters(); ++i)
      world.crash(i);
    world.network.clear();
    for (uint32_t i = 0; i < voters(); ++i)
      if (backups_[i].record.promised != 0 && pick(2) == 0)
        world.restore(i, backups_[i]);
    world.oracle.forgive();
    world.unsure.clear();
  }

  void heal() {
    for (uint32_t i = 0; i < voters(); ++i)
      if (!world.sites[i].replica)
        world.start(i);
    connect((1u << voters()) - 1);
    serve(0);
    auto& owner = world.at(0);
    // Whom it goes on without is tried again after a while.
    for (uint32_t i = 0; i < topic_replica::shunned_max && owner.alone(); ++i)
      pass();
    serve(0);
    if (failed())
      return;
    if (owner.alone())
      world.oracle.fail("it goes on alone");
    for (uint32_t i = 0; i < world.keepers; ++i)
      if (auto& x = world.sites[i].record;
          world.placed(i) != world.placed(0) || x.head != owner.head()
          || x.term != owner.term() || !x.whole())
        world.oracle.fail("one is not level");
  }

  // The others go on without one, and it comes back.
  void lose(uint32_t place) {
    world.trace.add("is lost", place, 0);
    connect(((1u << voters()) - 1) & ~(1u << place));
    serve(place == 0 ? 1 : 0);
  }

  // All that somebody has asked for is there in time, and something new.
  void serve(uint32_t place) {
    for (uint32_t i = 0; i < voters(); ++i)
      if (i != place && world.sites[i].replica)
        world.rest(i);
    auto last = ++world.last_value;
    world.unsure.insert(last);
    auto placed = world.oracle.acknowledged_place;
    auto is_done = [&] {
      auto& owner = world.at(place);
      return world.unsure.empty() && owner.leads()
             && owner.agreed() == owner.head()
             && world.oracle.acknowledged_place > placed
             && std::ranges::none_of(world.sites,
                                     [](auto& x) { return x.record.forgot; });
    };
    for (size_t i = 0; i < rounds_max && !is_done(); ++i) {
      serve_once(place);
      pass();
    }
    if (!is_done())
      world.oracle.fail("nobody serves");
  }

  // Lets a second pass.
  void pass() {
    world.settle();
    for (uint32_t i = 0; i < voters(); ++i)
      if (world.sites[i].replica)
        world.tick(i);
    world.settle();
  }

  void serve_once(uint32_t place) {
    auto& owner = world.at(place);
    if (!owner.leads() && !owner.seeks())
      return world.lead(place);
    auto all = world.unsure;
    for (auto value : all)
      if (owner.leads())
        publish_again(place, value);
    if (owner.leads())
      world.place(place);
  }

  std::mt19937_64 random_;
  uint64_t calm_ = 1;
  std::vector<replica_world::disk> backups_;
  std::array<uint32_t, topic_replica::voters_max> present_{};
};

/// Tries seeds, and says which of them fails, and how.
template <class Simulator>
struct replica_trials {
  size_t begun = 0;
  size_t alone = 0;
  size_t acknowledged = 0;
  std::string trouble;

  template <class Seeds>
  replica_trials(Seeds seeds, uint32_t keepers, uint32_t voters, size_t steps) {
    for (auto seed : seeds) {
      Simulator model{seed, keepers, voters};
      model.run(steps);
      if (!model.world.oracle.trouble.empty()) {
        Simulator again{seed, keepers, voters};
        again.world.trace.enabled = true;
        again.run(steps);
        trouble = again.world.trace.text() + "seed " + std::to_string(seed)
                  + ": " + again.world.oracle.trouble;
        return;
      }
      begun += model.world.oracle.terms();
      alone += model.world.alone;
      acknowledged += model.world.oracle.acknowledged.size();
    }
  }
};

} // namespace callboard
