#include <callboard/actors/cluster/topic_replica.hpp>

#include <algorithm>
#include <random>

#include "actors/cluster/replica_world.hpp"
#include "support/seeds.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

/// Does to the voters of a topic what may happen, in an order that a seed says.
class replica_model {
public:
  replica_model(uint64_t seed, uint32_t keepers, uint32_t voters)
    : world{keepers, voters}, random_{seed} {
  }

  void run(size_t steps) {
    for (size_t i = 0; i < steps && world.trouble.empty(); ++i)
      step();
    if (world.trouble.empty())
      heal();
  }

  replica_world world;

private:
  uint32_t pick(uint64_t n) {
    return static_cast<uint32_t>(random_() % n);
  }

  uint32_t voters() const {
    return static_cast<uint32_t>(world.sites.size());
  }

  void step() {
    auto place = pick(voters());
    auto& x = world.sites[place];
    auto what = pick(1000);
    if (what < 450)
      deliver();
    else if (what < 750)
      world.write(place, 1);
    else if (what >= 980)
      prune(place);
    else if (what >= 960)
      end_or_start(place);
    else if (x.replica)
      act(place, what);
  }

  void act(uint32_t place, uint32_t what) {
    auto& x = world.at(place);
    if (what < 860) {
      if (x.leads() && pick(8) == 0)
        world.place(place);
      else if (x.leads() && x.head() - x.agreed() < 6)
        world.append(place);
    } else if (what < 905) {
      world.tick(place);
    } else if (what < 925) {
      world.present(place, pick(2) == 0 ? 7 : pick(8));
    } else if (what < 950) {
      if (place < world.keepers && !x.leads() && !x.seeks())
        world.lead(place);
    } else {
      x.rest();
    }
  }

  // Now and then something is overtaken, or lost, or comes twice.
  void deliver() {
    auto n = world.network.size();
    if (n == 0)
      return;
    size_t at = pick(3) == 0 ? pick(n) : 0;
    auto fate = pick(100);
    if (fate < 2)
      world.network.erase(world.network.begin() + static_cast<ptrdiff_t>(at));
    else
      world.deliver(at, fate < 8);
  }

  void end_or_start(uint32_t place) {
    auto& x = world.sites[place];
    if (!x.replica)
      world.start(place);
    else if (pick(2) == 0)
      world.crash(place, pick(x.writes.size() + 1));
  }

  // Histories are cut where all is acknowledged.
  void prune(uint32_t place) {
    auto& x = world.sites[place];
    if (!x.log.empty() && pick(4) == 0)
      world.prune(place,
                  std::min(x.record.agreed, x.log.begin()->first + pick(4)));
  }

  // All are there, and the first one owns the topic: then it serves it, with
  // all that was ever acknowledged, and the others have the same.
  void heal() {
    for (uint32_t i = 0; i < voters(); ++i) {
      if (!world.sites[i].replica)
        world.start(i);
      if (i != 0)
        world.at(i).rest();
    }
    world.all_present(7);
    // Those that were gone on without are tried again.
    go_on(topic_replica::shunned_max);
    // An owner learns that another one was promised more as it goes on.
    for (auto i = 0; i < 3; ++i)
      go_on(20);
    auto& owner = world.at(0);
    if (!owner.leads() || owner.alone())
      return world.fail("nobody serves with the others");
    if (owner.agreed() != owner.head())
      world.fail("not all is agreed");
    for (uint32_t i = 0; i < world.keepers; ++i)
      if (auto& x = world.sites[i].record;
          world.placed(i) != world.placed(0) || x.head != owner.head()
          || x.term != owner.term() || !x.whole())
        world.fail("one is not level");
  }

  // Whoever has something else behind what is agreed, and says it is level, is
  // seen when the log goes on.
  void go_on(uint32_t ticks) {
    for (uint32_t i = 0; i < ticks; ++i) {
      world.settle();
      if (!world.at(0).leads() && !world.at(0).seeks())
        world.lead(0);
      for (uint32_t j = 0; j < voters(); ++j)
        world.tick(j);
    }
    for (auto i = 0; i < 3 && world.at(0).leads(); ++i)
      world.append(0);
    world.settle();
  }

  std::mt19937_64 random_;
};

void try_seeds(uint32_t keepers, uint32_t voters, bool has_witness) {
  size_t begun = 0;
  size_t alone = 0;
  size_t acknowledged = 0;
  for (auto seed : seeds_to_try(60)) {
    replica_model model{seed, keepers, voters};
    model.run(2'500);
    if (auto& trouble = model.world.trouble; !trouble.empty())
      CAF_FAIL("seed " << seed << ": " << trouble);
    begun += model.world.terms.size();
    alone += model.world.alone;
    acknowledged += model.world.acknowledged.size();
  }
  // It has come to something.
  CHECK(begun > 0);
  CHECK(acknowledged > begun);
  CHECK_EQ(alone > 0, has_witness);
}

} // namespace

CAF_TEST(three keepers lose nothing that was acknowledged) {
  try_seeds(3, 3, false);
}

CAF_TEST(two keepers and a witness lose nothing that was acknowledged) {
  try_seeds(2, 3, true);
}

CAF_TEST(two keepers alone lose nothing that was acknowledged) {
  try_seeds(2, 2, false);
}
