// Many memberships on a network that fails in every way, from seeds.

#include "actors/cluster/membership_simulator.hpp"

#include <string>

#include "support/seeds.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

std::string fault_of(uint64_t seed) {
  membership_simulator x{seed, 2 + seed % 6};
  x.run_badly(60'000);
  x.heal();
  x.run(50'000);
  x.check_settled();
  auto number = x.highest_number();
  x.run(30'000);
  x.check_settled();
  if (x.fault.empty() && x.highest_number() != number)
    return "views are made of a cluster that has settled";
  return x.fault;
}

} // namespace

CAF_TEST(all that live agree in the end) {
  for (auto seed : seeds_to_try(200))
    if (auto fault = fault_of(seed); !fault.empty())
      FAIL("seed " << seed << ", " << fault);
}

CAF_TEST(nodes that begin together find each other in a few seconds) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    membership_simulator x{seed, 8};
    x.run(15'000);
    x.check_settled();
    CHECK_EQ(x.fault, "");
  }
}
