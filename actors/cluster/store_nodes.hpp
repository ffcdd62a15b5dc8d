#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

#include <callboard/actors/cluster/placement.hpp>
#include <callboard/actors/topic_options.hpp>

namespace callboard {

/// Which of the store nodes vote about a topic, by their places.
struct topic_voters {
  /// First those that keep it, in the order in which they are to own it; then a
  /// witness, if there is one.
  std::array<uint32_t, 3> places{};
  /// 1: the topic has no replicas, and nobody votes; 0: it is not durable.
  uint32_t keepers = 0;
  uint32_t voters = 0;
};

/// The nodes of a cluster that keep durable topics, whether they run or not:
/// each topic is kept by one of them and by no other, as long as these are the
/// nodes. Immutable; any thread.
class store_nodes : public caf::ref_counted {
public:
  /// More than these keep none.
  static constexpr size_t names_max = 64;

  /// @param names of the nodes, each once, in any order; at least one.
  /// @param rules tell which topics are durable.
  store_nodes(std::vector<std::string> names,
              const std::vector<topic_rule>& rules);

  /// Returns the names, sorted.
  [[nodiscard]] const std::vector<std::string>& names() const noexcept {
    return names_;
  }

  /// Returns a number that is the same where the names are, and never 0.
  [[nodiscard]] uint64_t digest() const noexcept {
    return digest_;
  }

  /// Returns whether these nodes keep `topic`, a full name: it is durable.
  [[nodiscard]] bool keep(std::string_view topic) const noexcept {
    return !rules_.empty()
           && options_of(rules_, topic).durability != durability::none;
  }

  /// Returns whether they may keep topics that match `pattern`, a full name.
  [[nodiscard]] bool may_keep(std::string_view pattern) const noexcept {
    return may_be_durable(rules_, pattern);
  }

  /// Returns who votes about `topic`.
  [[nodiscard]] topic_voters voters_of(std::string_view topic) const noexcept;

  /// Returns the place among `names` of the node that keeps `topic`; of one
  /// with replicas, of the first of them.
  [[nodiscard]] uint32_t owner_of(std::string_view topic) const noexcept {
    return placement_.owner_of(topic);
  }

private:
  std::vector<std::string> names_;
  std::vector<topic_rule> rules_;
  placement placement_;
  uint64_t digest_ = 0;
};

using store_nodes_ptr = caf::intrusive_ptr<const store_nodes>;

} // namespace callboard
