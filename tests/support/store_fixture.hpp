#pragma once

#include <callboard/store/disk_store.hpp>
#include <callboard/store/memory_store.hpp>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "support/scratch_folder.hpp"
#include "support/test.hpp"

namespace callboard {

/// Notes what it is told in words: "ok 3" (appends), "failed 1",
/// "a e1@5 1-5", "a none", "a failed" (loads), "7: 1 2 3" (reads), "8 saved"
/// (places), "a changed" (replicas).
class note_taker : public store_receiver {
public:
  void report(store_report_ptr x) override;

  /// Waits until `n` appends, loads and reads were told, and returns the words,
  /// joined by "; ".
  std::string take(size_t n);

  /// The same, of one read.
  std::vector<publication_ptr> take_events();

  /// The same, of one load.
  stored_topic take_topic();

  /// The same, of one replica.
  store_report::replica take_replica();

private:
  void wait(std::unique_lock<std::mutex>& guard, size_t n);

  std::mutex mutex_;
  std::condition_variable told_;
  size_t answers_ = 0;
  size_t good_ = 0;
  size_t bad_ = 0;
  std::string words_;
  std::vector<publication_ptr> events_;
  stored_topic topic_;
  store_report::replica replica_;
};

/// One of the two stores, and a node that it belongs to.
class store_env {
public:
  virtual ~store_env() = default;

  virtual event_store& store() = 0;

  /// Ends the node and starts the next one.
  /// @param cleanly whether it says so to the store.
  virtual void restart(bool cleanly = true) = 0;

  // -- asking, and waiting for the answer -------------------------------------

  std::string load(const std::string& topic);

  /// Appends the events `first` … `last`.
  std::string append(const std::string& topic, uint64_t first, uint64_t last);

  std::string append(const publication_ptr& x);

  /// Reads the offsets from `first` on.
  std::string read(const std::string& topic, uint64_t first,
                   size_t events_max = 1000, uint64_t last = 1'000'000);

  std::string read(store_query x);

  stored_topic load_all(const std::string& topic);

  std::vector<publication_ptr> read_all(store_query x);

  void save(const std::string& topic, uint64_t head, uint64_t first,
            uint64_t last);

  /// Saves where a group of a topic of epoch "e" stands; returns "8 saved" or
  /// "8 failed".
  std::string save_place(const std::string& topic, const group_place& where,
                         const std::string& epoch = "e");

  std::string forget_place(const std::string& topic, const std::string& group);

  /// Loads a topic and returns where its groups stand: "g 3-5 4x1; h 0-0".
  std::string places(const std::string& topic);

  /// Returns what there is of a topic with replicas.
  replica_record replica(const std::string& topic);

  /// Returns where the groups of such a topic stand; null: it has none.
  group_places_ptr replica_places(const std::string& topic);

  /// Makes a change of it; returns "a changed" or "a failed".
  std::string change(const std::string& topic, replica_write x);

  /// Returns an event of epoch "e" that was accepted at `now_ms`.
  publication_ptr event(const std::string& topic, uint64_t offset,
                        const std::string& id = {}) const;

  store_query query(const std::string& topic, uint64_t first) const;

  /// The stores' threads read it.
  std::atomic<int64_t> now_ms = 1'000'000;
  topic_options options{.history_size = 1000, .durability = durability::disk};
  std::shared_ptr<note_taker> notes = std::make_shared<note_taker>();
};

class memory_env : public store_env {
public:
  memory_env();

  event_store& store() override {
    return store_;
  }

  void restart(bool cleanly) override;

private:
  memory_store store_;
};

class disk_env : public store_env {
public:
  disk_env();

  event_store& store() override {
    return *store_;
  }

  void restart(bool cleanly) override;

  /// Ends the node without a word.
  void stop() {
    store_ = nullptr;
  }

  void start();

  [[nodiscard]] std::string file() const;

  scratch_folder folder;
  disk_store_options disk;

private:
  std::unique_ptr<disk_store> store_;
};

/// Calls `f` with a new store of each kind.
void for_each_store(const std::function<void(store_env&)>& f);

} // namespace callboard
