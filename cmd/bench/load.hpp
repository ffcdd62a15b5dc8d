#pragma once

#include <cstdint>
#include <string>

#include "wire.hpp"
#include "worker.hpp"

namespace callboard::cmd::bench {

/// Publications that are made at once where they are late, at most.
inline constexpr uint32_t publications_at_once = 1024;

/// What a connection is for.
struct role {
  /// The topic that it listens or publishes to; empty: none.
  std::string topic;
  /// Whether it subscribes to the topic before the run.
  bool listens = false;
  /// Behind what it wants to get everything; no epoch: from now on.
  topic_position since = {};
};

/// Decides what a worker's connections are for and when they say something,
/// and judges what they hear; their `dialect` puts it into bytes. Lives on its
/// worker's thread.
class load {
public:
  virtual ~load() = default;

  /// Returns what a connection is for, by default for no topic.
  virtual role role_of(worker& self, const link& which) const;

  /// Returns whether a connection stops reading while it is measured, by
  /// default that none does.
  virtual bool stalls(const link& which) const;

  /// Takes the answer to a connection's subscribing, just before it is ready.
  virtual void joined(worker& self, link& which, const frame_view& frame);

  /// Sends the first messages: every worker's connections are ready.
  virtual void start(worker& self) = 0;

  /// Takes a publication, of which only `content` is there in every dialect.
  virtual void event(worker& self, link& which, const frame_view& frame);

  /// Takes the response to a request.
  virtual void answered(worker& self, link& which, const frame_view& frame);

  /// Takes an `error` of callboard's, which is counted already.
  virtual void refused(worker& self, link& which, const frame_view& frame);

  /// Answers everything that one receive brought.
  virtual void received(worker& self, link& which);

  /// Sends what is due by the clock.
  /// @returns nanoseconds until it wants to be called again; negative: never.
  virtual int64_t tick(worker& self);

  /// Sends what was due when the measured time ended; then nothing more is.
  virtual void measured(worker& self);

  /// Counts what has not come, once nothing more will.
  virtual void finish(worker& self);
};

} // namespace callboard::cmd::bench
