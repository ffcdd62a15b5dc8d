#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

#include <callboard/actors/action_options.hpp>
#include <callboard/actors/topic_options.hpp>

namespace callboard {

/// The rules that a node's topics and actions go by from some moment on.
/// Immutable once sent; shared by the loops.
class rule_set : public caf::ref_counted {
public:
  explicit rule_set(std::vector<topic_rule> for_topics,
                    std::vector<action_rule> for_actions = {})
    : topics{std::move(for_topics)}, actions{std::move(for_actions)} {
  }

  /// The first one that matches a topic counts, and so for actions.
  std::vector<topic_rule> topics;
  std::vector<action_rule> actions;
};

using rule_set_ptr = caf::intrusive_ptr<rule_set>;

/// Returns how many names are looked up in so many rules in one step. What
/// there is follows other rules in steps, so that no turn of a loop takes long.
constexpr size_t names_a_step(size_t rules) noexcept {
  constexpr size_t matches = 16'384;
  return std::max<size_t>(matches / std::max<size_t>(rules, 1), 1);
}

/// Between two steps, for the loop to do its work.
inline constexpr std::chrono::milliseconds rule_step_interval{1};

} // namespace callboard
