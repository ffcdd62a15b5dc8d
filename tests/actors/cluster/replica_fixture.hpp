#pragma once

#include "actors/cluster/replica_world.hpp"

namespace callboard {

/// Topics with replicas that are served by the first of their voters.
struct replica_fixture {
  replica_fixture() {
    for (auto* x : {&three, &two})
      lead(*x, 0, 7);
  }

  /// Lets `place` own the topic where these can be reached.
  static void lead(replica_world& x, uint32_t place, uint32_t present) {
    x.all_present(present);
    x.settle();
    x.lead(place);
    x.settle();
  }

  /// The owner's node is gone, and the next one owns the topic.
  static void take_over(replica_world& x) {
    x.crash(0);
    x.network.clear();
    lead(x, 1, 6);
  }

  /// Three keepers.
  replica_world three{3, 3};
  /// Two keepers and a witness.
  replica_world two{2, 3};
};

} // namespace callboard
