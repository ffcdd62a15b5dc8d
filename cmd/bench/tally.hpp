#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "histogram.hpp"

namespace callboard::cmd::bench {

/// What one thread of the load generator has counted.
struct tally {
  /// Messages sent, since the load began.
  uint64_t published = 0;
  /// Messages that came (back), since the load began.
  uint64_t delivered = 0;
  /// Bytes received, since the connections were made.
  uint64_t received_bytes = 0;
  /// Messages that a later one of the same sender overtook, or that never came.
  uint64_t lost = 0;
  /// Requests at a rate that were due in the measured time, and never sent
  /// because no connection had room for them.
  uint64_t unsent = 0;
  /// Messages that came twice, too late, or out of the topic's order.
  uint64_t misordered = 0;
  /// Messages that are not what was sent.
  uint64_t corrupt = 0;
  /// `error` frames.
  uint64_t errors = 0;
  /// How many of them had which code.
  std::map<uint64_t, uint64_t> errors_by_code;
  /// Connections that the server closed.
  uint64_t closed = 0;
  /// The first of the errors and closed connections, as a sentence.
  std::string trouble;
  /// Time from sending to arrival, of what arrived while it was measured; at a
  /// rate, from when it was due, and also of what arrived later and was due
  /// while it was measured.
  histogram latency;

  /// The same, of `comeback` before anybody left.
  histogram steady_latency;
  /// Subscribers that came back and caught up.
  uint64_t returned = 0;
  /// From the first of them that connected again to the last that caught up.
  int64_t comeback_ns = 0;

  /// TCP connections that were made to say nothing.
  uint64_t silent = 0;
  /// Time from a silent connection's beginning to its end by the server.
  histogram silent_cut;
  /// Subscribers that stopped reading, and whom the server then cut off.
  uint64_t stalled_ended = 0;
  /// How the first of them ended, as a sentence; empty: none has.
  std::string stalled_end;

  /// Keeps the first sentence.
  void note(std::string sentence) {
    if (trouble.empty())
      trouble = std::move(sentence);
  }
};

/// What a thread did between the start and the end of the measured time.
struct measured {
  int64_t elapsed_ns = 0;
  int64_t cpu_ns = 0;
  uint64_t published = 0;
  uint64_t delivered = 0;
  uint64_t received_bytes = 0;
};

} // namespace callboard::cmd::bench
