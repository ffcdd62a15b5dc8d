#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace callboard {

/// Decides which addresses of other nodes are dialed when: exponential backoff
/// with full jitter for each (Brooker, "Exponential Backoff And Jitter", 2015).
/// Times are milliseconds of the caller's clock.
class dial_plan {
public:
  static constexpr int64_t wait_ms_min = 200;
  static constexpr int64_t wait_ms_max = 5000;

  /// A node that starts or ends fails in many ways.
  static constexpr uint32_t told_after = 3;

  explicit dial_plan(uint64_t random_seed) : random_{random_seed} {
  }

  /// Keeps dialing this address; `seeds_max` at most.
  /// @returns false where there are as many.
  bool add_seed(const std::string& address, size_t seeds_max);

  /// Dials this address no longer, unless a link to a node there is missing.
  void remove_seed(const std::string& address);

  /// Returns the addresses to dial now, which are under way then.
  /// @param missing those of nodes that a link is missing to.
  /// @param is_linked whether there is a link to the node with a name.
  [[nodiscard]] std::vector<std::string>
  take_due(const std::vector<std::string>& missing,
           const std::function<bool(const std::string&)>& is_linked,
           int64_t now_ms);

  /// This node was behind the address.
  void found(const std::string& address, const std::string& name,
             int64_t now_ms);

  /// There was none, or no link came about.
  /// @param why somebody is there, and what is wrong with them; empty: nobody.
  /// @returns whether it has been that for `told_after` times by now.
  bool failed(const std::string& address, int64_t now_ms, std::string why = {});

private:
  struct entry {
    bool seed = false;
    bool under_way = false;
    uint32_t failures = 0;
    int64_t due_ms = INT64_MIN;
    // Who was found there.
    std::string name;
    // What was wrong the last times, and how many of them.
    std::string why;
    uint32_t times = 0;
  };

  std::map<std::string, entry> entries_;
  std::mt19937_64 random_;
};

} // namespace callboard
