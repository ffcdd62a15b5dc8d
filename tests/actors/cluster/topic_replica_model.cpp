// The voters of a topic where anything may happen: messages are lost, overtaken
// and come twice, whoever likes to serves, and what a node takes for present
// has nothing to do with what is.

#include <callboard/actors/cluster/topic_replica.hpp>

#include "actors/cluster/replica_simulator.hpp"
#include "support/seeds.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

class lawless_voters : public replica_simulator {
public:
  using replica_simulator::replica_simulator;

private:
  void step() override {
    auto place = pick(voters());
    auto& x = world.sites[place];
    auto what = pick(1000);
    if (what < 480)
      deliver();
    else if (what < 730)
      world.write(place, 1);
    else if (what < 780)
      read(place);
    else if (what < 800)
      prune(place);
    else if (what < 870)
      add(place);
    else if (what < 890)
      lead(place);
    else if (what < 910 && x.replica)
      world.tick(place);
    else if (is_bad_time())
      do_harm(place);
  }

  void add(uint32_t place) {
    auto& x = world.sites[place];
    if (!x.replica || !x.replica->leads())
      return;
    if (pick(8) == 0)
      world.place(place);
    else if (x.pending.size() < 6)
      publish(place);
  }

  void lead(uint32_t place) {
    auto& x = world.sites[place].replica;
    if (x && place < world.keepers && !x->leads() && !x->seeks()
        && (pick(4) == 0 || is_bad_time()))
      world.lead(place);
  }

  void do_harm(uint32_t place) {
    auto& x = world.sites[place];
    auto what = pick(100);
    if (!x.replica) {
      world.start(place);
      return restarted(place);
    }
    if (what < 20)
      world.crash(place, pick(x.writes.size() + 1));
    else if (what < 30)
      restore(place);
    else if (what < 40)
      back_up(place);
    else if (what < 50)
      fail_write(place);
    else if (what < 60)
      world.rest(place);
    else
      restarted(place);
  }

  // Now and then something is overtaken, or lost, or comes twice.
  void deliver() {
    auto n = world.network.size();
    if (n == 0)
      return;
    size_t at = pick(3) == 0 ? pick(n) : 0;
    auto fate = pick(100);
    if (fate < 2 && is_bad_time())
      world.network.erase(world.network.begin() + static_cast<ptrdiff_t>(at));
    else
      world.deliver(at, fate < 8);
  }

  void read(uint32_t place) {
    if (world.sites[place].replica && !world.sites[place].reads.empty())
      world.read(place);
  }

  void restarted(uint32_t place) override {
    present(place, pick(4) != 0 ? 7 : pick(8));
  }

  void connect(uint32_t places) override {
    for (uint32_t i = 0; i < voters(); ++i)
      if ((places >> i & 1) == 0 && world.sites[i].replica)
        world.crash(i);
    for (uint32_t i = 0; i < voters(); ++i)
      if (world.sites[i].replica)
        present(i, places);
  }
};

void try_seeds(uint32_t keepers, uint32_t voters, bool has_witness) {
  replica_trials<lawless_voters> all{seeds_to_try(200), keepers, voters, 2'500};
  if (!all.trouble.empty())
    CAF_FAIL(all.trouble);
  // It has come to something.
  CHECK(all.begun > 0);
  CHECK(all.acknowledged > all.begun);
  CHECK_EQ(all.alone > 0, has_witness);
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
