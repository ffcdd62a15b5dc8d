// How long the owner of a topic with replicas waits for the others.

#include <callboard/actors/cluster/topic_replica.hpp>

#include "actors/cluster/replica_world.hpp"
#include "support/test.hpp"

using namespace callboard;

CAF_TEST(who votes and never is level is not waited for for ever) {
  replica_world two{2, 3};
  two.all_present(7);
  two.settle();
  two.lead(0);
  auto& letters = two.network;
  while (letters.empty() || letters[0].what.what != replica_call::begin)
    if (!letters.empty())
      two.deliver(0);
    else
      for (uint32_t i = 0; i < 3; ++i)
        two.write(i);
  for (uint32_t i = 0; i < topic_replica::stalled_max; ++i, letters.clear())
    two.tick(0);
  CHECK(!two.at(0).seeks());
}
