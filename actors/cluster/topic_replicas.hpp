#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <callboard/actors/cluster/store_nodes.hpp>
#include <callboard/actors/cluster/topic_replica.hpp>
#include <callboard/actors/event_store.hpp>

namespace callboard {

/// Does for a `topic_replica` what only a shard can.
class replica_host {
public:
  virtual ~replica_host() = default;

  /// Sends a message to another store node, by its place among these.
  virtual void send(uint32_t node, const std::string& topic, replica_message x)
    = 0;

  /// Asks the store; the answers come by `topic_replicas::take`.
  virtual void load(const std::string& topic) = 0;
  virtual void change(const std::string& topic, replica_write x) = 0;
  virtual void
  read(store_query what, std::function<void(store_report::reading&&)> f)
    = 0;

  [[nodiscard]] virtual std::string new_epoch() = 0;

  /// The topic is served here from now on, from where the store has it.
  virtual void begun(const std::string& topic) = 0;

  /// All up to this offset is acknowledged for good, while it is served.
  virtual void agreed(const std::string& topic, uint64_t offset) = 0;

  /// The groups' places with this number are, and those before.
  virtual void placed(const std::string& topic, uint64_t number) = 0;

  /// It is not, not yet, or no longer served here. What was appended and not
  /// acknowledged may be in it or not.
  virtual void lost(const std::string& topic) = 0;
};

/// The topics with replicas that a shard has a vote in, and that are in use:
/// others are made of what is on the disk when they are needed. Pure but for
/// its host, which it calls back also from within what the host asks it.
class topic_replicas {
public:
  /// Messages of one topic that wait for the store; it is said again what is
  /// dropped.
  static constexpr size_t parked_max = 64;

  /// An answer to who fetches has about so much.
  static constexpr size_t page_events_max = 256;
  static constexpr int64_t page_bytes_max = 64 * 1024;

  /// Ticks after which it is told that a topic is not served yet: a copy that
  /// comes level may have much to fetch.
  static constexpr uint32_t late_max = 10;

  /// @param self the place of this node among the store nodes.
  /// @param topics_max topics in use; for further ones no vote is given.
  topic_replicas(replica_host& host, store_nodes_ptr stores, uint32_t self,
                 size_t topics_max);

  /// Serves a topic, as soon as that can be: `begun` or `lost` tells; or first
  /// that one and then this one, where it takes long. This node is one of those
  /// that keep it.
  void lead(const std::string& topic);

  /// Serves it no longer.
  void release(const std::string& topic);

  /// Adds an event to a topic that is served.
  void append(const std::string& topic, const publication_ptr& x);

  /// Lets the groups of a topic that is served stand there: all of them.
  /// @returns the number that `placed` will tell.
  uint64_t place(const std::string& topic, group_places_ptr x);

  /// Returns whether a topic is served.
  [[nodiscard]] bool leads(const std::string& topic) const;

  /// Returns whether it is, or is to be as soon as that can be.
  [[nodiscard]] bool wanted(const std::string& topic) const;

  /// Returns whether it is, and its log ends at this offset.
  [[nodiscard]] bool stands_at(const std::string& topic, uint64_t head) const;

  /// Tells which store nodes can be reached, by bits; `anew` has those that
  /// were lost since the last time, whether they are back or not.
  void install(uint64_t present, uint64_t anew);

  /// Takes what another store node has sent.
  void take(uint32_t node, const std::string& topic, const replica_message& x);

  void take(const store_report::replica& x);

  /// To be called about once a second: says again what may have been lost, and
  /// forgets what nobody has used since.
  void tick();

  [[nodiscard]] size_t size() const noexcept {
    return topics_.size();
  }

  /// Returns how many topics are served, and how many of these have no other
  /// copy for now.
  [[nodiscard]] std::pair<size_t, size_t> served() const;

private:
  struct entry {
    topic_voters voters;
    uint32_t self = 0;
    // None until the disk has told what there is, since the last failure.
    std::optional<topic_replica> replica;
    std::vector<std::pair<uint32_t, replica_message>> parked;
    bool wants_lead = false;
    // Ticks for which it is wanted in vain.
    uint32_t late = 0;
    bool used = true;
    uint64_t told = 0;
    uint64_t told_placed = 0;
  };

  using entry_map = std::unordered_map<std::string, entry>;

  // Returns the topic, or null if this node has no vote in it, or no room.
  entry* find_or_make(const std::string& topic);

  // Returns which voters of it can be reached, but for these.
  [[nodiscard]] uint32_t present_of(const entry& x, uint64_t without) const;

  void begin(const std::string& topic, entry& x);

  // Calls `f` with each of these that there is, and does what it wants.
  template <class F>
  void for_each(const std::vector<std::string>& names, F f);

  // Does what the replica wants. The entry stays where it is.
  void run(const std::string& topic, entry& x);
  void serve(const std::string& topic, const entry& x,
             const replica_read& what);

  // The disk is not as it was taken to be: asks it anew.
  void reload(const std::string& topic, entry& x);

  replica_host& host_;
  store_nodes_ptr stores_;
  uint32_t self_;
  size_t topics_max_;
  uint64_t present_ = 0;
  entry_map topics_;
};

} // namespace callboard
