#pragma once

#include <cstdint>
#include <cstdlib>
#include <ranges>

namespace callboard {

/// Returns the seeds that a model tries: 1 … `usual`, or as many as
/// CALLBOARD_TEST_SEEDS says, or the one that CALLBOARD_TEST_SEED is.
inline auto seeds_to_try(uint64_t usual) {
  auto number = [](const char* name, uint64_t otherwise) {
    auto* text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
  };
  auto one = number("CALLBOARD_TEST_SEED", 0);
  auto last = one != 0 ? one : number("CALLBOARD_TEST_SEEDS", usual);
  return std::views::iota(one != 0 ? one : uint64_t{1}, last + 1);
}

} // namespace callboard
