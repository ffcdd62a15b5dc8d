#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

namespace callboard {

/// Decides until when a node that may be about to join others takes no clients:
/// until it has joined them, nobody is there, or it has waited for long enough.
/// Times are milliseconds of the caller's clock.
class first_round {
public:
  enum class outcome : uint8_t {
    /// It is not over yet.
    open,
    /// The node is one of several.
    joined,
    /// Nobody is at any of the addresses.
    alone,
    /// It has taken too long.
    late,
  };

  /// @param until_ms when it is over in any case.
  explicit first_round(int64_t until_ms) : until_ms_{until_ms} {
  }

  /// Somebody may be at this address.
  void add(const std::string& address) {
    if (!over_)
      tried_.try_emplace(address, false);
  }

  /// There are no other addresses to begin with.
  void complete() noexcept {
    complete_ = true;
  }

  /// Nobody is there, or this node itself. Who is there and does not answer, or
  /// wants nothing of this node, may do so later.
  void found_nobody(const std::string& address) {
    if (auto i = tried_.find(address); i != tried_.end())
      i->second = true;
  }

  /// A link to another node begins; from then on being alone is no outcome.
  void found_node() noexcept {
    found_ = true;
  }

  /// This node goes by a view with others, and its shards have settled in it.
  void settled() noexcept {
    settled_ = true;
  }

  /// Returns how it ends, the one time that it does.
  outcome look(int64_t now_ms) {
    if (over_)
      return outcome::open;
    auto result = outcome_at(now_ms);
    over_ = result != outcome::open;
    return result;
  }

  [[nodiscard]] bool over() const noexcept {
    return over_;
  }

private:
  outcome outcome_at(int64_t now_ms) const noexcept {
    if (settled_)
      return outcome::joined;
    if (complete_ && !found_ && tried_all())
      return outcome::alone;
    return now_ms < until_ms_ ? outcome::open : outcome::late;
  }

  [[nodiscard]] bool tried_all() const noexcept {
    return std::ranges::all_of(tried_, [](auto& x) { return x.second; });
  }

  int64_t until_ms_;
  // By address.
  std::map<std::string, bool> tried_;
  bool complete_ = false;
  bool found_ = false;
  bool settled_ = false;
  bool over_ = false;
};

} // namespace callboard
