// Files that are not as they should be, and what waits.

#include <callboard/store/disk_store.hpp>

#include <semaphore>

#include <sqlite3.h>

#include <callboard/store/schema.hpp>

#include "store/disk_fixture.hpp"

using namespace callboard;

namespace fs = std::filesystem;

BEGIN_FIXTURE_SCOPE(disk_fixture)

// -- files that are not as they should be -------------------------------------

CAF_TEST(a text file is not touched) {
  stop();
  fs::remove(file());
  std::string text(5000, 'x');
  std::ofstream{file()} << text;
  start();
  CHECK(says("not a database"));
  check_serves_nothing();
  stop();
  CHECK_EQ(content(), text);
}

CAF_TEST(the database of another program is not touched) {
  stop();
  for (auto& x : fs::directory_iterator{disk.folder})
    fs::remove(x);
  {
    database other{file(), database::mode::create};
    other.run("CREATE TABLE songs(name); INSERT INTO songs VALUES('one')");
  }
  auto before = content();
  start();
  CHECK(says("is not a store of callboard"));
  check_serves_nothing();
  stop();
  CHECK_EQ(content(), before);
}

CAF_TEST(a store of a later version is not touched) {
  fill(3);
  auto next = std::to_string(store_migrations().size() + 1);
  {
    database db{file(), database::mode::write};
    db.run("PRAGMA user_version = " + next);
  }
  start();
  CHECK(says("has version " + next + " of the store's schema"));
  check_serves_nothing();
  stop();
  {
    database db{file(), database::mode::write};
    db.run("PRAGMA user_version = "
           + std::to_string(store_migrations().size()));
  }
  start();
  CHECK_EQ(load("a"), "a e@3 1-3");
}

CAF_TEST(a folder belongs to one node) {
  disk_env other;
  other.stop();
  other.disk.folder = disk.folder;
  other.start();
  auto x = other.store().status();
  CHECK(!x.up);
  CHECK_EQ(x.trouble,
           "the store in " + disk.folder + " is in use by another process");
  CHECK_EQ(other.load("a"), "a failed");
  CHECK_EQ(load("a"), "a none");
}

CAF_TEST(a folder that cannot be made is named) {
  stop();
  std::ofstream{folder.path() + "/file"} << "x";
  disk.folder = folder.path() + "/file/store";
  start();
  CHECK(says(disk.folder));
  CHECK(says("Not a directory"));
  check_serves_nothing();
}

CAF_TEST(a file that cannot be written is named) {
  fill(3);
  // For the superuser as well, a folder is no file.
  fs::remove(file());
  fs::create_directory(file());
  start();
  CHECK(says(file()));
  CHECK(says("unable to open"));
  check_serves_nothing();
}

CAF_TEST(a read - only disk is named) {
  fill(3);
  faulty_vfs::install();
  disk.vfs = "faulty";
  faulty_vfs::code = SQLITE_READONLY;
  faulty_vfs::left = 0;
  start();
  CHECK(says("readonly"));
  check_serves_nothing();
}

// -- damage -------------------------------------------------------------------

CAF_TEST(a damaged event is not served and does not stop the others) {
  load("b");
  append("b", 1, 3);
  load("a");
  // A row each.
  for (uint64_t i = 1; i <= 20; ++i)
    append("a", i, i);
  store().finish();
  stop();
  auto at = content().find("event 10");
  REQUIRE(at != std::string::npos);
  overwrite(at, "elephant");
  start();
  CHECK_EQ(state(), "up");
  CHECK_EQ(load("a"), "a e@20 1-20");
  CHECK_EQ(read("a", 1), "7: failed");
  CHECK(says("up, but"));
  CHECK(says("the events of topic 'a' up to offset 10 are damaged"));
  CHECK_EQ(read("a", 11, 2), "7: 11 12");
  CHECK_EQ(read("b", 1), "7: 1 2 3");
  CHECK_EQ(append("a", 21, 21), "ok 1");
}

CAF_TEST(a topic whose last event is damaged goes on) {
  options.retain = true;
  load("a");
  for (uint64_t i = 1; i <= 3; ++i)
    append("a", i, i);
  store().finish();
  stop();
  auto at = content().find("event 3");
  REQUIRE(at != std::string::npos);
  overwrite(at, "EVENT");
  start();
  CHECK_EQ(load("a"), "a e@3 1-3");
  CHECK(says("the events of topic 'a' up to offset 3 are damaged"));
  CHECK(load_all("a").newest == nullptr);
  CHECK_EQ(append("a", 4, 4), "ok 1");
  REQUIRE(load_all("a").newest != nullptr);
}

CAF_TEST(a damaged page fails and the other topics go on) {
  options.history_size = 100'000;
  load("b");
  append("b", 1, 3);
  load("a");
  auto text = std::string(3000, 'x');
  for (uint64_t i = 1; i <= 200; ++i) {
    auto x = event("a", i);
    x->payload = payload::pack(text);
    append(x);
  }
  store().finish();
  stop();
  // The newest of them, where every append would go.
  size_t page = 4096;
  auto bytes = content();
  auto last = bytes.rfind("somebody");
  REQUIRE(last != std::string::npos);
  overwrite(last / page * page, std::string(64, '\xFF'));
  start();
  CHECK_EQ(load("a"), "a failed");
  CHECK(says("malformed"));
  CHECK_EQ(load("b"), "b e@3 1-3");
  CHECK_EQ(append("b", 4, 4), "ok 1");
  CHECK_EQ(read("b", 1), "7: 1 2 3 4");
}

// -- options ------------------------------------------------------------------

CAF_TEST(other options are on the disk without another event) {
  load("a");
  append("a", 1, 1);
  auto other = options;
  other.history_size = 7;
  store().set_options("a", other);
  // What was asked for first is done first.
  load("b");
  stop();
  database db{file(), database::mode::write};
  CHECK_EQ(db.number("SELECT size FROM topics WHERE name = 'a'"), 7);
}

// -- bounds -------------------------------------------------------------------

CAF_TEST(a store is full while too much waits) {
  stop();
  auto x = event("a", 1);
  disk.queue_bytes_max = 2 * x->cost() - 1;
  std::binary_semaphore writing{0};
  std::binary_semaphore go_on{0};
  disk.on_commit = [&](const store_commit& y) {
    if (y.events == 0)
      return;
    writing.release();
    go_on.acquire();
  };
  start();
  load("a");
  store().append(notes, x, options);
  // It counts until its commit is over.
  writing.acquire();
  CHECK(!store().full());
  store().append(notes, event("a", 2), options);
  CHECK(store().full());
  CHECK_EQ(store().status().queued_bytes, 2 * x->cost());
  go_on.release();
  writing.acquire();
  go_on.release();
  CHECK_EQ(notes->take(2), "ok 2");
  load("a");
  CHECK(!store().full());
}

CAF_TEST(what waits is counted until it is written) {
  stop();
  auto x = event("a", 1);
  disk.queue_bytes_max = x->cost() - 1;
  start();
  load("a");
  CHECK(!store().full());
  append(x);
  load("a");
  CHECK(!store().full());
  CHECK_EQ(store().status().queued_bytes, 0);
  CHECK_EQ(store().status().events, 1u);
}

END_FIXTURE_SCOPE()
