#include <callboard/store/store_writer.hpp>

#include <algorithm>
#include <chrono>

#include <caf/make_counted.hpp>

#include <sqlite3.h>

#include <callboard/store/schema.hpp>

namespace callboard {

namespace {

// Pages of the log after which it is copied into the file.
constexpr int checkpoint_pages = 16'000;

// Of the writer's own memory for pages.
constexpr int cache_kib = 32 * 1024;

} // namespace

// -- report_list --------------------------------------------------------------

store_report& report_list::of(const store_receiver_ptr& to) {
  auto i = std::ranges::find_if(list_, [&](auto& x) { return x.first == to; });
  if (i != list_.end())
    return *i->second;
  return *list_.emplace_back(to, caf::make_counted<store_report>()).second;
}

void report_list::appended(const store_receiver_ptr& to, bool committed) {
  auto& list = of(to).appended;
  if (list.empty() || list.back().committed != committed)
    list.push_back({0, committed});
  ++list.back().count;
}

void report_list::loaded(const store_receiver_ptr& to, std::string topic,
                         std::optional<stored_topic> what) {
  auto failed = !what.has_value();
  of(to).loaded.push_back(
    {std::move(topic), failed, std::move(what).value_or(stored_topic{})});
}

void report_list::saved(const places_task& x, bool done) {
  if (x.to != nullptr)
    of(x.to).savings.push_back({x.token, !done});
}

void report_list::loaded(const replica_load_task& x, const replica_record* what,
                         group_places_ptr places) {
  of(x.to).replicas.push_back({x.topic, what == nullptr, true,
                               what != nullptr ? *what : replica_record{},
                               std::move(places)});
}

void report_list::changed(const replica_task& x, bool done) {
  of(x.to).replicas.push_back({x.topic, !done, false, {}, nullptr});
}

void report_list::send() {
  for (auto& [to, report] : list_)
    to->report(std::move(report));
  list_.clear();
}

// -- store_writer -------------------------------------------------------------

store_writer::store_writer(const disk_store_options& options)
  : options_{options} {
}

void store_writer::open() {
  auto file = options_.folder + '/' + store_file_name;
  auto lock = std::make_unique<store_lock>(options_.folder);
  auto db = std::make_unique<database>(file, database::mode::create,
                                       options_.vfs);
  migrate_store(*db, store_migrations());
  auto set = [&db](const std::string& what, int64_t value) {
    db->number("PRAGMA " + what + " = " + std::to_string(value));
  };
  db->run("PRAGMA journal_mode = WAL");
  db->run("PRAGMA synchronous = FULL");
  set("wal_autocheckpoint", checkpoint_pages);
  set("cache_size", -cache_kib);
  if (options_.file_bytes_max > 0)
    set("max_page_count",
        options_.file_bytes_max / db->number("PRAGMA page_size"));
  store_tables::limits bounds{.ids_ms = options_.ids_ms,
                              .topics_max = options_.topics_max,
                              .places_max = options_.places_max};
  auto tables = std::make_unique<store_tables>(*db, bounds);
  transaction begin{*db};
  tables->begin_opening();
  begin.commit();
  lock_ = std::move(lock);
  db_ = std::move(db);
  tables_ = std::move(tables);
}

store_writer::result store_writer::run(std::span<store_task> tasks,
                                       report_list& out) {
  std::vector<bool> appended;
  std::vector<std::optional<stored_topic>> loaded;
  std::vector<bool> saved;
  std::vector<std::pair<replica_record, group_places_ptr>> records;
  std::vector<bool> changed;
  result what;
  auto& trouble = what.trouble;
  try {
    if (!is_open())
      throw store_error{store_trouble::unusable, "the store is not open"};
    transaction all{*db_};
    for (auto& task : tasks)
      if (auto* event = std::get_if<append_task>(&task)) {
        appended.push_back(tables_->append(*event->event, event->options));
        what.wrote |= appended.back();
      } else if (auto* topic = std::get_if<load_task>(&task)) {
        loaded.push_back(load(*topic));
        // That it was taken is written down.
        what.wrote |= topic->options.durability == durability::memory
                      && loaded.back() && !loaded.back()->epoch.empty();
      } else if (auto* places = std::get_if<places_task>(&task)) {
        saved.push_back(save(*places));
        what.wrote = true;
      } else if (auto* replica = std::get_if<replica_load_task>(&task)) {
        records.emplace_back(tables_->load_replica(replica->topic),
                             tables_->load_replica_places(replica->topic));
      } else if (auto* change = std::get_if<replica_task>(&task)) {
        changed.push_back(save(*change));
        what.wrote |= changed.back();
      } else if (auto* revised = std::get_if<options_task>(&task)) {
        what.wrote |= tables_->set_options(revised->topic, revised->options);
      } else {
        what.wrote |= tables_->save(std::get<saved_topic>(task));
      }
    tables_->flush();
    all.commit();
    tables_->committed();
  } catch (const std::exception& e) {
    what = {e.what(), false};
    appended.clear();
    loaded.clear();
    saved.clear();
    records.clear();
    changed.clear();
    if (is_open())
      tables_->rolled_back();
  }
  size_t appends = 0;
  size_t loads = 0;
  size_t saves = 0;
  size_t replicas = 0;
  size_t changes = 0;
  for (auto& task : tasks)
    if (auto* event = std::get_if<append_task>(&task))
      out.appended(event->to, trouble.empty() && appended[appends++]);
    else if (auto* topic = std::get_if<load_task>(&task))
      out.loaded(topic->to, std::move(topic->topic),
                 trouble.empty() ? std::move(loaded[loads++]) : std::nullopt);
    else if (auto* places = std::get_if<places_task>(&task))
      out.saved(*places, trouble.empty() && saved[saves++]);
    else if (auto* replica = std::get_if<replica_load_task>(&task)) {
      if (trouble.empty()) {
        auto& [record, places] = records[replicas++];
        out.loaded(*replica, &record, std::move(places));
      } else {
        out.loaded(*replica, nullptr, nullptr);
      }
    } else if (auto* change = std::get_if<replica_task>(&task))
      out.changed(*change, trouble.empty() && changed[changes++]);
  return what;
}

bool store_writer::save(const places_task& x) {
  auto result = true;
  for (auto& y : x.places)
    result &= tables_->save(y, now_ms());
  return result;
}

std::optional<stored_topic> store_writer::load(const load_task& x) {
  try {
    return tables_->load(x.topic, x.options, now_ms());
  } catch (const store_error& e) {
    note_damage(e);
    return std::nullopt;
  }
}

bool store_writer::save(const replica_task& x) {
  try {
    return tables_->save(x.topic, x.change, x.options, now_ms());
  } catch (const store_error& e) {
    note_damage(e);
    return false;
  }
}

void store_writer::note_damage(const store_error& e) {
  // Others need not suffer for it, unless the transaction is gone as well.
  if (e.trouble != store_trouble::corrupt
      || sqlite3_get_autocommit(db_->handle()) != 0)
    throw;
  damage_ = e.what();
}

bool store_writer::sweep() {
  transaction all{*db_};
  try {
    auto more = tables_->sweep(now_ms()).more;
    all.commit();
    tables_->committed();
    return more;
  } catch (...) {
    tables_->rolled_back();
    throw;
  }
}

void store_writer::finish() {
  transaction all{*db_};
  tables_->mark_clean();
  all.commit();
  tables_ = nullptr;
  db_->run("PRAGMA wal_checkpoint(TRUNCATE)");
  db_ = nullptr;
  lock_ = nullptr;
}

int64_t store_writer::file_bytes() {
  return db_->number("PRAGMA page_count") * db_->number("PRAGMA page_size");
}

int64_t store_writer::now_ms() const {
  return options_.now_ms();
}

} // namespace callboard
