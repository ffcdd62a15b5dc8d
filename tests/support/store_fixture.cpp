#include "support/store_fixture.hpp"

#include <algorithm>
#include <cstdlib>

#include <callboard/store/schema.hpp>

namespace callboard {

namespace {

// Nothing here takes so long; a store that does not answer fails its test.
constexpr auto patience = std::chrono::seconds{60};

std::string words_of(const store_report::load& x) {
  if (x.failed)
    return x.topic + " failed";
  if (x.what.epoch.empty())
    return x.topic + " none";
  return x.topic + ' ' + x.what.epoch + '@' + std::to_string(x.what.head) + ' '
         + std::to_string(x.what.first) + '-' + std::to_string(x.what.last);
}

std::string words_of(const store_report::reading& x) {
  auto result = std::to_string(x.token) + ':';
  if (x.failed)
    return result + " failed";
  for (auto& event : x.events)
    result += ' ' + std::to_string(event->offset);
  return result;
}

} // namespace

// -- note_taker ---------------------------------------------------------------

void note_taker::report(store_report_ptr x) {
  std::lock_guard guard{mutex_};
  auto say = [this](const std::string& what) {
    words_ += (words_.empty() ? "" : "; ") + what;
    ++answers_;
  };
  for (auto& y : x->appended) {
    (y.committed ? good_ : bad_) += y.count;
    answers_ += y.count;
  }
  for (auto& y : x->loaded) {
    say(words_of(y));
    topic_ = y.what;
  }
  for (auto& y : x->readings) {
    say(words_of(y));
    events_ = y.events;
  }
  for (auto& y : x->savings)
    say(std::to_string(y.token) + (y.failed ? " failed" : " saved"));
  for (auto& y : x->replicas) {
    say(y.topic + (y.failed ? " failed" : y.loaded ? " loaded" : " changed"));
    replica_ = y;
  }
  told_.notify_all();
}

void note_taker::wait(std::unique_lock<std::mutex>& guard, size_t n) {
  if (!told_.wait_for(guard, patience, [&] { return answers_ >= n; }))
    CAF_FAIL("the store does not answer");
}

std::string note_taker::take(size_t n) {
  std::unique_lock guard{mutex_};
  wait(guard, n);
  auto result = std::exchange(words_, {});
  auto add = [&result](const char* word, size_t count) {
    if (count > 0)
      result += (result.empty() ? "" : "; ") + std::string{word} + ' '
                + std::to_string(count);
  };
  add("ok", std::exchange(good_, 0));
  add("failed", std::exchange(bad_, 0));
  answers_ = 0;
  return result;
}

std::vector<publication_ptr> note_taker::take_events() {
  take(1);
  return std::move(events_);
}

stored_topic note_taker::take_topic() {
  take(1);
  return std::move(topic_);
}

store_report::replica note_taker::take_replica() {
  take(1);
  return std::move(replica_);
}

// -- store_env ----------------------------------------------------------------

std::string store_env::load(const std::string& topic) {
  store().load(notes, topic, options);
  return notes->take(1);
}

std::string store_env::append(const std::string& topic, uint64_t first,
                              uint64_t last) {
  for (auto i = first; i <= last; ++i)
    store().append(notes, event(topic, i), options);
  return notes->take(last + 1 - first);
}

replica_record store_env::replica(const std::string& topic) {
  store().load_replica(notes, topic);
  return notes->take_replica().record;
}

group_places_ptr store_env::replica_places(const std::string& topic) {
  store().load_replica(notes, topic);
  return notes->take_replica().places;
}

std::string store_env::change(const std::string& topic, replica_write x) {
  store().change_replica(notes, topic, std::move(x), options);
  return notes->take(1);
}

std::string store_env::append(const publication_ptr& x) {
  store().append(notes, x, options);
  return notes->take(1);
}

std::string store_env::read(const std::string& topic, uint64_t first,
                            size_t events_max, uint64_t last) {
  auto x = query(topic, first);
  x.events_max = events_max;
  x.last = last;
  return read(std::move(x));
}

std::string store_env::read(store_query x) {
  store().read(notes, 7, std::move(x));
  return notes->take(1);
}

stored_topic store_env::load_all(const std::string& topic) {
  store().load(notes, topic, options);
  return notes->take_topic();
}

std::vector<publication_ptr> store_env::read_all(store_query x) {
  store().read(notes, 7, std::move(x));
  return notes->take_events();
}

void store_env::save(const std::string& topic, uint64_t head, uint64_t first,
                     uint64_t last) {
  saved_topic x{topic, "e", head, {}, {}, options};
  for (auto i = first; i <= last; ++i)
    x.events.push_back(event(topic, i));
  store().save(std::move(x));
}

std::string store_env::save_place(const std::string& topic,
                                  const group_place& where,
                                  const std::string& epoch) {
  std::vector<saved_place> places{{topic, epoch, 0, options, false, where}};
  store().save_places(notes, 8, std::move(places));
  return notes->take(1);
}

std::string store_env::forget_place(const std::string& topic,
                                    const std::string& group) {
  saved_place place;
  place.topic = topic;
  place.forgotten = true;
  place.where.group = group;
  std::vector<saved_place> places{std::move(place)};
  store().save_places(notes, 8, std::move(places));
  return notes->take(1);
}

std::string store_env::places(const std::string& topic) {
  auto found = load_all(topic);
  std::ranges::sort(found.groups, {}, &group_place::group);
  std::string result;
  for (auto& x : found.groups) {
    result += (result.empty() ? "" : "; ") + x.group + ' '
              + std::to_string(x.place) + '-' + std::to_string(x.reach);
    for (auto& y : x.open)
      result += ' ' + std::to_string(y.offset) + 'x'
                + std::to_string(y.attempts);
  }
  return result;
}

publication_ptr store_env::event(const std::string& topic, uint64_t offset,
                                 const std::string& id) const {
  auto x = caf::make_counted<publication>();
  x->topic = topic;
  x->epoch = "e";
  x->offset = offset;
  x->timestamp = now_ms;
  x->sender = "somebody";
  x->id = id;
  x->payload = payload::pack("event " + std::to_string(offset));
  return x;
}

store_query store_env::query(const std::string& topic, uint64_t first) const {
  return {.topic = topic,
          .epoch = "e",
          .first = first,
          .last = 1'000'000,
          .events_max = 1000,
          .bytes_max = 1'000'000};
}

// -- the two kinds ------------------------------------------------------------

memory_env::memory_env() {
  store_.now_ms = [this] { return now_ms.load(); };
}

void memory_env::restart(bool cleanly) {
  if (cleanly)
    store_.finish();
  store_.restart();
}

disk_env::disk_env() {
  disk.folder = folder.path() + "/store";
  disk.now_ms = [this] { return now_ms.load(); };
  start();
}

void disk_env::start() {
  store_ = std::make_unique<disk_store>(disk);
}

void disk_env::restart(bool cleanly) {
  if (cleanly)
    store_->finish();
  stop();
  start();
}

std::string disk_env::file() const {
  return disk.folder + '/' + store_file_name;
}

void for_each_store(const std::function<void(store_env&)>& f) {
  {
    CAF_MESSAGE("memory_store");
    memory_env env;
    f(env);
  }
  CAF_MESSAGE("disk_store");
  disk_env env;
  f(env);
}

} // namespace callboard
