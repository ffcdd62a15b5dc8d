#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <callboard/actors/loop_set.hpp>
#include <callboard/actors/presence.hpp>
#include <callboard/actors/string_hash.hpp>

namespace callboard {

/// Who is in the topics of one broker shard, and what their watchers must be
/// told. A member is a user, or a connection where nobody is logged in. A user
/// who has no connection left stays for the linger, so that a reconnect is
/// neither a leave nor a join. What happens to a topic within an interval is
/// told together, and what cancels out is not told at all. Pure; times are
/// milliseconds of the caller's clock.
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

  explicit presence_registry(const limits& bounds) : limits_{bounds} {
  }

  presence_registry(const presence_registry&) = delete;

  presence_registry& operator=(const presence_registry&) = delete;

  // -- from the loops ---------------------------------------------------------

  void apply(const presence_report& report, int64_t now_ms);

  // -- to the loops -----------------------------------------------------------

  /// Returns when `advance` has something to do; `never`: not until the next
  /// change.
  [[nodiscard]] int64_t due_ms() const noexcept;

  /// Lets those go whose linger is over, and calls
  /// `tell(presence_news_ptr, const loop_set&)` for each topic whose watchers
  /// are to be told by now.
  template <class F>
  void advance(int64_t now_ms, F&& tell) {
    while (!lingering_.empty() && lingering_.front().until_ms <= now_ms)
      end_linger(now_ms);
    while (!batches_.empty() && batches_.begin()->first <= now_ms) {
      auto topic = batches_.begin()->second;
      if (auto news = take_news(topic, now_ms))
        tell(news, watchers_of(topic));
      forget_if_unused(topic);
    }
  }

  /// One telling holds at most so many steps, because the outboxes of the
  /// watchers are bounded; the others come an interval later.
  static constexpr size_t steps_max = 2'048;

  /// Returns what the watchers of `topic` have not been told yet, as told now;
  /// or null.
  presence_news_ptr take_news(const std::string& topic, int64_t now_ms);

  /// Returns the loops that watch `topic`; valid until the next call.
  [[nodiscard]] const loop_set& watchers_of(std::string_view topic) const;

  // -- questions --------------------------------------------------------------

  /// Returns the `next` of a page that ends with `x`.
  static std::string cursor_of(const presence_member& x);

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

  struct member {
    std::vector<connection_id> connections;
    // For one without connections: the last one, and its place among those who
    // linger.
    connection_id last = 0;
    bool lingers = false;
    std::list<lingerer>::iterator linger;
  };

  // What the watchers last heard of somebody.
  struct heard {
    bool was_here;
    connection_id last;
  };

  using batch_map = std::multimap<int64_t, std::string>;

  using member_map = std::map<std::string, member, std::less<>>;

  struct place {
    member_map::iterator who;
    uint32_t index;
  };

  struct room {
    // By key: 'u' and the user, or 'c' and the connection.
    member_map members;
    // Where each connection stands: its member, and its place there.
    std::unordered_map<connection_id, place> connections;
    loop_set watchers;
    // Those whom the watchers hear of next.
    std::unordered_map<std::string, heard> changed;
    // Whether somebody has read the list since the watchers were told: what
    // cancels out from then on is news to the reader.
    bool listed = false;
    // Its place in `batches_`, or the end: there is nothing to tell.
    batch_map::iterator batch;
    int64_t told_ms = std::numeric_limits<int64_t>::min();
  };

  room& room_of(const std::string& topic);

  void join(const presence_change& x, int64_t now_ms);

  void leave(const presence_change& x, int64_t now_ms);

  void watch(const presence_change& x, uint32_t loop);

  // Takes the one who lingers longest out.
  void end_linger(int64_t now_ms);

  void stop_lingering(member& who);

  void changed(const std::string& topic, room& at, const std::string& key,
               bool was_here, connection_id last, int64_t now_ms);

  void schedule(const std::string& topic, room& at, int64_t at_ms);

  void unschedule(room& at);

  void forget_if_unused(const std::string& topic);

  limits limits_;
  std::unordered_map<std::string, room, string_hash, std::equal_to<>> rooms_;
  // In the order in which they go.
  std::list<lingerer> lingering_;
  batch_map batches_;
  size_t members_ = 0;
};

} // namespace callboard
