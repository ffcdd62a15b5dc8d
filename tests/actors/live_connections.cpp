#include <callboard/actors/live_connections.hpp>

#include <vector>

#include "support/test.hpp"

using namespace callboard;

CAF_TEST(those that are removed leave their places to the last) {
  live_connections all;
  std::vector<live_entry> entries(4);
  for (auto& x : entries)
    all.add(x);
  all.remove(entries[1]);
  CHECK_EQ(all.size(), 3u);
  CHECK_EQ(&all[1], &entries[3]);
  CHECK_EQ(entries[3].slot, 1u);
  // The last one itself.
  all.remove(entries[2]);
  CHECK_EQ(all.size(), 2u);
  CHECK_EQ(&all[0], &entries[0]);
  CHECK_EQ(&all[1], &entries[3]);
}

CAF_TEST(who is not there is not removed) {
  live_connections all;
  std::vector<live_entry> entries(2);
  all.add(entries[0]);
  all.remove(entries[1]);
  CHECK_EQ(all.size(), 1u);
  all.remove(entries[0]);
  all.remove(entries[0]);
  CHECK_EQ(all.size(), 0u);
}
