#include <callboard/net/client_pool_stack.hpp>

#include "support/test.hpp"

using namespace callboard;
using net::idle_stack;
using net::index_links;

namespace {

using numbers = std::vector<uint32_t>;

struct fixture {
  index_links links{8};
  idle_stack uut;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_pool_stack_tests, fixture)

CAF_TEST(the last in is the first out) {
  CAF_CHECK(!uut.pop(links));
  for (auto i : numbers{3, 0, 7})
    uut.push(links, i);
  CAF_CHECK(uut.pop(links) == 7u);
  uut.push(links, 1);
  CAF_CHECK(uut.pop(links) == 1u);
  CAF_CHECK(uut.pop(links) == 0u);
  CAF_CHECK(uut.pop(links) == 3u);
  CAF_CHECK(!uut.pop(links));
}

CAF_TEST(all are taken from top to bottom) {
  CAF_CHECK(uut.take_all(links).empty());
  for (auto i : numbers{3, 0, 7})
    uut.push(links, i);
  CAF_CHECK_EQUAL(uut.take_all(links), (numbers{7, 0, 3}));
  CAF_CHECK(!uut.pop(links));
}

CAF_TEST(stacks share their links) {
  idle_stack other;
  for (uint32_t i = 0; i < 8; ++i)
    (i % 2 == 0 ? uut : other).push(links, i);
  CAF_CHECK_EQUAL(uut.take_all(links), (numbers{6, 4, 2, 0}));
  CAF_CHECK_EQUAL(other.take_all(links), (numbers{7, 5, 3, 1}));
}

CAF_TEST_FIXTURE_SCOPE_END()
