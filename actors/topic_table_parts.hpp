#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <callboard/actors/topic_table.hpp>
#include <callboard/messages/topic.hpp>

// What a topic table is made of. Not installed.

namespace callboard {

/// Why subscribers are told of a gap where something died.
inline constexpr std::string_view events_lost = "events lost";

/// A round of asking all shards for the last values of a pattern's topics.
struct gathering {
  /// How far a shard is.
  struct progress {
    /// The last topic of its pages until now.
    std::string upto;
    bool asked = false;
    // Whether it has come to topics of other nodes.
    bool own_done = false;
    bool done = false;
  };

  uint64_t number = 0;
  std::vector<progress> shards;
  std::vector<publication_ptr> values;
  /// What was published to topics behind the pages that they were in.
  std::vector<publication_ptr> since;
  int64_t since_bytes = 0;
};

/// A topic or pattern that somebody on this loop subscribes to.
struct local_topic {
  local_topic(std::string_view subject, const std::vector<topic_rule>& rules)
    : name{subject}, pattern{is_pattern(subject)} {
    if (pattern) {
      retains = may_retain(rules, subject);
      return;
    }
    auto& options = options_of(rules, subject);
    presence = options.presence;
    overflow = options.overflow;
    retain = options.retain;
  }

  std::string name;
  bool pattern;
  // Whether the owner keeps who is here.
  bool presence = false;
  overflow_policy overflow = overflow_policy::disconnect;
  // Whether the owner, or for a pattern every shard, has answered.
  bool ready = false;
  // Whether a batch waits to be shared out.
  bool pending = false;
  // Whether newcomers get the last value.
  bool retain = false;
  // Of a pattern: whether topics that match may retain their last value.
  bool retains = false;
  // Of a pattern that is ready: whether events are lost until it is confirmed.
  bool loses = false;
  // Whether the owner was asked for history and has not answered, and whether
  // it, or for a pattern some shard, has to be.
  bool fetching = false;
  bool wanting = false;
  uint64_t generation = 0;
  topic_position position;
  // For a pattern: the shards that have confirmed it.
  std::vector<bool> confirmed;
  // For a pattern: set while last values are asked for.
  std::unique_ptr<gathering> values;
  // One receiver; the outbox stands here too because every delivery needs it.
  struct receiver {
    outbox* box;
    subscription* held;
  };
  // Receivers of bytes, a list for each form, and what they get in this turn.
  struct receivers {
    std::vector<receiver> list;
    chunk_ptr batch;
  };
  std::array<receivers, wire_form_count> forms;
  // The events in the batches, where those who lag may have to be given them.
  std::vector<publication_ptr> fresh;
  // Receivers of values.
  std::vector<receiver> actors;
  // Those who get what they missed, and not yet what comes.
  std::vector<receiver> behind;
  // Those who want to hear who comes and goes.
  std::vector<subscription*> watchers;
  // What newcomers to a topic get first; or null.
  publication_ptr retained;

  // What events say of the subscription.
  [[nodiscard]] std::string_view pattern_name() const noexcept {
    return pattern ? std::string_view{name} : std::string_view{};
  }

  // Takes the last value that the owner, whose rules may be older, lets
  // newcomers get; or null.
  // @param newer rules by which the topic may not go yet; or null.
  void keep(publication_ptr x, const std::vector<topic_rule>* newer) {
    if (newer != nullptr)
      retain = options_of(*newer, name).retain;
    retained = retain ? std::move(x) : nullptr;
  }

  std::vector<receiver>& list_of(const subscription& x) {
    if (x.behind != nullptr)
      return behind;
    return x.takes_bytes ? forms[static_cast<size_t>(x.box->form())].list
                         : actors;
  }

  // Calls `f` for every subscription that gets what comes and whose owner is
  // there.
  template <class F>
  void for_each(F&& f) {
    auto visit = [&f](std::vector<receiver>& list) {
      for (auto& x : list)
        if (x.box->owner != nullptr)
          f(*x.held);
    };
    for (auto& form : forms)
      visit(form.list);
    visit(actors);
  }

  size_t size() const noexcept {
    auto n = actors.size() + behind.size();
    for (auto& x : forms)
      n += x.list.size();
    return n;
  }
};

/// A run of a slice's events, encoded.
struct replay_chunk {
  chunk_ptr bytes;
  /// The index of the first event behind it.
  size_t end = 0;
};

/// The chunks of a slice that were encoded for somebody. All who go through the
/// slice share them.
struct replay_chunks {
  /// By the index of the first event and the form.
  std::map<std::pair<size_t, wire_form>, replay_chunk> made;
  /// The last one for somebody who published some of the events with noEcho.
  replay_chunk own;
};

/// What is held for a subscriber that reads too slowly. Its outbox counts it.
struct backlog {
  explicit backlog(outbox& x) noexcept : box{x} {
  }

  backlog(const backlog&) = delete;

  backlog& operator=(const backlog&) = delete;

  ~backlog() {
    clear();
  }

  outbox& box;
  std::deque<publication_ptr> held;
  /// Whether events were dropped in front of what is held, and behind it; of a
  /// pattern the second one only: whether some may have been lost.
  bool gap_before = false;
  bool gap_after = false;

  [[nodiscard]] bool has_room(const publication& x) const noexcept {
    return box.held_bytes == 0
           || box.held_bytes + x.cost()
                <= static_cast<int64_t>(box.bytes_max() / 2);
  }

  void add(publication_ptr x) {
    box.held_bytes += x->cost();
    held.push_back(std::move(x));
  }

  void drop_front() {
    box.held_bytes -= held.front()->cost();
    held.pop_front();
  }

  void clear() {
    while (!held.empty())
      drop_front();
  }
};

/// How far a subscription is with what it missed.
struct replay {
  enum class stage : uint8_t {
    /// The owner has to be asked.
    waiting,
    asked,
    /// It gets its slice.
    replaying,
    /// Its outbox has no room.
    stalled,
    /// It missed nothing that was not dropped, but reads too slowly.
    lagging,
  };

  /// The last event that it has.
  topic_position since;
  stage at = stage::waiting;
  /// Whether it was told that it gets what it missed.
  bool answered = false;
  history_slice_ptr slice;
  std::shared_ptr<replay_chunks> chunks;
  /// The index of the next event in the slice.
  size_t next = 0;
  /// How many events in front of the slice are last values.
  size_t retained = 0;
  /// Whether it gets the rest at once.
  bool hurried = false;
  /// Set for one that lags, and for a newcomer to a pattern that gets its
  /// slice.
  std::unique_ptr<backlog> late;
};

/// Returns whether the event is not for its publisher, and that is who `x` is.
inline bool is_own(const subscription& x, const publication& event) noexcept {
  return event.no_echo && event.publisher == x.box->connection;
}

} // namespace callboard
