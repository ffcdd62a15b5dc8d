#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <callboard/actors/cluster/peer_set.hpp>
#include <callboard/actors/event_store.hpp>

#include "support/node_fixture.hpp"

namespace callboard {

/// A node of a cluster, whose batches wait until they are carried.
struct cluster_site {
  /// @param store may be null, as `stores`.
  /// @param adjust changes what the node is started with, if it is set.
  cluster_site(member who, const std::vector<topic_rule>& rules,
               store_nodes_ptr stores, std::shared_ptr<event_store> store,
               const std::function<void(node_options&)>& adjust);

  /// A batch for another site, by its place.
  struct parcel {
    size_t to;
    peer_batch what;
  };

  using parcels = std::shared_ptr<std::deque<parcel>>;

  node_fixture node;
  member self;
  parcels sent = std::make_shared<std::deque<parcel>>();
  peer_set_ptr nodes;
};

/// Some nodes of a cluster, each on a test coordinator of its own, as those
/// that were given in the last `view` know each other. Its coordinator is the
/// test. The node of a site is at the site's place among the others' slots.
struct sites_fixture {
  /// Adds a node that is in no view yet.
  cluster_site& add(uint32_t loops = 1,
                    std::shared_ptr<event_store> store = nullptr);

  /// Adds the next run of a node, which is in no view yet; `incarnation` begins
  /// the names of its epochs.
  cluster_site& add_run(size_t of, const std::string& incarnation,
                        std::shared_ptr<event_store> store = nullptr);

  /// These sites make the cluster from now on, and learn of it.
  void view(const std::vector<size_t>& members);

  /// Lets one site learn of a view in which these are.
  void tell(size_t site, const std::vector<size_t>& members);

  /// Puts a new broker shard in place of one of a site, and lets the gate know.
  void replace_broker(size_t site, uint32_t index);

  /// Runs all nodes and carries what they say to each other, until they have
  /// said everything.
  void settle();

  /// Carries what waits, and runs nobody. As in a gate, what was sent by a view
  /// that the other site does not go by waits, and what is behind it.
  /// @returns how many batches there were.
  size_t carry();

  /// The same for what one site has sent.
  size_t carry(size_t from);

  /// Lets a site know what another one is done with of what it has sent.
  void acknowledge(size_t from, size_t to);

  /// Lets a site be dead: nothing that it has sent arrives, and it is in no
  /// view any more.
  void crash(size_t site);

  /// Returns a topic that the site owns in the newest view, and the shard
  /// `shard` of it.
  std::string topic_of(size_t site, uint32_t shard = 0,
                       const std::string& prefix = "t");

  /// Returns the n-th topic that one place owns among the names `before`, and
  /// another one among those after.
  static std::string moving(const std::vector<std::string>& before,
                            uint32_t from,
                            const std::vector<std::string>& after, uint32_t to,
                            const std::string& prefix = "t", size_t n = 0);

  /// Returns the n-th topic that goes from a place to `d` as that joins `a`,
  /// `b` and `c`.
  static std::string joining(uint32_t from, const std::string& prefix = "t",
                             size_t n = 0) {
    return moving({"a", "b", "c"}, from, {"a", "b", "c", "d"}, 3, prefix, n);
  }

  /// Returns one that goes from `c` to a place as that leaves them.
  static std::string leaving(uint32_t to, const std::string& prefix = "t") {
    return moving({"a", "b", "c"}, 2, {"a", "b"}, to, prefix);
  }

  /// Lets `x` say a frame and returns what it then hears.
  template <class... Ts>
  std::string say(client& x, Ts&&... xs) {
    x.say(std::forward<Ts>(xs)...);
    settle();
    return x.heard();
  }

  std::string subscribe(client& x, const std::string& subject) {
    return say(x, frame_type::subscribe, 1, subject);
  }

  /// Publishes text and returns what the publisher then hears.
  std::string publish(client& x, const std::string& topic,
                      const std::string& what, uint32_t seq_id = 0,
                      bool no_echo = false, const std::string& id = {});

  /// Returns the words of an answer that tells a position.
  static std::string answered(uint32_t seq_id, const std::string& epoch,
                              int offset);

  /// The same for a subscription.
  static std::string subscribed(uint32_t seq_id, const std::string& epoch,
                                int offset, bool recovered = false);

  /// Returns how many frames a site has sent to another one's shards.
  uint64_t frames(size_t from, uint32_t to) const {
    return sites[from].nodes->at(to)->traffic->frames_sent;
  }

  client& connect(size_t site, uint32_t loop = 0, std::string user = {});

  std::deque<cluster_site> sites;
  std::vector<topic_rule> rules;
  /// Changes what nodes are started with; empty: nothing.
  std::function<void(node_options&)> adjust;
  /// Of the sites that are added from now on.
  std::vector<std::string> store_names;
  uint64_t number = 0;
  uint64_t outbox_bytes_max = 64 * 1024 * 1024;
  /// How often two sites have begun anew with each other.
  std::map<std::pair<size_t, size_t>, uint64_t> rounds;

private:
  cluster_site& add(member who, std::shared_ptr<event_store> store);
};

} // namespace callboard
