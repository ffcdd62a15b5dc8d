#include <callboard/store/store_tables.hpp>

#include <algorithm>

// What nobody will ask for any more goes little by little. A topic loses events
// when it gets others, so that those that were written are looked at soon. What
// only time takes away is found in a lap over all topics, which takes as long
// as there are many of them.

namespace callboard {

namespace {

// What one step looks at: of the topics that were written, and of all.
constexpr size_t topics_a_step = 256;

constexpr size_t rows_a_step = 512;

} // namespace

bool store_tables::read_topic(int64_t from, swept_topic& x) {
  swept_.with(from);
  row_reader guard{swept_};
  if (!swept_.step())
    return false;
  x.id = swept_.number(0);
  x.name = swept_.text(1);
  x.head = static_cast<uint64_t>(swept_.number(2));
  x.is_void = is_void(swept_, 3, 4);
  auto size = static_cast<uint64_t>(swept_.number(5));
  x.ttl_ms = swept_.number(6);
  x.retain = swept_.number(7) != 0;
  x.emptied_ms = swept_.number(8);
  x.ahead_ms = swept_.number(9);
  last_.with(x.id);
  row_reader last_guard{last_};
  if (last_.step())
    x.head = std::max(x.head, static_cast<uint64_t>(last_.number(0)));
  x.keep_from = x.head > size ? x.head - size + 1 : 1;
  return true;
}

store_tables::sweep_result store_tables::sweep(int64_t now_ms) {
  sweep_result done;
  // What is written from now on is for the next pass, after a rest.
  if (pass_left_ == 0)
    pass_left_ = written_.size();
  sweep_written(done, now_ms);
  if (pass_left_ == 0)
    sweep_lap(done, now_ms);
  else
    done.more = true;
  return done;
}

void store_tables::sweep_written(sweep_result& done, int64_t now_ms) {
  for (size_t i = 0; i < topics_a_step; ++i) {
    if (pass_left_ == 0 || done.rows >= rows_a_step)
      return;
    auto id = written_.front();
    written_.pop_front();
    is_written_.erase(id);
    --pass_left_;
    swept_topic x;
    if (!read_topic(id, x) || x.id != id)
      continue;
    auto n = sweep_topic(x, now_ms);
    done.rows += n;
    // Who has more to lose is looked at again.
    if (n == rows_a_step && is_written_.insert(id).second) {
      written_.push_front(id);
      ++pass_left_;
    }
  }
}

void store_tables::sweep_lap(sweep_result& done, int64_t now_ms) {
  size_t rows = 0;
  for (size_t i = 0; i < topics_a_step && done.rows < rows_a_step; ++i) {
    swept_topic x;
    auto found = false;
    try {
      found = read_topic(cursor_ + 1, x);
    } catch (const store_error&) {
      // One that is damaged does not hold up the others.
      cursor_ = std::max(cursor_, x.id);
      throw;
    }
    if (!found) {
      cursor_ = 0;
      return;
    }
    cursor_ = x.id;
    auto n = sweep_topic(x, now_ms);
    rows += n;
    done.rows += n;
    if (n == rows_a_step)
      --cursor_;
  }
  done.more = rows > 0 || done.rows >= rows_a_step;
}

size_t store_tables::sweep_topic(const swept_topic& x, int64_t now_ms) {
  auto found = look_at(x, now_ms);
  auto since_ms = x.ahead_ms == 0 ? now_ms : x.ahead_ms;
  if (auto ahead_ms = found.ahead ? since_ms : 0; ahead_ms != x.ahead_ms)
    db_.prepare("UPDATE topics SET ahead_ms = ? WHERE id = ?")
      .with(ahead_ms == 0 ? std::nullopt : std::optional{ahead_ms}, x.id)
      .run();
  if (found.n > 0) {
    if (found.gone == x.head)
      db_.prepare("UPDATE topics SET head = ?, emptied_ms = ? WHERE id = ?")
        .with(x.head, now_ms, x.id)
        .run();
    db_.prepare("DELETE FROM runs WHERE topic = ? AND last <= ?")
      .with(x.id, found.gone)
      .run();
  } else if (!found.seen) {
    sweep_empty(x, now_ms);
  }
  return found.n;
}

store_tables::oldest_rows store_tables::look_at(const swept_topic& x,
                                                int64_t now_ms) {
  oldest_rows found;
  oldest_.with(x.id, uint64_t{rows_a_step});
  row_reader guard{oldest_};
  while (oldest_.step()) {
    found.seen = true;
    auto last = static_cast<uint64_t>(oldest_.number(0));
    auto at_ms = oldest_.number(1);
    // What is from the future was accepted when it was first found to be, or
    // before.
    found.ahead = at_ms > now_ms + skew_ms_max;
    if (found.ahead)
      at_ms = x.ahead_ms == 0 ? now_ms : x.ahead_ms;
    auto expired = x.ttl_ms > 0 && at_ms + x.ttl_ms <= now_ms;
    auto unwanted = last == x.head ? expired && !x.retain
                                   : expired || last < x.keep_from;
    auto id_counts = oldest_.number(2) != 0 && at_ms + limits_.ids_ms > now_ms;
    if (!x.is_void && (!unwanted || id_counts))
      break;
    found.gone = last;
    ++found.n;
  }
  return found;
}

bool store_tables::has_groups(int64_t topic, int64_t now_ms) {
  auto row = db_.prepare("SELECT max(saved_ms) FROM places WHERE topic = ?");
  row.with(topic);
  if (!row.step() || row.is_null(0))
    return false;
  auto saved_ms = row.number(0);
  row.reset();
  if (saved_ms > now_ms + skew_ms_max)
    db_.prepare("UPDATE places SET saved_ms = min(saved_ms, ?) WHERE topic = ?")
      .with(now_ms, topic)
      .run();
  return saved_ms + empty_ms_max > now_ms;
}

bool store_tables::has_promises(const std::string& name) {
  replica_.with(name);
  row_reader guard{replica_};
  return replica_.step();
}

void store_tables::sweep_empty(const swept_topic& x, int64_t now_ms) {
  auto crowded = rows_ > limits_.topics_max / 2;
  auto empty_ms = crowded ? empty_ms_crowded : empty_ms_max;
  // A clock that was ahead has left a time that may be years away.
  auto ahead = x.emptied_ms > now_ms + skew_ms_max;
  if (!x.is_void && (x.emptied_ms == 0 || ahead)) {
    db_.prepare("UPDATE topics SET emptied_ms = ? WHERE id = ?")
      .with(now_ms, x.id)
      .run();
  } else if (x.is_void
             || (x.emptied_ms + empty_ms <= now_ms && !has_groups(x.id, now_ms)
                 && !has_promises(x.name))) {
    db_.prepare("DELETE FROM places WHERE topic = ?").with(x.id).run();
    db_.prepare("DELETE FROM topics WHERE id = ?").with(x.id).run();
    --rows_;
    topics_.erase(x.name);
  }
}

} // namespace callboard
