#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "load.hpp"
#include "topic_load.hpp"

namespace callboard::cmd::bench {

/// What the workers of one come-back share.
struct comeback_state {
  explicit comeback_state(uint32_t returning) : missing(returning) {
  }

  /// Publications of the only publisher. The first worker writes.
  std::atomic<uint32_t> published{0};
  /// Subscribers that have not caught up since they came back.
  std::atomic<uint32_t> missing;
};

/// One topic with a publisher at a rate. All subscribers listen for a while;
/// most lose their connections at once, miss something, and come back at once,
/// each with its position. The first worker's first links, the watchers, stay:
/// they tell what events take meanwhile.
class comeback_load final : public load {
public:
  /// @param watchers on this worker: all of them, or none. With them comes the
  ///        publisher, on the last link.
  comeback_load(const bench_options& options, uint32_t watchers,
                uint32_t returning, std::shared_ptr<comeback_state> shared);

  role role_of(worker& self, const link& which) const override;
  void joined(worker& self, link& which, const frame_view& frame) override;
  void start(worker& self) override;
  void event(worker& self, link& which, const frame_view& frame) override;
  int64_t tick(worker& self) override;
  void finish(worker& self) override;

private:
  enum class stage : uint8_t { steady, away, back, whole };

  bool is_watcher(const link& which) const {
    return which.index < watchers_;
  }

  void leave(worker& self);
  void come_back(worker& self);
  void caught_up(worker& self, uint32_t returning);
  void publish(worker& self);

  uint32_t watchers_;
  uint32_t returning_;
  std::shared_ptr<comeback_state> shared_;
  order_ledger ledger_;
  message_template publication_;
  std::string epoch_;
  stage stage_ = stage::steady;
  /// When the present stage ends; for `back`: when it began.
  int64_t turn_ns_ = 0;
  int64_t due_ns_ = 0;
  /// Of the returning ones, how many have begun to connect again.
  uint32_t begun_ = 0;
  /// When each returning one asked for what it missed; 0: it has not, or has
  /// caught up.
  std::vector<int64_t> asked_ns_;
};

} // namespace callboard::cmd::bench
