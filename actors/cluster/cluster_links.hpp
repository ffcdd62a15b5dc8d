#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include <caf/actor.hpp>

#include <callboard/actors/cluster/messages.hpp>
#include <callboard/actors/cluster/node_load.hpp>
#include <callboard/actors/cluster/peer_set.hpp>
#include <callboard/actors/cluster/view.hpp>

namespace callboard {

/// What a cluster actor knows of the link to one run of a node.
///
/// Two nodes may have to begin anew although they hear each other all the time:
/// where one of them has dropped the other from its view, and its shards have
/// forgotten what the other's shards said. This is counted by the low half of
/// the link's numbers, the *round*. Each side takes over a higher round of the
/// other's, so that whatever was sent in an earlier one is known as stale.
struct peer_link {
  member who;
  caf::actor gate;
  /// The number under which this node takes batches: which link, and the round.
  uint64_t mine = 0;
  /// The same of the other one, in the same round; 0: it has not said yet.
  uint64_t theirs = 0;
  /// Of this round.
  link_traffic_ptr traffic;
  /// `traffic->received`, as the other one was told last.
  uint64_t told = 0;
  /// What the metrics know of `traffic`.
  struct {
    uint64_t bytes = 0;
    uint64_t batches = 0;
    uint64_t frames = 0;
  } counted;
  /// Batches that cannot go to their shards yet, and the bytes of their frames.
  std::deque<peer_batch> held;
  size_t held_bytes = 0;
  /// `peer_heartbeat::sent_us` of the last one, and when it came; 0: none has.
  int64_t echo_us = 0;
  int64_t echo_at_us = 0;
  /// Below 0: it is not known.
  double round_trip_ms = -1;
  node_load load;

  /// Returns whether both know each other's numbers.
  [[nodiscard]] bool complete() const noexcept {
    return theirs != 0;
  }
};

/// All links of a cluster actor.
class cluster_links {
public:
  /// Returns the link to a node, or null.
  [[nodiscard]] peer_link* find(std::string_view name);
  [[nodiscard]] const peer_link* find(std::string_view name) const;

  /// Returns the link to this run of a node, or null.
  [[nodiscard]] peer_link* find(const member& who);
  [[nodiscard]] const peer_link* find(const member& who) const;

  /// Returns the link that takes batches under this number, or null.
  [[nodiscard]] peer_link* find(uint64_t mine);

  /// Returns the link to the actor with this address, or null.
  [[nodiscard]] peer_link* find(const caf::actor_addr& gate);

  /// Makes a link in its first round. There is none to a node of this name.
  peer_link& add(const member& who, caf::actor gate);

  void remove(const std::string& name);

  /// Begins the next round.
  void renew(peer_link& x);

  /// Notes the other one's number, and takes over its round. Where another link
  /// of the other one has taken the place of that one it knew, the two begin
  /// anew.
  /// @returns whether this began another round.
  bool take_number(peer_link& x, uint64_t theirs);

  [[nodiscard]] size_t size() const noexcept {
    return links_.size();
  }

  template <class F>
  void for_each(F&& f) {
    for (auto& [name, x] : links_)
      f(x);
  }

private:
  void begin_round(peer_link& x, uint32_t round);

  std::map<std::string, peer_link, std::less<>> links_;
  std::map<uint64_t, peer_link*> by_number_;
  uint32_t last_ = 0;
};

} // namespace callboard
