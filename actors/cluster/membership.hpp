#pragma once

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
    /// When something came from it last, on any link.
    int64_t heard_ms = never;
    /// When it was last linked or in the view.
    int64_t known_ms = never;
    /// The newest view that it has sent; number 0: none.
    cluster_view view;
    /// The view that it goes by, as it said last.
    view_id goes_by;
    /// The newest view of this node that it has got.
    view_id seen;
    /// The runs that it hears, sorted.
    std::vector<uint64_t> hears;
    bool leaving = false;
    /// Members of the view that it does not hear, by run, and since when.
    std::map<uint64_t, int64_t> misses;
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

  /// Looks at what is due. To be called a few times each heartbeat interval.
  void tick(int64_t now_ms);

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

  /// Returns whether this node wanted to leave, and is in nobody's view.
  [[nodiscard]] bool left() const noexcept {
    return leaving_ && view_.members.size() == 1;
  }

  /// Returns whether this run of a node is heard.
  [[nodiscard]] bool hears(const member& x, int64_t now_ms) const noexcept;

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

private:
  static constexpr int64_t never = INT64_MIN / 2;

  // How long the addresses of nodes that are gone are tried.
  static constexpr int64_t remembered_ms = 24 * 3600 * 1000;

  peer* peer_of(std::string_view name) noexcept;

  // Notes the addresses of a view's members.
  void learn(const cluster_view& x, int64_t now_ms);

  // Forgets who was neither linked nor a member for long, and who are too many.
  void forget(int64_t now_ms);

  // Gives the others time to be heard after this node was stopped.
  void notice_pause(int64_t now_ms);

  // Returns whether a member of the view is still one, as far as this node
  // knows.
  [[nodiscard]] bool alive(const member& x, int64_t now_ms) const noexcept;

  // Returns whether this node makes the next view.
  [[nodiscard]] bool acts(int64_t now_ms) const noexcept;

  // Returns the members of the next view.
  [[nodiscard]] std::vector<member> next_members(int64_t now_ms) const;

  void drop_unheard(std::vector<member>& members, int64_t now_ms) const;

  void let_leave(std::vector<member>& members, int64_t now_ms) const;

  void admit(std::vector<member>& members, int64_t now_ms) const;

  // Returns whether a node that is no member is to become one.
  [[nodiscard]] bool candidate(const peer& x, int64_t now_ms) const;

  [[nodiscard]] bool all_have_view() const noexcept;

  void install(cluster_view x, int64_t now_ms);

  void send_heartbeats(int64_t now_ms);

  membership_options options_;
  member self_;
  cluster_view view_;
  // The highest number of a view that was heard of.
  uint64_t highest_ = 0;
  // By name. There is at most one run of each.
  std::map<std::string, peer, std::less<>> peers_;
  std::vector<message> messages_;
  bool leaving_ = false;
  bool begun_ = false;
  int64_t ticked_ms_ = 0;
  int64_t installed_ms_ = 0;
  int64_t heartbeat_ms_ = never;
};

} // namespace callboard
