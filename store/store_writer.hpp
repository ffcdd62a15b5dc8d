#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <callboard/store/disk_store.hpp>
#include <callboard/store/store_lock.hpp>
#include <callboard/store/store_tables.hpp>

namespace callboard {

/// What waits for a store's writer.
struct append_task {
  store_receiver_ptr to;
  publication_ptr event;
  topic_options options;
};

struct load_task {
  store_receiver_ptr to;
  std::string topic;
  topic_options options;
};

struct options_task {
  std::string topic;
  topic_options options;
};

struct places_task {
  store_receiver_ptr to;
  uint64_t token = 0;
  std::vector<saved_place> places;
};

struct replica_load_task {
  store_receiver_ptr to;
  std::string topic;
};

struct replica_task {
  store_receiver_ptr to;
  std::string topic;
  replica_write change;
  topic_options options;
};

using store_task
  = std::variant<append_task, load_task, saved_topic, places_task, options_task,
                 replica_load_task, replica_task>;

/// What is to be told to the receivers, one report for each.
class report_list {
public:
  store_report& of(const store_receiver_ptr& to);

  void appended(const store_receiver_ptr& to, bool committed);

  void loaded(const store_receiver_ptr& to, std::string topic,
              std::optional<stored_topic> what);

  void saved(const places_task& x, bool done);

  /// @param what null: that failed.
  void loaded(const replica_load_task& x, const replica_record* what,
              group_places_ptr places);

  void changed(const replica_task& x, bool done);

  void send();

private:
  std::vector<std::pair<store_receiver_ptr, store_report_ptr>> list_;
};

/// The part of a store that writes: the lock, the connection, and what happens
/// in transactions. It has no thread of its own.
class store_writer {
public:
  /// @param options outlive this.
  explicit store_writer(const disk_store_options& options);

  [[nodiscard]] bool is_open() const noexcept {
    return tables_ != nullptr;
  }

  /// Opens the store and begins a run of the node. Throws `store_error`.
  void open();

  /// What became of a transaction.
  struct result {
    /// A sentence; empty: it was committed.
    std::string trouble;
    /// Whether it put something on the disk.
    bool wrote = false;
  };

  /// Does what `tasks` say, in one transaction, and puts the answers into
  /// `out`. If nothing is open, everything fails. Does not throw.
  result run(std::span<store_task> tasks, report_list& out);

  /// Removes some of what nobody wants any more. Throws `store_error`.
  /// @returns whether there is more to remove at once.
  bool sweep();

  /// Marks that this run ended cleanly, and closes the store. Throws
  /// `store_error`.
  void finish();

  /// Returns what was found to be damaged since the last call; empty: nothing.
  [[nodiscard]] std::string take_damage() noexcept {
    auto found = is_open() ? tables_->take_damage() : std::string{};
    return found.empty() ? std::exchange(damage_, {}) : found;
  }

  /// Bytes of the file, without what waits in its log.
  [[nodiscard]] int64_t file_bytes();

  [[nodiscard]] uint64_t opening() const noexcept {
    return is_open() ? tables_->opening() : 0;
  }

private:
  [[nodiscard]] int64_t now_ms() const;

  // Returns nothing if what there is of the topic is damaged.
  std::optional<stored_topic> load(const load_task& x);

  bool save(const places_task& x);

  // The same as `load` for damage.
  bool save(const replica_task& x);

  // In a handler: notes damage that others need not suffer for, and throws
  // again what they have to.
  void note_damage(const store_error& e);

  const disk_store_options& options_;
  std::unique_ptr<store_lock> lock_;
  std::unique_ptr<database> db_;
  std::unique_ptr<store_tables> tables_;
  std::string damage_;
};

} // namespace callboard
