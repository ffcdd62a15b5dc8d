// Many memberships on a network that fails in every way, from seeds.
// CALLBOARD_TEST_SEEDS says how many; a seed that fails is printed.

#include "actors/cluster/membership_simulator.hpp"

#include <cstdlib>
#include <string>

#include "support/test.hpp"

using namespace callboard;

namespace {

uint64_t seeds() {
  auto* text = std::getenv("CALLBOARD_TEST_SEEDS");
  return text == nullptr ? 200 : std::strtoull(text, nullptr, 10);
}

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
  for (uint64_t seed = 1; seed <= seeds(); ++seed)
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
