#include <callboard/store/store_tables.hpp>

#include <algorithm>
#include <chrono>

#include <sqlite3.h>

#include <callboard/store/store_reads.hpp>

namespace callboard {

namespace {

// Buffers that are kept for the next batch.
constexpr size_t runs_kept = 64;

// Ids of one topic that a load returns.
constexpr size_t ids_max = 65'536;

// Rows with ids that do not count any more which a load passes over: a clock
// that was set back has older times behind younger ones.
constexpr size_t old_rows_max = 64;

constexpr size_t run_events_max = 256;

int64_t ttl_ms_of(const topic_options& x) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(x.history_ttl)
    .count();
}

} // namespace

store_tables::store_tables(database& db, const limits& bounds)
  : db_{db},
    limits_{bounds},
    find_{db.prepare("SELECT id, epoch, head, life, taken, size, ttl_ms, "
                     "retain, ids IS NOT NULL FROM topics WHERE name = ?")},
    bounds_{db.prepare(
      "SELECT (SELECT first FROM runs WHERE topic = ?1 ORDER BY last LIMIT 1), "
      "(SELECT max(last) FROM runs WHERE topic = ?1)")},
    insert_run_{db.prepare("INSERT INTO runs VALUES(?, ?, ?, ?, ?, ?, ?)")},
    swept_{db.prepare("SELECT id, name, head, life, taken, size, ttl_ms, "
                      "retain, emptied_ms, ahead_ms FROM topics "
                      "WHERE id >= ? ORDER BY id LIMIT 1")},
    last_{db.prepare("SELECT max(last) FROM runs WHERE topic = ?")},
    oldest_{db.prepare("SELECT last, at_ms, ids FROM runs WHERE topic = ? "
                       "ORDER BY last LIMIT ?")},
    replica_{db.prepare("SELECT promised, term, floor, agreed, placed, forgot "
                        "FROM replicas WHERE name = ?")},
    save_replica_{db.prepare(
      "INSERT OR REPLACE INTO replicas VALUES(?, ?, ?, ?, ?, ?, ?)")},
    save_place_{
      db.prepare("INSERT OR REPLACE INTO places VALUES(?, ?, ?, ?, ?, ?)")} {
}

void store_tables::begin_opening() {
  if (db_.number("SELECT restored FROM node") != 0)
    begin_anew();
  db_.run("UPDATE node SET openings = openings + 1, "
          "generation = generation + (clean = 0 OR restored = 1), clean = 0, "
          "restored = 0");
  auto row = db_.prepare("SELECT openings, generation FROM node");
  if (!row.step())
    fail_corrupt(db_, "the table node is empty");
  opening_ = static_cast<uint64_t>(row.number(0));
  generation_ = row.number(1);
  rows_ = db_.number("SELECT (SELECT count(*) FROM topics) "
                     "+ (SELECT count(*) FROM replicas)");
  rows_before_ = rows_;
}

void store_tables::begin_anew() {
  // Another one each time that the same copy is restored.
  auto row = db_.prepare("SELECT lower(hex(randomblob(6)))");
  row.step();
  std::string random{row.text(0)};
  row.reset();
  db_
    .prepare("UPDATE topics SET epoch = ? || '.' || id "
             "WHERE name IS NULL OR name NOT IN (SELECT name FROM replicas)")
    .with(random)
    .run();
  // Of these the other ones tell how they stand.
  db_.run("UPDATE replicas SET forgot = 1");
}

void store_tables::mark_clean() {
  db_.run("UPDATE node SET clean = 1");
}

// -- topics -------------------------------------------------------------------

store_tables::known_topic* store_tables::find(const std::string& name) {
  if (auto i = topics_.find(name); i != topics_.end())
    return &i->second;
  find_.with(name);
  row_reader guard{find_};
  if (!find_.step())
    return nullptr;
  known_topic x;
  x.id = find_.number(0);
  x.epoch = find_.text(1);
  x.head = static_cast<uint64_t>(find_.number(2));
  x.saved = !find_.is_null(3);
  x.is_void = is_void(find_, 3, 4);
  x.taken = !x.is_void && !find_.is_null(4);
  x.options.history_size = static_cast<size_t>(find_.number(5));
  x.options.history_ttl = std::chrono::milliseconds{find_.number(6)};
  x.options.retain = find_.number(7) != 0;
  x.has_ids = find_.number(8) != 0;
  bounds_.with(x.id);
  row_reader bounds_guard{bounds_};
  if (bounds_.step())
    x.head = std::max(x.head, static_cast<uint64_t>(bounds_.number(1)));
  return &topics_.emplace(name, std::move(x)).first->second;
}

bool store_tables::is_void(const statement& row, int life,
                           int taken) const noexcept {
  if (row.is_null(life))
    return false;
  // A run that took it and did not leave it has gone on from there.
  auto lost = !row.is_null(taken)
              && static_cast<uint64_t>(row.number(taken)) != opening_;
  return lost || row.number(life) != generation_;
}

bool store_tables::has_room_for_topic() {
  if (rows_ < limits_.topics_max)
    return true;
  damage_ = db_.file() + ": there are " + std::to_string(rows_)
            + " topics, more are refused";
  return false;
}

store_tables::known_topic*
store_tables::make(const std::string& name, const std::string& epoch,
                   uint64_t head, bool saved, const topic_options& options) {
  if (!has_room_for_topic())
    return nullptr;
  auto insert = db_.prepare(
    "INSERT INTO topics(name, epoch, head, life, size, ttl_ms, retain) "
    "VALUES(?, ?, ?, ?, ?, ?, ?) RETURNING id");
  insert.with(name, epoch, head, life_of(saved), uint64_t{options.history_size},
              ttl_ms_of(options), options.retain);
  if (!insert.step())
    fail_corrupt(db_, "a topic was not added");
  known_topic x;
  x.id = insert.number(0);
  insert.run();
  ++rows_;
  x.epoch = epoch;
  x.head = head;
  x.saved = saved;
  x.options = options;
  return &topics_.insert_or_assign(name, std::move(x)).first->second;
}

void store_tables::discard(const std::string& name, int64_t id) {
  db_.prepare("UPDATE topics SET name = NULL, life = -1 WHERE id = ?")
    .with(id)
    .run();
  note_written(id);
  topics_.erase(name);
}

void store_tables::take(known_topic& at, bool in_memory) {
  if (!at.saved && !in_memory)
    return;
  auto by = in_memory ? std::optional{static_cast<int64_t>(opening_)}
                      : std::nullopt;
  db_.prepare("UPDATE topics SET life = ?, taken = ? WHERE id = ?")
    .with(life_of(in_memory), by, at.id)
    .run();
  at.saved = in_memory;
  at.taken = in_memory;
}

bool store_tables::set_options(const std::string& name,
                               const topic_options& options) {
  auto* at = find(name);
  return at != nullptr && !at->saved && set_options(*at, options);
}

bool store_tables::set_options(known_topic& at, const topic_options& options) {
  auto same = at.options.history_size == options.history_size
              && ttl_ms_of(at.options) == ttl_ms_of(options)
              && at.options.retain == options.retain;
  at.options = options;
  if (same)
    return false;
  db_.prepare("UPDATE topics SET size = ?, ttl_ms = ?, retain = ? WHERE id = ?")
    .with(uint64_t{options.history_size}, ttl_ms_of(options), options.retain,
          at.id)
    .run();
  note_written(at.id);
  return true;
}

stored_topic store_tables::load(const std::string& name,
                                const topic_options& options, int64_t now_ms) {
  flush();
  auto* at = find(name);
  if (at == nullptr)
    return {};
  if (at->is_void || at->taken) {
    discard(name, at->id);
    return {};
  }
  auto in_memory = options.durability == durability::memory;
  take(*at, in_memory);
  set_options(*at, options);
  stored_topic result;
  result.epoch = at->epoch;
  result.head = at->head;
  bounds_.with(at->id);
  row_reader guard{bounds_};
  if (bounds_.step()) {
    result.first = static_cast<uint64_t>(bounds_.number(0));
    result.last = static_cast<uint64_t>(bounds_.number(1));
  }
  load_saved_ids(*at, now_ms, result.ids);
  load_ids(at->id, now_ms, result.ids);
  if (options.retain && result.last == result.head && result.head > 0)
    result.newest = load_newest(name, *at);
  if (!in_memory)
    result.groups = load_places(*at, at->head);
  return result;
}

void store_tables::load_saved_ids(known_topic& at, int64_t now_ms,
                                  std::vector<stored_id>& out) {
  if (!at.has_ids)
    return;
  auto row = db_.prepare("SELECT ids FROM topics WHERE id = ?");
  row.with(at.id);
  if (row.step() && !read_ids(row.bytes(0), out))
    fail_corrupt(db_, "the ids of a topic are damaged");
  row.reset();
  std::erase_if(out, [now_ms](auto& x) { return x.until_ms <= now_ms; });
  if (!out.empty())
    return;
  db_.prepare("UPDATE topics SET ids = NULL WHERE id = ?").with(at.id).run();
  at.has_ids = false;
}

void store_tables::load_ids(int64_t topic, int64_t now_ms,
                            std::vector<stored_id>& out) {
  auto rows = db_.prepare(
    "SELECT first, last, check_sum, data, at_ms FROM runs "
    "INDEXED BY runs_with_ids WHERE topic = ? AND ids = 1 ORDER BY last DESC");
  rows.with(topic);
  std::vector<stored_id> found;
  std::vector<publication_ptr> events;
  for (size_t old = 0; found.size() < ids_max && rows.step();) {
    if (rows.number(4) + limits_.ids_ms <= now_ms) {
      if (++old == old_rows_max)
        break;
      continue;
    }
    events.clear();
    read_row(db_, rows, {{}, {}, opening_}, events);
    for (auto i = events.rbegin(); i != events.rend(); ++i)
      if (auto until_ms = (*i)->timestamp + limits_.ids_ms;
          !(*i)->id.empty() && until_ms > now_ms)
        found.push_back({(*i)->id_key(), (*i)->offset, until_ms});
  }
  rows.reset();
  out.insert(out.end(), found.rbegin(), found.rend());
}

publication_ptr store_tables::load_newest(const std::string& name,
                                          const known_topic& at) {
  auto row = db_.prepare("SELECT first, last, check_sum, data FROM runs "
                         "WHERE topic = ? AND last = ?");
  row.with(at.id, at.head);
  try {
    if (!row.step())
      return nullptr;
    std::vector<publication_ptr> events;
    read_row(db_, row, {name, at.epoch, opening_}, events);
    return events.back();
  } catch (const store_error& e) {
    // The topic can go on without it, if the transaction can.
    if (e.trouble != store_trouble::corrupt
        || sqlite3_get_autocommit(db_.handle()) != 0)
      throw;
    damage_ = e.what();
    return nullptr;
  }
}

// -- events -------------------------------------------------------------------

bool store_tables::append(const publication& x, const topic_options& options) {
  auto* at = find(x.topic);
  if (at == nullptr)
    at = make(x.topic, x.epoch, x.offset - 1, false, options);
  if (at == nullptr || at->saved || at->epoch != x.epoch
      || at->head + 1 != x.offset)
    return false;
  set_options(*at, options);
  add_to_run(*at, x);
  return true;
}

void store_tables::add_to_run(known_topic& at, const publication& x) {
  if (at.run == 0) {
    if (runs_used_ == runs_.size())
      runs_.emplace_back();
    auto& made = runs_[runs_used_];
    at.run = ++runs_used_;
    filling_.push_back(&at);
    made.bytes.clear(opening_);
    made.topic = at.id;
    made.has_ids = false;
  }
  auto& run = runs_[at.run - 1];
  run.bytes.add(x);
  run.at_ms = x.timestamp;
  run.has_ids |= !x.id.empty();
  at.head = x.offset;
  if (run.bytes.bytes().size() >= run_bytes_max
      || run.bytes.last() - run.bytes.first() + 1 >= run_events_max) {
    write(run);
    run.bytes.clear(opening_);
    run.has_ids = false;
  }
}

void store_tables::write(open_run& x) {
  if (x.bytes.empty())
    return;
  auto& data = x.bytes.bytes();
  insert_run_
    .with(x.topic, x.bytes.last(), x.bytes.first(), x.at_ms, x.has_ids,
          int64_t{check_sum(data)}, statement::blob{data})
    .run();
  note_written(x.topic);
}

void store_tables::note_written(int64_t topic) {
  if (written_.size() < written_max && is_written_.insert(topic).second)
    written_.push_back(topic);
}

void store_tables::flush() {
  if (runs_used_ == 0)
    return;
  for (size_t i = 0; i < runs_used_; ++i)
    write(runs_[i]);
  for (auto* x : filling_)
    x->run = 0;
  filling_.clear();
  runs_used_ = 0;
  if (runs_.size() > runs_kept)
    runs_.resize(runs_kept);
}

void store_tables::committed() {
  rows_before_ = rows_;
  if (topics_.size() > limits_.known_max)
    topics_.clear();
}

void store_tables::rolled_back() {
  rows_ = rows_before_;
  topics_.clear();
  filling_.clear();
  runs_.clear();
  runs_used_ = 0;
}

} // namespace callboard
