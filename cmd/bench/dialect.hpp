#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "options.hpp"
#include "wire.hpp"

namespace callboard::cmd::bench {

class worker;
struct link;

/// The longest message of a server's that a dialect waits for, header not
/// included.
constexpr size_t message_bytes_max = 2u << 20;

/// Knows what a server and its clients say to each other, which nothing else
/// of the load generator does. Lives on its worker's thread and speaks for all
/// its links.
///
/// It brings each link to `worker::ready` by itself, subscribed to what
/// `load::role_of` says; from then on it tells the load what it hears.
class dialect {
public:
  virtual ~dialect() = default;

  /// Says what of the options it cannot do; by default `echo` and `comeback`.
  /// @returns an empty string, or a sentence.
  virtual std::string refuses(const bench_options& options) const {
    if (options.mode == bench_mode::echo)
      return "this server has nothing that 'echo' could ask";
    if (options.mode == bench_mode::comeback)
      return "of this server it is not known how to ask for what was missed";
    return {};
  }

  /// Begins on a TCP connection that was just made, whose state is `joining`.
  virtual void open(worker& self, link& which) = 0;

  /// Takes what is whole of the bytes that came; ends the connection over a
  /// message that is wrong or longer than `message_bytes_max`.
  /// @returns how many bytes it took. The others come again, with more behind
  ///          them.
  virtual size_t
  take(worker& self, link& which, const uint8_t* first, size_t size)
    = 0;

  /// Makes the message that publishes to a topic.
  virtual message_template publication(const std::string& topic,
                                       size_t payload_bytes) const = 0;

  /// Says goodbye, upon which the server ends the connection, or ends it.
  virtual void close(worker& self, link& which) = 0;
};

/// Makes a dialect for one worker.
using dialect_factory
  = std::unique_ptr<dialect> (*)(const bench_options& options);

} // namespace callboard::cmd::bench
