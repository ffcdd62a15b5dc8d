#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

#include <callboard/actors/publication.hpp>

// What a loop asks the owners of topics for a new subscriber to a pattern.

namespace callboard {

/// Asks a shard for last values of topics that match a pattern.
struct retained_query {
  /// The loop that asks.
  uint32_t loop = 0;
  std::string pattern;
  /// The loop's number for the question.
  uint64_t number = 0;
  /// Those of the topics behind this name; empty: from the first one on.
  std::string after;
};

/// Some of the last values, in the order of the topics' names. Immutable once
/// sent.
class retained_page : public caf::ref_counted {
public:
  /// Topics that are looked at for one page.
  static constexpr size_t topics_max = 256;

  uint32_t shard = 0;
  std::string pattern;
  uint64_t number = 0;
  std::vector<publication_ptr> values;
  /// The last topic that was looked at; empty: all were. Where the shard has
  /// come to those that other nodes own, what it makes of that.
  std::string upto;
  /// Whether all topics that the shard itself owns were looked at.
  bool own_done = false;
};

using retained_page_ptr = caf::intrusive_ptr<retained_page>;

} // namespace callboard
