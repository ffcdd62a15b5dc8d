#pragma once

#include <functional>
#include <memory>
#include <string>

#include <callboard/actors/event_store.hpp>

namespace callboard {

/// What one transaction of a store has done.
struct store_commit {
  /// From its begin to the moment at which all of it was on the disk.
  double seconds = 0;
  size_t events = 0;
  bool failed = false;
};

struct disk_store_options {
  /// The folder; made if need be.
  std::string folder;
  /// Bytes of events that may wait to be written.
  int64_t queue_bytes_max = 64 * 1024 * 1024;
  /// Largest size of the file in bytes, from 65,536; 0: as large as the disk.
  int64_t file_bytes_max = 0;
  /// Topics that it has at most, those included that keep nothing but their
  /// place.
  int64_t topics_max = 4'000'000;
  /// How long an id counts, in milliseconds.
  int64_t ids_ms = 300'000;
  /// Groups of one topic whose places are kept, from 1.
  size_t places_max = 10'000;
  /// Unix time in milliseconds, on any thread; null: the system's.
  std::function<int64_t()> now_ms;
  /// Called on the store's threads; null: nobody is told.
  std::function<void(const store_commit&)> on_commit;
  /// Told whenever the store goes down, or comes back, and of damage.
  std::function<void(const store_status&)> on_change;
  /// The name of SQLite's way to the disk; empty: the usual one.
  std::string vfs;
};

/// A store in a folder, in one SQLite file. One thread writes, and another one
/// reads. The writer takes all that waits into one transaction, which is synced
/// to the disk; what comes meanwhile is the next one.
///
/// What cannot be opened is tried again every second; until then everything
/// fails at once.
class disk_store : public event_store {
public:
  /// Events that one transaction takes at most.
  static constexpr size_t commit_events_max = 4096;

  /// Reads that may wait; further ones fail.
  static constexpr size_t reads_max = 4096;

  /// Opens the store; `status` tells whether it could.
  explicit disk_store(disk_store_options options);

  /// Writes what waits.
  ~disk_store() override;

  [[nodiscard]] bool full() const noexcept override;

  void load(const store_receiver_ptr& to, std::string topic,
            const topic_options& options) override;

  void append(const store_receiver_ptr& to, publication_ptr x,
              const topic_options& options) override;

  void set_options(std::string topic, const topic_options& options) override;

  void read(const store_receiver_ptr& to, uint64_t token,
            store_query what) override;

  void save_places(const store_receiver_ptr& to, uint64_t token,
                   std::vector<saved_place> xs) override;

  void load_replica(const store_receiver_ptr& to, std::string topic) override;

  void change_replica(const store_receiver_ptr& to, std::string topic,
                      replica_write x, const topic_options& options) override;

  void save(saved_topic x) override;

  /// Blocks until everything is on the disk.
  void finish() override;

  [[nodiscard]] store_status status() const override;

private:
  struct impl;

  std::unique_ptr<impl> impl_;
};

} // namespace callboard
