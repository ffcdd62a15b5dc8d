// What operators do with a store.

#include <callboard/store/maintenance.hpp>

#include <fstream>

#include <callboard/store/database.hpp>
#include <callboard/store/schema.hpp>

#include "support/store_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace fs = std::filesystem;

namespace {

struct fixture : disk_env {
  ~fixture() override {
    stop();
  }

  /// Fills two topics, an event a row.
  void fill() {
    for (auto topic : {"a/b", "c"}) {
      load(topic);
      for (uint64_t i = 1; i <= 5; ++i)
        append(event(topic, i, "id" + std::to_string(i)));
    }
  }

  void change(const std::string& sql) {
    database db{file(), database::mode::write};
    db.run(sql);
  }

  /// Returns what a check says, joined by "; ".
  std::string problems(const std::string& what) {
    std::string result;
    for (auto& x : check_store_file(what).problems)
      result += (result.empty() ? "" : "; ") + x;
    return result;
  }

  std::string problems() {
    return problems(file());
  }

  std::string events(const std::string& pattern = {}) {
    std::string result;
    export_store_file(file(), pattern, [&result](const publication& x) {
      result += (result.empty() ? "" : " ") + x.topic + '@'
                + std::to_string(x.offset);
    });
    return result;
  }

  template <class F>
  static std::string failure(F&& f) {
    try {
      f();
    } catch (const std::exception& e) {
      return e.what();
    }
    return {};
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- check --------------------------------------------------------------------

CAF_TEST(a store in use is well) {
  fill();
  auto x = check_store_file(file());
  CHECK(x.problems.empty());
  CHECK_EQ(x.topics, 2u);
  CHECK_EQ(x.events, 10u);
  CHECK(x.bytes > 0);
  append("c", 6, 6);
  CHECK_EQ(check_store_file(file()).events, 11u);
}

CAF_TEST(each thing that can be wrong is told) {
  fill();
  stop();
  CHECK_EQ(problems(), "");
  change("DELETE FROM runs WHERE topic = 1 AND last = 3");
  CHECK_EQ(problems(), "topic 'a/b': offset 4 follows 2");
  change("DELETE FROM runs WHERE topic = 1");
  CHECK_EQ(problems(), "");
  change("UPDATE runs SET data = data || 'x' WHERE topic = 2 AND last = 2");
  CHECK_EQ(problems(), "topic 'c': the events up to offset 2 are damaged");
  change("DELETE FROM runs WHERE last <= 2; UPDATE topics SET head = 9");
  CHECK_EQ(problems(), "topic 'c': the last event has offset 5, but the topic "
                       "stands at 9");
  change("UPDATE topics SET head = 0, epoch = ''");
  CHECK_EQ(problems(),
           "topic 'a/b': there is no epoch; topic 'c': there is no epoch");
  change("UPDATE topics SET epoch = 'e', name = '+' WHERE id = 1");
  CHECK_EQ(problems(),
           "topic '+': the name breaks the grammar of topics; topic 'c': there "
           "is no epoch");
  change("DELETE FROM topics");
  CHECK_EQ(problems(), "3 rows of events belong to no topic");
  change("DELETE FROM runs; DELETE FROM node");
  CHECK_EQ(problems(), "the table node does not have one row");
}

CAF_TEST(damaged pages are told) {
  fill();
  store().finish();
  stop();
  std::fstream out{file(), std::ios::in | std::ios::out | std::ios::binary};
  out.seekp(4096 * 3);
  out << std::string(200, '\xFF');
  out.close();
  CHECK(problems() != "");
}

CAF_TEST(what is no store is told) {
  auto other = folder.path() + "/other";
  CHECK_EQ(failure([&] { check_store_file(other); }),
           other + " does not exist");
  CHECK_EQ(failure([&] { check_store_file(folder.path()); }),
           folder.path() + " is a folder, not the file of a store");
  std::ofstream{other} << std::string(5000, 'x');
  CHECK(failure([&] { check_store_file(other); }).find("not a database")
        != std::string::npos);
}

// -- export -------------------------------------------------------------------

CAF_TEST(an export has the events of the topics that match) {
  fill();
  auto a = "a/b@1 a/b@2 a/b@3 a/b@4 a/b@5";
  auto c = "c@1 c@2 c@3 c@4 c@5";
  CHECK_EQ(events(), std::string{a} + ' ' + c);
  CHECK_EQ(events("a/+"), a);
  CHECK_EQ(events("c"), c);
  CHECK_EQ(events("d"), "");
}

CAF_TEST(an export has nothing that is void) {
  options.durability = durability::memory;
  load("m");
  save("m", 2, 1, 2);
  load("x");
  CHECK_EQ(events(), "m@1 m@2");
  restart(false);
  CHECK_EQ(events(), "");
}

CAF_TEST(an export ends at damage) {
  fill();
  stop();
  change("UPDATE runs SET data = data || 'x' WHERE topic = 2 AND last = 2");
  CHECK(failure([&] {
          events();
        }).ends_with("the events of topic 'c' up to offset 2 are damaged"));
}

// -- places of groups ---------------------------------------------------------

CAF_TEST(places are exported) {
  fill();
  save_place("a/b", {"h", 1, 4, {{2, 1}, {4, 2}}});
  save_place("a/b", {"g", 5, 5, {}});
  save_place("c", {"g", 0, 0, {}});
  auto places = [this](const std::string& pattern) {
    std::string result;
    export_store_places(file(), pattern, [&result](const saved_place& x) {
      result += ' ' + x.topic + '/' + x.epoch + '/' + x.where.group + '@'
                + std::to_string(x.where.place) + '+'
                + std::to_string(x.where.open.size());
    });
    return result;
  };
  CHECK_EQ(places(""), " a/b/e/g@5+0 a/b/e/h@1+2 c/e/g@0+0");
  CHECK_EQ(places("c"), " c/e/g@0+0");
  CHECK_EQ(check_store_file(file()).groups, 3u);
}

CAF_TEST(what can be wrong with places is told) {
  fill();
  save_place("a/b", {"g", 1, 4, {{2, 1}}});
  save_place("c", {"g", 2, 2, {}});
  stop();
  CHECK_EQ(problems(), "");
  change("UPDATE places SET open = open || 'x' WHERE topic = 1");
  CHECK_EQ(problems(), "topic 'a/b': group 'g' has a damaged place");
  change("DELETE FROM places WHERE topic = 1; UPDATE places SET place = 5");
  CHECK_EQ(problems(), "");
  change("UPDATE places SET place = 6");
  CHECK_EQ(problems(), "topic 'c': group 'g' stands at 6, but the topic at 5");
  change("UPDATE places SET topic = 9");
  CHECK_EQ(problems(), "1 places of groups belong to no topic");
}

CAF_TEST(a backup and a compacted store have the places) {
  fill();
  save_place("c", {"g", 1, 4, {{2, 1}}});
  auto to = folder.path() + "/copy.db";
  back_up_store_file(file(), to);
  CHECK_EQ(check_store_file(to).groups, 1u);
  stop();
  compact_store(disk.folder);
  start();
  CHECK_EQ(places("c"), "g 1-4 2x1");
}

CAF_TEST(a store of version 1 is opened and compacted to the newest) {
  for (auto compact : {false, true}) {
    stop();
    fs::remove_all(disk.folder);
    fs::create_directory(disk.folder);
    {
      database old{file(), database::mode::create};
      migrate_store(old, store_migrations().first(1));
      old.run("INSERT INTO topics(name, epoch, head, size, ttl_ms, retain) "
              "VALUES('a', 'e', 7, 100, 0, 0)");
    }
    CHECK(failure([&] {
            check_store_file(file());
          }).find("has version 1 of the store's schema")
          != std::string::npos);
    if (compact)
      compact_store(disk.folder);
    start();
    CHECK_EQ(load("a"), "a e@7 0-0");
    CHECK_EQ(save_place("a", {"g", 7, 7, {}}), "8 saved");
    CHECK_EQ(problems(), "");
  }
}

// -- backup -------------------------------------------------------------------

CAF_TEST(a backup of a store in use is a store) {
  fill();
  auto to = folder.path() + "/copy.db";
  CHECK(back_up_store_file(file(), to) > 0);
  append("c", 6, 9);
  CHECK_EQ(problems(to), "");
  CHECK_EQ(check_store_file(to).events, 10u);
  CHECK(!fs::exists(to + ".part"));
  CHECK(!fs::exists(to + "-wal"));
  stop();
  disk.folder = folder.path() + "/second";
  fs::create_directory(disk.folder);
  fs::copy_file(to, file());
  start();
  auto found = load_all("c");
  CHECK_EQ(found.head, 5u);
  CHECK_EQ(found.last, 5u);
}

CAF_TEST(a copy goes on in other epochs) {
  auto to = folder.path() + "/copy.db";
  fill();
  options.durability = durability::memory;
  load("m");
  save("m", 2, 1, 2);
  store().finish();
  stop();
  back_up_store_file(file(), to);
  // The original goes on where it was.
  start();
  CHECK_EQ(load("m"), "m e@2 1-2");
  options.durability = durability::disk;
  CHECK_EQ(load("c"), "c e@5 1-5");
  stop();
  // Restored twice, it has been at each offset twice.
  std::vector<std::string> epochs{"e"};
  for (auto name : {"/second", "/third"}) {
    disk.folder = folder.path() + name;
    fs::create_directory(disk.folder);
    fs::copy_file(to, file());
    start();
    auto found = load_all("c");
    CHECK_EQ(found.head, 5u);
    CHECK(std::ranges::find(epochs, found.epoch) == epochs.end());
    epochs.push_back(found.epoch);
    CHECK(load_all("a/b").epoch != found.epoch);
    CHECK_EQ(read("c", 1), "7:");
    auto all = query("c", 1);
    all.epoch = found.epoch;
    CHECK_EQ(read(all), "7: 1 2 3 4 5");
    auto next = event("c", 6);
    next->epoch = found.epoch;
    CHECK_EQ(append(next), "ok 1");
    options.durability = durability::memory;
    CHECK_EQ(load("m"), "m none");
    options.durability = durability::disk;
    restart(false);
    CHECK_EQ(load("c"), "c " + found.epoch + "@6 1-6");
    stop();
  }
}

CAF_TEST(a backup overwrites nothing) {
  fill();
  auto to = folder.path() + "/copy.db";
  std::ofstream{to} << "mine";
  CHECK_EQ(failure([&] { back_up_store_file(file(), to); }),
           to + " exists already");
  CHECK_EQ(fs::file_size(to), 4u);
}

CAF_TEST(a backup that fails leaves no file of its name) {
  auto to = folder.path() + "/none/copy.db";
  CHECK(failure([&] { back_up_store_file(file(), to); }) != "");
  CHECK(!fs::exists(to));
}

// -- compact ------------------------------------------------------------------

CAF_TEST(compaction gives room back and keeps everything else) {
  options.history_size = 10;
  load("a");
  auto text = std::string(5000, 'x');
  for (uint64_t i = 1; i <= 100; ++i) {
    auto x = event("a", i);
    x->payload = payload::pack(text);
    append(x);
  }
  stop();
  change("DELETE FROM runs WHERE last <= 90");
  auto result = compact_store(disk.folder);
  CHECK(result.bytes_after < result.bytes_before / 4);
  CHECK_EQ(problems(), "");
  start();
  CHECK_EQ(load("a"), "a e@100 91-100");
}

CAF_TEST(a store in use is not compacted) {
  CHECK_EQ(failure([&] { compact_store(disk.folder); }),
           "the store in " + disk.folder + " is in use by another process");
  CHECK_EQ(failure([&] { compact_store(folder.path()); }),
           folder.path() + "/callboard.db does not exist");
}

END_FIXTURE_SCOPE()
