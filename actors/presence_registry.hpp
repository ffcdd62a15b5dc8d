#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

#include <callboard/actors/loop_set.hpp>
#include <callboard/actors/moved_room.hpp>
#include <callboard/actors/presence.hpp>
#include <callboard/actors/string_hash.hpp>

namespace callboard {

/// The name of another node, which all that is known of its connections shares.
class node_name : public caf::ref_counted {
public:
  explicit node_name(std::string x)
    : value{std::move(x)}, hash{std::hash<std::string>{}(value)} {
  }

  const std::string value;
  const size_t hash;
};

using node_name_ptr = caf::intrusive_ptr<const node_name>;

/// Who is in the topics of one broker shard, and what their watchers must be
/// told. A member is a user, or a connection where nobody is logged in. A user
/// who has no connection left stays for the linger, so that a reconnect is
/// neither a leave nor a join. What happens to a topic within an interval is
/// told together, and what cancels out is not told at all. Other nodes are
/// loops like those of this one. Pure; times are milliseconds of the caller's
/// clock.
class presence_registry {
public:
  struct limits {
    /// How long a user without connections stays, from 0.
    int64_t linger_ms;
    /// The least time between two tellings of a topic, from 0.
    int64_t interval_ms;
    /// Users without connections at once; beyond them the oldest goes early.
    size_t lingering_max;
  };

  static constexpr int64_t never = std::numeric_limits<int64_t>::max();

  /// So long after somebody began to watch who was told by another owner before
  /// everybody should be there whom that one knew.
  static constexpr int64_t settle_ms = 500;

  /// @param node the name of this node.
  explicit presence_registry(const limits& bounds, std::string node = {})
    : limits_{bounds}, node_{std::move(node)} {
  }

  presence_registry(const presence_registry&) = delete;

  presence_registry& operator=(const presence_registry&) = delete;

  // -- from the loops ---------------------------------------------------------

  /// Who tells something.
  struct source {
    uint32_t loop = 0;
    /// Null: this one.
    node_name_ptr node = nullptr;
  };

  void apply(const presence_change& x, const source& from, int64_t now_ms);

  /// Another node is lost, and so are its connections.
  void drop(const source& x, int64_t now_ms);

  using topic_filter = std::function<bool(const std::string&)>;

  /// What a node told of some topics is void, but it will tell it again: whom
  /// it then leaves out goes.
  void renew(const source& x, topic_filter topics, int64_t now_ms);

  // -- topics that change their owner -----------------------------------------

  /// What goes to another owner.
  struct extracted {
    moved_room room;
    /// The loops that watched, and those of them that have to ask again.
    loop_set watchers;
    loop_set missed;
  };

  /// Takes out who is in a topic. Its watchers are told before what they have
  /// yet to hear, by `tell` as in `advance`; what is more than one telling
  /// holds they have to ask for.
  template <class F>
  extracted extract(const std::string& topic, int64_t now_ms, F&& tell) {
    confirm(topic, now_ms);
    if (auto news = take_news(topic, now_ms))
      tell(news, loop_set{watchers_of(topic)});
    return extract(topic);
  }

  /// Takes in whom another owner knew; who lingers does so anew. Nobody watches
  /// yet.
  /// @param names those of the room's nodes; null: this one.
  void adopt(const std::string& topic, const moved_room& x,
             const std::vector<node_name_ptr>& names, int64_t now_ms);

  /// A node's connections are gone from a topic.
  void drop(const std::string& topic, const node_name_ptr& node,
            int64_t now_ms);

  void forget(const std::string& topic);

  /// Forgets the topics that are not the owner's any more.
  void keep_if(const topic_filter& owns);

  // -- to the loops -----------------------------------------------------------

  /// Returns when `advance` has something to do; `never`: not until the next
  /// change.
  [[nodiscard]] int64_t due_ms() const noexcept;

  /// Lets those go whose linger is over, and calls
  /// `tell(presence_news_ptr, const loop_set&)` for each topic whose watchers
  /// are to be told by now. It may call `hold`.
  template <class F>
  void advance(int64_t now_ms, F&& tell) {
    while (!sweeps_.empty() && sweeps_.front().what.at_ms <= now_ms)
      sweep(now_ms);
    while (!renewing_.empty() && renewing_.front().first <= now_ms)
      end_renewal(now_ms);
    while (!lingering_.empty() && lingering_.front().until_ms <= now_ms)
      end_linger(now_ms);
    while (!settling_.empty() && settling_.front().first <= now_ms)
      if (auto [news, loops] = end_settling(); news)
        tell(news, loops);
    while (!batches_.empty() && batches_.begin()->first <= now_ms) {
      auto topic = batches_.begin()->second;
      if (auto news = take_news(topic, now_ms))
        tell(news, loop_set{watchers_of(topic)});
      forget_if_unused(topic);
    }
  }

  /// One telling holds at most so many steps, because the outboxes of the
  /// watchers are bounded; the others come an interval later.
  static constexpr size_t steps_max = 2'048;

  /// Returns what the watchers of `topic` have not been told yet, as told now;
  /// or null.
  presence_news_ptr take_news(const std::string& topic, int64_t now_ms);

  /// Returns the loops that are told of `topic`; valid until the next call.
  [[nodiscard]] const loop_set& watchers_of(std::string_view topic) const;

  /// Lets a loop that watches `topic` and has been told nothing this time, or
  /// begins anew, be told `reset` after a while, and nothing until then.
  void hold(const std::string& topic, uint32_t loop, int64_t now_ms);

  // -- questions --------------------------------------------------------------

  /// Returns the `next` of a page that ends with `x`.
  /// @param node the name of the node that knows the member so.
  static std::string cursor_of(const presence_member& x, std::string_view node);

  [[nodiscard]] presence_count count(std::string_view topic) const;

  /// A page names at most so many connections of a member.
  static constexpr size_t connections_max = 100;

  /// Returns at most `limit` members in a fixed order.
  /// @param after the `next` of the page before; empty: from the first on.
  presence_page list(std::string_view topic, std::string_view after,
                     size_t limit);

  /// Returns the members of all topics.
  [[nodiscard]] size_t members() const noexcept {
    return members_;
  }

private:
  struct lingerer {
    int64_t until_ms;
    std::string topic;
    std::string key;
  };

  // A connection of any node.
  struct connection_key {
    node_name_ptr node;
    connection_id number = 0;

    bool operator==(const connection_key& other) const noexcept {
      return number == other.number && same_node(node, other.node);
    }
  };

  struct connection_hash {
    size_t operator()(const connection_key& x) const noexcept {
      return std::hash<connection_id>{}(x.number) ^ (x.node ? x.node->hash : 0);
    }
  };

  static bool same_node(const node_name_ptr& x,
                        const node_name_ptr& y) noexcept {
    return x == y || (x && y && x->value == y->value);
  }

  struct member {
    std::vector<connection_key> connections;
    // For one without connections: the last one, and its place among those who
    // linger.
    connection_key last;
    bool lingers = false;
    std::list<lingerer>::iterator linger;
  };

  // What the watchers last heard of somebody.
  struct heard {
    bool was_here;
    connection_key last;
  };

  using batch_map = std::multimap<int64_t, std::string>;

  using member_map = std::map<std::string, member, std::less<>>;

  struct place {
    member_map::iterator who;
    uint32_t index = 0;
    // That in which it was last told.
    uint32_t round = 0;
  };

  // Those of a node who were told before the round and not since go at a time.
  struct renewal {
    int64_t at_ms;
    uint32_t round;
    node_name_ptr node;
  };

  struct room {
    // By key: 'u' and the user, or 'c' and the connection.
    member_map members;
    // Where each connection stands: its member, and its place there.
    std::unordered_map<connection_key, place, connection_hash> connections;
    // Those that are told, and those that are held.
    loop_set watchers;
    loop_set held;
    int64_t settles_ms = 0;
    std::vector<renewal> renewals;
    // Those whom the watchers hear of next.
    std::unordered_map<std::string, heard> changed;
    // Whether somebody has read the list since the watchers were told: what
    // cancels out from then on is news to the reader.
    bool listed = false;
    // Its place in `batches_`, or the end: there is nothing to tell.
    batch_map::iterator batch;
    int64_t told_ms = std::numeric_limits<int64_t>::min();
  };

  // The same in many topics.
  struct sweeping {
    renewal what;
    topic_filter topics;
  };

  using room_map
    = std::unordered_map<std::string, room, string_hash, std::equal_to<>>;

  using departures = std::vector<std::pair<std::string, connection_key>>;

  room& room_of(const std::string& topic);

  void join(const presence_change& x, const source& from, int64_t now_ms);

  void leave(const std::string& topic, const connection_key& id,
             int64_t now_ms);

  void watch(const std::string& topic, uint32_t loop);

  void unwatch(const std::string& topic, uint32_t loop);

  // The node tells anew who is in the topic.
  void renew(const std::string& topic, const source& from, int64_t now_ms);

  // Collects those of the node who are in a topic since before the round.
  static void collect(const std::string& topic, const room& at,
                      const node_name_ptr& node, uint32_t round,
                      departures& out);

  void leave_all(const departures& xs, int64_t now_ms);

  // Nobody on the loop watches these topics.
  void unwatch_all(uint32_t loop, const topic_filter& topics);

  void sweep(int64_t now_ms);

  void end_renewal(int64_t now_ms);

  // Lets those go for whose nodes it was said until then that they tell anew.
  void end_renewals(const std::string& topic, int64_t until_ms, int64_t now_ms);

  // Lets those go who have yet to be told anew.
  void confirm(const std::string& topic, int64_t now_ms);

  extracted extract(const std::string& topic);

  room_map::iterator forget(room_map::iterator at);

  // Returns what those are to be told who were held, and who they are; null
  // where nobody is.
  std::pair<presence_news_ptr, loop_set> end_settling();

  // Takes the one who lingers longest out.
  void end_linger(int64_t now_ms);

  void stop_lingering(member& who);

  void changed(const std::string& topic, room& at, const std::string& key,
               bool was_here, const connection_key& last, int64_t now_ms);

  void schedule(const std::string& topic, room& at, int64_t at_ms);

  void unschedule(room& at);

  void forget_if_unused(const std::string& topic);

  static std::string user_of(std::string_view key);

  static std::string connection_key_of(connection_id number,
                                       std::string_view node);

  [[nodiscard]] std::string key_of(const connection_key& id,
                                   std::string_view user) const;

  limits limits_;
  std::string node_;
  room_map rooms_;
  // In the order in which they go.
  std::list<lingerer> lingering_;
  batch_map batches_;
  // When the topics with loops that are held settle, in order.
  std::deque<std::pair<int64_t, std::string>> settling_;
  // When nodes have told anew who is in topics, in order.
  std::deque<std::pair<int64_t, std::string>> renewing_;
  std::deque<sweeping> sweeps_;
  uint32_t round_ = 0;
  size_t members_ = 0;
};

} // namespace callboard
