#pragma once

#include <utility>
#include <vector>

#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

#include <callboard/actors/topic_options.hpp>

namespace callboard {

/// The rules that a node's topics go by from some moment on. Immutable once
/// sent; shared by the loops.
class rule_set : public caf::ref_counted {
public:
  explicit rule_set(std::vector<topic_rule> x) : list{std::move(x)} {
  }

  /// The first one that matches a topic counts.
  std::vector<topic_rule> list;
};

using rule_set_ptr = caf::intrusive_ptr<rule_set>;

} // namespace callboard
