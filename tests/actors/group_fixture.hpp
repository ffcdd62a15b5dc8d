#pragma once

#include <callboard/actors/group_table.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "support/test.hpp"

namespace callboard {

/// Groups of the topic `t`, which may keep a history, and what they want done.
struct group_fixture : group_sink {
  /// An event that a member has, as far as it knows.
  struct given {
    member_id who;
    uint64_t offset;
    uint32_t attempt;
  };

  /// Makes the groups anew. `limits` are set before.
  void start() {
    table.reset();
    open.clear();
    table = std::make_unique<group_table>(limits, *this);
  }

  // -- members ----------------------------------------------------------------

  /// Adds a member to the group `g`.
  group_table::joined join(member_id id, const std::string& name = "g",
                           bool embedded = false) {
    return join_at(id, name, {head, head, false}, embedded);
  }

  group_table::joined join_at(member_id id, const std::string& name,
                              const group_table::topic_state& state,
                              bool embedded = false,
                              const std::string& topic = "t") {
    auto result = table->join(topic, name, state, id, {}, embedded, now);
    if (result.member != nullptr)
      result.member->group->go_on(now);
    return result;
  }

  /// Adds a member to a group of another topic, of which nothing is published.
  bool join_elsewhere(member_id id, const std::string& topic,
                      const std::string& name) {
    return join_at(id, name, {}, false, topic).member != nullptr;
  }

  void leave(member_id id, bool by_choice = false) {
    std::erase_if(open, [id](auto& x) { return x.second.who == id; });
    table->leave(*table->find(id), by_choice, now);
  }

  /// Returns the number under which a member has an event; or 0.
  uint64_t number_of(member_id id, uint64_t offset) const {
    for (auto& [number, x] : open)
      if (x.who == id && x.offset == offset)
        return number;
    return 0;
  }

  void confirm(member_id id, uint64_t offset) {
    auto number = number_of(id, offset);
    open.erase(number);
    auto& who = *table->find(id);
    who.group->confirm(who, number, now);
  }

  void reject(member_id id, uint64_t offset) {
    auto number = number_of(id, offset);
    open.erase(number);
    auto& who = *table->find(id);
    who.group->reject(who, number, now);
  }

  void give_back(member_id id, uint64_t offset) {
    auto number = number_of(id, offset);
    open.erase(number);
    auto& who = *table->find(id);
    who.group->give_back(who, number, now);
  }

  void resume(member_id id) {
    auto& who = *table->find(id);
    who.group->resume(who, now);
  }

  void pass(int64_t ms) {
    now += ms;
    table->time_out(now);
  }

  // -- the topic --------------------------------------------------------------

  static publication_ptr make(const std::string& topic, uint64_t offset,
                              std::string key = {}, size_t bytes = 0) {
    auto x = caf::make_counted<publication>();
    x->topic = topic;
    x->key = std::move(key);
    x->sender = std::string(bytes, 's');
    x->offset = offset;
    return x;
  }

  publication_ptr publish(std::string key = {}, size_t bytes = 0) {
    auto x = make("t", ++head, std::move(key), bytes);
    if (history_size > 0)
      kept.add(x, history_size, 0);
    table->publish(x, now, [this] { return history_size > 0; });
    return x;
  }

  void publish_many(int n) {
    for (int i = 0; i < n; ++i)
      publish();
  }

  history_slice_ptr find(uint64_t first, size_t limit, uint64_t last) const {
    auto result = caf::make_counted<history_slice>();
    result->topic = "t";
    result->head = last;
    kept.copy(first, limit, history_slice::bytes_max, result->events);
    std::erase_if(result->events, [=](auto& x) { return x->offset > last; });
    return result;
  }

  /// Returns a key that goes to member `id` of those that are there.
  std::string key_of(member_id id) {
    for (int i = 0;; ++i) {
      auto key = "k" + std::to_string(i);
      publish(key);
      auto to = open.rbegin()->second.who;
      confirm(to, head);
      log.clear();
      if (to == id)
        return key;
    }
  }

  // -- what happened ----------------------------------------------------------

  /// Returns what was done since the last call, in words: `1<-5` says that
  /// member 1 was given the event with offset 5, `1<-5x2` that this was the
  /// second time, `1->5` that it was withdrawn, `dead 5x3` that it was given
  /// three times in vain.
  std::string heard() {
    std::string result;
    for (auto& x : std::exchange(log, {}))
      result += (result.empty() ? "" : " ") + x;
    return result;
  }

  // -- group_sink -------------------------------------------------------------

  void give(const group_member& to, const group_delivery& what) override {
    auto offset = what.event->offset;
    REQUIRE(!open.contains(what.number));
    open[what.number] = {to.id, offset, what.attempt};
    auto times = what.attempt > 1 ? 'x' + std::to_string(what.attempt)
                                  : std::string{};
    log.push_back(std::to_string(to.id) + "<-" + std::to_string(offset)
                  + times);
    on_given(to, what);
  }

  void withdraw(const group_member& from, uint64_t number) override {
    auto& x = open.at(number);
    REQUIRE_EQ(x.who, from.id);
    log.push_back(std::to_string(from.id) + "->" + std::to_string(x.offset));
    open.erase(number);
  }

  void bury(const shared_group&, const publication_ptr& event,
            uint32_t attempts) override {
    log.push_back("dead " + std::to_string(event->offset) + 'x'
                  + std::to_string(attempts));
    on_buried(event);
  }

  void tell_gap(const shared_group&) override {
    log.emplace_back("gap");
  }

  history_slice_ptr read(const shared_group& group, uint64_t first,
                         size_t limit) override {
    ++reads;
    if (first <= on_disk_only) {
      fetches.push_back({group.fetch(), first, limit});
      return nullptr;
    }
    return find(first, limit, head);
  }

  uint64_t oldest(const std::string&) override {
    return kept.first_offset();
  }

  void forgotten(const shared_group& group) override {
    log.push_back("forgotten " + group.name());
  }

  void released(const std::string& topic) override {
    log.push_back("released " + topic);
  }

  virtual void on_given(const group_member&, const group_delivery&) {
    // nop
  }

  virtual void on_buried(const publication_ptr&) {
    // nop
  }

  group_limits limits{
    .inflight_max = 3,
    .inflight_bytes_max = 1 << 20,
    .attempts_max = 3,
    .ack_timeout_ms = 1000,
    .pending_max = 10,
    .bytes_max = 1 << 20,
    .groups_max = 3,
    .topic_groups_max = 100,
    .linger_ms = 5000,
  };
  std::unique_ptr<group_table> table;
  int64_t now = 1000;
  uint64_t head = 0;
  /// What the topic keeps; 0: nothing.
  size_t history_size = 0;
  history kept;
  size_t reads = 0;
  /// What the topic keeps up to this offset has to be fetched.
  uint64_t on_disk_only = 0;
  struct fetch {
    uint64_t number;
    uint64_t first;
    size_t limit;
  };
  std::vector<fetch> fetches;
  std::vector<std::string> log;
  std::map<uint64_t, given> open;
};

} // namespace callboard
