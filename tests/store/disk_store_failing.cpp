// Disks that are full, that fail, and that lose their power.

#include <callboard/store/disk_store.hpp>

#include <sqlite3.h>

#include "store/disk_fixture.hpp"

using namespace callboard;

namespace fs = std::filesystem;

BEGIN_FIXTURE_SCOPE(disk_fixture)

CAF_TEST(a full store fails and keeps what it has) {
  stop();
  disk.file_bytes_max = 128 * 1024;
  start();
  load("a");
  uint64_t head = 0;
  auto text = std::string(10'000, 'x');
  for (;; ++head) {
    auto x = event("a", head + 1);
    x->payload = payload::pack(text);
    if (append(x) != "ok 1")
      break;
    REQUIRE(head < 100);
  }
  CHECK(head >= 3);
  CHECK(says("full"));
  auto all = "a e@" + std::to_string(head) + " 1-" + std::to_string(head);
  CHECK_EQ(load("a"), all);
  stop();
  disk.file_bytes_max = 0;
  start();
  CHECK_EQ(load("a"), all);
  CHECK_EQ(append("a", head + 1, head + 1), "ok 1");
}

CAF_TEST(a store goes on by itself when there is room again) {
  stop();
  faulty_vfs::install();
  disk.vfs = "faulty";
  start();
  load("a");
  append("a", 1, 2);
  faulty_vfs::code = SQLITE_FULL;
  faulty_vfs::left = 0;
  CHECK_EQ(append("a", 3, 4), "failed 2");
  CHECK(says("full"));
  CHECK_EQ(load("a"), "a e@2 1-2");
  // Reading does not show whether there is room.
  CHECK(says("full"));
  faulty_vfs::left = -1;
  CHECK_EQ(append("a", 3, 4), "ok 2");
  CHECK_EQ(state(), "up");
  CHECK_EQ(read("a", 1), "7: 1 2 3 4");
}

CAF_TEST(what could not be saved is void although the end is clean) {
  stop();
  faulty_vfs::install();
  disk.vfs = "faulty";
  options.durability = durability::memory;
  start();
  for (auto topic : {"a", "b", "c"}) {
    load(topic);
    save(topic, 2, 1, 2);
  }
  restart(true);
  CHECK_EQ(load("a"), "a e@2 1-2");
  CHECK_EQ(load("b"), "b e@2 1-2");
  faulty_vfs::code = SQLITE_FULL;
  faulty_vfs::left = 0;
  save("a", 5, 3, 5);
  save("b", 5, 3, 5);
  // It comes after them.
  load("x");
  CHECK(says("full"));
  faulty_vfs::left = -1;
  // Its offsets 3 to 5 are given already.
  CHECK_EQ(load("b"), "b none");
  restart(true);
  CHECK_EQ(load("a"), "a none");
  CHECK_EQ(load("b"), "b none");
  CHECK_EQ(load("c"), "c e@2 1-2");
}

CAF_TEST(whichever write fails nothing that was acknowledged is lost) {
  faulty_vfs::install();
  disk.vfs = "faulty";
  auto codes = {SQLITE_FULL, SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC};
  for (auto code : codes)
    for (int n = 0;; ++n) {
      stop();
      faulty_vfs::left = -1;
      for (auto& x : fs::directory_iterator{disk.folder})
        fs::remove(x);
      faulty_vfs::take_failed();
      faulty_vfs::code = code;
      faulty_vfs::left = n;
      start();
      load("a");
      uint64_t head = 0;
      for (int i = 0; i < 6; ++i) {
        if (append("a", head + 1, head + 1) == "ok 1")
          ++head;
        else if (auto found = load_all("a"); found.head > head)
          // It was told to have failed, and is there: that is allowed.
          head = found.head;
      }
      auto cleanly = n % 2 == 0;
      if (cleanly)
        store().finish();
      stop();
      auto failed = faulty_vfs::take_failed();
      faulty_vfs::left = -1;
      start();
      CHECK_EQ(state(), "up");
      auto found = load_all("a");
      CHECK(found.head >= head);
      if (head > 0)
        CHECK_EQ(found.first, 1u);
      CHECK_EQ(read_all(query("a", 1)).size(), found.head);
      CHECK_EQ(append("a", found.head + 1, found.head + 1), "ok 1");
      if (!failed) {
        CHECK(n > 10);
        break;
      }
      REQUIRE(n < 1000);
    }
}

CAF_TEST(what was acknowledged outlives a loss of power) {
  stop();
  faulty_vfs::install();
  disk.vfs = "faulty";
  start();
  load("a");
  disk_env other;
  other.stop();
  other.now_ms = now_ms.load();
  for (uint64_t i = 1; i <= 20; ++i) {
    CHECK_EQ(append("a", i, i), "ok 1");
    faulty_vfs::copy_synced(disk.folder, other.disk.folder);
    other.start();
    auto found = other.load_all("a");
    CHECK_EQ(found.head, i);
    CHECK_EQ(other.read_all(other.query("a", 1)).size(), i);
    other.stop();
  }
}

CAF_TEST(a store that could not be opened is opened later) {
  fill(3);
  faulty_vfs::install();
  disk.vfs = "faulty";
  faulty_vfs::code = SQLITE_FULL;
  faulty_vfs::left = 0;
  start();
  CHECK(says("full"));
  faulty_vfs::left = -1;
  // It fails until then, and says so at once.
  std::string told;
  do
    told = load("a");
  while (told == "a failed");
  CHECK_EQ(told, "a e@3 1-3");
  CHECK_EQ(state(), "up");
}

END_FIXTURE_SCOPE()
