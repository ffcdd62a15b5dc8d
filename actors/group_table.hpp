#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <callboard/actors/shared_group.hpp>

namespace callboard {

/// The groups of the topics that a broker shard owns. Groups last longer than
/// their members: a group without any keeps its place, until it has had none
/// for too long or others need the room. Pure; times are milliseconds of the
/// caller's clock.
class group_table {
public:
  /// @param sink outlives this.
  group_table(const group_limits& limits, group_sink& sink);

  ~group_table();

  /// Where the topic of a group stands.
  struct topic_state {
    /// The offset of its last event.
    uint64_t head = 0;
    /// Where a group begins that is new, up to `head`.
    uint64_t begin = 0;
    /// Whether it then gets all that it was asked for.
    bool whole = false;
    /// Whether the places of the topic's groups outlive the process.
    bool durable = false;
    /// Where the group stood before; null: it begins at `begin`.
    const group_place* known = nullptr;
  };

  struct joined {
    /// Null: there are too many groups.
    group_member* member = nullptr;
    /// The offset behind which the group goes on.
    uint64_t place = 0;
    /// Whether everything behind it is there.
    bool recovered = false;
  };

  /// Adds a member to a group, which may be new. Nothing is given to it before
  /// its group's `go_on`.
  /// @param id a new one.
  joined join(const std::string& topic, const std::string& name,
              const topic_state& state, member_id id, caf::weak_actor_ptr who,
              bool embedded, int64_t now_ms);

  /// Takes a member out and forgets it.
  /// @param by_choice whether it wanted to go. A group that never had an event
  ///        is then forgotten with its last member.
  void leave(group_member& who, bool by_choice, int64_t now_ms);

  /// Returns the member with this number, or null.
  [[nodiscard]] group_member* find(member_id id) const;

  /// Returns the group, or null.
  [[nodiscard]] shared_group* find(std::string_view topic,
                                   std::string_view name) const;

  /// Returns whether there is room for another group of a topic.
  [[nodiscard]] bool has_room(std::string_view topic) const {
    auto i = topics_.find(topic);
    if (i != topics_.end()
        && i->second.groups.size() >= shared_.limits.topic_groups_max)
      return !i->second.resting.empty();
    return size_ < shared_.limits.groups_max || !resting_.empty();
  }

  /// Calls `f` with each group of a topic, which may not go meanwhile.
  /// @returns whether there is one.
  template <class F>
  bool for_each_of(std::string_view topic, F&& f) {
    auto i = topics_.find(topic);
    if (i == topics_.end())
      return false;
    for (auto& x : i->second.groups)
      f(*x);
    return true;
  }

  // -- groups that move -------------------------------------------------------

  /// Returns the topics with groups, but for those with `stays(topic)`.
  template <class Stays>
  [[nodiscard]] std::vector<std::string> topics_unless(Stays&& stays) const {
    std::vector<std::string> result;
    for (auto& [topic, groups] : topics_)
      if (!stays(topic))
        result.push_back(topic);
    return result;
  }

  /// Gives the groups of a topic away, and forgets their members.
  std::vector<moved_group> give_away(const std::string& topic);

  /// Lets a topic have the groups that it had at another owner, without members
  /// yet. Others that have none may give way; what there is no room for is
  /// lost, and so is one that is here already.
  /// @param head the offset of the topic's last event.
  void adopt(const std::string& topic, const std::vector<moved_group>& groups,
             uint64_t head, int64_t now_ms);

  /// Takes a member out that comes back to its group.
  void detach(group_member& who, int64_t now_ms);

  /// Counts what these have not finished as lost.
  void lose(const std::vector<moved_group>& groups) noexcept;

  /// A topic has got an event.
  /// @param kept whether it can be had from the topic's history later.
  template <class Kept>
  void publish(const publication_ptr& event, int64_t now_ms, Kept&& kept) {
    auto i = topics_.find(event->topic);
    if (i == topics_.end())
      return;
    auto is_kept = kept();
    for (auto& x : i->second.groups)
      x->publish(event, is_kept, now_ms);
  }

  /// Takes events back from members that had time enough to confirm them.
  void time_out(int64_t now_ms);

  /// Returns when `time_out` should be called next; see `timing_wheel`.
  [[nodiscard]] const auto& deadlines() const noexcept {
    return shared_.deadlines;
  }

  /// Forgets groups that had no member for too long.
  void expire(int64_t now_ms);

  /// Returns what happened since the last call.
  group_counts take_counts() noexcept {
    return std::exchange(shared_.counts, {});
  }

  /// Returns whether a group's place on the disk is not what it is.
  [[nodiscard]] bool changed() const noexcept {
    return !shared_.changed.empty();
  }

  /// Returns the groups of which that is so, since the last call.
  std::vector<shared_group*> take_changed();

  /// Lets all groups whose places outlive the process be saved anew.
  void change_all();

  /// Groups whose places outlive the process do not give up on events any more,
  /// and do not count how often these are left by a member.
  void end() noexcept {
    shared_.ending = true;
  }

  /// The same, and they give nothing more.
  void close() noexcept {
    end();
    shared_.closing = true;
  }

  [[nodiscard]] size_t size() const noexcept {
    return size_;
  }

  [[nodiscard]] size_t members() const noexcept {
    return members_.size();
  }

  /// Returns the events that wait or are unconfirmed.
  [[nodiscard]] size_t events() const noexcept {
    return shared_.events;
  }

  /// Returns roughly the memory of these, in bytes.
  [[nodiscard]] int64_t bytes() const noexcept {
    return shared_.bytes;
  }

private:
  /// The groups of one topic.
  struct topic_groups {
    std::vector<std::unique_ptr<shared_group>> groups;
    // Those of them without members; the one that has had none for longest is
    // last.
    linked_list<shared_group, &shared_group::in_topic> resting;
  };

  // Orders topics by how many groups they have, and then by which of them has
  // had no member for longest.
  struct most_groups {
    bool operator()(const topic_groups* x,
                    const topic_groups* y) const noexcept;
  };

  // Makes a group, where there is room or one that can give way.
  // @returns the group, or null.
  shared_group* make(const std::string& topic, const std::string& name,
                     const topic_state& state, int64_t now_ms);

  // The last member has gone.
  void rest(shared_group& x, int64_t now_ms);

  // A member comes.
  void wake(shared_group& x);

  void forget(shared_group& x);

  // Returns that of a topic's groups without members that gives way first.
  static shared_group& first_to_go(const topic_groups& x) noexcept;

  // Changes what orders the topics.
  template <class F>
  void change(topic_groups& x, F&& f) {
    if (!x.resting.empty())
      crowded_.erase(&x);
    f();
    if (!x.resting.empty())
      crowded_.insert(&x);
  }

  group_shared shared_;
  std::unordered_map<std::string, topic_groups, string_hash, std::equal_to<>>
    topics_;
  // Those with groups that can give way.
  std::set<topic_groups*, most_groups> crowded_;
  std::unordered_map<member_id, group_member*> members_;
  // Those without members; the one that has had none for longest is last.
  linked_list<shared_group, &shared_group::by_use> resting_;
  size_t size_ = 0;
  uint64_t last_rested_ = 0;
};

} // namespace callboard
