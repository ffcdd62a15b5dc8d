#pragma once

#include <callboard/store/store_tables.hpp>

#include <map>
#include <memory>
#include <string>

#include <callboard/store/schema.hpp>

#include "support/store_fixture.hpp"

namespace callboard {

/// The tables of a store, without its threads.
struct tables_fixture {
  static constexpr int64_t ids_ms = 1000;

  tables_fixture() {
    // Nothing here is about what a disk does.
    db.run("PRAGMA synchronous = OFF");
    migrate_store(db, store_migrations());
    reopen();
  }

  void reopen(bool cleanly = true) {
    if (cleanly && tables)
      tables->mark_clean();
    tables = std::make_unique<store_tables>(db, bounds);
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

  /// Makes the topics t0 … with an event each.
  void fill(int n) {
    for (int i = 0; i < n; ++i)
      append("t" + std::to_string(i));
    tables->committed();
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
    while (tables->sweep(now_ms).more) {
    }
  }

  int64_t rows(const std::string& table) {
    return db.number("SELECT count(*) FROM " + table);
  }

  scratch_folder folder;
  database db{folder.path() + "/x.db", database::mode::create};
  store_tables::limits bounds{.ids_ms = ids_ms};
  std::unique_ptr<store_tables> tables;
  int64_t now_ms = 1'000'000;
  topic_options options{.history_size = 3, .durability = durability::disk};
  std::map<std::string, uint64_t> heads;
};

} // namespace callboard
