#include <callboard/store/maintenance.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <callboard/messages/topic.hpp>
#include <callboard/store/database.hpp>
#include <callboard/store/event_run.hpp>
#include <callboard/store/schema.hpp>
#include <callboard/store/store_lock.hpp>

namespace callboard {

namespace {

constexpr char select_rows[]
  = "SELECT first, last, check_sum, data FROM runs WHERE topic = ? "
    "ORDER BY last";

constexpr char select_places[]
  = "SELECT name, place, check_sum, open FROM places WHERE topic = ? "
    "ORDER BY name";

// Reads a row of these.
// @returns false if it is damaged.
bool read_place(const statement& row, group_place& x) {
  x.group = row.text(0);
  x.place = static_cast<uint64_t>(row.number(1));
  auto open = row.bytes(3);
  return static_cast<uint32_t>(row.number(2)) == check_sum(open)
         && read_open_events(open, x);
}

/// Opens a store for reading, as it is at one moment.
class snapshot {
public:
  explicit snapshot(const std::string& file)
    : db{(check_is_there(file), file), database::mode::read} {
    check_store(db);
    db.run("BEGIN");
  }

  database db;

private:
  // SQLite only says that it cannot open it, or of a folder that reading fails.
  static void check_is_there(const std::string& file) {
    if (!std::filesystem::exists(file))
      throw store_error{store_trouble::unusable, file + " does not exist"};
    if (std::filesystem::is_directory(file))
      throw store_error{store_trouble::unusable,
                        file + " is a folder, not the file of a store"};
  }
};

int64_t size_of(database& db) {
  return db.number("PRAGMA page_count") * db.number("PRAGMA page_size");
}

/// Goes through a store and writes down what is wrong.
class checker {
public:
  explicit checker(database& db)
    : db_{db},
      rows_{db.prepare(select_rows)},
      places_{db.prepare(select_places)},
      replica_{db.prepare("SELECT 1 FROM replicas WHERE name = ?")} {
  }

  store_findings run() {
    found_.bytes = size_of(db_);
    check_pages();
    if (db_.number("SELECT count(*) FROM node") != 1)
      add("the table node does not have one row");
    auto orphans = db_.number("SELECT count(*) FROM runs WHERE topic NOT IN "
                              "(SELECT id FROM topics)");
    if (orphans > 0)
      add(std::to_string(orphans) + " rows of events belong to no topic");
    auto lost = db_.number("SELECT count(*) FROM places WHERE topic NOT IN "
                           "(SELECT id FROM topics)");
    if (lost > 0)
      add(std::to_string(lost) + " places of groups belong to no topic");
    auto topics = db_.prepare("SELECT id, name, epoch, head FROM topics");
    while (topics.step()) {
      // Those without a name are on their way out.
      if (!topics.is_null(1))
        check_topic_row(topics);
      ++found_.topics;
    }
    return std::move(found_);
  }

private:
  void add(std::string what) {
    if (found_.problems.size() < store_findings::problems_max)
      found_.problems.push_back(std::move(what));
  }

  void check_pages() {
    auto result = db_.prepare("PRAGMA integrity_check("
                              + std::to_string(store_findings::problems_max)
                              + ')');
    while (result.step())
      if (auto what = std::string{result.text(0)}; what != "ok")
        add(what);
  }

  void check_topic_row(const statement& topic) {
    std::string name{topic.text(1)};
    auto about = "topic '" + name + "': ";
    auto wrong = check_topic(name);
    if (wrong != subject_error::none && wrong != subject_error::reserved)
      add(about + "the name breaks the grammar of topics");
    if (topic.text(2).empty())
      add(about + "there is no epoch");
    uint64_t last = 0;
    rows_.with(topic.number(0));
    row_reader guard{rows_};
    while (rows_.step()) {
      auto first = static_cast<uint64_t>(rows_.number(0));
      if (last != 0 && first != last + 1)
        add(about + "offset " + std::to_string(first) + " follows "
            + std::to_string(last));
      last = static_cast<uint64_t>(rows_.number(1));
      check_events(about, first, last);
    }
    if (last != 0 && last < static_cast<uint64_t>(topic.number(3)))
      add(about + "the last event has offset " + std::to_string(last)
          + ", but the topic stands at " + std::to_string(topic.number(3)));
    auto head = std::max(last, static_cast<uint64_t>(topic.number(3)));
    // A copy may lack events that its groups have had from the owner.
    replica_.with(name);
    row_reader replica_guard{replica_};
    check_places(about, topic.number(0), replica_.step() ? ~uint64_t{0} : head);
  }

  void check_places(const std::string& about, int64_t topic, uint64_t head) {
    places_.with(topic);
    row_reader guard{places_};
    while (places_.step()) {
      ++found_.groups;
      group_place x;
      auto group = about + "group '" + std::string{places_.text(0)} + "' ";
      if (!read_place(places_, x))
        add(group + "has a damaged place");
      else if (x.reach > head)
        add(group + "stands at " + std::to_string(x.reach)
            + ", but the topic at " + std::to_string(head));
    }
  }

  void check_events(const std::string& about, uint64_t first, uint64_t last) {
    events_.clear();
    auto data = rows_.bytes(3);
    if (static_cast<uint32_t>(rows_.number(2)) != check_sum(data)
        || !read_run(data, {}, first, last, events_))
      add(about + "the events up to offset " + std::to_string(last)
          + " are damaged");
    else
      found_.events += events_.size();
  }

  database& db_;
  statement rows_;
  statement places_;
  statement replica_;
  store_findings found_;
  std::vector<publication_ptr> events_;
};

// Puts a file's name on the disk as well.
void sync_folder_of(const std::string& file) {
  auto folder = std::filesystem::absolute(file).parent_path();
  auto descriptor = ::open(folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return;
  ::fsync(descriptor);
  ::close(descriptor);
}

} // namespace

std::string store_file_of(const std::string& folder) {
  return folder + '/' + store_file_name;
}

store_findings check_store_file(const std::string& file) {
  snapshot store{file};
  try {
    return checker{store.db}.run();
  } catch (const store_error& e) {
    // A page that cannot be read ends it.
    store_findings found;
    found.problems.emplace_back(e.what());
    return found;
  }
}

uint64_t export_store_file(const std::string& file, std::string_view pattern,
                           const std::function<void(const publication&)>& f) {
  snapshot store{file};
  auto& db = store.db;
  auto topics = db.prepare(
    "SELECT id, name, epoch FROM topics, node WHERE name IS NOT NULL AND "
    "(life IS NULL OR (life = generation AND ifnull(taken, openings) = "
    "openings)) ORDER BY name");
  auto rows = db.prepare(select_rows);
  uint64_t n = 0;
  std::vector<publication_ptr> events;
  while (topics.step()) {
    auto name = topics.text(1);
    if (!pattern.empty() && !matches(pattern, name))
      continue;
    rows.with(topics.number(0));
    row_reader guard{rows};
    while (rows.step()) {
      events.clear();
      auto data = rows.bytes(3);
      if (static_cast<uint32_t>(rows.number(2)) != check_sum(data)
          || !read_run(data, {name, topics.text(2)},
                       static_cast<uint64_t>(rows.number(0)),
                       static_cast<uint64_t>(rows.number(1)), events))
        throw store_error{store_trouble::corrupt,
                          file + ": the events of topic '" + std::string{name}
                            + "' up to offset " + std::to_string(rows.number(1))
                            + " are damaged"};
      for (auto& x : events)
        f(*x);
      n += events.size();
    }
  }
  return n;
}

uint64_t export_store_places(const std::string& file, std::string_view pattern,
                             const std::function<void(const saved_place&)>& f) {
  snapshot store{file};
  auto topics = store.db.prepare(
    "SELECT id, name, epoch FROM topics WHERE name IS NOT "
    "NULL AND life IS NULL ORDER BY name");
  auto rows = store.db.prepare(select_places);
  uint64_t n = 0;
  while (topics.step()) {
    saved_place x;
    x.topic = topics.text(1);
    x.epoch = topics.text(2);
    if (!pattern.empty() && !matches(pattern, x.topic))
      continue;
    rows.with(topics.number(0));
    row_reader guard{rows};
    while (rows.step()) {
      x.where = {};
      if (!read_place(rows, x.where))
        throw store_error{store_trouble::corrupt,
                          file + ": the place of group '" + x.where.group
                            + "' of topic '" + x.topic + "' is damaged"};
      f(x);
      ++n;
    }
  }
  return n;
}

int64_t back_up_store_file(const std::string& file, const std::string& to) {
  if (std::filesystem::exists(to))
    throw store_error{store_trouble::unusable, to + " exists already"};
  // Nothing that is not whole ever has its name.
  auto part = to + ".part";
  std::filesystem::remove(part);
  int64_t bytes = 0;
  {
    snapshot store{file};
    database copy{part, database::mode::create};
    auto* backup = sqlite3_backup_init(copy.handle(), "main", store.db.handle(),
                                       "main");
    // In one step, so that it is of one moment however long it takes.
    auto code = backup != nullptr ? sqlite3_backup_step(backup, -1)
                                  : sqlite3_errcode(copy.handle());
    sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE)
      copy.fail(code);
    copy.run("PRAGMA journal_mode = DELETE");
    copy.run("UPDATE node SET restored = 1");
    bytes = size_of(copy);
  }
  std::filesystem::rename(part, to);
  sync_folder_of(to);
  return bytes;
}

store_compaction compact_store(const std::string& folder) {
  auto file = store_file_of(folder);
  if (!std::filesystem::exists(file))
    throw store_error{store_trouble::unusable, file + " does not exist"};
  store_lock lock{folder};
  database db{file, database::mode::write};
  migrate_store(db, store_migrations());
  store_compaction result;
  result.bytes_before = size_of(db);
  db.run("VACUUM");
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  result.bytes_after = size_of(db);
  return result;
}

} // namespace callboard
