#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <caf/event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/cluster/cluster_links.hpp>
#include <callboard/actors/cluster/cluster_metrics.hpp>
#include <callboard/actors/cluster/cluster_options.hpp>
#include <callboard/actors/cluster/dial_plan.hpp>
#include <callboard/actors/cluster/first_round.hpp>
#include <callboard/actors/cluster/lighter_nodes.hpp>
#include <callboard/actors/cluster/membership.hpp>
#include <callboard/actors/cluster/peer_slots.hpp>
#include <callboard/actors/type_ids.hpp>

// The gate of a node: its `cluster_actor`, an event-based actor on the
// scheduler; no loop hosts it. It has the name `callboard.cluster`.
//
// It takes, from its own node:
//
//   (cluster_atom, uint8_t kind, uint32_t index, caf::actor shard)
//       This is the broker's or router's shard (`shard_kind`) with this index
//       from now on; it gets the set of peers that is in force at once. Nothing
//       goes to a shard that was not given. No answer.
//   (join_atom, std::string address)
//       Dial this as well; `cluster_seeds_max` at most are. No answer.
//   (leave_atom, std::string address)
//       Dial this no longer, unless a link to a node there is missing. No
//       answer.
//   (join_atom)
//       Those were all addresses to begin with. Where nobody is at any of them
//       (`first_round`), this node is alone and need not wait for
//       `cluster_options::timeout` before it is `ready`. No answer.
//   (drain_atom) → void
//       Own no topics from the next view on, and be a member still; answered
//       when all broker shards have given theirs to others (`leave_atom`).
//   (leave_atom) → void
//       The same, and leave the cluster; answered when this node is in nobody's
//       view. The actor lives on, alone, and dials nobody.
//   (lookup_atom) → cluster_facts
//   (watch_atom, caf::actor), (unwatch_atom, caf::actor)
//       Send this actor a `node_event` for all that happens to other nodes
//       from now on, and at once an `up` (and `leaving`) for each that is a
//       member; or no longer. No answer.
//
// A shard gets, from it:
//
//   (cluster_atom, peer_set_ptr)
//       The nodes from now on. All broker shards are sent it before all router
//       shards. The same view may come again with other slots: a node in a slot
//       of its own is one that this node has begun anew with, whatever slot it
//       had before, and nothing of what was said before counts.
//   (cluster_atom, lighter_nodes_ptr)
//       Broker shards only, of which each loop has one: the nodes that clients
//       are sent to from now on.
//   (leave_atom) → void
//       Of broker shards: answer when nothing is left of what other nodes own,
//       and all shards of all nodes have settled.
//   (shard_batch)
//       Frames from the node at a slot of the set that came last, which is no
//       older than the batch's view. The shard takes their credit over, and
//       adds their size to `traffic->received` of that slot when it is done
//       with them.
//
// The dialer, which it is given, takes:
//
//   (dial_atom, std::string address) → caf::actor
//       The cluster actor of another node, or an error: where nobody is there,
//       or only this node, `cannot_connect_to_node`. It is asked again with
//       backoff; it answers within `cluster_dial_timeout`, or is not waited
//       for.
//
// Cluster actors of different nodes tell each other:
//
//   (peer_hello) → peer_welcome
//   (peer_heartbeat), (std::string from, cluster_view), (peer_batch)

namespace callboard {

/// How long the dialer may take, and then the other node.
inline constexpr caf::timespan cluster_dial_timeout = std::chrono::seconds{10};

/// How many bytes of batches a node takes before it says so.
inline constexpr uint64_t cluster_acknowledge_bytes = 1024 * 1024;

/// Returns a hash of the names and numbers of the types that nodes send.
uint64_t type_fingerprint();

/// A node as others know it: is dialed and dials, goes by the views that its
/// `membership` finds, and hands what comes from other nodes to its shards.
class cluster_actor : public caf::event_based_actor {
public:
  /// @param self its `state` does not matter.
  /// @param dialer see above.
  cluster_actor(caf::actor_config& cfg, cluster_options options, member self,
                caf::actor dialer);

  const char* name() const override {
    return "callboard.cluster";
  }

  caf::behavior make_behavior() override;

  void on_exit() override;

private:
  // -- cluster_actor.cpp: its own node ----------------------------------------

  void tick();

  void install_shard(shard_kind kind, uint32_t index, caf::actor shard);

  caf::result<void> retire();

  // Calls `f` when the broker shards have settled in the view that they were
  // told of last, or in a later one.
  void when_settled(std::function<void()> f);

  caf::result<void> leave();

  void watch(const caf::actor& who);

  void unwatch(const caf::actor_addr& who);

  cluster_facts facts() const;

  // Does what the membership wants by now.
  void follow();

  void send_messages();

  // Goes by the view of the membership.
  void change_view();

  // Makes the set of peers anew, and gives it to the shards.
  void install_peers();

  void tell_watchers(const cluster_view& old);

  void tell(node_event_kind kind, const member& who);

  void measure();

  void log(cluster_news what, const member& who, std::string why = {}) const;

  // Logs something that comes with the view.
  void log_view(cluster_news what) const;

  // Returns whether this run of a node is in the view.
  bool is_member(const member& x) const;

  int64_t now_us() const;

  int64_t now_ms() const {
    return now_us() / 1000;
  }

  // -- cluster_handshake.cpp: how links begin and end -------------------------

  void add_seed(const std::string& address);

  // Tells that clients may be taken, if that is so now.
  void look_at_first_round();

  void dial_due();

  void dial(const std::string& address);

  void greet(const std::string& address, const caf::actor& gate);

  void dialed_in_vain(const std::string& address, const caf::error& why);

  // Nobody but this node is there.
  void nobody_at(const std::string& address);

  void take_welcome(const std::string& address, const caf::actor& gate,
                    const peer_welcome& x);

  peer_welcome take_hello(const peer_hello& x);

  // Returns why there is no link to the sender; empty: there is one.
  std::string refusal(const peer_hello& x) const;

  // Logs that there is no link, unless it has just done so.
  void log_refusal(const member& who, std::string why);

  // Returns the link to a run of a node, which is there or begins. That to
  // another run ends.
  peer_link& open(const member& who, const caf::actor& gate);

  // The other end takes batches under this number.
  void take_number(peer_link& x, uint64_t theirs);

  // Ends a link. Does nothing where there is none.
  void close(const std::string& name, std::string why);

  // The same, and keeps this run away for a minute.
  void block(const std::string& name, std::string why);

  void down(const caf::down_msg& x);

  // -- cluster_traffic.cpp: what comes on links -------------------------------

  void take_heartbeat(const peer_heartbeat& x);

  void take_view(const std::string& from, const cluster_view& x);

  void take_batch(peer_batch& x);

  // Returns whether a batch from this link can go to its shard now.
  bool is_due(const peer_link& from, const peer_batch& x) const;

  void deliver(const peer_link& from, peer_batch& x);

  void release_held();

  void send_heartbeat(peer_link& to);

  void stamp(peer_link& to, peer_heartbeat& x) const;

  // Ends links with too much on its way, and those on which nothing comes, and
  // acknowledges what has come.
  void check_traffic();

  // -- cluster_stores.cpp: who keeps durable topics ---------------------------

  // Tells operators once that members were told of other store nodes.
  void check_stores();

  // Returns the store nodes that own no topics for now.
  std::vector<std::string> absent_stores() const;

  // -- cluster_offers.cpp: where clients are sent that this node refuses ------

  node_load own_load() const;

  // Returns whether clients may be sent to this node.
  bool has_offer(const peer_link& x) const;

  // Tells the loops where to send clients, if that is elsewhere than before.
  void offer_others();

  // A run that a link may not begin with before a time.
  struct blocked_run {
    std::string incarnation;
    int64_t until_ms = 0;
  };

  cluster_options options_;
  caf::actor dialer_;
  membership membership_;
  cluster_links links_;
  peer_slots slots_;
  dial_plan dials_;
  first_round first_round_;
  cluster_metrics metrics_;
  // What the loops were told.
  lighter_nodes_ptr lighter_;
  // The view that the shards were told of.
  cluster_view view_;
  std::array<std::vector<caf::actor>, shard_kind_count> shards_;
  std::vector<caf::actor> watchers_;
  std::vector<caf::typed_response_promise<void>> retirements_;
  std::vector<caf::typed_response_promise<void>> leaves_;
  std::map<std::string, blocked_run> blocked_;
  // Until when a refusal is not logged again, by a hash of who and why.
  std::map<uint64_t, int64_t> refusals_;
  // Members that were told of other store nodes than this one.
  std::vector<std::string> stores_differ_;
};

} // namespace callboard
