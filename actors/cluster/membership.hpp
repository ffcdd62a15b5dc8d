#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <callboard/actors/cluster/membership_messages.hpp>
#include <callboard/actors/cluster/view.hpp>

namespace callboard {

/// The times and bounds of a cluster.
struct membership_options {
  /// How often a node tells the others that it lives.
  int64_t heartbeat_ms = 1000;
  /// For how long a node may be silent; at least three times `heartbeat_ms`.
  int64_t timeout_ms = 5000;
  /// Nodes of one cluster.
  size_t members_max = 64;
};

/// Bounds of what other nodes say of themselves, in bytes.
inline constexpr size_t node_name_bytes_max = 64;
inline constexpr size_t node_address_bytes_max = 255;

/// Loops of a node at most.
inline constexpr uint32_t node_loops_max = 1024;

/// Returns whether a node may say this of itself.
[[nodiscard]] bool valid(const member& x) noexcept;

/// Returns a number for one run of a node.
[[nodiscard]] uint64_t run_of(const member& x) noexcept;

/// Decides, as one node of several that do the same, who is in the cluster:
/// views are made by a coordinator, as in JGroups. Reads no clock and sends
/// nothing: times are milliseconds of the caller's clock, and messages wait to
/// be taken.
///
/// Nodes that are linked exchange heartbeats and the views that they go by. A
/// view is to be a clique: every member hears every other. The first member
/// that is heard, in the order in which they joined, is who makes the next one:
/// without those that are silent for a timeout, or that another member says for
/// a timeout that it does not hear (the younger of the two goes); and with
/// those of smaller clusters that all members hear, and that hear all.
class membership {
public:
  /// Something for a linked node.
  struct message {
    std::string to;
    std::variant<peer_heartbeat, cluster_view> what;
  };

  /// What is known of another run of a node.
  struct peer {
    member who;
    bool linked = false;
    /// Whether it wants to own no topics.
    bool leaving = false;
    /// Whether it wants to be no member, or is none any more.
    bool gone = false;
    /// When something came from it last.
    int64_t heard_ms = never;
    /// When it came into the view of this node, and when it was marked as
    /// leaving there.
    int64_t joined_ms = never;
    int64_t leaving_ms = never;
    /// When it was last heard of: linked, or in somebody's view.
    int64_t known_ms = never;
    /// The newest view that it has sent; number 0: none.
    cluster_view view;
    /// The view that it goes by.
    view_id goes_by;
    /// The newest view of this node that it has got.
    view_id seen;
    /// The runs that it hears, sorted.
    std::vector<uint64_t> hears;
    /// Runs in the view that it does not hear, and since when it says so.
    std::map<uint64_t, int64_t> misses;

    [[nodiscard]] bool hears_run(uint64_t run) const noexcept;
  };

  /// Makes a cluster of one.
  membership(const membership_options& options, member self);

  // -- what happens -----------------------------------------------------------

  /// There is a link to this node. Another run of it that was known is over.
  void linked(const member& who, int64_t now_ms);

  /// There is none any more.
  void unlinked(std::string_view name, int64_t now_ms);

  /// Something came from this node that is not for this class.
  void heard(std::string_view name, int64_t now_ms);

  void receive(std::string_view from, const peer_heartbeat& x, int64_t now_ms);

  void receive(std::string_view from, const cluster_view& x, int64_t now_ms);

  /// Looks at what is due. To be called a few times each heartbeat interval:
  /// where over two intervals are between two calls, this node was stopped.
  void tick(int64_t now_ms);

  /// This node wants to own no topics any more, and to be a member still; see
  /// `retired`.
  void retire() noexcept;

  /// This node wants to go; see `left`.
  void leave() noexcept;

  // -- what follows from it ---------------------------------------------------

  /// Returns the view that this node goes by, which names it.
  [[nodiscard]] const cluster_view& view() const noexcept {
    return view_;
  }

  [[nodiscard]] const member& self() const noexcept {
    return self_;
  }

  /// Returns whether this node wanted to own no topics, and owns none by its
  /// view, unless all members want the same.
  [[nodiscard]] bool retired() const noexcept {
    return leaving_
           && (view_.members.size() == 1
               || view_.find(self_.name)->state == member_state::leaving);
  }

  /// Returns whether this node wanted to leave, and is in nobody's view.
  [[nodiscard]] bool left() const noexcept {
    return gone_ && view_.members.size() == 1;
  }

  /// Returns whether this run of a node is heard.
  [[nodiscard]] bool hears(const member& x, int64_t now_ms) const noexcept;

  /// Returns whether nothing has come from a linked node for so long that a new
  /// link should take the place of this one: three timeouts.
  [[nodiscard]] bool silent(const peer& x, int64_t now_ms) const noexcept {
    return now_ms - std::max(x.heard_ms, x.known_ms) >= 3 * options_.timeout_ms;
  }

  /// Returns why there cannot be a link to this node, which says hello: a
  /// sentence; empty: there can.
  [[nodiscard]] std::string refusal(const member& x, int64_t now_ms) const;

  /// Returns the heartbeat for a linked node.
  [[nodiscard]] peer_heartbeat heartbeat_for(const peer& x,
                                             int64_t now_ms) const;

  /// Takes what there is to be sent, in order.
  [[nodiscard]] std::vector<message> take_messages();

  /// Returns the addresses of nodes that there should be a link to and is none.
  [[nodiscard]] std::vector<std::string> missing() const;

  /// Returns what is known of a node, or null.
  [[nodiscard]] const peer* find(std::string_view name) const noexcept;

  /// Calls `f` with what is known of each node, by name.
  template <class F>
  void for_each_peer(F&& f) const {
    for (auto& [name, x] : peers_)
      f(x);
  }

private:
  static constexpr int64_t never = INT64_MIN / 2;

  // For how long addresses of nodes that are gone are tried.
  static constexpr int64_t remembered_ms = int64_t{24} * 3600 * 1000;

  [[nodiscard]] size_t members_max() const noexcept {
    return options_.members_max;
  }

  // -- membership.cpp: what is heard ------------------------------------------

  // Returns the node that something has come from, or null where nothing should
  // have.
  peer* take(std::string_view from, std::string_view incarnation,
             int64_t now_ms);

  // Notes the other members of a view.
  void learn(const cluster_view& x, int64_t now_ms);

  void forget(int64_t now_ms);

  // After this node was stopped: gives those that were heard time to be heard.
  void excuse_pause(int64_t now_ms);

  void send_heartbeats(int64_t now_ms);

  // Returns whether a linked node is to be sent the view.
  [[nodiscard]] bool lacks_view(const peer& x) const;

  // -- membership_views.cpp: what follows from it -----------------------------

  [[nodiscard]] bool is_self(const member& x) const noexcept;

  // Returns whether a member of the view still is one, as this node sees it.
  [[nodiscard]] bool alive(const member& x, int64_t now_ms) const noexcept;

  // Returns whether this node makes the next view.
  [[nodiscard]] bool acts(int64_t now_ms) const noexcept;

  [[nodiscard]] std::vector<member> next_members(int64_t now_ms) const;

  // Returns whether one says for a timeout that it does not hear the other.
  [[nodiscard]] bool apart(const member& x, const member& y,
                           int64_t now_ms) const noexcept;

  [[nodiscard]] bool may_go(const member& x, int64_t now_ms) const noexcept;

  [[nodiscard]] bool candidate(const peer& x, int64_t now_ms) const;

  // Returns whether all of them hear this one, and it hears all of them.
  [[nodiscard]] bool fits(const std::vector<member>& xs, const peer& x) const;

  [[nodiscard]] bool all_have_view(int64_t now_ms) const noexcept;

  // Goes by this view from now on.
  void install(cluster_view x, int64_t now_ms);

  membership_options options_;
  member self_;
  cluster_view view_;
  // The highest number of a view that was heard of.
  uint64_t highest_ = 1;
  // By name: one run of each.
  std::map<std::string, peer, std::less<>> peers_;
  std::vector<message> messages_;
  bool leaving_ = false;
  bool gone_ = false;
  int64_t ticked_ms_ = never;
  int64_t beaten_ms_ = never;
};

} // namespace callboard
