// Whose a topic is, ids, rows and bounds.

#include <callboard/store/store_tables.hpp>

#include <sqlite3.h>

#include <callboard/store/store_reads.hpp>

#include "store/tables_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

BEGIN_FIXTURE_SCOPE(tables_fixture)

// -- durability memory --------------------------------------------------------

CAF_TEST(
  a copy of a topic with replicas keeps its epoch and says that it is one) {
  append("t");
  replica_write x;
  x.before = tables->load_replica("t");
  x.record = x.before;
  x.record.promised = 4;
  CHECK(tables->save("t", x, options, 0));
  append("u");
  db.run("UPDATE node SET restored = 1");
  reopen();
  auto found = tables->load_replica("t");
  CHECK_EQ(found.epoch, "e");
  CHECK(found.forgot);
  CHECK_NE(tables->load_replica("u").epoch, "e");
}

CAF_TEST(replicas count towards the topics that there may be) {
  bounds.topics_max = 2;
  reopen();
  replica_write x;
  x.record.promised = 4;
  CHECK(tables->save("t", x, options, 0));
  CHECK(tables->save("u", x, options, 0));
  CHECK(!tables->save("v", x, options, 0));
  CHECK_NE(tables->take_damage(), "");
  reopen();
  CHECK(!tables->save("v", x, options, 0));
}

CAF_TEST(a load that is taken back has taken nothing) {
  options.durability = durability::memory;
  tables->save({"a", "e", 7, {}, {}, options});
  reopen();
  db.run("BEGIN");
  CHECK_EQ(tables->load("a", options, now_ms).head, 7u);
  db.run("ROLLBACK");
  tables->rolled_back();
  CHECK_EQ(tables->load("a", options, now_ms).head, 7u);
  CHECK_EQ(tables->load("a", options, now_ms).epoch, "");
}

CAF_TEST(a save that is taken back has left nothing) {
  options.durability = durability::memory;
  tables->save({"a", "e", 7, {}, {}, options});
  tables->load("a", options, now_ms);
  db.run("BEGIN");
  tables->save({"a", "e", 9, {}, {}, options});
  db.run("ROLLBACK");
  tables->rolled_back();
  CHECK_EQ(tables->load("a", options, now_ms).epoch, "");
}

CAF_TEST(what was taken and not left is swept away in the next run) {
  options.durability = durability::memory;
  tables->save({"a", "e", 7, {}, {}, options});
  tables->load("a", options, now_ms);
  sweep();
  CHECK_EQ(rows("topics"), 1);
  reopen();
  sweep();
  CHECK_EQ(rows("topics"), 0);
}

CAF_TEST(a topic that had no event leaves no row) {
  options.durability = durability::memory;
  tables->save({"a", "e", 0, {}, {}, options});
  CHECK_EQ(rows("topics"), 0);
  tables->save({"a", "e", 1, {}, {}, options});
  tables->save({"a", "f", 0, {}, {}, options});
  CHECK_EQ(tables->load("a", options, now_ms).epoch, "");
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

CAF_TEST(ids behind a clock that was set back are found) {
  append("a", 1, "one");
  auto now = std::exchange(now_ms, now_ms - 24LL * 3600 * 1000);
  append("a", 3, "two");
  now_ms = now + ids_ms - 1;
  auto ids = tables->load("a", options, now_ms).ids;
  REQUIRE_EQ(ids.size(), 1u);
  CHECK_EQ(ids[0].offset, 1u);
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

// -- bounds -------------------------------------------------------------------

CAF_TEST(topics are bounded) {
  bounds.topics_max = 3;
  reopen();
  fill(3);
  auto x = caf::make_counted<publication>();
  x->topic = "new";
  x->epoch = "e";
  x->offset = 1;
  CHECK_EQ(tables->take_damage(), "");
  CHECK(!tables->append(*x, options));
  CHECK(tables->take_damage().ends_with("there are 3 topics, more are "
                                        "refused"));
  options.durability = durability::memory;
  tables->save({"new", "e", 7, {}, {}, options});
  CHECK_EQ(rows("topics"), 3);
  append("t1");
  // Of many, those that are empty go sooner.
  now_ms += 1;
  options = {.history_ttl = 1ms, .durability = durability::disk};
  tables->load("t1", options, now_ms);
  sweep();
  now_ms += store_tables::empty_ms_crowded;
  sweep();
  CHECK_EQ(rows("topics"), 2);
  CHECK(tables->append(*x, options));
}

CAF_TEST(a transaction that is taken back has made no topics) {
  bounds.topics_max = 2;
  reopen();
  db.run("BEGIN");
  append("t0");
  append("t1");
  db.run("ROLLBACK");
  tables->rolled_back();
  heads.clear();
  fill(2);
  CHECK_EQ(rows("topics"), 2);
}

CAF_TEST(topics that are remembered are bounded between transactions) {
  bounds.known_max = 3;
  reopen();
  options.durability = durability::memory;
  auto save = [this](int n) {
    for (int i = 1; i <= n; ++i) {
      auto x = caf::make_counted<publication>();
      x->topic = "t" + std::to_string(i);
      x->epoch = "e";
      x->offset = 1;
      tables->save({x->topic, "e", 1, {x}, {}, options});
    }
  };
  save(9);
  tables->committed();
  reopen();
  for (int i = 1; i <= 9; ++i)
    tables->load("t" + std::to_string(i), options, now_ms);
  CHECK_EQ(tables->known(), 9u);
  // With all of them known.
  save(9);
  for (int i = 1; i <= 9; ++i)
    tables->load("t" + std::to_string(i), options, now_ms);
  CHECK_EQ(tables->known(), 9u);
  tables->committed();
  CHECK_EQ(tables->known(), 0u);
}

END_FIXTURE_SCOPE()
