#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <callboard/actors/event_store.hpp>
#include <callboard/actors/history.hpp>
#include <callboard/actors/linked_list.hpp>
#include <callboard/actors/loop_set.hpp>
#include <callboard/actors/messages.hpp>
#include <callboard/actors/moved_topic.hpp>
#include <callboard/actors/pattern_tree.hpp>
#include <callboard/actors/publication.hpp>
#include <callboard/actors/string_hash.hpp>
#include <callboard/actors/token_bucket.hpp>
#include <callboard/actors/topic_options.hpp>
#include <callboard/actors/topic_search.hpp>

namespace callboard {

/// The topics that one broker shard owns: their epochs and offsets, which loops
/// want them, what they keep, and the ids that were published. Pure; times are
/// milliseconds of the caller's clock.
class owned_topics {
public:
  /// Ids that one topic remembers; the oldest gives way.
  static constexpr size_t ids_max = 65'536;

  struct limits {
    /// Topics that may live at once, from 1.
    size_t topics_max;
    /// How long an unused topic and an id are kept, from 1.
    int64_t linger_ms;
    /// What the topics may keep together, in bytes.
    int64_t history_bytes_max;
    /// What the ids may take that the topics remember, in bytes. A topic's last
    /// id is remembered in any case.
    int64_t ids_bytes_max = int64_t{1} << 40;
  };

  /// @param rules outlive this, or the next `set_rules`.
  owned_topics(const limits& bounds, const std::vector<topic_rule>& rules);

  owned_topics(const owned_topics&) = delete;
  owned_topics& operator=(const owned_topics&) = delete;

  /// What became of a publication.
  enum class publish_result {
    /// It has its offset and epoch now.
    accepted,
    /// Its id was accepted before; `offset` is that one's.
    duplicate,
    /// There are too many topics, or they keep too much.
    full,
    /// Its rule allows no more for now; `wait_ms` tells for how long.
    limited,
  };

  /// Gives `x` its offset and epoch, and keeps it where the topic does.
  /// @param make_epoch is called where the topic has to be made.
  template <class MakeEpoch>
  publish_result
  publish(const publication_ptr& x, int64_t now_ms, MakeEpoch&& make_epoch) {
    auto* topic = find_or_make(x->topic, make_epoch);
    return topic == nullptr ? publish_result::full : publish(*topic, x, now_ms);
  }

  /// Takes its place in the topic's rate, which a repeated `id` needs as well.
  /// The application's publications need none. `publish` does so by itself.
  /// @returns 0; or in how many milliseconds there is one.
  int64_t take_place(const publication& x, int64_t now_ms);

  /// Returns for how many milliseconds the last one that was `limited` has to
  /// wait.
  [[nodiscard]] int64_t wait_ms() const noexcept {
    return wait_ms_;
  }

  /// Sends `loop` the events of `topic` from now on.
  /// @returns where the topic stands, or nothing if there are too many.
  template <class MakeEpoch>
  std::optional<position>
  attach(uint32_t loop, std::string_view topic, MakeEpoch&& make_epoch) {
    auto* x = find_or_make(topic, make_epoch);
    if (x == nullptr)
      return std::nullopt;
    x->loops.set(loop, true);
    return position{x->epoch, x->offset};
  }

  // -- topics that a store keeps ----------------------------------------------

  /// Returns the options of a topic that lives, or null.
  [[nodiscard]] const topic_options*
  options_if_known(std::string_view topic) const;

  /// Makes `topic` as a store has it.
  /// @param options what it goes by.
  /// @param unix_ms the time on the store's clock.
  /// @returns false if there are too many topics.
  bool restore(std::string_view topic, const stored_topic& from,
               const topic_options& options, int64_t now_ms, int64_t unix_ms);

  /// Returns whether the topic may keep `x`.
  [[nodiscard]] bool has_room(std::string_view topic,
                              const publication& x) const;

  /// Returns whether the id of `x` was accepted before, and if so gives `x`
  /// that one's offset and epoch.
  bool find_duplicate(publication& x, int64_t now_ms);

  /// Takes what has its offset, the topic's last one plus one.
  void accept(const publication_ptr& x, int64_t now_ms);

  /// Returns what `topic` has kept and a store does not have.
  /// @param stored the last offset that the store has.
  saved_topic leave(std::string_view topic, uint64_t stored, int64_t now_ms,
                    int64_t unix_ms) const;

  /// Forgets a topic. It has the same rate again if it is made anew before the
  /// next rules.
  void drop(std::string_view topic);

  // -- rules that change ------------------------------------------------------

  /// Lets new topics go by these rules, and those that live once `revise` has
  /// come to them.
  /// @param rules outlive this, or the next call.
  void set_rules(const std::vector<topic_rule>& rules) noexcept;

  /// Is told of a topic that goes by other options now.
  using revised_topic
    = std::function<void(const std::string& name, const topic_options& before,
                         const topic_options& now)>;

  /// Goes on with letting those that live go by the rules (see
  /// `callboard::revised`), and forgets what these do not let them keep. Times
  /// of a history count from when its publications were accepted.
  /// @param work about how many topics and publications are looked at.
  /// @returns whether all go by them.
  bool revise(size_t work, int64_t now_ms, const revised_topic& tell);

  /// Returns how many topics of those that `revise` has seen since `set_rules`
  /// have another durability than the rules say.
  [[nodiscard]] size_t unlike() const noexcept {
    return lap_.unlike;
  }

  // -- reading ----------------------------------------------------------------

  /// Returns the last value that `topic` keeps for newcomers, or null.
  publication_ptr retained(std::string_view topic) const;

  /// Appends last values of topics that match `pattern` to `out`, in the order
  /// of the topics' names.
  /// @param after those behind this name; empty: from the first one on.
  /// @param topics_max how many topics are looked at, from 1.
  /// @returns the last one that was looked at; empty: all were.
  std::string collect_retained(std::string_view pattern, std::string_view after,
                               size_t topics_max,
                               std::vector<publication_ptr>& out) const;

  /// Returns where `topic` stands, or nothing if there are too many.
  template <class MakeEpoch>
  std::optional<position>
  position_of(std::string_view topic, int64_t now_ms, MakeEpoch&& make_epoch) {
    auto* x = find_or_make(topic, make_epoch);
    if (x == nullptr)
      return std::nullopt;
    x->used_ms = now_ms;
    return position{x->epoch, x->offset};
  }

  /// Returns the offset of the oldest publication that `topic` has kept; 0 if
  /// there is none.
  uint64_t oldest(std::string_view topic, int64_t now_ms);

  /// Reads what `topic` has kept.
  /// @param first the lowest offset wanted.
  /// @param limit the most events wanted.
  /// @param bytes_max about the most bytes wanted.
  /// @returns an empty epoch if there is no such topic.
  history_slice_ptr read(std::string_view topic, uint64_t first, size_t limit,
                         int64_t bytes_max, int64_t now_ms);

  void attach_pattern(uint32_t loop, std::string_view pattern);

  void detach(uint32_t loop, std::string_view subject, int64_t now_ms);

  /// Takes a loop out of all topics for which `is_meant(name)`.
  template <class IsMeant>
  void detach_from_topics(uint32_t loop, int64_t now_ms, IsMeant&& is_meant) {
    for (auto& [name, x] : topics_)
      if (x.loops.contains(loop) && is_meant(name)) {
        x.loops.set(loop, false);
        x.used_ms = now_ms;
      }
  }

  /// Gives the topics without `stays(name)` away, each to `f`.
  template <class Stays, class F>
  void extract_unless(Stays&& stays, F&& f) {
    for (auto i = topics_.begin(); i != topics_.end();)
      if (auto at = i++; !stays(at->first))
        f(extract(at));
  }

  /// Takes a topic out that is there.
  moved_topic extract(std::string_view topic);

  /// Makes a topic that another owner has given away, if there is none.
  /// @returns false if there are too many topics.
  bool adopt(moved_topic x, int64_t now_ms);

  /// Returns the loops that want a topic's events; valid until the next call.
  const loop_set& loops_of(std::string_view topic);

  /// Returns whether a loop wants a topic not only by a pattern.
  [[nodiscard]] bool has(uint32_t loop, std::string_view topic) const;

  /// Keeps a topic although nobody uses it, or no longer does.
  void hold(std::string_view topic, bool held);

  /// Returns whether `topic` keeps publications for those who come back.
  [[nodiscard]] bool keeps_history(std::string_view topic) const;

  /// Forgets unused topics and old ids. A topic that was published to at a rate
  /// is kept until a new one could be no faster.
  /// @param may_go is asked with the name of a topic that a store keeps before
  ///        it is forgotten.
  template <class MayGo = bool (*)(const std::string&)>
  void expire(
    int64_t now_ms, MayGo&& may_go = [](const std::string&) { return true; }) {
    for (auto i = topics_.begin(); i != topics_.end();) {
      auto at = i++;
      auto& [name, x] = *at;
      if (expire(x, now_ms)
          && (x.options.durability == durability::none || may_go(name))) {
        forget(x);
        topics_.erase(at);
      }
    }
    std::erase_if(rates_, [now_ms](auto& x) { return x.second->full(now_ms); });
  }

  /// Goes on with giving `x` the topics that it wants. It begins anew where the
  /// table has grown.
  /// @param work about how many topics are looked at.
  /// @returns whether all were.
  bool look_for(topic_search& x, size_t work) const;

  [[nodiscard]] size_t size() const noexcept {
    return topics_.size();
  }

  /// Returns roughly the memory of all that is kept, in bytes.
  [[nodiscard]] int64_t kept_bytes() const noexcept {
    return kept_bytes_;
  }

  /// Returns roughly the memory of all ids that are remembered, in bytes.
  [[nodiscard]] int64_t ids_bytes() const noexcept {
    return ids_bytes_;
  }

  /// Returns how many histories have given way to others since the last call.
  size_t take_evictions() noexcept {
    return std::exchange(evictions_, 0);
  }

private:
  struct topic {
    std::string epoch;
    uint64_t offset = 0;
    int64_t used_ms = 0;
    loop_set loops;
    // Made by the first publication with an id.
    std::unique_ptr<topic_ids> known;
    topic_options options;
    // Made by the first publication that its rate is asked about.
    std::unique_ptr<token_bucket> rate;
    history kept;
    publication_ptr retained;
    // Among those that keep a history; the least recently used is last.
    list_links<topic> by_use;
    bool listed = false;
    bool held = false;
  };

  using topic_map
    = std::unordered_map<std::string, topic, string_hash, std::equal_to<>>;

  moved_topic extract(topic_map::iterator at);

  template <class MakeEpoch>
  topic* find_or_make(std::string_view name, MakeEpoch&& make_epoch) {
    if (auto i = topics_.find(name); i != topics_.end())
      return &i->second;
    if (topics_.size() >= limits_.topics_max)
      return nullptr;
    auto& made = topics_[std::string{name}];
    made.epoch = make_epoch();
    made.options = options_of(*rules_, name);
    if (auto i = rates_.find(name); i != rates_.end())
      made.rate = std::move(rates_.extract(i).mapped());
    return &made;
  }

  // How far `revise` has come.
  struct lap {
    // The next of the table's buckets, and how many it had.
    size_t next = 0;
    size_t buckets = 0;
    size_t unlike = 0;
  };

  publish_result publish(topic& at, const publication_ptr& x, int64_t now_ms);

  static int64_t take_place(topic& at, const publication& x, int64_t now_ms);

  // Lets one topic go by the rules.
  void revise(const std::string& name, topic& at, int64_t now_ms,
              const revised_topic& tell);

  // Forgets what the topic's options do not let it keep.
  void trim(topic& at, int64_t now_ms);

  // Returns whether the last values leave room for `x`.
  [[nodiscard]] bool has_room(const topic& at, const publication& x) const;

  void remember_id(topic& at, std::string key, uint64_t offset,
                   int64_t until_ms);

  void forget_oldest_id(topic_ids& known);

  // Forgets the oldest ones beyond the bounds.
  void trim_ids(topic_ids& known);

  // Forgets what is old. Returns whether nobody needs the topic any more.
  bool expire(topic& at, int64_t now_ms);

  // What it keeps no longer counts.
  void forget(topic& at);

  // Gives `x` its offset, unless its id is known.
  publish_result number(topic& at, publication& x, int64_t now_ms);

  // Keeps what was accepted, as the topic's options say.
  void keep(topic& at, const publication_ptr& x, int64_t now_ms);

  void retain(topic& at, const publication_ptr& x);
  void forget_retained(topic& at);

  // Calls `change` on the history and keeps the account of it.
  template <class F>
  void change_history(topic& at, F&& change) {
    kept_bytes_ -= at.kept.cost();
    change(at.kept);
    kept_bytes_ += at.kept.cost();
  }

  // Forgets what the topic has kept for long enough.
  void expire_history(topic& at, int64_t now_ms);

  void used(topic& at);
  void unlist(topic& at);

  // Lets histories give way until there is room.
  void make_room();

  void forget_ids(topic& at, int64_t now_ms);

  limits limits_;
  const std::vector<topic_rule>* rules_;
  lap lap_;
  int64_t wait_ms_ = 0;
  topic_map topics_;
  // The rates of topics that were dropped, at most as many as topics may live.
  std::unordered_map<std::string, std::unique_ptr<token_bucket>, string_hash,
                     std::equal_to<>>
    rates_;
  // Those with a last value, by name.
  std::map<std::string_view, const topic*> with_value_;
  pattern_tree<loop_set> patterns_;
  loop_set matched_;
  linked_list<topic, &topic::by_use> by_use_;
  int64_t kept_bytes_ = 0;
  int64_t ids_bytes_ = 0;
  size_t evictions_ = 0;
};

} // namespace callboard
