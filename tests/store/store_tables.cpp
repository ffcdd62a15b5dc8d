// What goes when, and what stays.

#include <callboard/store/store_tables.hpp>

#include <sqlite3.h>

#include <callboard/store/schema.hpp>
#include <callboard/store/store_reads.hpp>

#include "support/store_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

constexpr int64_t ids_ms = 1000;

struct fixture {
  fixture() {
    // Nothing here is about what a disk does.
    db.run("PRAGMA synchronous = OFF");
    migrate_store(db, store_migrations());
    reopen();
  }

  void reopen(bool cleanly = true) {
    if (cleanly && tables)
      tables->mark_clean();
    tables = std::make_unique<store_tables>(db, ids_ms);
    tables->begin_opening();
  }

  /// Appends an event a row.
  void append(const std::string& topic, int n = 1, const std::string& id = {}) {
    for (int i = 0; i < n; ++i) {
      auto x = caf::make_counted<publication>();
      x->topic = topic;
      x->epoch = "e";
      x->offset = ++heads[topic];
      x->timestamp = now_ms;
      x->id = id;
      CHECK(tables->append(*x, options));
      tables->flush();
    }
  }

  /// Returns the offsets that are there: "3-7", "none" for none, "gone" for a
  /// topic that is not there.
  std::string kept(const std::string& topic) {
    auto x = tables->load(topic, options, now_ms);
    if (x.epoch.empty())
      return "gone";
    CHECK_EQ(x.head, heads[topic]);
    return x.first == 0
             ? "none"
             : std::to_string(x.first) + '-' + std::to_string(x.last);
  }

  void sweep() {
    while (tables->sweep(now_ms) > 0) {
    }
  }

  int64_t rows(const std::string& table) {
    return db.number("SELECT count(*) FROM " + table);
  }

  scratch_folder folder;
  database db{folder.path() + "/x.db", database::mode::create};
  std::unique_ptr<store_tables> tables;
  int64_t now_ms = 1'000'000;
  topic_options options{.history_size = 3, .durability = durability::disk};
  std::map<std::string, uint64_t> heads;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(events beyond the size go) {
  append("a", 3);
  sweep();
  CHECK_EQ(kept("a"), "1-3");
  append("a");
  sweep();
  CHECK_EQ(kept("a"), "2-4");
  append("a", 10);
  sweep();
  CHECK_EQ(kept("a"), "12-14");
  CHECK_EQ(rows("runs"), 3);
}

CAF_TEST(the last event stays where no size is kept) {
  options.history_size = 0;
  append("a", 5);
  sweep();
  CHECK_EQ(kept("a"), "5-5");
  append("a");
  CHECK_EQ(kept("a"), "5-6");
}

CAF_TEST(a larger row goes as a whole) {
  for (int i = 0; i < 5; ++i) {
    auto x = caf::make_counted<publication>();
    x->topic = "a";
    x->epoch = "e";
    x->offset = ++heads["a"];
    x->timestamp = now_ms;
    tables->append(*x, options);
  }
  tables->flush();
  CHECK_EQ(rows("runs"), 1);
  sweep();
  CHECK_EQ(kept("a"), "1-5");
  append("a", 2);
  sweep();
  CHECK_EQ(kept("a"), "1-7");
  append("a");
  sweep();
  CHECK_EQ(kept("a"), "6-8");
}

CAF_TEST(events expire and the place stays) {
  options.history_ttl = 100ms;
  append("a", 2);
  now_ms += 50;
  append("a");
  now_ms += 49;
  sweep();
  CHECK_EQ(kept("a"), "1-3");
  now_ms += 1;
  sweep();
  CHECK_EQ(kept("a"), "3-3");
  now_ms += 49;
  sweep();
  CHECK_EQ(kept("a"), "3-3");
  now_ms += 1;
  sweep();
  CHECK_EQ(kept("a"), "none");
  append("a");
  CHECK_EQ(kept("a"), "4-4");
}

CAF_TEST(a last value does not expire) {
  options.history_ttl = 100ms;
  options.retain = true;
  append("a", 3);
  now_ms += 100;
  sweep();
  CHECK_EQ(kept("a"), "3-3");
  CHECK(tables->load("a", options, now_ms).newest != nullptr);
}

CAF_TEST(an event with an id stays as long as the id counts) {
  append("a", 1, "x");
  append("a", 5);
  sweep();
  CHECK_EQ(kept("a"), "1-6");
  now_ms += ids_ms - 1;
  sweep();
  CHECK_EQ(kept("a"), "1-6");
  now_ms += 1;
  sweep();
  CHECK_EQ(kept("a"), "4-6");
}

CAF_TEST(options that have changed count at once) {
  append("a", 3);
  options.history_size = 2;
  tables->load("a", options, now_ms);
  sweep();
  CHECK_EQ(kept("a"), "2-3");
  options.history_size = 1;
  append("a");
  sweep();
  CHECK_EQ(kept("a"), "4-4");
}

CAF_TEST(an empty topic goes after thirty days) {
  options.history_ttl = 1ms;
  append("a");
  now_ms += 1;
  sweep();
  CHECK_EQ(kept("a"), "none");
  now_ms += store_tables::empty_ms_max - 1;
  sweep();
  CHECK_EQ(kept("a"), "none");
  now_ms += 1;
  sweep();
  CHECK_EQ(kept("a"), "gone");
  CHECK_EQ(rows("topics"), 0);
  // Somebody still uses it.
  append("a");
  CHECK_EQ(kept("a"), "2-2");
}

CAF_TEST(a step of the sweep is bounded) {
  append("a", 1000);
  append("b", 10);
  options.history_size = 1;
  tables->load("a", options, now_ms);
  tables->load("b", options, now_ms);
  CHECK_EQ(tables->sweep(now_ms), 512u);
  CHECK_EQ(kept("a"), "513-1000");
  CHECK_EQ(tables->sweep(now_ms), 487u + 9u);
  CHECK_EQ(kept("a"), "1000-1000");
  CHECK_EQ(kept("b"), "10-10");
  CHECK_EQ(tables->sweep(now_ms), 0u);
}

CAF_TEST(steps of a sweep go on where the last one ended) {
  append("a", 400);
  append("b", 400);
  append("c", 400);
  options.history_size = 1;
  for (auto topic : {"a", "b", "c"})
    tables->load(topic, options, now_ms);
  // A topic is finished once it was begun.
  CHECK_EQ(tables->sweep(now_ms), 798u);
  CHECK_EQ(kept("c"), "1-400");
  CHECK_EQ(tables->sweep(now_ms), 399u);
  CHECK_EQ(tables->sweep(now_ms), 0u);
}

CAF_TEST(many topics have their turn) {
  for (int i = 0; i < 200; ++i)
    append("t" + std::to_string(i), 2);
  options.history_size = 1;
  for (int i = 0; i < 200; ++i)
    tables->load("t" + std::to_string(i), options, now_ms);
  size_t steps = 0;
  while (rows("runs") > 200) {
    tables->sweep(now_ms);
    ++steps;
    REQUIRE(steps <= 4);
  }
  CHECK_EQ(steps, 4u);
}

CAF_TEST(what memory saved is swept away after an unclean end) {
  options.durability = durability::memory;
  std::vector<publication_ptr> none;
  tables->save({"a", "e", 7, none, {}, options});
  tables->save({"b", "e", 7, none, {}, options});
  reopen(false);
  CHECK_EQ(tables->load("a", options, now_ms).epoch, "");
  sweep();
  CHECK_EQ(rows("topics"), 0);
}

// -- ids ----------------------------------------------------------------------

CAF_TEST(ids of events that wait to go count) {
  options.history_size = 0;
  append("a", 1, "x");
  append("a", 3);
  sweep();
  auto ids = tables->load("a", options, now_ms).ids;
  REQUIRE_EQ(ids.size(), 1u);
  CHECK_EQ(ids[0].key, "0:x");
  CHECK_EQ(ids[0].offset, 1u);
  CHECK_EQ(ids[0].until_ms, now_ms + ids_ms);
}

CAF_TEST(only ids that count are returned from a row of several) {
  for (int i = 0; i < 4; ++i) {
    auto x = caf::make_counted<publication>();
    x->topic = "a";
    x->epoch = "e";
    x->offset = ++heads["a"];
    x->timestamp = now_ms + i * 100;
    x->id = i == 2 ? std::string{} : "id" + std::to_string(i);
    tables->append(*x, options);
  }
  tables->flush();
  auto ids = tables->load("a", options, now_ms + ids_ms).ids;
  REQUIRE_EQ(ids.size(), 2u);
  CHECK_EQ(ids[0].offset, 2u);
  CHECK_EQ(ids[1].offset, 4u);
}

// -- rows ---------------------------------------------------------------------

CAF_TEST(a transaction fills rows up to their bound) {
  options.history_size = 10'000;
  auto add = [&](size_t bytes) {
    auto x = caf::make_counted<publication>();
    x->topic = "a";
    x->epoch = "e";
    x->offset = ++heads["a"];
    x->timestamp = now_ms;
    x->payload = payload::pack(std::string(bytes, 'x'));
    CHECK(tables->append(*x, options));
  };
  for (int i = 0; i < 257; ++i)
    add(1);
  tables->flush();
  CHECK_EQ(rows("runs"), 2);
  add(store_tables::run_bytes_max);
  add(1);
  tables->flush();
  CHECK_EQ(rows("runs"), 4);
  store_query all{.topic = "a",
                  .epoch = "e",
                  .first = 1,
                  .last = 1000,
                  .events_max = 1000,
                  .bytes_max = 1'000'000};
  CHECK_EQ(read_events(db, all, 1).size(), 259u);
}

CAF_TEST(paging backwards does not look at what is newer) {
  options.history_size = 10'000;
  append("a", 3000);
  store_query query{.topic = "a",
                    .epoch = "e",
                    .first = 1,
                    .last = 50,
                    .events_max = 10,
                    .bytes_max = 1'000'000,
                    .newest = true};
  int steps = 0;
  auto count = [](void* x) { return ++*static_cast<int*>(x), 0; };
  sqlite3_progress_handler(db.handle(), 1, count, &steps);
  auto found = read_events(db, query, 1);
  sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
  REQUIRE_EQ(found.size(), 10u);
  CHECK_EQ(found.front()->offset, 41u);
  CHECK_EQ(found.back()->offset, 50u);
  CHECK(steps < 1000);
}

CAF_TEST(a gap is damage) {
  append("a", 3);
  db.run("DELETE FROM runs WHERE last = 2");
  store_query all{.topic = "a",
                  .epoch = "e",
                  .first = 1,
                  .last = 1000,
                  .events_max = 1000,
                  .bytes_max = 1'000'000};
  CHECK_THROWS_AS(read_events(db, all, 1), store_error);
}

END_FIXTURE_SCOPE()
