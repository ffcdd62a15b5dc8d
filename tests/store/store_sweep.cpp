// What goes when, and what stays.

#include <callboard/store/store_tables.hpp>

#include "store/tables_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

BEGIN_FIXTURE_SCOPE(tables_fixture)

CAF_TEST(a topic with replicas is not forgotten) {
  append("t");
  replica_write x;
  x.before = tables->load_replica("t");
  x.record = x.before;
  x.record.promised = 4;
  CHECK(tables->save("t", x, options, 0));
  append("u");
  options.history_size = 0;
  CHECK(tables->set_options("t", options));
  CHECK(tables->set_options("u", options));
  options.history_ttl = std::chrono::seconds{1};
  CHECK(tables->set_options("t", options));
  CHECK(tables->set_options("u", options));
  for (auto i = 0; i < 3; ++i) {
    now_ms += store_tables::empty_ms_max + 1;
    sweep();
  }
  CHECK_EQ(rows("runs"), 0);
  CHECK_EQ(rows("topics"), 1);
  reopen();
  CHECK_EQ(tables->load_replica("t").head, heads["t"]);
  CHECK_EQ(tables->load_replica("t").promised, 4u);
}

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

CAF_TEST(events expire by the options that hold then) {
  options.history_ttl = 100ms;
  append("a", 2);
  CHECK(!tables->set_options("a", options));
  options.history_ttl = 200ms;
  CHECK(!tables->set_options("b", options));
  CHECK(tables->set_options("a", options));
  tables->committed();
  now_ms += 199;
  sweep();
  CHECK_EQ(rows("runs"), 2);
  now_ms += 1;
  sweep();
  CHECK_EQ(rows("runs"), 0);
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
  auto step = tables->sweep(now_ms);
  CHECK_EQ(step.rows, 512u);
  CHECK(step.more);
  CHECK_EQ(kept("a"), "513-1000");
  step = tables->sweep(now_ms);
  CHECK_EQ(step.rows, 487u + 9u);
  CHECK(!step.more);
  CHECK_EQ(kept("a"), "1000-1000");
  CHECK_EQ(kept("b"), "10-10");
  CHECK_EQ(tables->sweep(now_ms).rows, 0u);
}

CAF_TEST(steps of a sweep go on where the last one ended) {
  append("a", 400);
  append("b", 400);
  append("c", 400);
  options.history_size = 1;
  for (auto topic : {"a", "b", "c"})
    tables->load(topic, options, now_ms);
  // A topic is finished once it was begun.
  CHECK_EQ(tables->sweep(now_ms).rows, 798u);
  CHECK_EQ(kept("c"), "1-400");
  CHECK_EQ(tables->sweep(now_ms).rows, 399u);
  CHECK_EQ(tables->sweep(now_ms).rows, 0u);
}

CAF_TEST(many topics have their turn) {
  fill(600);
  options.history_ttl = 1ms;
  for (int i = 0; i < 600; ++i)
    tables->load("t" + std::to_string(i), options, now_ms);
  now_ms += 1;
  size_t steps = 1;
  while (tables->sweep(now_ms).more)
    ++steps;
  CHECK_EQ(rows("runs"), 0);
  CHECK_EQ(steps, 3u);
}

CAF_TEST(a topic that is written is swept before idle ones) {
  fill(1000);
  reopen();
  // Nothing was written in this run.
  CHECK_EQ(tables->sweep(now_ms).rows, 0u);
  append("t999", 10);
  auto step = tables->sweep(now_ms);
  CHECK_EQ(step.rows, 8u);
  CHECK(!step.more);
  CHECK_EQ(kept("t999"), "9-11");
}

CAF_TEST(idle topics lose what has expired) {
  options.history_ttl = 100ms;
  fill(1000);
  reopen();
  now_ms += 100;
  size_t steps = 1;
  while (tables->sweep(now_ms).more)
    ++steps;
  CHECK_EQ(rows("runs"), 0);
  CHECK_EQ(steps, 4u);
}

CAF_TEST(a topic that is written all the time lets the sweep rest) {
  append("a", 5);
  for (int i = 0; i < 5; ++i) {
    append("a", 3);
    CHECK(!tables->sweep(now_ms).more);
    CHECK_EQ(rows("runs"), 3);
  }
}

// -- clocks -------------------------------------------------------------------

CAF_TEST(an id from a clock that was ahead does not pin events) {
  auto now = std::exchange(now_ms, now_ms + 365LL * 24 * 3600 * 1000);
  append("a", 2, "x");
  now_ms = now;
  append("a", 5);
  sweep();
  // They may just have come.
  CHECK_EQ(kept("a"), "1-7");
  now_ms += ids_ms - 1;
  sweep();
  CHECK_EQ(kept("a"), "1-7");
  now_ms += 1;
  sweep();
  CHECK_EQ(kept("a"), "5-7");
  CHECK_EQ(db.number("SELECT ahead_ms IS NULL FROM topics"), 1);
}

CAF_TEST(events from a clock that was ahead expire) {
  options.history_ttl = 100ms;
  auto now = std::exchange(now_ms, now_ms + 365LL * 24 * 3600 * 1000);
  append("a", 2);
  now_ms = now;
  append("a");
  sweep();
  now_ms += 99;
  sweep();
  CHECK_EQ(kept("a"), "1-3");
  now_ms += 1;
  sweep();
  CHECK_EQ(kept("a"), "none");
}

CAF_TEST(what a clock that was ahead has emptied goes after thirty days) {
  options.history_ttl = 1ms;
  auto now = std::exchange(now_ms, now_ms + 365LL * 24 * 3600 * 1000);
  append("a");
  append("b");
  saved_place place;
  place.topic = "b";
  place.epoch = "e";
  place.head = 1;
  place.options = options;
  place.where.group = "g";
  CHECK(tables->save(place, now_ms));
  now_ms += 1;
  sweep();
  CHECK_EQ(kept("a"), "none");
  now_ms = now;
  sweep();
  now_ms += store_tables::empty_ms_max;
  sweep();
  CHECK_EQ(kept("a"), "gone");
  // By now it is known of its group as well that this was not so late.
  CHECK_EQ(kept("b"), "none");
  now_ms += store_tables::empty_ms_max;
  sweep();
  CHECK_EQ(kept("b"), "gone");
}

END_FIXTURE_SCOPE()
