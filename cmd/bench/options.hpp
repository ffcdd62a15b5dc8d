#pragma once

#include <cstdint>
#include <string>

namespace callboard::cmd {

/// Names what `callboard bench` does with its connections.
enum class bench_mode : uint8_t {
  /// Requests (or plain WebSocket messages) that come back.
  echo,
  /// One topic: few publish, many listen.
  fanout,
  /// Many small topics whose members all publish and listen.
  rooms,
  /// One topic whose listeners all lose their connections and come back.
  comeback,
  /// Connections that do nothing, for the memory that they cost.
  idle,
};

/// Returns the mode's name as typed on the command line.
const char* to_string(bench_mode mode);

/// Configures one run of the load generator.
struct bench_options {
  bench_mode mode = bench_mode::echo;

  /// The server, `ws://HOST[:PORT][/PATH]`. Path default: `/ws`.
  std::string url;

  /// Shown as `Authorization: Bearer` by every connection; empty: none.
  std::string token;

  /// Connections of `echo` and `idle`, subscribers of `fanout`, those of
  /// `comeback` that come back; at least 1.
  uint32_t connections = 100;

  /// Publishers of `fanout`, on connections of their own; 1 … 1,000.
  uint32_t publishers = 1;

  /// Rooms of `rooms`; at least 1.
  uint32_t rooms = 100;

  /// Members of each room; 1 … 1,000.
  uint32_t members = 10;

  /// Messages in flight for each asker or publisher; 1 … 4,096.
  uint32_t window = 1;

  /// Bytes of each payload; 16 … 1,000,000 (16 carry sequence and time).
  uint32_t payload_bytes = 128;

  /// Publications per second, of `fanout` over all publishers; requests per
  /// second, of `echo` over all connections, each of which still has at most
  /// `window` in flight; 0: windowed. `comeback` has one publisher, and always
  /// a rate.
  double rate = 0;

  /// Subscribers of `comeback` that stay; 1 … 100,000.
  uint32_t watchers = 100;

  /// Seconds of `comeback` in which everybody listens.
  double steady_s = 5;

  /// Seconds of `comeback` until those whose connections are lost come back.
  double away_s = 1;

  /// Subscribers of `fanout` beside the others that stop reading when the
  /// measured time begins, and read on when it is over; at most 10,000.
  uint32_t stalled = 0;

  /// TCP connections that are made when the measured time begins, and say
  /// nothing; at most 100,000.
  uint32_t silent = 0;

  /// Threads that make load; at least 1.
  uint32_t threads = 1;

  /// Seconds of load before anything is counted.
  double warmup_s = 1;

  /// Seconds that are measured; for `idle`: held.
  double duration_s = 5;

  /// New connections per second, silent ones as well; 0: as fast as the server
  /// takes them.
  double connect_rate = 0;

  /// Path of a plain WebSocket echo for `echo`; empty: `callboard.echo`.
  std::string websocket_echo;

  /// Topics over which `idle` spreads its subscriptions; 0: subscribe to none.
  uint32_t topics = 1;

  /// Process whose CPU time and memory are reported; 0: none.
  int server_pid = 0;

  /// Cores that the server may use; 0: as many as its affinity mask names.
  uint32_t server_cores = 0;

  /// Prints one JSON object in place of the summary.
  bool json = false;

  /// Prints no progress line, not even on a terminal.
  bool quiet = false;
};

} // namespace callboard::cmd
