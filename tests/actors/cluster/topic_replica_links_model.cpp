// The voters of a topic in a network as it is: links have an order, are cut
// with all that is on them, and come back; each node has a view of its own and
// learns of that later. In each part of a partition somebody takes the topic
// for its own.

#include <callboard/actors/cluster/topic_replica.hpp>

#include <array>
#include <bit>

#include "actors/cluster/replica_simulator.hpp"
#include "support/seeds.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

class linked_voters : public replica_simulator {
public:
  linked_voters(uint64_t seed, uint32_t keepers, uint32_t voters)
    : replica_simulator{seed, keepers, voters} {
    for (auto& x : links_)
      x = all();
  }

private:
  uint32_t all() const {
    return (1u << voters()) - 1;
  }

  void step() override {
    auto place = pick(voters());
    auto& x = world.sites[place];
    auto what = pick(1000);
    if (what < 480)
      deliver();
    else if (what < 700)
      world.write(place, 1);
    else if (what < 750)
      read(place);
    else if (what < 760)
      prune(place);
    else if (what < 850)
      add(place);
    else if (what < 875)
      look(place);
    else if (what < 885 && x.replica)
      world.tick(place);
    else if (what < 920 && is_bad_time())
      do_harm(place);
    drop_what_is_cut();
  }

  // -- links ------------------------------------------------------------------

  bool linked(uint32_t a, uint32_t b) const {
    return (links_[a] >> b & 1) != 0;
  }

  // What a node has sent before its end may come until it is known to be lost.
  void drop_what_is_cut() {
    std::erase_if(world.network, [this](auto& x) {
      return !linked(x.from, x.to)
             && (world.sites[x.from].replica || !world.sites[x.to].replica
                 || (lost_[x.to] >> x.from & 1) == 0);
    });
  }

  void deliver() {
    if (world.network.empty())
      return;
    auto& some = world.network[pick(world.network.size())];
    auto same = [from = some.from, to = some.to](auto& x) {
      return x.from == from && x.to == to;
    };
    auto first = std::ranges::find_if(world.network, same);
    world.deliver(static_cast<size_t>(first - world.network.begin()));
  }

  void cut(uint32_t a, uint32_t b) {
    links_[a] &= ~(1u << b);
    links_[b] &= ~(1u << a);
    lost_[a] |= 1u << b;
    lost_[b] |= 1u << a;
    drop_what_is_cut();
  }

  void link(uint32_t a, uint32_t b) {
    if (a == b || !world.sites[a].replica || !world.sites[b].replica)
      return;
    links_[a] |= 1u << b;
    links_[b] |= 1u << a;
  }

  // -- nodes ------------------------------------------------------------------

  // A node learns of what has happened to its links. Now and then it does not
  // see a node that it could.
  void look(uint32_t place) {
    if (!world.sites[place].replica)
      return;
    auto anew = std::exchange(lost_[place], 0);
    auto view = links_[place] | 1u << place;
    if (pick(20) == 0 && is_bad_time())
      view &= ~(1u << pick(voters())) | 1u << place;
    if (anew != 0)
      present(place, view & ~anew);
    present(place, view);
    views_[place] = view;
    if (!owns(place))
      world.rest(place);
  }

  bool owns(uint32_t place) const {
    return static_cast<uint32_t>(std::countr_zero(views_[place])) == place
           && place < world.keepers;
  }

  void add(uint32_t place) {
    auto& x = world.sites[place];
    if (!x.replica || !owns(place) || x.replica->seeks())
      return;
    if (!x.replica->leads())
      world.lead(place);
    else if (pick(8) == 0)
      world.place(place);
    else if (x.pending.size() < 6)
      publish(place);
  }

  void read(uint32_t place) {
    if (world.sites[place].replica && !world.sites[place].reads.empty())
      world.read(place);
  }

  void restarted(uint32_t place) override {
    views_[place] = 0;
    look(place);
  }

  void start(uint32_t place) {
    world.start(place);
    for (uint32_t i = 0; i < voters(); ++i)
      if (pick(4) != 0)
        link(place, i);
    restarted(place);
  }

  // What it has sent to others may come to them still.
  void crash(uint32_t place) {
    auto& x = world.sites[place];
    world.crash(place, pick(x.writes.size() + 1));
    for (uint32_t i = 0; i < voters(); ++i)
      cut(place, i);
  }

  void do_harm(uint32_t place) {
    if (!world.sites[place].replica)
      return start(place);
    auto what = pick(100);
    auto other = pick(voters());
    if (what < 15)
      crash(place);
    else if (what < 22)
      restore(place);
    else if (what < 30)
      back_up(place);
    else if (what < 40)
      fail_write(place);
    else if (what < 60)
      cut(place, other);
    else if (what < 65)
      for (uint32_t i = 0; i < voters(); ++i)
        cut(place, i);
    else
      link(place, other);
  }

  void connect(uint32_t places) override {
    for (uint32_t i = 0; i < voters(); ++i) {
      for (uint32_t j = 0; j < voters(); ++j)
        if ((places >> i & 1) != 0 && (places >> j & 1) != 0)
          link(i, j);
        else
          cut(i, j);
    }
    for (uint32_t i = 0; i < voters(); ++i)
      look_well(i);
  }

  void look_well(uint32_t place) {
    if (!world.sites[place].replica)
      return;
    views_[place] = links_[place] | 1u << place;
    present(place, views_[place] & ~std::exchange(lost_[place], 0));
    present(place, views_[place]);
  }

  std::array<uint32_t, topic_replica::voters_max> links_{};
  std::array<uint32_t, topic_replica::voters_max> lost_{};
  std::array<uint32_t, topic_replica::voters_max> views_{};
};

void try_seeds(uint32_t keepers, uint32_t voters, bool has_witness) {
  replica_trials<linked_voters> all{seeds_to_try(200), keepers, voters, 4'000};
  if (!all.trouble.empty())
    CAF_FAIL(all.trouble);
  // It has come to something.
  CHECK(all.begun > 0);
  CHECK(all.acknowledged > all.begun);
  CHECK_EQ(all.alone > 0, has_witness);
}

} // namespace

CAF_TEST(three keepers lose nothing where links are cut) {
  try_seeds(3, 3, false);
}

CAF_TEST(two keepers and a witness lose nothing where links are cut) {
  try_seeds(2, 3, true);
}

CAF_TEST(two keepers alone lose nothing where links are cut) {
  try_seeds(2, 2, false);
}
