#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <callboard/actors/event_store.hpp>
#include <callboard/actors/string_hash.hpp>
#include <callboard/store/database.hpp>
#include <callboard/store/event_run.hpp>

namespace callboard {

/// What the writer does with the tables. Calls that change something stand in a
/// transaction of the caller's, who says `rolled_back` if it failed. Everything
/// throws `store_error`. Times are Unix time in milliseconds.
class store_tables {
public:
  /// How long a topic's place is remembered after its last event has gone.
  static constexpr int64_t empty_ms_max = int64_t{30} * 24 * 3600 * 1000;

  /// A row takes no further event beyond these.
  static constexpr size_t run_bytes_max = 16 * 1024;

  /// @param ids_ms how long an id counts.
  store_tables(database& db, int64_t ids_ms);

  /// Begins a run of the node: what topics of durability `memory` have saved is
  /// void unless the last run ended cleanly.
  void begin_opening();

  /// The next run will find that this one ended cleanly.
  void mark_clean();

  stored_topic load(const std::string& topic, const topic_options& options,
                    int64_t now_ms);

  /// Takes an event; it is in its table after `flush`.
  /// @returns false if it does not follow the topic's last one.
  bool append(const publication& x, const topic_options& options);

  void flush();

  void save(const saved_topic& x);

  /// Removes a bounded number of events that nobody will ask for any more, and
  /// topics that have been empty for long. Goes on where it left off.
  /// @returns how many rows went.
  size_t sweep(int64_t now_ms);

  /// The transaction was not committed.
  void rolled_back();

  [[nodiscard]] uint64_t opening() const noexcept {
    return opening_;
  }

private:
  // A row of `topics` as this run knows it.
  struct known_topic {
    int64_t id = 0;
    std::string epoch;
    uint64_t head = 0;
    bool saved = false;
    bool is_void = false;
    bool has_ids = false;
    topic_options options;
    // The run that is being filled, plus one; 0: none.
    size_t run = 0;
  };

  struct open_run {
    event_run bytes;
    int64_t topic = 0;
    int64_t at_ms = 0;
    bool has_ids = false;
  };

  using topic_map = std::unordered_map<std::string, known_topic, string_hash,
                                       std::equal_to<>>;

  // Returns the topic, or null if there is none.
  known_topic* find(const std::string& name);

  known_topic& make(const std::string& name, const std::string& epoch,
                    uint64_t head, bool saved, const topic_options& options);

  // Leaves the topic's rows to the sweep.
  void discard(const std::string& name);

  // What `life` says of a topic that this run keeps.
  [[nodiscard]] std::optional<int64_t> life_of(bool saved) const noexcept {
    return saved ? std::optional{generation_} : std::nullopt;
  }

  void set_options(known_topic& at, const topic_options& options);

  void add_to_run(known_topic& at, const publication& x);

  void write(open_run& x);

  void load_ids(int64_t topic, int64_t now_ms, std::vector<stored_id>& out);

  void load_saved_ids(known_topic& at, int64_t now_ms,
                      std::vector<stored_id>& out);

  publication_ptr load_newest(const std::string& name, const known_topic& at);

  // What the sweep needs to know of a topic.
  struct swept_topic {
    int64_t id = 0;
    std::string name;
    uint64_t head = 0;
    bool is_void = false;
    uint64_t keep_from = 0;
    int64_t ttl_ms = 0;
    bool retain = false;
    int64_t emptied_ms = 0;
  };

  // Returns whether there is another topic behind the cursor.
  bool next_topic(swept_topic& x);

  size_t sweep(const swept_topic& x, int64_t now_ms);

  void sweep_empty(const swept_topic& x, int64_t now_ms);

  database& db_;
  int64_t ids_ms_;
  uint64_t opening_ = 0;
  int64_t generation_ = 0;
  topic_map topics_;
  // Topics of durability `memory` that are in use.
  std::unordered_set<std::string> taken_;
  std::vector<open_run> runs_;
  size_t runs_used_ = 0;
  // The topics that they are of.
  std::vector<known_topic*> filling_;
  int64_t cursor_ = 0;
  statement find_;
  statement bounds_;
  statement insert_run_;
};

} // namespace callboard
