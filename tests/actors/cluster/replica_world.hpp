#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/make_counted.hpp>

#include <callboard/actors/cluster/topic_replica.hpp>

namespace callboard {

/// The voters of one topic, with disks and a network that do what they are told
/// to. It notes what is not to be: `trouble` has the first thing.
class replica_world {
public:
  struct site {
    replica_record record;
    // The log on the disk: what is in front of it is gone, up to `base`.
    uint64_t base = 0;
    std::map<uint64_t, publication_ptr> log;
    group_places_ptr places;
    // What it waits to write; nothing survives a crash.
    std::deque<replica_write> writes;
    std::optional<topic_replica> replica;
    bool lost = false;
  };

  struct letter {
    uint32_t from;
    uint32_t to;
    replica_message what;
  };

  replica_world(uint32_t keepers, uint32_t voters)
    : keepers{keepers}, sites(voters) {
    for (uint32_t i = 0; i < voters; ++i)
      start(i);
  }

  topic_replica& at(uint32_t place) {
    return *sites[place].replica;
  }

  void start(uint32_t place) {
    auto& x = sites[place];
    auto voters = static_cast<uint32_t>(sites.size());
    x.replica.emplace(topic_replica::seats{place, keepers, voters}, x.record,
                      x.places);
  }

  /// @param written so many of its writes come to the disk still.
  void crash(uint32_t place, size_t written = 0) {
    auto& x = sites[place];
    x.replica.reset();
    write(place, written);
    x.writes.clear();
  }

  void lead(uint32_t place) {
    at(place).lead("e" + std::to_string(++epochs));
    pump(place);
  }

  void present(uint32_t place, uint32_t places) {
    at(place).set_present(places);
    pump(place);
  }

  void all_present(uint32_t places) {
    for (uint32_t i = 0; i < sites.size(); ++i)
      if (sites[i].replica)
        present(i, (places >> i & 1) != 0 ? places : 0);
  }

  void tick(uint32_t place) {
    at(place).tick();
    pump(place);
  }

  void append(uint32_t place) {
    auto event = caf::make_counted<publication>();
    event->offset = at(place).head() + 1;
    // By this one is told from another.
    event->timestamp = ++last_value;
    at(place).append(event);
    pump(place);
  }

  /// Lets a group stand at a place of its own.
  void place(uint32_t place) {
    group_place group;
    group.group = "g";
    group.place = static_cast<uint64_t>(++last_value);
    using list = std::vector<group_place>;
    at(place).place(std::make_shared<const list>(list{group}));
    pump(place);
  }

  /// Returns where the group stands on a disk; 0: there is none.
  uint64_t placed(uint32_t place) const {
    auto& x = sites[place].places;
    return x == nullptr || x->empty() ? 0 : x->front().place;
  }

  /// Lets so many of what a site has to write be on its disk.
  void write(uint32_t place, size_t count = SIZE_MAX) {
    auto& x = sites[place];
    for (; count > 0 && !x.writes.empty(); --count) {
      auto change = std::move(x.writes.front());
      x.writes.pop_front();
      apply(x, change);
      if (x.replica) {
        x.replica->written();
        pump(place);
      }
    }
  }

  /// Delivers the letter at `i`.
  void deliver(size_t i, bool again = false) {
    auto x = network[i];
    if (!again)
      network.erase(network.begin() + static_cast<ptrdiff_t>(i));
    if (!sites[x.to].replica)
      return;
    at(x.to).take(x.from, x.what);
    pump(x.to);
  }

  /// Lets all be written and delivered until nothing is left to do.
  void settle() {
    for (auto busy = true; busy;) {
      busy = !network.empty();
      while (!network.empty())
        deliver(0);
      for (uint32_t i = 0; i < sites.size(); ++i) {
        busy |= !sites[i].writes.empty();
        write(i);
      }
    }
  }

  /// Forgets the oldest events of a log, as the sweep does.
  void prune(uint32_t place, uint64_t upto) {
    auto& x = sites[place];
    while (!x.log.empty() && x.log.begin()->first <= upto) {
      x.base = x.log.begin()->first;
      x.log.erase(x.log.begin());
    }
  }

  /// Returns the values of a log on a disk.
  std::vector<int64_t> values(uint32_t place) const {
    std::vector<int64_t> result;
    for (auto& [offset, x] : sites[place].log)
      result.push_back(x->timestamp);
    return result;
  }

  void fail(const std::string& what) {
    if (trouble.empty())
      trouble = what;
  }

  uint32_t keepers;
  std::vector<site> sites;
  std::deque<letter> network;
  /// What was acknowledged: epoch and offset, and the event's value.
  std::map<std::pair<std::string, uint64_t>, int64_t> acknowledged;
  /// The last place of the group that was; places grow here.
  uint64_t acknowledged_place = 0;
  /// Who has begun a term.
  std::map<uint64_t, uint32_t> terms;
  std::string trouble;
  /// Events that one answer has at most.
  size_t page = 3;
  int64_t last_value = 0;
  uint64_t epochs = 0;
  size_t alone = 0;

private:
  void pump(uint32_t place) {
    auto& x = sites[place];
    auto what = x.replica->take_effects();
    if (x.replica->leads() || what.lost)
      acknowledge(x);
    x.lost |= what.lost;
    for (auto& change : what.writes)
      x.writes.push_back(std::move(change));
    for (auto& [to, message] : what.messages)
      network.push_back({place, to, std::move(message)});
    for (auto& read : what.reads)
      answer(place, read);
    if (what.begun)
      look_at_begin(place);
  }

  void answer(uint32_t place, const replica_read& what) {
    replica_message x;
    x.what = replica_call::events;
    x.keepers = keepers;
    x.term = what.term;
    x.first = what.first;
    x.head = what.last;
    auto& log = sites[place].log;
    for (auto i = log.lower_bound(what.first);
         i != log.end() && i->first <= what.last && x.events.size() < page; ++i)
      x.events.push_back(i->second);
    network.push_back({place, what.to, std::move(x)});
  }

  // What an owner says is acknowledged never was anything else.
  void acknowledge(site& x) {
    auto place = static_cast<uint32_t>(&x - sites.data());
    if (x.replica->leads() && x.record.placed == x.replica->placed())
      acknowledged_place = std::max(acknowledged_place, placed(place));
    for (auto& [offset, event] : x.log) {
      if (offset > x.replica->agreed())
        break;
      auto [i, added] = acknowledged.try_emplace({x.replica->epoch(), offset},
                                                 event->timestamp);
      if (i->second != event->timestamp)
        fail("two events at " + std::to_string(offset));
    }
  }

  // Who begins to serve has all that was acknowledged.
  void look_at_begin(uint32_t place) {
    auto& x = sites[place];
    alone += x.replica->alone() ? 1 : 0;
    if (!terms.try_emplace(x.replica->term(), place).second)
      fail("two owners in a term");
    if (placed(place) < acknowledged_place)
      fail("a group goes back");
    for (auto& [where, value] : acknowledged) {
      auto i = x.log.find(where.second);
      if (where.first != x.replica->epoch())
        fail("another epoch");
      else if (where.second > x.base
               && (i == x.log.end() || i->second->timestamp != value))
        fail("lost " + std::to_string(where.second));
    }
  }

  void apply(site& x, const replica_write& change) {
    if (change.before != x.record)
      fail("a write that comes to another record");
    auto last = [&x] { return x.log.empty() ? x.base : x.log.rbegin()->first; };
    if (change.behind) {
      x.log.clear();
      x.base = change.upto;
    } else if (change.upto != replica_write::keep_all) {
      x.log.erase(x.log.upper_bound(change.upto), x.log.end());
      x.base = std::min(x.base, change.upto);
    }
    for (auto& event : change.events) {
      if (event->offset != last() + 1)
        fail("a gap in a log");
      x.log.emplace(event->offset, event);
    }
    x.record = change.record;
    if (change.places != nullptr)
      x.places = change.places;
    if (x.record.head != last())
      fail("a log with another head");
    // What has been compared needs not be again.
    uint64_t from = 0;
    if (change.before.term == change.record.term)
      from = change.events.empty() ? last() + 1 : change.events[0]->offset;
    for (auto& y : sites)
      compare(x, y, from);
  }

  // Logs that were level with one owner in one term are the same as far as both
  // go, whatever is acknowledged of them.
  void compare(const site& x, const site& y, uint64_t from) {
    if (x.record.term == 0 || x.record.term != y.record.term
        || !x.record.whole() || !y.record.whole())
      return;
    for (auto i = x.log.lower_bound(from); i != x.log.end(); ++i)
      if (auto j = y.log.find(i->first);
          j != y.log.end() && j->second->timestamp != i->second->timestamp)
        fail("two logs of one term");
  }
};

} // namespace callboard
