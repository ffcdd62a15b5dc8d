#include <callboard/store/store_tables.hpp>

#include <algorithm>

// What shards leave to the next run: topics of durability `memory`, and where
// groups stand.

namespace callboard {

bool store_tables::save(const saved_topic& x) {
  flush();
  auto* at = find(x.topic);
  auto follows = [&] {
    bounds_.with(at->id);
    row_reader guard{bounds_};
    if (at->is_void || at->epoch != x.epoch || !bounds_.step())
      return false;
    auto last = static_cast<uint64_t>(bounds_.number(1));
    return x.events.empty() ? last == 0 || last == x.head
                            : last == 0 || last + 1 == x.events.front()->offset;
  };
  auto replaced = at != nullptr && !follows();
  if (replaced) {
    discard(x.topic, at->id);
    at = nullptr;
  }
  if (at == nullptr && x.head > 0)
    at = make(x.topic, x.epoch, 0, true, x.options);
  if (at == nullptr)
    return replaced;
  set_options(*at, x.options);
  for (auto& event : x.events)
    add_to_run(*at, *event);
  flush();
  auto ids = write_ids(x.ids);
  db_
    .prepare("UPDATE topics SET head = ?, life = ?, taken = NULL, ids = ?, "
             "emptied_ms = NULL WHERE id = ?")
    .with(x.head, generation_, statement::blob{ids}, at->id)
    .run();
  // Its head, and whether it has ids, are read anew.
  topics_.erase(x.topic);
  return true;
}

bool store_tables::save(const saved_place& x, int64_t now_ms) {
  auto* at = find(x.topic);
  auto& where = x.where;
  if (x.forgotten) {
    if (at != nullptr)
      db_.prepare("DELETE FROM places WHERE topic = ? AND name = ?")
        .with(at->id, where.group)
        .run();
    return true;
  }
  if (at == nullptr)
    at = make(x.topic, x.epoch, x.head, false, x.options);
  if (at == nullptr || at->saved || at->epoch != x.epoch)
    return false;
  write_place(at->id, where, now_ms);
  return true;
}

void store_tables::write_place(int64_t topic, const group_place& x,
                               int64_t now_ms) {
  auto open = write_open_events(x);
  save_place_
    .with(topic, x.group, x.place, now_ms, int64_t{check_sum(open)},
          statement::blob{open})
    .run();
}

std::vector<group_place> store_tables::load_places(const known_topic& at,
                                                   uint64_t head) {
  auto rows = db_.prepare("SELECT name, place, check_sum, open FROM places "
                          "WHERE topic = ? ORDER BY saved_ms DESC, name");
  rows.with(at.id);
  std::vector<group_place> result;
  std::vector<std::string> too_many;
  while (rows.step()) {
    if (result.size() >= limits_.places_max) {
      too_many.emplace_back(rows.text(0));
      continue;
    }
    auto& x = result.emplace_back();
    x.group = rows.text(0);
    x.place = std::min(static_cast<uint64_t>(rows.number(1)), head);
    auto open = rows.bytes(3);
    // Without them more comes again than needs to, and nothing is lost.
    if (static_cast<uint32_t>(rows.number(2)) != check_sum(open)
        || !read_open_events(open, x) || x.reach > head) {
      x.reach = x.place;
      x.open.clear();
    }
  }
  rows.reset();
  auto remove = db_.prepare("DELETE FROM places WHERE topic = ? AND name = ?");
  for (auto& name : too_many)
    remove.with(at.id, name).run();
  return result;
}

} // namespace callboard
