#include <callboard/store/schema.hpp>

namespace callboard {

namespace {

// `node` has one row: how often the store was opened, the generation of what
// topics of durability `memory` have saved, and whether the last run ended
// cleanly. If it did not, the next one begins a new generation. `restored`
// tells that the file is a copy, on which no node has run yet.
//
// `topics`: a topic without a name is to be swept away. `head` is the last
// offset unless a row in `runs` has a higher one. `life` is null for durability
// `disk`, else the generation in which what was saved counts; `taken` is then
// the opening whose node has the topic in its memory, so that what is here is
// not where it stands, or null. `size`, `ttl_ms` and `retain` are the topic's
// options. `ids` holds what a topic of durability `memory` remembered.
// `emptied_ms` is when its last event went. `ahead_ms` is when its oldest event
// was found to be from the future, or null.
//
// `runs`: a row holds the events first … last of a topic (see event_run.hpp),
// of which the last one was accepted at `at_ms`; `ids` tells whether one of
// them has an id, so that a load need not look at the others. The rows of a
// topic have no gaps between them, and the one with the head goes last.
//
// `places` (from version 2): where groups of topics of durability `disk` stand:
// all events up to `place` are finished, and `open` tells of those behind it
// (see event_run.hpp). They go with their topic.
//
// `replicas` (from version 4): what this node has promised about topics with
// replicas, by their names, as `replica_record` has it. Such a topic need have
// no row in `topics` here. They stay.
constexpr const char* migrations[] = {
  R"(
    CREATE TABLE node(
      openings INTEGER NOT NULL,
      generation INTEGER NOT NULL,
      clean INTEGER NOT NULL);
    INSERT INTO node VALUES(0, 1, 1);
    CREATE TABLE topics(
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT UNIQUE,
      epoch TEXT NOT NULL,
      head INTEGER NOT NULL,
      life INTEGER,
      size INTEGER NOT NULL,
      ttl_ms INTEGER NOT NULL,
      retain INTEGER NOT NULL,
      ids BLOB,
      emptied_ms INTEGER);
    CREATE TABLE runs(
      topic INTEGER NOT NULL,
      last INTEGER NOT NULL,
      first INTEGER NOT NULL,
      at_ms INTEGER NOT NULL,
      ids INTEGER NOT NULL,
      check_sum INTEGER NOT NULL,
      data BLOB NOT NULL,
      PRIMARY KEY(topic, last)) WITHOUT ROWID;
    CREATE INDEX runs_with_ids ON runs(topic, last) WHERE ids = 1;
  )",
  R"(
    CREATE TABLE places(
      topic INTEGER NOT NULL,
      name TEXT NOT NULL,
      place INTEGER NOT NULL,
      saved_ms INTEGER NOT NULL,
      check_sum INTEGER NOT NULL,
      open BLOB NOT NULL,
      PRIMARY KEY(topic, name)) WITHOUT ROWID;
  )",
  R"(
    ALTER TABLE node ADD COLUMN restored INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE topics ADD COLUMN taken INTEGER;
    ALTER TABLE topics ADD COLUMN ahead_ms INTEGER;
  )",
  R"(
    CREATE TABLE replicas(
      name TEXT PRIMARY KEY,
      promised INTEGER NOT NULL,
      term INTEGER NOT NULL,
      floor INTEGER NOT NULL,
      agreed INTEGER NOT NULL,
      placed INTEGER NOT NULL,
      forgot INTEGER NOT NULL) WITHOUT ROWID;
  )",
};

bool is_empty(database& db) {
  return db.number("SELECT count(*) FROM sqlite_schema") == 0
         && db.number("PRAGMA application_id") == 0
         && db.number("PRAGMA user_version") == 0;
}

void check_identity(database& db, int64_t version_max) {
  if (db.number("PRAGMA application_id") != store_application_id)
    throw store_error{store_trouble::foreign,
                      db.file() + " is not a store of callboard"};
  auto version = db.number("PRAGMA user_version");
  if (version < 1 || version > version_max)
    throw store_error{store_trouble::foreign,
                      db.file() + " has version " + std::to_string(version)
                        + " of the store's schema; this program knows 1 to "
                        + std::to_string(version_max)};
}

} // namespace

std::span<const char* const> store_migrations() noexcept {
  return migrations;
}

void check_store(database& db) {
  auto newest = static_cast<int64_t>(store_migrations().size());
  check_identity(db, newest);
  auto version = db.number("PRAGMA user_version");
  if (version != newest)
    throw store_error{store_trouble::foreign,
                      db.file() + " has version " + std::to_string(version)
                        + " of the store's schema; a node, or `callboard store "
                          "compact`, brings it to version "
                        + std::to_string(newest)};
}

void migrate_store(database& db, std::span<const char* const> steps) {
  auto newest = static_cast<int64_t>(steps.size());
  if (!is_empty(db))
    check_identity(db, newest);
  for (auto version = db.number("PRAGMA user_version"); version < newest;
       ++version) {
    transaction step{db};
    db.run(steps[static_cast<size_t>(version)]);
    db.run("PRAGMA application_id = " + std::to_string(store_application_id));
    db.run("PRAGMA user_version = " + std::to_string(version + 1));
    step.commit();
  }
}

} // namespace callboard
