#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <callboard/actors/cluster/peer_frames.hpp>
#include <callboard/actors/cluster/peer_topic_frames.hpp>
#include <callboard/actors/cluster/replica_messages.hpp>

// What voters of a topic with replicas tell each other (`topic_replica`), from
// the shard that the topic has at one node to that at the other.

namespace callboard {

template <class Inspector>
bool inspect(Inspector& f, group_place::open_event& x) {
  return f.object(x).fields(f.field("offset", x.offset),
                            f.field("attempts", x.attempts));
}

template <class Inspector>
bool inspect(Inspector& f, group_place& x) {
  return f.object(x).fields(f.field("group", x.group),
                            f.field("place", x.place),
                            f.field("reach", x.reach), f.field("open", x.open));
}

/// A message to, or from, the owner of a topic.
struct peer_replica {
  static constexpr auto number = peer_frame::replica;

  std::string topic;
  replica_message what;
  /// In place of its events.
  std::vector<publication_box> events;
  /// In place of its places, if it has any.
  bool with_places = false;
  std::vector<group_place> places;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_replica& x) {
    auto& y = x.what;
    auto get = [&y] { return static_cast<uint8_t>(y.what); };
    auto set = [&y](uint8_t call) {
      y.what = static_cast<replica_call>(call);
      return call <= static_cast<uint8_t>(replica_call::vouched);
    };
    return f.object(x).fields(
      f.field("topic", x.topic), f.field("what", get, set),
      f.field("keepers", y.keepers), f.field("term", y.term),
      f.field("log-term", y.log_term), f.field("first", y.first),
      f.field("head", y.head), f.field("agreed", y.agreed),
      f.field("floor", y.floor), f.field("whole", y.whole),
      f.field("forgot", y.forgot), f.field("promised", y.promised),
      f.field("epoch", y.epoch), f.field("events", x.events),
      f.field("placed", y.placed), f.field("with-places", x.with_places),
      f.field("places", x.places));
  }
};

/// Puts a message into a frame. Publishers mean nothing at another node.
inline peer_replica boxed(const std::string& topic, replica_message x) {
  peer_replica result;
  result.topic = topic;
  for (auto& event : std::exchange(x.events, {}))
    result.events.push_back({std::move(event), 0});
  if (auto places = std::exchange(x.places, nullptr)) {
    result.with_places = true;
    result.places = *places;
  }
  result.what = std::move(x);
  return result;
}

/// Takes it out again.
inline replica_message unboxed(peer_replica& x) {
  x.what.events = unboxed(x.events);
  if (x.with_places)
    x.what.places
      = std::make_shared<const std::vector<group_place>>(std::move(x.places));
  return std::move(x.what);
}

} // namespace callboard
