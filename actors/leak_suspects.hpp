#pragma once

#include <cstdint>
#include <set>
#include <utility>

#include <callboard/actors/leaks.hpp>

namespace callboard {

/// Remembers from one round of the audit to the next what looked like a leak.
/// What is in motion between two messages looks like one, too, but not in two
/// rounds in a row. Pure. As large as the number of suspects of two rounds.
class leak_suspects {
public:
  /// A round begins: what was not seen in the one before is forgotten.
  void begin_round() {
    before_ = std::exchange(now_, {});
  }

  /// The round before has come to nothing: all is forgotten.
  void clear() noexcept {
    before_.clear();
    now_.clear();
  }

  /// Something looks like a leak.
  /// @param what its number among those of its kind.
  /// @returns whether it did in the round before as well, so that it is one. It
  ///          then is no suspect any more.
  bool suspect(leak_kind kind, uint64_t what) {
    if (before_.erase({kind, what}) > 0)
      return true;
    now_.insert({kind, what});
    return false;
  }

  /// Returns how many things look like a leak in this round.
  [[nodiscard]] size_t size() const noexcept {
    return now_.size();
  }

private:
  using suspects = std::set<std::pair<leak_kind, uint64_t>>;

  suspects before_;
  suspects now_;
};

} // namespace callboard
