#pragma once

#include <cstdint>
#include <string>

#include "wire.hpp"
#include "worker.hpp"

namespace callboard::cmd::bench {

/// Decides what a worker's connections say, and judges what they hear. Lives
/// on its worker's thread.
class load {
public:
  virtual ~load() = default;

  /// Begins what a new WebSocket has to do before the run, and calls
  /// `worker::ready` when it is done.
  virtual void join(worker& self, link& which) = 0;

  /// Sends the first messages: every worker's connections are ready.
  virtual void start(worker& self) = 0;

  /// Takes one binary message.
  virtual void
  message(worker& self, link& which, const uint8_t* first, const uint8_t* last)
    = 0;

  /// Answers everything that one receive brought.
  virtual void received(worker& self, link& which) = 0;

  /// Sends what is due by the clock.
  /// @returns nanoseconds until it wants to be called again; negative: never.
  virtual int64_t tick(worker& self);

  /// Counts what has not come, once nothing more will.
  virtual void finish(worker& self);
};

/// Speaks the protocol: takes messages apart into frames, waits for `welcome`
/// and counts errors.
class protocol_load : public load {
public:
  void join(worker& self, link& which) final;

  void message(worker& self, link& which, const uint8_t* first,
               const uint8_t* last) final;

  void received(worker& self, link& which) override;

protected:
  /// Goes on after `welcome`. By default the connection is ready then;
  /// otherwise the first response makes it so.
  virtual void welcomed(worker& self, link& which);

  /// Takes the response to a request.
  virtual void answered(worker& self, link& which, const frame_view& frame);

  /// Takes a publication.
  virtual void event(worker& self, link& which, const frame_view& frame);

  /// Takes an `error`, which is counted; while joining it ends the run.
  virtual void refused(worker& self, link& which, const frame_view& frame);

  /// Subscribes to a topic. The response makes the connection ready.
  void subscribe(worker& self, link& which, const std::string& topic);

private:
  void take(worker& self, link& which, const frame_view& frame);
};

} // namespace callboard::cmd::bench
