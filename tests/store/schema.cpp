#include <callboard/store/schema.hpp>

#include <callboard/store/store_tables.hpp>

#include "support/store_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

struct fixture {
  /// Returns what is wrong, or nothing.
  template <class F>
  static std::string failure(F&& f) {
    try {
      f();
    } catch (const store_error& e) {
      return e.what();
    }
    return {};
  }

  std::string migrate(std::span<const char* const> steps) {
    return failure([&] { migrate_store(db, steps); });
  }

  scratch_folder folder;
  database db{folder.path() + "/x.db", database::mode::create};
};

constexpr const char* one[] = {"CREATE TABLE t(a); INSERT INTO t VALUES(1)"};
constexpr const char* three[]
  = {"CREATE TABLE t(a); INSERT INTO t VALUES(1)",
     "ALTER TABLE t ADD COLUMN b; UPDATE t SET b = a + 1",
     "ALTER TABLE t ADD COLUMN c; UPDATE t SET c = b + 1"};
constexpr const char* broken[]
  = {"CREATE TABLE t(a); INSERT INTO t VALUES(1)",
     "ALTER TABLE t ADD COLUMN b; UPDATE t SET nothing = 1"};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(an empty file becomes a store) {
  CHECK_EQ(migrate(store_migrations()), "");
  CHECK_EQ(failure([&] { check_store(db); }), "");
  CHECK_EQ(db.number("PRAGMA application_id"), store_application_id);
  CHECK_EQ(db.number("SELECT count(*) FROM node"), 1);
}

CAF_TEST(an older store is brought to the newest version step by step) {
  CHECK_EQ(migrate(one), "");
  CHECK_EQ(db.number("PRAGMA user_version"), 1);
  CHECK_EQ(migrate(three), "");
  CHECK_EQ(db.number("PRAGMA user_version"), 3);
  CHECK_EQ(db.number("SELECT a + b * 10 + c * 100 FROM t"), 321);
  CHECK_EQ(migrate(three), "");
  CHECK_EQ(db.number("SELECT a + b * 10 + c * 100 FROM t"), 321);
}

CAF_TEST(a store of version 1 keeps what it has) {
  CHECK_EQ(migrate(store_migrations().first(1)), "");
  db.run("UPDATE node SET openings = 4, generation = 2; "
         "INSERT INTO topics(name, epoch, head, life, size, ttl_ms, retain) "
         "VALUES('a', 'e', 7, 2, 10, 0, 0)");
  CHECK_EQ(migrate(store_migrations()), "");
  store_tables tables{db, {}};
  tables.begin_opening();
  CHECK_EQ(tables.opening(), 5u);
  auto found = tables.load("a", {.durability = durability::memory}, 0);
  CHECK_EQ(found.epoch, "e");
  CHECK_EQ(found.head, 7u);
}

CAF_TEST(a step that fails changes nothing) {
  CHECK_EQ(migrate(one), "");
  CHECK(migrate(broken) != "");
  CHECK_EQ(db.number("PRAGMA user_version"), 1);
  CHECK_EQ(db.number("SELECT count(*) FROM pragma_table_info('t')"), 1);
}

CAF_TEST(what is later or something else is refused) {
  CHECK_EQ(migrate(three), "");
  CHECK(migrate(one).ends_with(
    "has version 3 of the store's schema; this program knows 1 to 1"));
  db.run("PRAGMA application_id = 7");
  CHECK(migrate(three).ends_with("is not a store of callboard"));
  CHECK(
    failure([&] { check_store(db); }).ends_with("is not a store of callboard"));
}

CAF_TEST(a store of version 1 keeps all that it has) {
  CHECK_EQ(migrate(store_migrations().first(1)), "");
  db.run("INSERT INTO topics(name, epoch, head, size, ttl_ms, retain) "
         "VALUES('a', 'e', 7, 100, 0, 0)");
  db.run("UPDATE node SET openings = 5, generation = 3");
  CHECK(failure([&] { check_store(db); }).ends_with("brings it to version 4"));
  CHECK_EQ(migrate(store_migrations()), "");
  CHECK_EQ(failure([&] { check_store(db); }), "");
  CHECK_EQ(db.number("SELECT head FROM topics WHERE name = 'a'"), 7);
  CHECK_EQ(db.number("SELECT openings * 10 + generation FROM node"), 53);
  CHECK_EQ(db.number("SELECT count(*) FROM places"), 0);
}

END_FIXTURE_SCOPE()
