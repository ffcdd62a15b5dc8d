#include <callboard/store/disk_store.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <caf/make_counted.hpp>

#include <callboard/store/schema.hpp>
#include <callboard/store/store_reads.hpp>
#include <callboard/store/store_writer.hpp>

namespace callboard {

namespace {

using namespace std::chrono_literals;

// Between two steps of the sweep, and two tries to open the store.
constexpr auto upkeep_interval = 1s;

// Between two steps of a sweep that has more to do.
constexpr auto sweep_interval = 20ms;

int64_t system_now_ms() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

int64_t cost_of(const group_place& x) {
  return static_cast<int64_t>(
    sizeof(saved_place) + x.open.size() * sizeof(group_place::open_event));
}

int64_t cost_of(const store_task& x) {
  if (auto* event = std::get_if<append_task>(&x))
    return event->event->cost();
  int64_t result = sizeof(store_task);
  if (auto* saved = std::get_if<saved_topic>(&x))
    for (auto& event : saved->events)
      result += event->cost();
  if (auto* change = std::get_if<replica_task>(&x)) {
    for (auto& event : change->change.events)
      result += event->cost();
    if (auto& places = change->change.places)
      for (auto& place : *places)
        result += cost_of(place);
  }
  if (auto* list = std::get_if<places_task>(&x))
    for (auto& place : list->places)
      result += cost_of(place.where);
  return result;
}

size_t events_of(const store_task& x) {
  if (auto* change = std::get_if<replica_task>(&x))
    return change->change.events.size();
  return std::holds_alternative<append_task>(x) ? 1 : 0;
}

struct read_task {
  store_receiver_ptr to;
  uint64_t token;
  store_query what;
};

} // namespace

struct disk_store::impl {
  explicit impl(disk_store_options opts)
    : options{std::move(opts)}, writer{options} {
    if (!options.now_ms)
      options.now_ms = system_now_ms;
    try_to_open();
    writing = std::thread{[this] { write(); }};
    reading = std::thread{[this] { read(); }};
  }

  ~impl() {
    {
      std::lock_guard guard{mutex};
      stopping = true;
    }
    tasks_came.notify_one();
    reads_came.notify_one();
    writing.join();
    reading.join();
  }

  void add(store_task x) {
    queued_bytes.fetch_add(cost_of(x), std::memory_order_relaxed);
    {
      std::lock_guard guard{mutex};
      tasks.push_back(std::move(x));
      if (!writer_waits)
        return;
    }
    tasks_came.notify_one();
  }

  // -- the writer's thread ----------------------------------------------------

  void write() {
    while (take_tasks()) {
      if (!batch.empty())
        run_batch();
      keep_up();
    }
    finish_now();
  }

  // Waits for tasks, and takes as many as one transaction may have.
  // @returns false if there is nothing left to do at all.
  bool take_tasks() {
    std::unique_lock guard{mutex};
    auto wanted = [this] { return !tasks.empty() || stopping || finishing; };
    writer_waits = true;
    tasks_came.wait_until(guard, upkeep_due, wanted);
    writer_waits = false;
    if (tasks.empty() && (stopping || finishing))
      return false;
    auto n = std::min(tasks.size(), commit_events_max);
    auto end = tasks.begin() + static_cast<ptrdiff_t>(n);
    batch.assign(std::make_move_iterator(tasks.begin()),
                 std::make_move_iterator(end));
    tasks.erase(tasks.begin(), end);
    return true;
  }

  void run_batch() {
    int64_t bytes = 0;
    size_t events = 0;
    for (auto& x : batch) {
      bytes += cost_of(x);
      events += events_of(x);
    }
    auto began = std::chrono::steady_clock::now();
    report_list reports;
    auto what = writer.run(batch, reports);
    std::chrono::duration<double> took = std::chrono::steady_clock::now()
                                         - began;
    if (options.on_commit)
      options.on_commit({took.count(), events, !what.trouble.empty()});
    if (what.trouble.empty()) {
      commits.fetch_add(1, std::memory_order_relaxed);
      stored.fetch_add(events, std::memory_order_relaxed);
    }
    // One that wrote nothing says nothing about the disk.
    if (what.wrote || (writer.is_open() && !what.trouble.empty()))
      set_state(what.trouble.empty(), what.trouble);
    if (auto found = writer.take_damage(); !found.empty())
      tell_damage(found);
    batch.clear();
    queued_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    reports.send();
  }

  // When it is due: opens the store, or removes what nobody wants.
  void keep_up() {
    auto now = std::chrono::steady_clock::now();
    if (now < upkeep_due)
      return;
    upkeep_due = now + upkeep_interval;
    if (!writer.is_open())
      return try_to_open();
    try {
      if (writer.sweep())
        upkeep_due = now + sweep_interval;
      file_bytes.store(writer.file_bytes(), std::memory_order_relaxed);
    } catch (const store_error& e) {
      if (e.trouble == store_trouble::corrupt)
        tell_damage(e.what());
      else
        set_state(false, e.what());
    }
  }

  void try_to_open() {
    try {
      writer.open();
      opening.store(writer.opening());
      file_bytes.store(writer.file_bytes(), std::memory_order_relaxed);
      set_state(true, {});
    } catch (const std::exception& e) {
      set_state(false, e.what());
    }
  }

  void finish_now() {
    {
      std::lock_guard guard{mutex};
      if (!finishing)
        return;
    }
    opening.store(0);
    try {
      if (writer.is_open())
        writer.finish();
    } catch (const std::exception& e) {
      set_state(false, e.what());
    }
    std::lock_guard guard{mutex};
    finishing = false;
    finished.notify_all();
  }

  // -- the reader's thread ----------------------------------------------------

  void read() {
    std::unique_ptr<database> db;
    for (;;) {
      read_task next;
      {
        std::unique_lock guard{mutex};
        reads_came.wait(guard, [this] { return !reads.empty() || stopping; });
        if (reads.empty())
          return;
        next = std::move(reads.front());
        reads.pop_front();
      }
      answer(next, db);
    }
  }

  void answer(read_task& x, std::unique_ptr<database>& db) {
    auto report = caf::make_counted<store_report>();
    auto& result = report->readings.emplace_back();
    result.token = x.token;
    try {
      auto number = opening.load();
      if (number == 0)
        throw store_error{store_trouble::unusable, "the store is not open"};
      if (db == nullptr)
        db = std::make_unique<database>(options.folder + '/' + store_file_name,
                                        database::mode::read, options.vfs);
      result.events = read_events(*db, x.what, number);
    } catch (const store_error& e) {
      result.failed = true;
      result.events.clear();
      db = nullptr;
      if (e.trouble == store_trouble::corrupt)
        tell_damage(e.what());
      else
        errors.fetch_add(1, std::memory_order_relaxed);
    }
    x.to->report(std::move(report));
  }

  // -- how it is --------------------------------------------------------------

  void set_state(bool is_up, const std::string& why) {
    if (!is_up)
      errors.fetch_add(1, std::memory_order_relaxed);
    {
      std::lock_guard guard{state_mutex};
      if (up == is_up && trouble == why)
        return;
      up = is_up;
      trouble = why;
    }
    tell_change();
  }

  void tell_damage(const std::string& what) {
    {
      std::lock_guard guard{state_mutex};
      if (damage == what)
        return;
      damage = what;
    }
    errors.fetch_add(1, std::memory_order_relaxed);
    tell_change();
  }

  void tell_change() {
    if (options.on_change)
      options.on_change(state());
  }

  store_status state() const {
    store_status result;
    {
      std::lock_guard guard{state_mutex};
      result.up = up;
      result.trouble = up ? damage : trouble;
    }
    result.queued_bytes = queued_bytes.load(std::memory_order_relaxed);
    result.commits = commits.load(std::memory_order_relaxed);
    result.events = stored.load(std::memory_order_relaxed);
    result.errors = errors.load(std::memory_order_relaxed);
    result.bytes = file_bytes.load(std::memory_order_relaxed);
    return result;
  }

  disk_store_options options;
  store_writer writer;
  // The writer's thread's own.
  std::vector<store_task> batch;
  std::chrono::steady_clock::time_point upkeep_due;
  // What both threads and others share.
  std::mutex mutex;
  std::condition_variable tasks_came;
  std::condition_variable reads_came;
  std::condition_variable finished;
  std::deque<store_task> tasks;
  std::deque<read_task> reads;
  bool writer_waits = false;
  bool stopping = false;
  bool finishing = false;
  // The number of this run of the node; 0: the store is not open.
  std::atomic<uint64_t> opening = 0;
  std::atomic<int64_t> queued_bytes = 0;
  std::atomic<int64_t> file_bytes = 0;
  std::atomic<uint64_t> commits = 0;
  std::atomic<uint64_t> stored = 0;
  std::atomic<uint64_t> errors = 0;
  mutable std::mutex state_mutex;
  bool up = false;
  std::string trouble;
  std::string damage;
  std::thread writing;
  std::thread reading;
};

disk_store::disk_store(disk_store_options options)
  : impl_{std::make_unique<impl>(std::move(options))} {
}

disk_store::~disk_store() = default;

bool disk_store::full() const noexcept {
  return impl_->queued_bytes.load(std::memory_order_relaxed)
         > impl_->options.queue_bytes_max;
}

void disk_store::load(const store_receiver_ptr& to, std::string topic,
                      const topic_options& options) {
  impl_->add(load_task{to, std::move(topic), options});
}

void disk_store::append(const store_receiver_ptr& to, publication_ptr x,
                        const topic_options& options) {
  impl_->add(append_task{to, std::move(x), options});
}

void disk_store::set_options(std::string topic, const topic_options& options) {
  impl_->add(options_task{std::move(topic), options});
}

void disk_store::read(const store_receiver_ptr& to, uint64_t token,
                      store_query what) {
  {
    std::lock_guard guard{impl_->mutex};
    if (impl_->reads.size() < reads_max) {
      impl_->reads.push_back({to, token, std::move(what)});
      impl_->reads_came.notify_one();
      return;
    }
  }
  auto report = caf::make_counted<store_report>();
  report->readings.push_back({token, true, {}});
  to->report(std::move(report));
}

void disk_store::save_places(const store_receiver_ptr& to, uint64_t token,
                             std::vector<saved_place> xs) {
  impl_->add(places_task{to, token, std::move(xs)});
}

void disk_store::load_replica(const store_receiver_ptr& to, std::string topic) {
  impl_->add(replica_load_task{to, std::move(topic)});
}

void disk_store::change_replica(const store_receiver_ptr& to, std::string topic,
                                replica_write x, const topic_options& options) {
  impl_->add(replica_task{to, std::move(topic), std::move(x), options});
}

void disk_store::save(saved_topic x) {
  impl_->add(std::move(x));
}

void disk_store::finish() {
  std::unique_lock guard{impl_->mutex};
  impl_->finishing = true;
  impl_->tasks_came.notify_one();
  impl_->finished.wait(guard, [this] { return !impl_->finishing; });
}

store_status disk_store::status() const {
  return impl_->state();
}

} // namespace callboard
