#include <callboard/store/memory_store.hpp>

#include <algorithm>
#include <utility>

#include <caf/make_counted.hpp>

namespace callboard {

namespace {

// Leaves as many events as a query may have.
void limit(const store_query& what, std::vector<publication_ptr>& events) {
  if (what.newest)
    std::ranges::reverse(events);
  size_t n = 0;
  for (auto bytes = what.bytes_max; n < events.size(); ++n) {
    if (n >= what.events_max || (bytes <= 0 && n > 0))
      break;
    bytes -= events[n]->cost();
  }
  events.resize(n);
  if (what.newest)
    std::ranges::reverse(events);
}

} // namespace

// -- asking -------------------------------------------------------------------

void memory_store::load(const store_receiver_ptr& to, std::string topic,
                        const topic_options& options) {
  add(load_task{to, std::move(topic), options});
}

void memory_store::append(const store_receiver_ptr& to, publication_ptr x,
                          const topic_options& options) {
  add(append_task{to, std::move(x), options});
}

void memory_store::set_options(std::string topic,
                               const topic_options& options) {
  add(options_task{std::move(topic), options});
}

void memory_store::save_places(const store_receiver_ptr& to, uint64_t token,
                               std::vector<saved_place> xs) {
  add(places_task{to, token, std::move(xs)});
}

void memory_store::load_replica(const store_receiver_ptr& to,
                                std::string topic) {
  add(replica_load_task{to, std::move(topic)});
}

void memory_store::change_replica(const store_receiver_ptr& to,
                                  std::string topic, replica_write x,
                                  const topic_options& options) {
  add(replica_task{to, std::move(topic), std::move(x), options});
}

void memory_store::save(saved_topic x) {
  add(std::move(x));
}

void memory_store::add(store_task x) {
  tasks_.push_back(std::move(x));
  if (at_once)
    commit();
}

void memory_store::read(const store_receiver_ptr& to, uint64_t token,
                        store_query what) {
  auto report = caf::make_counted<store_report>();
  auto& result = report->readings.emplace_back();
  result.token = token;
  result.failed = broken;
  auto i = topics_.find(what.topic);
  if (!broken && i != topics_.end() && i->second.epoch == what.epoch) {
    for (auto& kept : i->second.events) {
      auto& x = *kept.event;
      if (x.offset >= what.first && x.offset <= what.last
          && (x.timestamp > what.after_ms || !result.events.empty()))
        result.events.push_back(copy(kept));
    }
    limit(what, result.events);
  }
  to->report(std::move(report));
}

void memory_store::finish() {
  commit();
  clean_ = !broken;
}

store_status memory_store::status() const {
  auto result = status_;
  result.up = !broken;
  result.trouble = broken ? "the store is broken" : "";
  return result;
}

// -- doing --------------------------------------------------------------------

void memory_store::commit(size_t events_max) {
  report_list reports;
  auto n = std::min(tasks_.size(), events_max);
  for (size_t i = 0; i < n; ++i) {
    auto& task = tasks_[i];
    if (auto* event = std::get_if<append_task>(&task)) {
      auto done = !broken && append(event->event, event->options);
      reports.appended(event->to, done);
      status_.events += done ? 1 : 0;
    } else if (auto* topic = std::get_if<load_task>(&task)) {
      std::optional<stored_topic> found;
      if (!broken)
        found = load(topic->topic, topic->options);
      reports.loaded(topic->to, topic->topic, std::move(found));
    } else if (auto* list = std::get_if<places_task>(&task)) {
      auto done = !broken;
      for (auto& place : list->places)
        done = !broken && keep(place) && done;
      reports.saved(*list, done);
    } else if (auto* revised = std::get_if<options_task>(&task)) {
      auto at = topics_.find(revised->topic);
      if (!broken && at != topics_.end() && !at->second.saved)
        at->second.options = revised->options;
    } else if (auto* replica = std::get_if<replica_load_task>(&task)) {
      auto found = record_of(replica->topic);
      auto groups = groups_of(replica->topic);
      auto places = groups.empty() ? nullptr
                                   : std::make_shared<const decltype(groups)>(
                                     std::move(groups));
      reports.loaded(*replica, broken ? nullptr : &found, std::move(places));
    } else if (auto* wanted = std::get_if<replica_task>(&task)) {
      auto done = !broken && change(*wanted);
      reports.changed(*wanted, done);
      status_.events += done ? wanted->change.events.size() : 0;
    } else if (!broken) {
      keep(std::get<saved_topic>(task));
    }
  }
  tasks_.erase(tasks_.begin(), tasks_.begin() + static_cast<ptrdiff_t>(n));
  status_.commits += n > 0 && !broken ? 1 : 0;
  status_.errors += n > 0 && broken ? 1 : 0;
  reports.send();
}

void memory_store::restart() {
  tasks_.clear();
  auto cleanly = std::exchange(clean_, false);
  std::erase_if(topics_, [cleanly](auto& x) {
    return x.second.saved && (!cleanly || x.second.taken);
  });
  ++opening_;
}

stored_topic memory_store::load(const std::string& topic,
                                const topic_options& options) {
  auto in_memory = options.durability == durability::memory;
  auto i = topics_.find(topic);
  if (i != topics_.end() && i->second.taken) {
    topics_.erase(i);
    i = topics_.end();
  }
  if (i == topics_.end())
    return {};
  auto& at = i->second;
  at.saved = in_memory;
  at.taken = in_memory;
  at.options = options;
  stored_topic result;
  result.epoch = at.epoch;
  result.head = at.head;
  auto add_id = [&](stored_id x) {
    if (x.until_ms > now_ms())
      result.ids.push_back(std::move(x));
  };
  for (auto& x : at.ids)
    add_id(x);
  for (auto& kept : at.events)
    if (auto x = copy(kept); !x->id.empty())
      add_id({x->id_key(), x->offset, x->timestamp + ids_ms});
  if (!at.events.empty()) {
    result.first = at.events.front().event->offset;
    result.last = at.events.back().event->offset;
    if (options.retain && result.last == result.head)
      result.newest = copy(at.events.back());
  }
  if (!in_memory)
    for (auto& [name, x] : at.groups)
      result.groups.push_back(x);
  return result;
}

bool memory_store::append(const publication_ptr& x,
                          const topic_options& options) {
  auto [i, added] = topics_.try_emplace(x->topic);
  auto& at = i->second;
  if (added) {
    at.epoch = x->epoch;
    at.head = x->offset - 1;
  } else if (at.saved || at.epoch != x->epoch || at.head + 1 != x->offset) {
    return false;
  }
  at.options = options;
  at.head = x->offset;
  at.events.push_back({x, opening_});
  return true;
}

void memory_store::keep(saved_topic& x) {
  // A topic that had no event has no place to keep.
  if (x.head == 0 && !topics_.contains(x.topic))
    return;
  auto& at = topics_[x.topic];
  auto last = at.events.empty() ? 0 : at.events.back().event->offset;
  auto follows
    = at.epoch == x.epoch
      && (last == 0
          || (x.events.empty() ? last == x.head
                               : last + 1 == x.events.front()->offset));
  if (!follows && x.head == 0) {
    topics_.erase(x.topic);
    return;
  }
  if (!follows)
    at = {};
  at.epoch = x.epoch;
  at.head = x.head;
  at.saved = true;
  at.taken = false;
  at.options = x.options;
  at.ids = x.ids;
  for (auto& event : x.events)
    at.events.push_back({event, opening_});
}

bool memory_store::keep(const saved_place& x) {
  auto i = topics_.find(x.topic);
  if (x.forgotten) {
    if (i != topics_.end())
      i->second.groups.erase(x.where.group);
    return true;
  }
  if (i == topics_.end()) {
    i = topics_.try_emplace(x.topic).first;
    i->second.epoch = x.epoch;
    i->second.head = x.head;
    i->second.options = x.options;
  }
  auto& at = i->second;
  if (at.saved || at.epoch != x.epoch)
    return false;
  at.groups[x.where.group] = x.where;
  return true;
}

replica_record memory_store::record_of(const std::string& topic) const {
  replica_record result;
  if (auto i = replicas_.find(topic); i != replicas_.end())
    result = i->second;
  auto i = topics_.find(topic);
  auto has_log = i != topics_.end() && !i->second.saved;
  result.epoch = has_log ? i->second.epoch : "";
  result.head = has_log ? i->second.head : 0;
  return result;
}

bool memory_store::change(const replica_task& x) {
  auto& what = x.change;
  if (record_of(x.topic) != what.before)
    return false;
  auto kept = what.behind ? what.upto : std::min(what.upto, what.before.head);
  if (!what.events.empty() && what.events.front()->offset != kept + 1)
    return false;
  replicas_[x.topic] = what.record;
  if (what.record.epoch.empty())
    return true;
  auto& at = topics_[x.topic];
  if (at.saved)
    at = {};
  at.epoch = what.record.epoch;
  at.options = x.options;
  std::erase_if(at.events,
                [&](auto& y) { return what.behind || y.event->offset > kept; });
  at.head = kept;
  for (auto& event : what.events) {
    at.head = event->offset;
    at.events.push_back({event, opening_});
  }
  if (what.places != nullptr) {
    at.groups.clear();
    for (auto& place : *what.places)
      at.groups.emplace(place.group, place);
  }
  return true;
}

publication_ptr memory_store::copy(const kept_event& kept) const {
  auto& x = *kept.event;
  auto result = caf::make_counted<publication>();
  result->topic = x.topic;
  result->payload = x.payload;
  result->sender = x.sender;
  result->trace = x.trace;
  result->key = x.key;
  result->origin = x.origin;
  result->attempts = x.attempts;
  result->from_connection = x.from_connection;
  result->offset = x.offset;
  result->epoch = x.epoch;
  result->timestamp = x.timestamp;
  auto same_opening = kept.opening == opening_;
  if (!x.from_connection || same_opening)
    result->id = x.id;
  if (x.no_echo && same_opening) {
    result->no_echo = true;
    result->publisher = x.publisher;
  }
  return result;
}

std::vector<publication_ptr>
memory_store::events_of(const std::string& topic) const {
  std::vector<publication_ptr> result;
  if (auto i = topics_.find(topic); i != topics_.end())
    for (auto& x : i->second.events)
      result.push_back(x.event);
  return result;
}

topic_options memory_store::options_of(const std::string& topic) const {
  auto i = topics_.find(topic);
  return i == topics_.end() ? topic_options{} : i->second.options;
}

std::vector<group_place>
memory_store::groups_of(const std::string& topic) const {
  std::vector<group_place> result;
  if (auto i = topics_.find(topic); i != topics_.end())
    for (auto& [name, x] : i->second.groups)
      result.push_back(x);
  return result;
}

} // namespace callboard
