#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <callboard/actors/event_store.hpp>
#include <callboard/store/store_writer.hpp>

namespace callboard {

/// A store without a disk and without threads, which does what a `disk_store`
/// does when it is told to. For tests, of applications too.
class memory_store : public event_store {
public:
  /// Unix time in milliseconds.
  std::function<int64_t()> now_ms = [] { return 0; };

  /// How long an id counts, in milliseconds.
  int64_t ids_ms = 300'000;

  /// Whether everything is done at once; else `commit` does it.
  bool at_once = true;

  /// Whether it fails: what is written is lost, and nothing can be read.
  bool broken = false;

  /// Whether `full` says so.
  bool is_full = false;

  /// Does all that was asked for, and reports.
  /// @param events_max appends and loads that are done; the others wait.
  void commit(size_t events_max = SIZE_MAX);

  /// Loses what was asked for and not done, as a process that dies does; what
  /// durability `memory` has saved counts from now on only after `finish`.
  void restart();

  /// Returns what is kept of a topic, oldest first.
  [[nodiscard]] std::vector<publication_ptr>
  events_of(const std::string& topic) const;

  /// Returns by which options a topic is kept; if it is not there,
  /// the usual ones.
  [[nodiscard]] topic_options options_of(const std::string& topic) const;

  /// Returns where the groups of a topic stand.
  [[nodiscard]] std::vector<group_place>
  groups_of(const std::string& topic) const;

  /// Returns what there is of a topic as a replica.
  [[nodiscard]] replica_record record_of(const std::string& topic) const;

  /// Returns how many tasks wait.
  [[nodiscard]] size_t waiting() const noexcept {
    return tasks_.size();
  }

  // -- event_store ------------------------------------------------------------

  [[nodiscard]] bool full() const noexcept override {
    return is_full;
  }

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

  void finish() override;

  [[nodiscard]] store_status status() const override;

private:
  struct kept_event {
    publication_ptr event;
    // The run of the node that wrote it: connections of others have other
    // numbers now.
    uint64_t opening;
  };

  struct kept_topic {
    std::string epoch;
    uint64_t head = 0;
    bool saved = false;
    // Whether this run has it in its memory; only one that is saved.
    bool taken = false;
    topic_options options;
    std::vector<kept_event> events;
    std::vector<stored_id> ids;
    std::map<std::string, group_place> groups;
  };

  void add(store_task x);

  stored_topic load(const std::string& topic, const topic_options& options);

  bool append(const publication_ptr& x, const topic_options& options);

  void keep(saved_topic& x);

  bool keep(const saved_place& x);

  bool change(const replica_task& x);

  [[nodiscard]] publication_ptr copy(const kept_event& x) const;

  std::map<std::string, kept_topic> topics_;
  // Their logs are among the topics.
  std::map<std::string, replica_record> replicas_;
  std::vector<store_task> tasks_;
  uint64_t opening_ = 1;
  bool clean_ = false;
  store_status status_{.up = true};
};

} // namespace callboard
