#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <callboard/actors/history.hpp>
#include <callboard/actors/outbox.hpp>
#include <callboard/actors/pattern_tree.hpp>
#include <callboard/actors/presence.hpp>
#include <callboard/actors/publication.hpp>
#include <callboard/actors/retained.hpp>
#include <callboard/actors/string_hash.hpp>
#include <callboard/actors/subscriber.hpp>
#include <callboard/actors/subscription.hpp>
#include <callboard/actors/topic_options.hpp>

namespace callboard {

struct backlog;
struct local_topic;
struct replay_chunk;

/// A loop's subscriptions: which outboxes get which topics and patterns. Pure
/// and single-threaded. It belongs to the loop and outlives the broker shard
/// that serves it. Events of one topic that arrive in one turn are encoded into
/// one run of bytes for each form, which all its receivers share.
class topic_table {
public:
  /// @param rules tell what topics keep; they outlive this, or the next
  ///              `set_rules`.
  /// @param values_max last values that a newcomer to a pattern may get.
  topic_table(outbox_scheduler& scheduler, framing& wire,
              const std::vector<topic_rule>& rules, size_t values_max);

  ~topic_table();

  // -- subscribing ------------------------------------------------------------

  enum class subscribe_result {
    /// The owner must be asked to attach this loop; `on_subscribed` follows.
    attach,
    /// The owner has been asked already; `on_subscribed` follows.
    waiting,
    /// `on_subscribed` was called.
    subscribed,
    /// The outbox has this subscription.
    duplicate,
  };

  /// Subscribes `box` to a topic or pattern.
  /// @param takes_bytes false for a subscriber that wants `on_event`.
  /// @param since where the subscriber left off; null: it wants what comes.
  /// @param watches whether it wants to hear who comes and goes.
  subscribe_result subscribe(outbox& box, std::string_view subject,
                             uint32_t seq_id, bool takes_bytes = true,
                             const topic_position* since = nullptr,
                             bool watches = false);

  struct unsubscribe_result {
    /// Whether there was such a subscription.
    bool found = false;
    /// Whether the owner must be told to detach this loop.
    bool detach = false;
    /// The seqId of a subscribe that waits and will not be answered; or 0.
    uint32_t waiting_seq_id = 0;
  };

  unsubscribe_result unsubscribe(outbox& box, std::string_view subject);

  /// Returns whether `box` is subscribed to `subject`.
  [[nodiscard]] static bool has(const outbox& box, std::string_view subject);

  /// Returns the topics and patterns that an outbox subscribes.
  static std::vector<std::string> subjects_of(const outbox& box);

  /// Takes back all subscriptions of `box` and appends the subjects for which
  /// the owner must be told to `detached`.
  void remove(outbox& box, std::vector<std::string>& detached);

  // -- from the owners --------------------------------------------------------

  /// Returns a new generation for asking the owner of `subject` to attach this
  /// loop. An answer to an older question is ignored, because events may have
  /// passed between the two. 0 if nobody subscribes to it.
  uint64_t new_generation(std::string_view subject);

  /// The owner of `topic` sends its events from now on.
  /// @param retained the topic's last value, or null.
  void attached(std::string_view topic, uint64_t generation,
                topic_position position, publication_ptr retained = nullptr);

  /// The owner of `topic` cannot attach it: those who wait are refused.
  /// @returns whether nobody is left for whom the owner should remember it.
  bool refused(std::string_view topic, uint64_t generation, errc why);

  /// Shard `shard` of `shards` knows the pattern.
  void pattern_attached(std::string_view pattern, uint64_t generation,
                        uint32_t shard, uint32_t shards);

  /// Encodes the event for everybody on this loop who wants it.
  /// @returns the number of receivers.
  size_t deliver(const publication_ptr& what);

  // -- what was lost ----------------------------------------------------------

  /// Events of topics that match a pattern are lost until the owners know it
  /// anew: its subscribers are told so once all shards have confirmed that.
  void lose_until_attached(std::string_view pattern);

  /// Events may have been lost: tells those who have them by a pattern with
  /// `is_meant(name)`, and asks anew for newcomers who wait for last values.
  template <class F>
  void lose_events(F&& is_meant) {
    for (auto& [name, x] : patterns_)
      if (is_meant(name))
        tell_lost(*x);
  }

  /// The same of all patterns.
  void lose_events() {
    lose_events([](auto&) { return true; });
  }

  // -- what was missed --------------------------------------------------------

  /// Calls `ask(topic, first)` for every topic whose owner must be asked for
  /// its publications from the offset `first` on; `fetched` takes the answer.
  /// What several subscribers missed is asked for once.
  template <class F>
  void take_wanted(F&& ask) {
    for (auto* x : std::exchange(wanting_, {}))
      if (auto first = want(*x); first != 0)
        ask(name_of(*x), first);
  }

  /// The owner's answer, between the events that it sent before and after.
  void fetched(const history_slice_ptr& slice);

  /// Returns what the shards, by their numbers, must be asked for newcomers to
  /// patterns; `fetched` takes the answers. The loop is left to be filled in.
  std::vector<std::pair<uint32_t, retained_query>>
  take_retained_queries(uint32_t shards);

  /// A shard's answer, between the events that it sent before and after.
  void fetched(const retained_page& page);

  /// Gives those who are behind some of what they missed, in turn, a bounded
  /// number of bytes in all.
  void advance();

  /// Returns whether `advance` has something to do at once.
  [[nodiscard]] bool advancing() const noexcept {
    return !replaying_.empty() || !wanting_.empty() || !gathering_.empty();
  }

  /// Returns how many events `advance` gave since the last call, less those
  /// that `deliver` counted for somebody who turned out to have no room.
  int64_t take_replayed() noexcept {
    return std::exchange(replayed_, 0);
  }

  /// Returns how many events were dropped for a subscriber since the last call,
  /// by policy.
  std::array<uint64_t, overflow_policy_count> take_drops() noexcept {
    return std::exchange(drops_, {});
  }

  // -- presence ---------------------------------------------------------------

  /// Returns what the owners must be told of who is here, since the last call.
  std::vector<presence_change> take_presence() {
    return std::exchange(presence_changes_, {});
  }

  /// Tells the owner of `topic`, a new one if it has `moved`, who is here.
  void tell_presence_again(std::string_view topic, bool moved = false);

  /// Tells the watchers of `topic` that they must ask again who is there.
  /// @returns the number of frames.
  size_t reset_presence(std::string_view topic, int64_t unix_ms);

  /// Tells the watchers of a topic who came and who went.
  /// @param node the node's name, for those of its connections.
  /// @returns the number of frames.
  size_t deliver_presence(const presence_news& news, std::string_view node);

  // -- rules that change ------------------------------------------------------

  /// Lets what is subscribed from now on go by these rules, and the rest once
  /// `revise` has come to it.
  /// @param rules outlive this, or the next call.
  void set_rules(const std::vector<topic_rule>& rules) noexcept;

  /// Goes on with letting what is subscribed go by the rules.
  /// @param work about how many topics and patterns are looked at.
  /// @param unix_ms the time.
  /// @returns whether all go by them.
  bool revise(size_t work, int64_t unix_ms);

  /// Returns how many frames of presence `revise` has written since the last
  /// call.
  size_t take_presence_frames() noexcept {
    return std::exchange(presence_frames_, 0);
  }

  // -- events -----------------------------------------------------------------

  /// Shares out what `deliver` encoded since the last call. Called at the end
  /// of a turn, before the outboxes are flushed.
  void flush();

  // -- state ------------------------------------------------------------------

  /// Calls `f(subject, is_pattern)` for everything that this loop subscribes.
  template <class F>
  void for_each_subject(F&& f) const {
    for (auto& [name, topic] : topics_)
      f(name, false);
    for (auto& [name, topic] : patterns_)
      f(name, true);
  }

  [[nodiscard]] size_t topics() const noexcept {
    return topics_.size() + patterns_.size();
  }

  [[nodiscard]] size_t subscriptions() const noexcept {
    return subscriptions_;
  }

  /// Returns how many there are to a topic, or to a pattern.
  [[nodiscard]] size_t subscribers(std::string_view subject) const;

private:
  using topic_map
    = std::unordered_map<std::string, std::unique_ptr<local_topic>, string_hash,
                         std::equal_to<>>;

  // How far `revise` has come in a map: its next bucket, and how many it had.
  struct lap {
    size_t next = 0;
    size_t buckets = 0;
    bool done = true;
  };

  // Goes on in a map. Takes what it looked at off `work`.
  void revise(topic_map& map, lap& at, size_t& work);

  void revise(local_topic& topic);

  void change_overflow(local_topic& topic, overflow_policy x);

  // Takes all out who are here, and lets the watchers ask anew.
  void end_presence(local_topic& topic);

  size_t deliver_to(local_topic& topic, const publication_ptr& what,
                    std::string_view pattern);

  // Appends the topic's batches to the outboxes of all receivers but `except`.
  void share_out(local_topic& topic, connection_id except = 0);

  // Calls `give(outbox, batch)` for every receiver of what is encoded.
  template <class F>
  void share(local_topic& topic, F&& give);

  // Appends the frame of an event.
  void encode(wire_form form, const publication& event,
              std::string_view pattern, bool retained, byte_buffer& out) const;

  // Tells that `x` holds from now on, and the topic's last value.
  void welcome(local_topic& topic, subscription& x, recovery missed);

  // Tells all receivers where the topic stands; those of a pattern, of a gap.
  void tell_position(local_topic& topic, std::string_view reason);
  void tell_lost(local_topic& pattern);
  static void tell_gap(subscription& x);

  // Keeps an event for those who lag, and for those who will by the turn's end.
  void hold(local_topic& topic, const publication_ptr& event);

  // Holds `event` for `x`, which lags, or drops what the policy says.
  void offer(subscription& x, const publication_ptr& event);

  // Takes `x`, for which there is no room, out of the receivers.
  void lag(subscription& x);

  // Gives `x`, which lags, what is held for it as far as it has room.
  void catch_up(subscription& x);

  // Drops what is held for those who lag, or for one: a gap is behind it.
  void drop_held(local_topic& topic);
  void drop_held(backlog& late, overflow_policy policy);

  // Lets the shards be asked for last values.
  void ask_values(local_topic& pattern);

  // Those who wait get them, or none.
  void end_round(local_topic& pattern, last_values outcome);

  // Asks all shards anew, if they were being asked.
  void begin_round_again(local_topic& pattern);

  // Keeps an event for those who do not have the last values yet.
  void keep_for_newcomers(local_topic& pattern, const publication_ptr& event);

  // Gives `x`, a newcomer, all that is left, whether or not it has room.
  void give_rest(subscription& x);

  // Lets `x`, which was behind, get what comes from now on.
  void join(subscription& x);

  // Decides about those who wait to hear of what they missed, where that needs
  // no history; the others will be asked for.
  void settle(local_topic& topic);

  void settle(subscription& x);

  // Returns the offset from which on the topic's history is needed; 0: it is
  // not.
  uint64_t want(local_topic& topic);

  static const std::string& name_of(const local_topic& topic) noexcept;

  // Gives `x` what it missed as far as it has room.
  void go_on(subscription& x);

  // Returns the chunk that `x` gets next; valid until the next call.
  const replay_chunk& chunk_for(subscription& x);

  // Gives `x` the next chunk.
  // @returns its size in bytes; 0 if there was no room.
  size_t give_chunk(subscription& x);

  // It has all of its slice: lets it join, or asks for more.
  void caught_up(subscription& x);

  // It can have no more without a gap: tells it so and lets it join.
  void give_up(subscription& x);

  void erase(subscription& x);

  // Takes `x` out of its topic's list, in which the last one takes its place,
  // and puts it in.
  void take_out(subscription& x);
  static void put_in(subscription& x);

  bool erase_if_unused(local_topic& topic);

  // Tells the owner that `x` has come, and that it watches.
  void enter_presence(subscription& x, bool watches);

  void leave_presence(subscription& x);

  void tell_owner(presence_change::kind what, const local_topic& topic,
                  connection_id connection = 0, std::string_view user = {});

  // Writes `content`, one payload, to all watchers of `topic`.
  size_t write_to_watchers(local_topic& topic, const byte_buffer& content,
                           int64_t unix_ms);

  local_topic* find(std::string_view subject) const;

  outbox_scheduler& scheduler_;
  framing& wire_;
  const std::vector<topic_rule>* rules_;
  lap topics_lap_;
  lap patterns_lap_;
  // The time of the last `revise`.
  int64_t revised_ms_ = 0;
  size_t presence_frames_ = 0;
  topic_map topics_;
  topic_map patterns_;
  pattern_tree<local_topic*> tree_;
  // Topics with events that are encoded and not yet shared out.
  std::vector<local_topic*> pending_;
  std::vector<local_topic*> matched_;
  // Topics with subscribers who wait for history that was not asked for yet.
  std::vector<local_topic*> wanting_;
  // Subscriptions that are behind and have room for more.
  std::deque<subscription*> replaying_;
  // Patterns for which shards have to be asked for last values.
  std::vector<local_topic*> gathering_;
  size_t values_max_;
  std::vector<presence_change> presence_changes_;
  // Given to them in this turn.
  size_t given_bytes_ = 0;
  int64_t replayed_ = 0;
  std::array<uint64_t, overflow_policy_count> drops_{};
  size_t subscriptions_ = 0;
  uint64_t generation_ = 0;
};

} // namespace callboard
