#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <caf/default_enum_inspect.hpp>

// How much a node has to do, as it tells the others. Values that go to other
// nodes.

namespace callboard {

/// Whether other nodes may send clients to a node, and why not.
enum class node_intake : uint8_t {
  /// They may.
  open,
  /// It has more to do than its low mark, or sheds work.
  busy,
  /// It has nearly as many connections as it may.
  full,
  /// It ends.
  draining,
};

std::string to_string(node_intake x);

bool from_string(caf::string_view name, node_intake& x);

bool from_integer(uint8_t number, node_intake& x);

template <class Inspector>
bool inspect(Inspector& f, node_intake& x) {
  return caf::default_enum_inspect(f, x);
}

/// What a node tells of its load.
struct node_load {
  /// That of the loop that has most to do, in thousandths: 0 … 1000.
  uint32_t score = 0;
  /// WebSocket connections, and how many there may be.
  uint64_t connections = 0;
  uint64_t connections_max = 0;
  node_intake intake = node_intake::open;

  /// Returns what counts where clients are sent to the lightest node, in
  /// thousandths: the score, or the share of the connections that are taken if
  /// that is higher.
  [[nodiscard]] uint32_t weight() const noexcept;

  friend bool operator==(const node_load&, const node_load&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, node_load& x) {
    return f.object(x).fields(f.field("score", x.score),
                              f.field("connections", x.connections),
                              f.field("connections-max", x.connections_max),
                              f.field("intake", x.intake));
  }
};

/// What a node finds when it looks at itself.
struct load_reading {
  /// Of the loop that has most to do, 0 … 1.
  double score = 0;
  /// Whether a loop sheds work.
  bool sheds = false;
  /// The mark below which all work is taken (`load_options::low`); 0: work is
  /// always taken.
  double low = 0;
  size_t connections = 0;
  /// From 1.
  size_t connections_max = 1;
  bool draining = false;
};

/// Decides what a node tells the others. It is not open for some time before it
/// refuses clients itself: the others hear of its load late, and are several.
[[nodiscard]] node_load load_of(const load_reading& x) noexcept;

} // namespace callboard
