#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <callboard/actors/messages.hpp>
#include <callboard/actors/pattern_tree.hpp>
#include <callboard/actors/publication.hpp>
#include <callboard/actors/string_hash.hpp>

namespace callboard {

/// A set of loops, by index.
class loop_set {
public:
  void set(uint32_t loop, bool value) {
    if (loop >= bits_.size())
      bits_.resize(loop + 1);
    bits_[loop] = value;
  }

  void merge(const loop_set& other) {
    for (uint32_t i = 0; i < other.bits_.size(); ++i)
      if (other.bits_[i])
        set(i, true);
  }

  [[nodiscard]] bool empty() const noexcept {
    for (auto x : bits_)
      if (x)
        return false;
    return true;
  }

  template <class F>
  void for_each(F&& f) const {
    for (uint32_t i = 0; i < bits_.size(); ++i)
      if (bits_[i])
        f(i);
  }

  void clear() noexcept {
    bits_.clear();
  }

private:
  std::vector<bool> bits_;
};

/// The topics that one broker shard owns: their epochs and offsets, which loops
/// want them, and the ids that were published. Pure; times are milliseconds of
/// the caller's clock.
class owned_topics {
public:
  /// Ids that one topic remembers; the oldest gives way.
  static constexpr size_t ids_max = 65'536;

  /// @param topics_max topics that may live at once, from 1.
  /// @param linger_ms how long an unused topic and an id are kept, from 1.
  owned_topics(size_t topics_max, int64_t linger_ms);

  /// What became of a publication.
  enum class publish_result {
    /// It has its offset and epoch now.
    accepted,
    /// Its id was accepted before; `offset` is that one's.
    duplicate,
    /// There are too many topics.
    full,
  };

  /// Gives `x` its offset and epoch.
  /// @param make_epoch is called where the topic has to be made.
  template <class MakeEpoch>
  publish_result
  publish(publication& x, int64_t now_ms, MakeEpoch&& make_epoch) {
    auto* topic = find_or_make(x.topic, make_epoch);
    return topic == nullptr ? publish_result::full : publish(*topic, x, now_ms);
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

  void attach_pattern(uint32_t loop, std::string_view pattern);

  void detach(uint32_t loop, std::string_view subject, int64_t now_ms);

  /// Returns the loops that want what was last published to `topic`. Valid
  /// until the next call.
  const loop_set& loops_of(std::string_view topic);

  /// Forgets unused topics and old ids.
  void expire(int64_t now_ms);

  [[nodiscard]] size_t size() const noexcept {
    return topics_.size();
  }

private:
  struct remembered_id {
    std::string key;
    int64_t expires_ms;
  };

  struct ids {
    std::unordered_map<std::string, uint64_t> offsets;
    std::deque<remembered_id> order;
  };

  struct topic {
    std::string epoch;
    uint64_t offset = 0;
    int64_t used_ms = 0;
    loop_set loops;
    // Made by the first publication with an id.
    std::unique_ptr<ids> known;
  };

  template <class MakeEpoch>
  topic* find_or_make(std::string_view name, MakeEpoch&& make_epoch) {
    if (auto i = topics_.find(name); i != topics_.end())
      return &i->second;
    if (topics_.size() >= topics_max_)
      return nullptr;
    auto& made = topics_[std::string{name}];
    made.epoch = make_epoch();
    return &made;
  }

  publish_result publish(topic& at, publication& x, int64_t now_ms);

  static void forget_ids(topic& at, int64_t now_ms);

  size_t topics_max_;
  int64_t linger_ms_;
  std::unordered_map<std::string, topic, string_hash, std::equal_to<>> topics_;
  pattern_tree<loop_set> patterns_;
  loop_set matched_;
};

} // namespace callboard
