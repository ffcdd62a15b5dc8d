#pragma once

#include <cstdint>
#include <vector>

#include <caf/actor_addr.hpp>
#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

#include <callboard/actors/leaks.hpp>

namespace callboard {

/// Connections of a loop that were connected as its audit began, for the pool
/// to look for them in its registry; some of them. Immutable once sent.
class live_report : public caf::ref_counted {
public:
  struct entry {
    // Weak: a connection must end on its loop.
    caf::actor_addr connection;
    leak_history who;
  };

  uint32_t loop = 0;
  /// The number of the loop's round.
  uint32_t round = 0;
  std::vector<entry> connected;
};

using live_report_ptr = caf::intrusive_ptr<live_report>;

} // namespace callboard
