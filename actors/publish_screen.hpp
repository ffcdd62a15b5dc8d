#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <callboard/actors/pattern_tree.hpp>
#include <callboard/actors/topic_options.hpp>

namespace callboard {

/// Says, by the rules of a node's topics, which publications of clients their
/// owners need not see. It finds a topic's rule in time that does not depend on
/// the number of rules, and costs one comparison where no rule asks for it.
/// Pure and single-threaded.
class publish_screen {
public:
  /// Goes by these rules from now on.
  /// @param rules outlive this, or the next call.
  void assign(const std::vector<topic_rule>& rules);

  /// Returns whether no rule refuses anything.
  [[nodiscard]] bool empty() const noexcept {
    return tree_.size() == 0;
  }

  /// Returns the options of the first rule that matches `topic`; null: none
  /// does.
  [[nodiscard]] const topic_options* find(std::string_view topic) const;

  /// Returns why a client's publication is refused, or nothing.
  /// @param bytes the payload's size.
  [[nodiscard]] std::optional<publish_refusal> refuse(std::string_view topic,
                                                      size_t bytes) const;

private:
  const std::vector<topic_rule>* rules_ = nullptr;
  // The numbers of all rules, from 1.
  pattern_tree<uint32_t> tree_;
};

} // namespace callboard
