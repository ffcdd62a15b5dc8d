#include <callboard/net/load_probe.hpp>

#include <memory>
#include <vector>

#include "support/test.hpp"

using namespace callboard::net;

namespace {

// Sanitizers have an allocator of their own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#  define CALLBOARD_TEST_OTHER_ALLOCATOR
#endif
#if defined(__GLIBC__) && !defined(CALLBOARD_TEST_OTHER_ALLOCATOR)
constexpr bool can_give_back = true;
#else
constexpr bool can_give_back = false;
#endif

// Some time of a machine that has been up for a while.
constexpr int64_t now = 1'000'000;

// Keeps the processor busy for some milliseconds.
void work() {
  volatile uint64_t sum = 0;
  for (uint64_t i = 0; i < 5'000'000; ++i)
    sum = sum + i;
}

} // namespace

CAF_TEST(the share of the processor is that between two looks) {
  load_probe x;
  CHECK_EQ(x.cpu_share(), 0.0);
  x.update(now, false);
  CHECK_EQ(x.cpu_share(), 0.0);
  work();
  // Too early to look again.
  x.update(now + load_probe::look_ms - 1, false);
  CHECK_EQ(x.cpu_share(), 0.0);
  x.update(now + load_probe::look_ms, false);
  CHECK_GT(x.cpu_share(), 0.0);
  CHECK_LE(x.cpu_share(), 1.0);
}

CAF_TEST(what was freed is given back to the system) {
  // 64 MiB in small blocks; the last one keeps the others' place.
  std::vector<std::unique_ptr<char[]>> blocks(65'536);
  for (auto& x : blocks)
    x = std::make_unique<char[]>(1024);
  auto last = std::move(blocks.back());
  blocks.clear();
  auto kept = resident_bytes();
  return_free_memory();
  auto left = resident_bytes();
  if (can_give_back)
    CHECK_LT(left, kept - 32'000'000);
  CHECK_GT(left, 0u);
}

CAF_TEST(memory is looked at where it is wanted) {
  load_probe with;
  load_probe without;
  CHECK_EQ(with.memory_bytes(), 0u);
  with.update(now, true);
  without.update(now, false);
  // No program that tests anything is smaller, or larger than all memory.
  CHECK_GT(with.memory_bytes(), 1'000'000u);
  CHECK_LT(with.memory_bytes(), size_t{1} << 40);
  CHECK_EQ(without.memory_bytes(), 0u);
}
