#include <callboard/actors/connection_name.hpp>

#include <cstdint>

#include "support/test.hpp"

using namespace callboard;

CAF_TEST(a name is that of the node and a number) {
  CHECK_EQ(connection_name("n", 1), "n-1");
  CHECK_EQ(connection_name("my-node", 36), "my-node-10");
}

CAF_TEST(a name tells its connection) {
  for (connection_id id : {uint64_t{1}, uint64_t{35}, uint64_t{36}, UINT64_MAX})
    CHECK_EQ(connection_named(connection_name("my-node", id)), id);
}

CAF_TEST(what is no name tells none) {
  for (auto text : {"", "-", "n-", "n-1 ", "n-\xff", "n-zzzzzzzzzzzzzz"})
    CHECK_EQ(connection_named(text), 0u);
}
