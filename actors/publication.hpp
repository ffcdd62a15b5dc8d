#pragma once

#include <cstdint>
#include <string>

#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

#include <callboard/messages/payload.hpp>

namespace callboard {

/// Numbers a connection within its node, from 1; 0 stands for none. Never used
/// again.
using connection_id = uint64_t;

/// What somebody published to a topic. The owner of the topic fills in the
/// offset and the epoch; from then on it is immutable and may be shared by
/// threads.
class publication : public caf::ref_counted {
public:
  std::string topic;
  callboard::payload payload;
  /// The user, or the connection where nobody is logged in.
  std::string sender;
  /// The publisher's `id`; empty: none.
  std::string id;
  /// W3C `traceparent`; empty: none.
  std::string trace;
  /// Groups give events with the same key after each other, to the same member;
  /// empty: none.
  std::string key;
  /// Of a dead letter: the group that it comes from, and how often it was given
  /// to one of its members.
  std::string origin;
  uint32_t attempts = 0;
  /// The connection that published, and its number for the answer.
  connection_id publisher = 0;
  uint32_t call_id = 0;
  bool no_echo = false;
  /// Whether `sender` is a connection. Another run of the node has others of
  /// the same names.
  bool from_connection = false;
  /// Whether newcomers get it first; set by the owner.
  bool retain = false;

  /// From 1; the topic's previous one plus one.
  uint64_t offset = 0;
  std::string epoch;
  /// Unix time in milliseconds at which the owner accepted it.
  int64_t timestamp = 0;

  /// Returns what tells its id from others' in its topic. The length tells
  /// where the sender ends and the id begins.
  [[nodiscard]] std::string id_key() const {
    return (from_connection ? connection_mark : std::string{})
           + std::to_string(sender.size()) + ':' + sender + id;
  }

  /// What the `id_key` of a connection's id begins with.
  static constexpr char connection_mark[] = "connection ";

  /// Returns roughly what it costs in memory, for credits.
  [[nodiscard]] int64_t cost() const noexcept {
    return static_cast<int64_t>(
      sizeof(publication) + topic.size() + payload.bytes().size()
      + sender.size() + id.size() + trace.size() + key.size() + origin.size());
  }
};

using publication_ptr = caf::intrusive_ptr<publication>;

} // namespace callboard
