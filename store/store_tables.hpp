#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <callboard/actors/event_store.hpp>
#include <callboard/actors/string_hash.hpp>
#include <callboard/store/database.hpp>
#include <callboard/store/event_run.hpp>

namespace callboard {

/// What the writer does with the tables. Calls that change something stand in a
/// transaction of the caller's, who says `rolled_back` if it failed. Everything
/// and `committed` if it did not. Everything throws `store_error`. Times are
/// Unix time in milliseconds.
class store_tables {
public:
  struct limits {
    /// How long an id counts, in milliseconds.
    int64_t ids_ms = 300'000;
    /// Rows of topics; further topics are refused.
    int64_t topics_max = 4'000'000;
    /// Topics that are remembered from one transaction to the next.
    size_t known_max = 100'000;
    /// Groups of one topic whose places are kept; those that were saved longest
    /// ago give way when the topic is loaded.
    size_t places_max = 10'000;
  };

  /// What a step of the sweep has done.
  struct sweep_result {
    /// How many rows went.
    size_t rows = 0;
    /// Whether there is more to remove at once.
    bool more = false;
  };

  /// How long a topic's place is remembered after its last event has gone, and
  /// after the place of one of its groups was saved.
  static constexpr int64_t empty_ms_max = int64_t{30} * 24 * 3600 * 1000;

  /// The same, if there is more than half of the topics that may be.
  static constexpr int64_t empty_ms_crowded = int64_t{3600} * 1000;

  /// An event that is later than the clock by more than this has its time from
  /// a clock that was wrong.
  static constexpr int64_t skew_ms_max = 60'000;

  /// Topics that were written and wait for the sweep; it finds others later.
  static constexpr size_t written_max = 65'536;

  /// A row takes no further event beyond these.
  static constexpr size_t run_bytes_max = 16 * 1024;

  store_tables(database& db, const limits& bounds);

  /// Begins a run of the node: what topics of durability `memory` have saved is
  /// void unless the last run ended cleanly. In a copy, all topics get another
  /// epoch.
  void begin_opening();

  /// The next run will find that this one ended cleanly.
  void mark_clean();

  stored_topic load(const std::string& topic, const topic_options& options,
                    int64_t now_ms);

  /// Takes an event; it is in its table after `flush`.
  /// @returns false if it does not follow the topic's last one, or if there are
  ///          too many topics.
  bool append(const publication& x, const topic_options& options);

  /// Lets a topic of `durability::disk` be kept by other options.
  /// @returns whether it changed something.
  bool set_options(const std::string& name, const topic_options& options);

  void flush();

  /// Keeps what there is of a topic. Of one that is not there and had no event,
  /// there is nothing to keep.
  /// @returns whether it changed something.
  bool save(const saved_topic& x);

  /// Keeps or forgets where a group stands.
  /// @returns false if its topic is there and is another one.
  bool save(const saved_place& x, int64_t now_ms);

  /// Returns what there is of a topic as a replica.
  replica_record load_replica(const std::string& name);

  /// Returns where the groups of such a topic stand; null: there are none.
  group_places_ptr load_replica_places(const std::string& name);

  /// Changes it. @returns false, and changes nothing, if it is not as the
  /// change was made for, or if there are too many topics.
  bool save(const std::string& name, const replica_write& x,
            const topic_options& options, int64_t now_ms);

  /// Removes a bounded number of events that nobody will ask for any more, and
  /// topics that have been empty for long. Looks at what was written first,
  /// then at all topics in turn, and goes on where it left off.
  sweep_result sweep(int64_t now_ms);

  void committed();

  void rolled_back();

  /// Returns what was found and could be left out since the last call; empty:
  /// nothing.
  [[nodiscard]] std::string take_damage() noexcept {
    return std::exchange(damage_, {});
  }

  /// Returns how many topics are remembered.
  [[nodiscard]] size_t known() const noexcept {
    return topics_.size();
  }

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
    // Whether this run has it in its memory.
    bool taken = false;
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

  // Returns null if there are too many.
  known_topic* make(const std::string& name, const std::string& epoch,
                    uint64_t head, bool saved, const topic_options& options);

  // Returns whether there may be one more; else it is told as damage.
  bool has_room_for_topic();

  // Returns whether there is a row about its promises.
  bool find_replica(const std::string& name, replica_record& x);

  // The same as `save` for the events, of which those up to `kept` stay.
  bool save_log(const std::string& name, const replica_write& x, uint64_t kept,
                const topic_options& options);

  // Lets the log end at `upto`, and removes all of it where `all` is set.
  void cut(known_topic& at, uint64_t upto, bool all);

  void write_place(int64_t topic, const group_place& x, int64_t now_ms);

  // Leaves the topic's rows to the sweep.
  void discard(const std::string& name, int64_t id);

  // Notes in whose hands it is from now on.
  void take(known_topic& at, bool in_memory);

  // Gives all topics another epoch: offsets behind those that are here may have
  // been given to other events already.
  void begin_anew();

  // What this run is told of a row's `life` and `taken`.
  [[nodiscard]] bool is_void(const statement& row, int life,
                             int taken) const noexcept;

  // What `life` says of a topic that this run keeps.
  [[nodiscard]] std::optional<int64_t> life_of(bool saved) const noexcept {
    return saved ? std::optional{generation_} : std::nullopt;
  }

  // Returns whether it changed something.
  bool set_options(known_topic& at, const topic_options& options);

  void add_to_run(known_topic& at, const publication& x);

  void write(open_run& x);

  void load_ids(int64_t topic, int64_t now_ms, std::vector<stored_id>& out);

  void load_saved_ids(known_topic& at, int64_t now_ms,
                      std::vector<stored_id>& out);

  // Returns null if it is damaged: then there is no last value.
  publication_ptr load_newest(const std::string& name, const known_topic& at);

  // Nobody stands beyond `head`: more comes again instead.
  std::vector<group_place> load_places(const known_topic& at, uint64_t head);

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
    int64_t ahead_ms = 0;
  };

  // A look at the oldest rows of a topic.
  struct oldest_rows {
    bool seen = false;
    // How many may go, up to which offset.
    size_t n = 0;
    uint64_t gone = 0;
    // Whether the last one of them is from the future.
    bool ahead = false;
  };

  void note_written(int64_t topic);

  void sweep_written(sweep_result& done, int64_t now_ms);

  void sweep_lap(sweep_result& done, int64_t now_ms);

  // Reads the first topic from this number on, and puts its number into `x`
  // before anything else can fail. Returns false if there is none.
  bool read_topic(int64_t from, swept_topic& x);

  // Returns how many rows went.
  size_t sweep_topic(const swept_topic& x, int64_t now_ms);

  oldest_rows look_at(const swept_topic& x, int64_t now_ms);

  void sweep_empty(const swept_topic& x, int64_t now_ms);

  // Returns whether it has replicas: they are not to hear that it never was.
  bool has_promises(const std::string& name);

  // Returns whether a group of the topic has been saved not too long ago.
  bool has_groups(int64_t topic, int64_t now_ms);

  database& db_;
  limits limits_;
  uint64_t opening_ = 0;
  int64_t generation_ = 0;
  topic_map topics_;
  // Rows of topics and of replicas, now and before the transaction.
  int64_t rows_ = 0;
  int64_t rows_before_ = 0;
  std::string damage_;
  std::vector<open_run> runs_;
  size_t runs_used_ = 0;
  // The topics that they are of.
  std::vector<known_topic*> filling_;
  // Topics that were written since the sweep has looked at them, how many of
  // them it looks at before it rests, and where it is among all topics.
  std::deque<int64_t> written_;
  std::unordered_set<int64_t> is_written_;
  size_t pass_left_ = 0;
  int64_t cursor_ = 0;
  statement find_;
  statement bounds_;
  statement insert_run_;
  statement swept_;
  statement last_;
  statement oldest_;
  statement replica_;
  statement save_replica_;
  statement save_place_;
};

} // namespace callboard
