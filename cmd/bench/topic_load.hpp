#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "load.hpp"

namespace callboard::cmd::bench {

/// Watches that every subscriber gets every publisher's messages once and in
/// order, and the topic's offsets rising.
class order_ledger {
public:
  order_ledger(size_t subscribers, size_t publishers)
    : publishers_(publishers),
      last_(subscribers * publishers),
      offset_(subscribers) {
  }

  /// Judges one event.
  /// @param offset of the event; 0 if the server gives none.
  void take(tally& counts, size_t subscriber, const payload_mark& mark,
            uint64_t offset);

  /// Returns the highest offset that a subscriber got.
  uint64_t offset_of(size_t subscriber) const {
    return offset_[subscriber];
  }

  /// Counts as lost what a subscriber did not get of a publisher's messages.
  void close(tally& counts, size_t subscriber, size_t publisher,
             uint32_t published);

private:
  size_t publishers_;
  std::vector<uint32_t> last_;
  std::vector<uint64_t> offset_;
};

/// Counts what each publisher of a fan-out has sent. The first worker writes;
/// every worker reads once nothing more is sent.
using publisher_counts = std::vector<std::atomic<uint32_t>>;

/// One topic. The first worker has links that publish behind those that listen,
/// and behind them each has those that listen and stop reading. A
/// publisher has `window` publications out that one of eight subscribers,
/// spread over the first worker's, has not seen; or it publishes at a rate.
class fanout_load final : public load {
public:
  /// @param publishers on this worker: all of them, or none.
  fanout_load(uint32_t subscribers, uint32_t publishers,
              std::shared_ptr<publisher_counts> published);

  role role_of(worker& self, const link& which) const override;
  bool stalls(const link& which) const override;
  void start(worker& self) override;
  void event(worker& self, link& which, const frame_view& frame) override;
  void received(worker& self, link& which) override;
  int64_t tick(worker& self) override;
  void finish(worker& self) override;

private:
  static constexpr uint32_t samples_max = 8;

  void publish(worker& self, uint32_t publisher, uint32_t count);
  uint32_t confirmed(uint32_t publisher) const;

  uint32_t subscribers_;
  uint32_t publishers_;
  std::shared_ptr<publisher_counts> published_;
  order_ledger ledger_;
  message_template publication_;
  /// Each subscriber's place among the samples, or -1.
  std::vector<int8_t> sample_of_;
  uint32_t samples_ = 0;
  /// The last message of each publisher that each sample has seen.
  std::vector<uint32_t> seen_;
  /// The publishers of whom a sample saw something in this receive.
  std::vector<uint32_t> touched_;
  int64_t due_ns_ = 0;
  uint32_t turn_ = 0;
};

/// Many topics. The members of a room all listen and all publish, each with
/// `window` publications out that it has not seen itself.
class rooms_load final : public load {
public:
  /// @param first_room counts the rooms of the workers before this one.
  rooms_load(const bench_options& options, uint32_t first_room, uint32_t rooms);

  role role_of(worker& self, const link& which) const override;
  void start(worker& self) override;
  void event(worker& self, link& which, const frame_view& frame) override;
  void received(worker& self, link& which) override;
  void finish(worker& self) override;

private:
  struct counter {
    uint32_t sent = 0;
    uint32_t seen = 0;
  };

  std::string topic_of(worker& self, uint32_t room) const;

  uint32_t members_;
  uint32_t first_room_;
  order_ledger ledger_;
  std::vector<message_template> publications_;
  std::vector<counter> counters_;
};

/// Connections that subscribe to one topic each, or to none, and then wait.
class idle_load final : public load {
public:
  /// @param first counts the connections of the workers before this one.
  explicit idle_load(uint32_t first) : first_(first) {
  }

  role role_of(worker& self, const link& which) const override;
  void start(worker&) override;

private:
  uint32_t first_;
};

} // namespace callboard::cmd::bench
