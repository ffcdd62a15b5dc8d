#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "actors/cluster/simulated_cluster.hpp"

namespace callboard {

/// A simulated cluster that bad things happen to.
class membership_simulator : public simulated_cluster {
public:
  using simulated_cluster::simulated_cluster;

  /// Lets bad things happen for a while.
  void run_badly(int64_t ms) {
    loss_percent_ = below(3) == 0 ? below(40) : 0;
    delay_ms_max_ = below(3) == 0 ? 1 + below(3000) : 1 + below(100);
    // One thing in so many steps.
    auto calm = 20 + below(400);
    for (auto end = now_ms_ + ms; now_ms_ < end && fault.empty(); step())
      if (below(calm) == 0)
        do_harm();
  }

  /// Makes everything whole, but for nodes that leave.
  void heal() {
    loss_percent_ = 0;
    delay_ms_max_ = 50;
    for (auto& row : cut_)
      row.assign(nodes_.size(), false);
    for (size_t i = 0; i < nodes_.size(); ++i) {
      resume(i);
      // Who has lost the others while it retires does not join them again.
      if (nodes_[i].state != nullptr && nodes_[i].retires) {
        nodes_[i].state->leave();
        after(i);
      }
      if (nodes_[i].state == nullptr && !nodes_[i].has_left)
        nodes_[i].begins_ms = std::min(nodes_[i].begins_ms, now_ms_ + 1000);
    }
  }

  /// Checks that all that live go by one view, with them and nobody else.
  void check_settled() {
    std::vector<std::string> living;
    const cluster_view* view = nullptr;
    for (auto& x : nodes_)
      if (x.state != nullptr) {
        living.push_back(x.name);
        if (view == nullptr)
          view = &x.state->view();
        else if (x.state->view() != *view)
          fail(x.name + " goes by " + in_words(x.state->view()) + ", not by "
               + in_words(*view));
      }
    if (view == nullptr)
      return;
    std::vector<std::string> members;
    for (auto& x : view->members) {
      members.push_back(x.name);
      if (incarnation_of(x.name) != x.incarnation)
        fail("an old run of " + x.name + " is a member");
    }
    std::ranges::sort(members);
    if (members != living)
      fail("not all that live are members, or others are: " + in_words(*view));
  }

  /// Returns the highest number of a view that somebody goes by.
  uint64_t highest_number() const {
    uint64_t result = 0;
    for (auto& x : nodes_)
      if (x.state != nullptr)
        result = std::max(result, x.state->view().number);
    return result;
  }

private:
  void do_harm() {
    auto i = any();
    auto j = any();
    switch (below(10)) {
      case 0:
        crash(i, true);
        break;
      case 1:
        crash(i, false);
        break;
      case 2:
        if (nodes_[i].state != nullptr)
          nodes_[i].stopped = true;
        break;
      case 3:
        resume(i);
        break;
      case 4:
        cut_[i][j] = true;
        break;
      case 5:
        cut_[i][j] = cut_[j][i] = true;
        break;
      case 6:
        disconnect(i, j);
        disconnect(j, i);
        break;
      case 7:
        if (!nodes_[i].stopped)
          disconnect(i, j);
        break;
      case 8:
        for (size_t k = 0; k < nodes_.size(); ++k)
          cut_[i][k] = cut_[k][i] = false;
        break;
      default:
        if (below(4) == 0 && nodes_[i].state != nullptr && !nodes_[i].stopped) {
          nodes_[i].retires = below(2) == 0;
          if (nodes_[i].retires)
            nodes_[i].state->retire();
          else
            nodes_[i].state->leave();
          after(i);
        }
    }
  }
};

} // namespace callboard
