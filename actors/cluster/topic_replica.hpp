#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <callboard/actors/cluster/replica_messages.hpp>
#include <callboard/actors/replica_record.hpp>

namespace callboard {

/// A voter of a topic with replicas: decides who may acknowledge publications,
/// and which events of which log are the topic's (docs/decisions/0034). Pure:
/// messages, time and what the disk has done come in, effects go out.
///
/// Voters are known by their places: first those that keep events, in the order
/// in which they are to own the topic, then a witness if there is one.
class topic_replica {
public:
  static constexpr uint32_t voters_max = 3;

  /// Events that are kept until those in front of them have come.
  static constexpr size_t early_max = 1024;
  static constexpr int64_t early_bytes_max = int64_t{4} << 20;

  /// Ticks after which an owner goes on without who does not answer.
  static constexpr uint32_t patience_max = 2;

  /// Ticks without any progress after which it begins another term, or gives
  /// up if it did not serve yet.
  static constexpr uint32_t stalled_max = 10;

  /// Ticks for which it goes on with a witness and without a keeper that
  /// promised and then came to nothing, as its disk may be full.
  static constexpr uint32_t shunned_max = 300;

  struct seats {
    uint32_t self = 0;
    /// Voters that keep events, 2 … `voters`.
    uint32_t keepers = 0;
    /// 2 … `voters_max`.
    uint32_t voters = 0;
  };

  /// @param from what the disk has.
  /// @param places of the topic's groups on the disk; null: there are none.
  topic_replica(const seats& who, const replica_record& from,
                group_places_ptr places = nullptr);

  // -- what comes in ----------------------------------------------------------

  /// Begins a term, to serve the topic.
  /// @pre this voter keeps events.
  /// @param fresh_epoch that of the topic if there is none yet.
  void lead(std::string fresh_epoch);

  /// Serves no longer, and does not try to.
  void rest();

  /// Tells which voters can be reached, by bits; that of its own does not
  /// matter. Who was lost and is back is in this twice.
  void set_present(uint32_t places);

  void take(uint32_t from, const replica_message& x);

  /// The write that was asked for first is on the disk.
  void written();

  /// Says again what may have been lost; to be called about once a second.
  void tick();

  /// Adds an event.
  /// @pre it leads, and the event has the offset `head() + 1`.
  void append(const publication_ptr& x);

  /// Lets the groups stand there. What was said before counts no longer.
  /// @pre it leads.
  /// @returns the number by which `placed` tells that it is acknowledged.
  uint64_t place(group_places_ptr x);

  // -- what goes out ----------------------------------------------------------

  /// Returns what is to be done now.
  replica_effects take_effects() {
    return std::exchange(effects_, {});
  }

  /// Returns whether it serves the topic.
  [[nodiscard]] bool leads() const noexcept {
    return stage_ == stage::leads;
  }

  /// Returns whether it tries to.
  [[nodiscard]] bool seeks() const noexcept {
    return stage_ != stage::leads && stage_ != stage::follows;
  }

  /// Returns whether it serves without any other copy.
  [[nodiscard]] bool alone() const noexcept {
    return leads() && solo_;
  }

  /// Returns whether a new one, made of what is on the disk, is as good; it may
  /// have to be told again what to do.
  [[nodiscard]] bool idle() const noexcept {
    return stage_ == stage::follows && pending_.empty();
  }

  /// Returns the offset up to which all is acknowledged for good, as far as it
  /// is known; while it leads, that is exact.
  [[nodiscard]] uint64_t agreed() const noexcept {
    return now_.agreed;
  }

  /// Returns the number of the last places that are acknowledged, in its term.
  [[nodiscard]] uint64_t placed() const noexcept {
    return placed_;
  }

  /// Returns the offset of the last event, on the disk or on its way there.
  [[nodiscard]] uint64_t head() const noexcept {
    return now_.head;
  }

  [[nodiscard]] const std::string& epoch() const noexcept {
    return now_.epoch;
  }

  /// Returns its own term, or the one that it has promised.
  [[nodiscard]] uint64_t term() const noexcept {
    return now_.promised;
  }

  /// Returns what is on the disk.
  [[nodiscard]] const replica_record& on_disk() const noexcept {
    return disk_;
  }

private:
  enum class stage {
    follows,
    // For promises and votes.
    asks,
    // What the chosen log has and this one has not.
    fetches,
    // Waits until enough others are level, or the witness vouches.
    begins,
    leads,
  };

  struct voter {
    bool there = false;
    std::optional<replica_message> vote;
    // Whether it was level in this term, and then, how far it is.
    bool level = false;
    uint64_t head = 0;
    uint64_t placed = 0;
    // Ticks for which it is not counted on.
    uint32_t shunned = 0;
  };

  // The log that this one is brought level with.
  struct source {
    uint64_t term = 0;
    uint32_t place = 0;
    uint64_t log_term = 0;
    uint64_t head = 0;
    // What the groups' places are when it is level.
    uint64_t placed = 0;
    group_places_ptr places;
  };

  struct pending_write {
    replica_record after;
    group_places_ptr places;
    // What is told when it is on the disk.
    std::optional<std::pair<uint32_t, replica_call>> reply;
    uint64_t term = 0;
  };

  [[nodiscard]] bool keeps(uint32_t place) const noexcept {
    return place < who_.keepers;
  }

  // So many have what is acknowledged, or their witness.
  [[nodiscard]] uint32_t majority() const noexcept {
    return who_.voters / 2 + 1;
  }

  // Of so many votes one is from each majority.
  [[nodiscard]] uint32_t votes_min() const noexcept {
    return who_.voters - majority() + 1;
  }

  // -- as who is to be the owner (topic_replica_votes.cpp) --------------------

  void begin_asking();
  void ask(uint32_t place);
  void take_vote(uint32_t from, const replica_message& x);
  void take_refusal(const replica_message& x);
  void count_votes();
  void choose(uint32_t place, bool all_broken);

  // -- as the owner (topic_replica_owner.cpp) ---------------------------------

  void take_level(uint32_t from, const replica_message& x);

  // Goes on from where it is, if what it waits for is there.
  void advance();
  void begin_term();
  void begin_with_others();
  void tell_begin(uint32_t place);
  // What is appended, or only how far the log is; and where groups stand, if it
  // may not know.
  void tell_head(uint32_t place, const publication_ptr& added = nullptr);
  void agree();

  // Returns whether it has what this one has, on its disk.
  [[nodiscard]] bool has_all(const voter& x) const noexcept;

  // Returns how many others can be, or are, level.
  [[nodiscard]] uint32_t partners() const noexcept;
  [[nodiscard]] uint32_t level_ones() const noexcept;

  // Begins another term.
  void restart();

  // Goes on from where nothing happens any more: without who has not come to be
  // level, where there is a witness.
  void stall();

  // Serves no longer, and says so.
  void step_down();

  // -- as any voter -----------------------------------------------------------

  void take_ask(uint32_t from, const replica_message& x);
  void take_begin(uint32_t from, const replica_message& x);
  void take_fetch(uint32_t from, const replica_message& x);
  void take_events(uint32_t from, const replica_message& x);
  void take_append(uint32_t from, const replica_message& x);
  void take_vouch(uint32_t from, const replica_message& x);

  // Goes on with coming level with who owns the topic.
  void follow_on();
  void fetch();

  // Returns whether its log is one that was level with a log, so that one is
  // what the other begins with.
  [[nodiscard]] bool begins_like(uint64_t log_term,
                                 const std::string& epoch) const;

  // Keeps of its log what every other one of this epoch has for sure; to be
  // written. It counts for nothing until it is level again, and no log of a
  // term below `floor` does, which may lack what this one has lost.
  void cut_to_agreed(uint64_t floor, const std::string& epoch,
                     const std::string& new_epoch);

  // Its log is one of the source's term from now on, and its groups stand where
  // those of the source do.
  void be_level(replica_write& to);

  // Tells the source how far it is.
  // @pre it is level.
  void say_level();

  void set_places(replica_write& to, uint64_t placed, group_places_ptr x);

  // Returns whether this is told when what is on its way is on the disk.
  [[nodiscard]] bool will_say(uint32_t to, replica_call what,
                              uint64_t term) const;

  // Adds those that follow, and those that came too early.
  void add(replica_write& to, const std::vector<publication_ptr>& events);

  // Keeps an event until those in front of it have come.
  void keep_early(const publication_ptr& x);
  void drop_first_early();
  void forget_early();

  [[nodiscard]] static replica_message make(replica_call what, uint64_t term);
  [[nodiscard]] replica_message make_vote(uint64_t term) const;

  void send(uint32_t to, replica_message x);

  // Lets the record be written as it is now.
  void write(replica_write x = {});
  void write(replica_write x, uint32_t to, replica_call reply, uint64_t term);

  seats who_;
  // On the disk; and with all that is on its way there.
  replica_record disk_;
  replica_record now_;
  group_places_ptr disk_places_;
  group_places_ptr now_places_;
  std::deque<pending_write> pending_;
  stage stage_ = stage::follows;
  // The highest term that it has heard of.
  uint64_t seen_ = 0;
  // Where events come from, while it fetches or follows.
  source source_;
  bool fetching_ = false;
  // The highest head that the source has told.
  uint64_t wanted_ = 0;
  std::map<uint64_t, publication_ptr> early_;
  int64_t early_bytes_ = 0;
  // Of the term that it leads or tries to.
  uint64_t term_ = 0;
  std::string fresh_epoch_;
  std::string term_epoch_;
  uint64_t start_ = 0;
  // Whose log did not come when it was asked for.
  uint32_t unread_ = voters_max;
  bool outbid_ = false;
  bool told_ = false;
  bool solo_ = false;
  bool vouched_ = false;
  uint64_t placed_ = 0;
  uint32_t stalled_ = 0;
  std::array<voter, voters_max> voters_;
  replica_effects effects_;
};

} // namespace callboard
