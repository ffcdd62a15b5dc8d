#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "load.hpp"

namespace callboard::cmd::bench {

/// Sends requests to `callboard.echo`, `window` of them in flight on each
/// connection. Responses may come in any order; each must be one that is
/// awaited and hold the payload that was sent.
class request_load final : public load {
public:
  explicit request_load(const bench_options& options, uint32_t links);

  void start(worker& self) override;
  void answered(worker& self, link& which, const frame_view& frame) override;
  void refused(worker& self, link& which, const frame_view& frame) override;
  void received(worker& self, link& which) override;
  void finish(worker& self) override;

private:
  bool settle(worker& self, link& which, uint64_t seq_id);
  void ask(worker& self, link& which, uint32_t slot);

  message_template request_;
  /// The seqId in flight for each link's slots; 0: none.
  std::vector<uint32_t> in_flight_;
  /// The slots whose answers this receive brought.
  std::vector<uint32_t> answered_;
};

/// Sends requests to `callboard.echo` at a rate, whatever the server takes for
/// them. The connections take turns, each with at most `window` in flight; what
/// is due while none has room waits, and its latency counts from when it was;
/// what still waits when the measured time ends is counted as unsent.
class paced_request_load final : public load {
public:
  paced_request_load(const bench_options& options, uint32_t links);

  void start(worker& self) override;
  void answered(worker& self, link& which, const frame_view& frame) override;
  void refused(worker& self, link& which, const frame_view& frame) override;
  int64_t tick(worker& self) override;
  void measured(worker& self) override;
  void finish(worker& self) override;

private:
  bool settle(worker& self, uint32_t connection, uint64_t seq_id);
  bool ask(worker& self);
  uint32_t& slot_of(uint32_t connection, uint64_t seq_id);

  message_template request_;
  uint32_t window_;
  /// Between two requests of this worker.
  int64_t interval_ns_;
  /// The last seqId of each connection.
  std::vector<uint32_t> asked_;
  /// The seqId in flight for each connection's slots; 0: none.
  std::vector<uint32_t> in_flight_;
  /// How many are in flight on all.
  uint64_t out_ = 0;
  uint32_t turn_ = 0;
  int64_t due_ns_ = 0;
};

/// Sends plain WebSocket messages to a path that sends them back as they are
/// and in order, `window` of them in flight on each connection.
class websocket_echo_load final : public load {
public:
  explicit websocket_echo_load(const bench_options& options, uint32_t links);

  void start(worker& self) override;
  void event(worker& self, link& which, const frame_view& frame) override;
  void received(worker& self, link& which) override;
  void finish(worker& self) override;

private:
  struct counter {
    uint32_t sent = 0;
    uint32_t back = 0;
  };

  message_template message_;
  std::vector<counter> counters_;
};

/// Makes what `echo` does with a worker's connections.
std::unique_ptr<load> make_echo_load(const bench_options& options,
                                     uint32_t links);

} // namespace callboard::cmd::bench
