#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

#include <callboard/actors/group_place.hpp>
#include <callboard/actors/publication.hpp>
#include <callboard/actors/replica_record.hpp>
#include <callboard/actors/topic_options.hpp>

namespace callboard {

/// An `id` that was published to a topic.
struct stored_id {
  /// Its sender and the id, as `publication::key` puts them together.
  std::string key;
  /// The offset of the publication that had it.
  uint64_t offset = 0;
  /// Unix time in milliseconds until which it counts.
  int64_t until_ms = 0;

  friend bool operator==(const stored_id&, const stored_id&) = default;
};

/// What a store is to keep of a group.
struct saved_place {
  std::string topic;
  /// Those of the topic, which is made if the store does not have it.
  std::string epoch;
  uint64_t head = 0;
  topic_options options;
  /// Whether the group is to be forgotten; then its name and the topic's are
  /// enough.
  bool forgotten = false;
  group_place where;
};

/// Where a topic stands in a store.
struct stored_topic {
  /// Empty: the store has no such topic.
  std::string epoch;
  /// The offset of the last event; 0: there was none yet.
  uint64_t head = 0;
  /// The offsets of the oldest and the newest event that are still there; 0:
  /// none is.
  uint64_t first = 0;
  uint64_t last = 0;
  /// In the order of their offsets.
  std::vector<stored_id> ids;
  /// The event at `head`, if it is still there and the topic retains it.
  publication_ptr newest;
  /// Of a topic of `durability::disk`: where its groups stand.
  std::vector<group_place> groups;
};

/// What a topic of `durability::memory` leaves to the next run.
struct saved_topic {
  std::string topic;
  std::string epoch;
  uint64_t head = 0;
  /// Those that the store does not have yet, without gaps, the last one at
  /// `head` if there is one.
  std::vector<publication_ptr> events;
  std::vector<stored_id> ids;
  topic_options options;
};

/// Which events of a topic are wanted.
struct store_query {
  std::string topic;
  std::string epoch;
  /// From this offset on.
  uint64_t first = 1;
  /// Up to this one.
  uint64_t last = 0;
  /// At most so many, and at most about so many bytes, but one if there is one.
  size_t events_max = 0;
  int64_t bytes_max = 0;
  /// Whether the last ones are wanted if there are more, not the first ones.
  bool newest = false;
  /// Those in front that were accepted at this Unix time in milliseconds or
  /// before are left out.
  int64_t after_ms = 0;
};

/// What a store has done for one receiver since the last report. Immutable once
/// sent.
class store_report : public caf::ref_counted {
public:
  struct appends {
    size_t count = 0;
    /// Whether they are on the disk, for good. If not, they may be or not until
    /// their topic is loaded again.
    bool committed = false;
  };

  struct load {
    std::string topic;
    bool failed = false;
    stored_topic what;
  };

  struct reading {
    uint64_t token = 0;
    bool failed = false;
    /// Without gaps, oldest first.
    std::vector<publication_ptr> events;
  };

  struct saving {
    uint64_t token = 0;
    bool failed = false;
  };

  /// A topic with replicas: what there is of it was asked for, or a change of
  /// it.
  struct replica {
    std::string topic;
    bool failed = false;
    bool loaded = false;
    replica_record record;
    /// Where the topic's groups stand; null: it has none.
    group_places_ptr places;
  };

  /// In the order in which they were asked for. What `appended` tells happened
  /// before what `loaded` does.
  std::vector<appends> appended;
  std::vector<load> loaded;
  std::vector<reading> readings;
  /// Places of groups that are on the disk now, or are not.
  std::vector<saving> savings;
  std::vector<replica> replicas;
};

using store_report_ptr = caf::intrusive_ptr<store_report>;

/// Who asks a store. It is called on the store's threads, must not block, and
/// may outlive whom it tells.
class store_receiver {
public:
  virtual ~store_receiver() = default;

  virtual void report(store_report_ptr x) = 0;
};

using store_receiver_ptr = std::shared_ptr<store_receiver>;

/// How a store is.
struct store_status {
  /// Whether the last thing that it tried worked.
  bool up = false;
  /// A sentence about what does not work; empty: everything does.
  std::string trouble;
  /// What waits to be written, in bytes.
  int64_t queued_bytes = 0;
  /// Since the store was opened.
  uint64_t commits = 0;
  uint64_t events = 0;
  uint64_t errors = 0;
  /// On the disk.
  int64_t bytes = 0;
};

/// Keeps the events of topics beyond the life of a process. No call blocks; all
/// of them may come from any thread. Answers come in reports. What one thread
/// asks is done in that order, but for reads.
class event_store {
public:
  virtual ~event_store() = default;

  /// Returns whether as many bytes wait to be written as may. Then nothing
  /// should be appended.
  [[nodiscard]] virtual bool full() const noexcept = 0;

  /// Asks where a topic stands. A topic of `durability::memory` is there only
  /// if the run before this one saved it and ended cleanly, and only once.
  /// @param options how the topic is kept from now on.
  virtual void load(const store_receiver_ptr& to, std::string topic,
                    const topic_options& options)
    = 0;

  /// Appends an event, which has its epoch, offset and timestamp, to a topic of
  /// `durability::disk` that was loaded. It fails if the offset is not the
  /// store's last one plus one.
  virtual void append(const store_receiver_ptr& to, publication_ptr x,
                      const topic_options& options)
    = 0;

  /// Lets a topic of `durability::disk` be kept by other options from now on.
  /// One that is not there stays so. If it fails, the next `append` does it.
  virtual void set_options(std::string topic, const topic_options& options) = 0;

  /// Asks for events that are there.
  virtual void
  read(const store_receiver_ptr& to, uint64_t token, store_query what)
    = 0;

  /// Keeps where groups of topics of `durability::disk` stand. All that the
  /// same thread appended before is on the disk when this is. It fails if one
  /// of the topics is there with another epoch; the others may be kept then.
  virtual void save_places(const store_receiver_ptr& to, uint64_t token,
                           std::vector<saved_place> xs)
    = 0;

  /// Asks what there is of a topic with replicas.
  virtual void load_replica(const store_receiver_ptr& to, std::string topic)
    = 0;

  /// Changes what there is of it, with its events. It fails, and changes
  /// nothing, if it is not as the change was made for: so those that follow one
  /// that fails do, too.
  virtual void change_replica(const store_receiver_ptr& to, std::string topic,
                              replica_write x, const topic_options& options)
    = 0;

  /// Keeps a topic of `durability::memory` for the next run, or until it is
  /// loaded again in this one. One without any event is not kept.
  virtual void save(saved_topic x) = 0;

  /// Writes what waits, and marks that this run ended cleanly. The last call.
  virtual void finish() = 0;

  [[nodiscard]] virtual store_status status() const = 0;
};

} // namespace callboard
