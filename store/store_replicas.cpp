#include <callboard/store/store_tables.hpp>

#include <algorithm>

#include <callboard/store/store_reads.hpp>

// Topics with replicas: what was promised, and logs that go back.

namespace callboard {

bool store_tables::find_replica(const std::string& name, replica_record& x) {
  replica_.with(name);
  row_reader guard{replica_};
  auto found = replica_.step();
  if (found) {
    x.promised = static_cast<uint64_t>(replica_.number(0));
    x.term = static_cast<uint64_t>(replica_.number(1));
    x.floor = static_cast<uint64_t>(replica_.number(2));
    x.agreed = static_cast<uint64_t>(replica_.number(3));
    x.placed = static_cast<uint64_t>(replica_.number(4));
    x.forgot = replica_.number(5) != 0;
  }
  if (auto* at = find(name); at != nullptr && !at->saved && !at->is_void) {
    x.epoch = at->epoch;
    x.head = at->head;
  }
  return found;
}

replica_record store_tables::load_replica(const std::string& name) {
  replica_record result;
  find_replica(name, result);
  return result;
}

group_places_ptr store_tables::load_replica_places(const std::string& name) {
  auto* at = find(name);
  if (at == nullptr || at->saved || at->is_void)
    return nullptr;
  // A copy may lack events that its groups have had from the owner.
  auto found = load_places(*at, ~uint64_t{0});
  if (found.empty())
    return nullptr;
  return std::make_shared<const std::vector<group_place>>(std::move(found));
}

bool store_tables::save(const std::string& name, const replica_write& x,
                        const topic_options& options, int64_t now_ms) {
  replica_record before;
  auto known = find_replica(name, before);
  if (before != x.before)
    return false;
  auto kept = x.behind ? x.upto : std::min(x.upto, before.head);
  if (!x.events.empty() && x.events.front()->offset != kept + 1)
    return false;
  if (!known && !has_room_for_topic())
    return false;
  auto& to = x.record;
  // A witness has no log.
  if (!to.epoch.empty() && !save_log(name, x, kept, options))
    return false;
  if (auto* at = x.places != nullptr ? find(name) : nullptr) {
    db_.prepare("DELETE FROM places WHERE topic = ?").with(at->id).run();
    for (auto& place : *x.places)
      write_place(at->id, place, now_ms);
  }
  save_replica_
    .with(name, to.promised, to.term, to.floor, to.agreed, to.placed, to.forgot)
    .run();
  rows_ += known ? 0 : 1;
  return true;
}

bool store_tables::save_log(const std::string& name, const replica_write& x,
                            uint64_t kept, const topic_options& options) {
  auto* at = find(name);
  if (at != nullptr && (at->saved || at->is_void)) {
    flush();
    discard(name, at->id);
    at = nullptr;
  }
  if (at == nullptr)
    at = make(name, x.record.epoch, 0, false, options);
  if (at == nullptr)
    return false;
  if (x.behind || kept != at->head)
    cut(*at, kept, x.behind);
  if (at->epoch != x.record.epoch) {
    db_.prepare("UPDATE topics SET epoch = ? WHERE id = ?")
      .with(x.record.epoch, at->id)
      .run();
    at->epoch = x.record.epoch;
  }
  set_options(*at, options);
  for (auto& event : x.events)
    add_to_run(*at, *event);
  return true;
}

void store_tables::cut(known_topic& at, uint64_t upto, bool all) {
  flush();
  std::vector<publication_ptr> kept;
  if (!all) {
    auto row = db_.prepare("SELECT first, last, check_sum, data FROM runs "
                           "WHERE topic = ? AND first <= ? AND last > ?");
    row.with(at.id, upto, upto);
    if (row.step())
      read_row(db_, row, {{}, at.epoch, opening_}, kept);
    row.reset();
    std::erase_if(kept, [upto](auto& x) { return x->offset > upto; });
  }
  db_.prepare("DELETE FROM runs WHERE topic = ? AND last > ?")
    .with(at.id, all ? uint64_t{0} : upto)
    .run();
  db_.prepare("UPDATE topics SET head = ?, emptied_ms = NULL WHERE id = ?")
    .with(upto, at.id)
    .run();
  for (auto& x : kept)
    add_to_run(at, *x);
  at.head = upto;
}

} // namespace callboard
