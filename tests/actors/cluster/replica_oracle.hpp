#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <callboard/actors/publication.hpp>

namespace callboard {

/// A log on a disk. What is in front of its events is gone, up to `base`.
struct replica_log {
  /// Returns whether an event is there, or may have been.
  bool may_have(uint64_t offset, int64_t value) const {
    auto i = events.find(offset);
    return offset <= base
           || (i != events.end() && i->second->timestamp == value);
  }

  /// Returns the offset of the last one.
  uint64_t head() const {
    return events.empty() ? base : events.rbegin()->first;
  }

  uint64_t base = 0;
  std::map<uint64_t, publication_ptr> events;
};

/// Knows what owners of one topic have acknowledged, and what each of them
/// began with. `trouble` has the first thing that is not to be.
class replica_oracle {
public:
  /// Somebody begins to serve: with all that was ever acknowledged, each of it
  /// once, and what it begins with is.
  void begin(uint64_t term, const std::string& epoch, const replica_log& log,
             uint64_t agreed, uint64_t place) {
    if (!starts_.try_emplace(term, start{epoch, log, place}).second)
      fail("two owners in a term");
    for (auto& [where, value] : acknowledged)
      if (where.first != epoch)
        fail("another epoch");
      else if (!log.may_have(where.second, value))
        fail("lost " + std::to_string(where.second));
    if (place < acknowledged_place)
      fail("a group goes back");
    std::map<int64_t, uint64_t> ids;
    for (auto& [offset, event] : log.events) {
      if (!ids.try_emplace(event->timestamp, offset).second)
        fail("an event is there twice");
      if (offset > agreed)
        fail("an owner begins with what is not acknowledged");
      acknowledge(term, epoch, offset, event->timestamp);
    }
    acknowledge_place(term, place);
  }

  /// The owner of a term says that all have this event. Nobody who has begun a
  /// later term has anything else.
  void acknowledge(uint64_t term, const std::string& epoch, uint64_t offset,
                   int64_t value) {
    auto [i, added] = acknowledged.try_emplace({epoch, offset}, value);
    if (i->second != value)
      fail("two events at " + std::to_string(offset));
    if (!added)
      return;
    if (!values_.try_emplace(value, offset).second)
      fail("an event is acknowledged twice");
    for (auto later = starts_.upper_bound(term); later != starts_.end();
         ++later)
      if (later->second.epoch != epoch
          || !later->second.log.may_have(offset, value))
        fail("acknowledged in an older term than that of "
             + std::to_string(later->first));
  }

  void acknowledge_place(uint64_t term, uint64_t place) {
    acknowledged_place = std::max(acknowledged_place, place);
    for (auto i = starts_.upper_bound(term); i != starts_.end(); ++i)
      if (i->second.place < place)
        fail("a group has gone back");
  }

  /// Returns whether an event was acknowledged.
  bool has(int64_t value) const {
    return values_.count(value) != 0;
  }

  /// Forgives all that is lost so far.
  void forgive() {
    acknowledged.clear();
    acknowledged_place = 0;
    starts_.clear();
    values_.clear();
  }

  size_t terms() const {
    return starts_.size();
  }

  void fail(const std::string& what) {
    if (trouble.empty())
      trouble = what;
  }

  /// Epoch and offset, and the event's value.
  std::map<std::pair<std::string, uint64_t>, int64_t> acknowledged;
  /// The last place of the group that was; places grow here.
  uint64_t acknowledged_place = 0;
  std::string trouble;

private:
  struct start {
    std::string epoch;
    replica_log log;
    uint64_t place;
  };

  std::map<uint64_t, start> starts_;
  std::map<int64_t, uint64_t> values_;
};

} // namespace callboard
