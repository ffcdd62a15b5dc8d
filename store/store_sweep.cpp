#include <callboard/store/store_tables.hpp>

#include <limits>

// What nobody will ask for any more goes little by little.

namespace callboard {

namespace {

// What one step of the sweep looks at.
constexpr size_t topics_a_step = 64;
constexpr size_t rows_a_step = 512;

} // namespace

bool store_tables::next_topic(swept_topic& x) {
  auto row = db_.prepare("SELECT id, name, head, life, size, ttl_ms, retain, "
                         "emptied_ms FROM topics WHERE id > ? "
                         "ORDER BY id LIMIT 1");
  row.with(cursor_);
  if (!row.step())
    return false;
  x.id = row.number(0);
  // One that is damaged does not hold up the others.
  cursor_ = x.id;
  x.name = row.text(1);
  x.head = static_cast<uint64_t>(row.number(2));
  x.is_void = !row.is_null(3) && row.number(3) != generation_;
  auto size = static_cast<uint64_t>(row.number(4));
  x.ttl_ms = row.number(5);
  x.retain = row.number(6) != 0;
  x.emptied_ms = row.number(7);
  row.reset();
  auto last = db_.prepare("SELECT max(last) FROM runs WHERE topic = ?");
  last.with(x.id);
  if (last.step())
    x.head = std::max(x.head, static_cast<uint64_t>(last.number(0)));
  x.keep_from = x.head > size ? x.head - size + 1 : 1;
  return true;
}

size_t store_tables::sweep(int64_t now_ms) {
  size_t removed = 0;
  for (size_t i = 0; i < topics_a_step && removed < rows_a_step; ++i) {
    swept_topic x;
    if (!next_topic(x)) {
      cursor_ = 0;
      return removed;
    }
    auto n = sweep(x, now_ms);
    removed += n;
    // Who has more to lose is looked at again.
    if (n == rows_a_step)
      --cursor_;
  }
  return removed;
}

size_t store_tables::sweep(const swept_topic& x, int64_t now_ms) {
  auto rows = db_.prepare("SELECT last, at_ms, ids FROM runs WHERE topic = ? "
                          "ORDER BY last LIMIT ?");
  rows.with(x.id, uint64_t{rows_a_step});
  uint64_t gone = 0;
  size_t n = 0;
  auto seen = false;
  auto left = false;
  while (!left && rows.step()) {
    seen = true;
    auto last = static_cast<uint64_t>(rows.number(0));
    auto at_ms = rows.number(1);
    auto expired = x.ttl_ms > 0 && at_ms + x.ttl_ms <= now_ms;
    auto newest = last == x.head;
    auto unwanted = newest ? expired && !x.retain
                           : expired || last < x.keep_from;
    auto id_counts = rows.number(2) != 0 && at_ms + ids_ms_ > now_ms;
    if (x.is_void || (unwanted && !id_counts)) {
      gone = last;
      ++n;
    } else {
      left = true;
    }
  }
  rows.reset();
  if (n > 0) {
    db_.prepare("DELETE FROM runs WHERE topic = ? AND last <= ?")
      .with(x.id, gone)
      .run();
    if (gone == x.head)
      db_.prepare("UPDATE topics SET head = ?, emptied_ms = ? WHERE id = ?")
        .with(x.head, now_ms, x.id)
        .run();
  } else if (!seen) {
    sweep_empty(x, now_ms);
  }
  return n;
}

bool store_tables::has_groups(int64_t topic, int64_t now_ms) {
  auto row = db_.prepare("SELECT max(saved_ms) FROM places WHERE topic = ?");
  row.with(topic);
  return row.step() && !row.is_null(0) && row.number(0) + empty_ms_max > now_ms;
}

void store_tables::sweep_empty(const swept_topic& x, int64_t now_ms) {
  if (!x.is_void && x.emptied_ms == 0) {
    db_.prepare("UPDATE topics SET emptied_ms = ? WHERE id = ?")
      .with(now_ms, x.id)
      .run();
  } else if (x.is_void
             || (x.emptied_ms + empty_ms_max <= now_ms
                 && !has_groups(x.id, now_ms))) {
    db_.prepare("DELETE FROM places WHERE topic = ?").with(x.id).run();
    db_.prepare("DELETE FROM topics WHERE id = ?").with(x.id).run();
    topics_.erase(x.name);
  }
}

} // namespace callboard
