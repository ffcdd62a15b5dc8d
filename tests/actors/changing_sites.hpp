#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/sites_fixture.hpp"

namespace callboard {

/// A cluster whose nodes come and go gracefully, in any order of what they hear
/// and do: the same for a seed. Models of what is to survive that derive from
/// it, and decide what there is at its nodes. The first two of them stay.
template <class Fixture = sites_fixture>
class changing_sites : public Fixture {
public:
  virtual ~changing_sites() = default;

  /// The first thing that was wrong; empty: nothing.
  std::string fault;

protected:
  using Fixture::number;
  using Fixture::sites;

  /// What `step` does of a number is something of its own from here on.
  static constexpr size_t steps = 8;

  changing_sites(uint64_t seed, size_t sites_max)
    : random_{seed}, sites_max_{sites_max} {
  }

  /// Makes the nodes that stay, of one loop and of two.
  void begin() {
    this->add(1);
    this->add(2);
    this->view(members_);
    told_ = {number, number};
  }

  // -- what there is at nodes -------------------------------------------------

  /// A node is there that has yet to hear of any view.
  virtual void added(size_t) {
  }

  /// A node has heard of its first view.
  virtual void joined(size_t) {
  }

  /// Those that leave have nothing any more that is others', and go.
  virtual void going(const std::vector<size_t>&) {
  }

  // -- chance -----------------------------------------------------------------

  size_t below(size_t n) {
    return static_cast<size_t>(random_() % n);
  }

  size_t any_member() {
    return members_[below(members_.size())];
  }

  [[nodiscard]] bool has_joined(size_t site) const {
    return told_[site] > 0;
  }

  // -- what happens -----------------------------------------------------------

  /// Lets nodes do something, hear something, or come and go.
  /// @param what below `steps`.
  void step(size_t what) {
    if (what < 3)
      sites[any_member()].node.turn();
    else if (what < 6)
      this->carry(any_member());
    else if (what == 7 && below(4) == 0)
      change();
    else
      tell_one(any_member());
  }

  /// Lets everybody hear and do everything.
  void settle_all() {
    for (auto x : members_)
      tell_one(x);
    for (int i = 0; i < 3; ++i) {
      this->settle();
      for (auto x : members_)
        sites[x].node.pass(std::chrono::milliseconds{20});
    }
    this->settle();
  }

  void fail(const std::string& what) {
    if (fault.empty())
      fault = what;
  }

private:
  void tell_one(size_t site) {
    if (told_[site] == number)
      return;
    auto is_first = std::exchange(told_[site], number) == 0;
    this->tell(site, members_);
    if (is_first)
      joined(site);
  }

  void change() {
    auto leaves = [this](size_t x) {
      return sites[x].self.state == member_state::leaving;
    };
    std::vector<size_t> leaving;
    std::ranges::copy_if(members_, std::back_inserter(leaving), leaves);
    if (!leaving.empty() && below(2) == 0) {
      // They wait until their topics are elsewhere.
      settle_all();
      going(leaving);
      std::erase_if(members_, leaves);
    } else if (sites.size() < sites_max_ && below(2) == 0) {
      members_.push_back(sites.size());
      told_.push_back(0);
      this->add(1 + static_cast<uint32_t>(below(2)));
      added(sites.size() - 1);
    } else if (auto x = any_member(); x > 1 && !leaves(x)) {
      sites[x].self.state = member_state::leaving;
    } else {
      return;
    }
    ++number;
  }

  std::mt19937_64 random_;
  size_t sites_max_;
  std::vector<size_t> members_{0, 1};
  // The last view that each site was told of; 0: none.
  std::vector<uint64_t> told_;
};

} // namespace callboard
