#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <caf/make_counted.hpp>

#include <callboard/actors/cluster/topic_replica.hpp>

#include "actors/cluster/replica_oracle.hpp"
#include "actors/cluster/replica_trace.hpp"

namespace callboard {

/// The voters of one topic, with disks and a network that do what they are told
/// to. Its oracle notes what is not to be.
class replica_world {
public:
  struct disk {
    replica_record record;
    replica_log log;
    group_places_ptr places;
  };

  struct site : disk {
    // What it waits to write, and to read; nothing survives a crash.
    std::deque<replica_write> writes;
    std::deque<replica_read> reads;
    std::optional<topic_replica> replica;
    bool lost = false;
    // The term that it serves in; what it has that it may not add again, and
    // has not acknowledged; and where it has let the group stand.
    uint64_t term = 0;
    std::set<int64_t> known;
    std::map<uint64_t, int64_t> pending;
    std::map<uint64_t, uint64_t> placing;
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

  // -- nodes ------------------------------------------------------------------

  void start(uint32_t place) {
    auto& x = sites[place];
    trace.add("start", place, x.record);
    auto voters = static_cast<uint32_t>(sites.size());
    x.replica.emplace(topic_replica::seats{place, keepers, voters}, x.record,
                      x.places);
  }

  /// @param written so many of its writes come to the disk still.
  void crash(uint32_t place, size_t written = 0) {
    auto& x = sites[place];
    trace.add("crash", place, written);
    x.replica.reset();
    write(place, written);
    x.writes.clear();
    x.reads.clear();
    refuse_pending(x);
  }

  /// The first write fails, and the node asks its disk how it is.
  /// @param is_there whether it was a failure only to tell so.
  void fail_write(uint32_t place, bool is_there) {
    auto& x = sites[place];
    trace.add("fail write", place, is_there);
    x.replica.reset();
    for (auto& change : std::exchange(x.writes, {}))
      if (std::exchange(is_there, true) && change.before == x.record)
        apply(x, change);
    refuse_pending(x);
    start(place);
  }

  /// A node that is down has the disk of before, and knows it.
  void restore(uint32_t place, const disk& from) {
    auto& x = sites[place];
    static_cast<disk&>(x) = from;
    x.record.forgot = true;
    trace.add("restore", place, x.record);
  }

  // -- what a node is told ----------------------------------------------------

  void lead(uint32_t place) {
    trace.add("lead", place, epochs + 1);
    at(place).lead("e" + std::to_string(++epochs));
    pump(place);
  }

  void rest(uint32_t place) {
    trace.add("rest", place, 0);
    at(place).rest();
    refuse_pending(sites[place]);
  }

  void present(uint32_t place, uint32_t places) {
    trace.add("present", place, places);
    at(place).set_present(places);
    pump(place);
  }

  void all_present(uint32_t places) {
    for (uint32_t i = 0; i < sites.size(); ++i)
      if (sites[i].replica)
        present(i, (places >> i & 1) != 0 ? places : 0);
  }

  void tick(uint32_t place) {
    trace.add("tick", place, 0);
    at(place).tick();
    pump(place);
  }

  /// Adds an event: by its value it is told from another.
  void append(uint32_t place, int64_t value) {
    auto event = caf::make_counted<publication>();
    event->offset = at(place).head() + 1;
    event->timestamp = value;
    trace.add("append", place, event->offset, value);
    sites[place].known.insert(value);
    sites[place].pending.emplace(event->offset, value);
    at(place).append(event);
    pump(place);
  }

  void append(uint32_t place) {
    append(place, ++last_value);
  }

  /// Lets a group stand at a place of its own.
  void place(uint32_t place) {
    group_place group;
    group.group = "g";
    group.place = static_cast<uint64_t>(++last_value);
    using list = std::vector<group_place>;
    auto number = at(place).place(std::make_shared<const list>(list{group}));
    trace.add("place", place, number, group.place);
    sites[place].placing.emplace(number, group.place);
    pump(place);
  }

  /// Returns where the group stands on a disk; 0: there is none.
  uint64_t placed(uint32_t place) const {
    auto& x = sites[place].places;
    return x == nullptr || x->empty() ? 0 : x->front().place;
  }

  // -- disks and network ------------------------------------------------------

  /// Lets so many of what a site has to write be on its disk.
  void write(uint32_t place, size_t count = SIZE_MAX) {
    auto& x = sites[place];
    for (; count > 0 && !x.writes.empty(); --count) {
      auto change = std::move(x.writes.front());
      x.writes.pop_front();
      if (change.before != x.record)
        oracle.fail("a write that comes to another record");
      apply(x, change);
      trace.add("written", place, x.record);
      if (x.replica) {
        x.replica->written();
        pump(place);
      }
    }
  }

  /// Answers what was to be read first, unless that is of no use any more.
  void read(uint32_t place) {
    auto& at = sites[place];
    auto what = at.reads.front();
    at.reads.pop_front();
    if (at.replica->term() != what.term)
      return;
    replica_message x;
    x.what = replica_call::events;
    x.keepers = keepers;
    x.term = what.term;
    x.first = what.first;
    x.head = what.last;
    auto& log = at.log.events;
    for (auto i = log.lower_bound(what.first);
         i != log.end() && i->first <= what.last && x.events.size() < page; ++i)
      x.events.push_back(i->second);
    network.push_back({place, what.to, std::move(x)});
  }

  /// Delivers the letter at `i`.
  void deliver(size_t i, bool again = false) {
    auto x = network[i];
    if (!again)
      network.erase(network.begin() + static_cast<ptrdiff_t>(i));
    if (!sites[x.to].replica)
      return;
    trace.add(x.from, x.to, x.what);
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
        busy |= !sites[i].writes.empty() || !sites[i].reads.empty();
        write(i);
        while (!sites[i].reads.empty())
          read(i);
      }
    }
  }

  /// Forgets the oldest events of a log, as the sweep does.
  void prune(uint32_t place, uint64_t upto) {
    auto& [base, log] = sites[place].log;
    while (!log.empty() && log.begin()->first <= upto) {
      base = log.begin()->first;
      log.erase(log.begin());
    }
  }

  /// Returns the values of a log on a disk.
  std::vector<int64_t> values(uint32_t place) const {
    std::vector<int64_t> result;
    for (auto& [offset, x] : sites[place].log.events)
      result.push_back(x->timestamp);
    return result;
  }

  /// Returns whether somebody does not know yet that an event is there.
  bool may_ask_again(int64_t value) const {
    return unsure.count(value) != 0
           || std::ranges::any_of(sites, [value](auto& x) {
                return std::ranges::any_of(x.pending, [value](auto& y) {
                  return y.second == value;
                });
              });
  }

  uint32_t keepers;
  std::vector<site> sites;
  std::deque<letter> network;
  replica_oracle oracle;
  replica_trace trace;
  /// What was not acknowledged by who was asked to add it, and may be there.
  std::set<int64_t> unsure;
  /// Events that one answer has at most.
  size_t page = 3;
  /// Whether a read takes its time.
  bool slow_reads = false;
  int64_t last_value = 0;
  uint64_t epochs = 0;
  size_t alone = 0;

private:
  void pump(uint32_t place) {
    auto& x = sites[place];
    auto what = x.replica->take_effects();
    for (auto& change : what.writes)
      x.writes.push_back(std::move(change));
    for (auto& [to, message] : what.messages)
      network.push_back({place, to, std::move(message)});
    for (auto& read_one : what.reads) {
      x.reads.push_back(read_one);
      if (!slow_reads)
        read(place);
    }
    // What it is to begin with again is not acknowledged to who asked before.
    if (!what.begun && (x.replica->leads() || what.lost))
      acknowledge(x);
    x.lost |= what.lost;
    if (what.lost)
      refuse_pending(x);
    if (what.begun)
      begin(place);
  }

  void begin(uint32_t place) {
    auto& x = sites[place];
    x.term = x.replica->term();
    trace.add("BEGINS", place, x.term, x.replica->head());
    alone += x.replica->alone() ? 1 : 0;
    x.known.clear();
    for (auto value : values(place))
      x.known.insert(value);
    oracle.begin(x.term, x.replica->epoch(), x.log, x.replica->agreed(),
                 placed(place));
  }

  void acknowledge(site& x) {
    while (!x.pending.empty()
           && x.pending.begin()->first <= x.replica->agreed()) {
      auto [offset, value] = *x.pending.begin();
      x.pending.erase(x.pending.begin());
      unsure.erase(value);
      trace.add("ACKNOWLEDGES", static_cast<uint32_t>(&x - sites.data()),
                offset, value);
      oracle.acknowledge(x.term, x.replica->epoch(), offset, value);
      if (!x.log.may_have(offset, value))
        oracle.fail("acknowledged is what its owner has not");
    }
    while (x.replica->leads() && !x.placing.empty()
           && x.placing.begin()->first <= x.replica->placed()) {
      oracle.acknowledge_place(x.term, x.placing.begin()->second);
      x.placing.erase(x.placing.begin());
    }
  }

  void refuse_pending(site& x) {
    for (auto& [offset, value] : x.pending)
      unsure.insert(value);
    x.pending.clear();
    x.placing.clear();
  }

  void apply(site& x, const replica_write& change) {
    auto& [base, log] = x.log;
    if (change.behind) {
      log.clear();
      base = change.upto;
    } else if (change.upto != replica_write::keep_all) {
      log.erase(log.upper_bound(change.upto), log.end());
      base = std::min(base, change.upto);
    }
    for (auto& event : change.events) {
      if (event->offset != x.log.head() + 1)
        oracle.fail("a gap in a log");
      log.emplace(event->offset, event);
    }
    x.record = change.record;
    if (change.places != nullptr)
      x.places = change.places;
    if (x.record.head != x.log.head())
      oracle.fail("a log with another head");
    // What has been compared needs not be again.
    uint64_t from = 0;
    if (change.before.term == change.record.term)
      from = change.events.empty() ? x.log.head() + 1
                                   : change.events[0]->offset;
    for (auto& y : sites)
      compare(x, y, from);
  }

  // Logs that were level with one owner in one term are the same as far as both
  // go, whatever is acknowledged of them.
  void compare(const site& x, const site& y, uint64_t from) {
    if (x.record.term == 0 || x.record.term != y.record.term
        || !x.record.whole() || !y.record.whole())
      return;
    auto& log = x.log.events;
    auto& other = y.log.events;
    for (auto i = log.lower_bound(from); i != log.end(); ++i)
      if (auto j = other.find(i->first);
          j != other.end() && j->second->timestamp != i->second->timestamp)
        oracle.fail("two logs of one term");
  }
};

} // namespace callboard
