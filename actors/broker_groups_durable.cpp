#include <algorithm>
#include <chrono>
#include <utility>

#include <callboard/actors/broker.hpp>

// Groups of topics that outlive the process. Where a group stands is saved a
// little later than it changes, so after an unclean end some events come again.
// Only that there is such a group is on the disk before its first member hears
// of it: what is accepted from then on is not lost to it. What lies below the
// memory of a topic comes from the store, one chunk at a time for each group.

namespace callboard {

namespace {

using stage = durable_topic::stage;

// How much later places are saved, and the store is asked again.
constexpr auto upkeep_interval = std::chrono::milliseconds{250};

// After this time places are saved anew, so that the store sees that they are
// in use.
constexpr int64_t refresh_ms = int64_t{24} * 3600 * 1000;

// Places that are saved at once.
constexpr size_t places_a_save = 1000;

int64_t linger_ms_of(const node_options& x) {
  using std::chrono::milliseconds;
  return std::chrono::duration_cast<milliseconds>(x.group_linger).count();
}

} // namespace

durable_topic* broker_groups::keeper(const std::string& topic) {
  auto* at = self_.durable(topic);
  auto keeps = at != nullptr && at->on_disk() && at->options.has_history();
  return keeps ? at : nullptr;
}

// -- groups that are new ------------------------------------------------------

void broker_groups::prepare(const std::string& topic, const std::string& group,
                            const position& since,
                            std::function<void(errc)> f) {
  // Those who were members ask again and again, and each try to serve a topic
  // is a question to all who vote.
  if (auto* at = self_.durable(topic); at != nullptr && at->copied
                                       && at->at == stage::unknown
                                       && self_.now_ms() < at->retry_ms)
    return f(errc::owner_down);
  self_.with_topic(topic, [=, this, f = std::move(f)](errc failed) {
    auto* at = failed == errc::none ? keeper(topic) : nullptr;
    if (at == nullptr || table_.find(topic, group) != nullptr
        || at->absent.contains(group))
      f(failed);
    else
      create(*at, topic, group, since, f);
  });
}

void broker_groups::when_prepared(const std::string& topic,
                                  const std::string& group,
                                  std::function<void(errc)> f) {
  if (auto i = creating_.find({topic, group}); i != creating_.end())
    i->second.push_back(std::move(f));
  else
    f(errc::none);
}

void broker_groups::create(durable_topic& at, const std::string& topic,
                           const std::string& group, const position& since,
                           std::function<void(errc)> f) {
  if (!table_.has_room(topic) || ctx_.node.store->full())
    return f(errc::overloaded);
  auto [i, is_first] = creating_.try_emplace({topic, group});
  i->second.push_back(std::move(f));
  if (!is_first)
    return;
  auto head = self_.where(topic);
  auto begin = state_of(topic, head, since);
  absent_group made{{group, begin.begin, begin.begin, {}}, true, begin.whole};
  saved_place place{topic,      head.epoch, head.offset,
                    at.options, false,      made.where};
  std::vector<saved_place> places{std::move(place)};
  auto finish = [this, topic, group, made](bool failed) {
    auto waiting
      = std::move(creating_.extract(std::pair{topic, group}).mapped());
    // If it was loaded meanwhile, it has the group from the disk.
    auto* now = keeper(topic);
    if (!failed && now != nullptr && now->at == stage::ready)
      now->absent.try_emplace(group, made);
    for (auto& x : waiting)
      if (failed)
        x(errc::storage_unavailable);
      else
        self_.with_topic(topic, std::move(x));
  };
  self_.save_places(std::move(places), std::move(finish));
}

void broker_groups::abandon() {
  for (auto& [name, waiting] : std::exchange(creating_, {}))
    for (auto& f : waiting)
      f(errc::internal);
}

// -- reading ------------------------------------------------------------------

uint64_t broker_groups::oldest(const std::string& topic) {
  if (auto* at = self_.durable(topic); at != nullptr && at->at == stage::ready)
    if (auto there = self_.stored(topic, *at); there.first != 0)
      return there.first;
  return topics_.oldest(topic, now_ms());
}

history_slice_ptr broker_groups::read(const shared_group& group, uint64_t first,
                                      size_t limit) {
  auto& topic = group.topic();
  limit = std::min(limit, history_slice::events_max);
  auto* at = self_.durable(topic);
  if (at == nullptr
      || (at->at == stage::ready
          && !self_.stored(topic, *at).needed_for(first)))
    return topics_.read(topic, first, limit, history_slice::bytes_max,
                        now_ms());
  begin_fetch({topic, group.name(), group.fetch(), first, limit});
  return nullptr;
}

void broker_groups::begin_fetch(fetch what) {
  auto topic = what.topic;
  self_.with_topic(topic, [this, what = std::move(what)](errc failed) {
    if (failed == errc::none)
      fetch_now(what);
    else
      fetch_later(what);
  });
}

void broker_groups::fetch_now(const fetch& what) {
  auto* group = awaiting(what);
  if (group == nullptr)
    return;
  auto& at = *self_.durable(what.topic);
  auto there = self_.stored(what.topic, at);
  if (!there.needed_for(what.first)) {
    group->fetched(*topics_.read(what.topic, what.first, what.limit,
                                 history_slice::bytes_max, now_ms()),
                   now_ms());
    return finish_turn();
  }
  auto query = self_.query_of(what.topic, at);
  query.first = std::max(what.first, there.first);
  query.last = there.last;
  query.events_max = what.limit;
  query.bytes_max = std::min(history_slice::bytes_max, free_bytes());
  auto slice = caf::make_counted<history_slice>();
  slice->topic = what.topic;
  slice->epoch = query.epoch;
  slice->head = query.last;
  auto take = [this, what, slice, life = at.life](store_report::reading&& x) {
    auto* now = self_.durable(what.topic);
    if (x.failed || now == nullptr || now->at != stage::ready
        || now->life != life)
      return fetch_later(what);
    slice->events = std::move(x.events);
    if (auto* to = awaiting(what)) {
      heed_draining();
      to->fetched(*slice, now_ms());
      finish_turn();
    }
  };
  self_.read(std::move(query), std::move(take));
}

void broker_groups::fetch_later(fetch what) {
  // Its topic may have gone to another node.
  if (awaiting(what) == nullptr)
    return;
  fetches_.push_back(std::move(what));
  arm_upkeep();
}

shared_group* broker_groups::awaiting(const fetch& what) const {
  auto* group = table_.find(what.topic, what.group);
  return group != nullptr && group->fetch() == what.number ? group : nullptr;
}

int64_t broker_groups::free_bytes() const noexcept {
  auto all
    = static_cast<int64_t>(ctx_.node.options.group_bytes_max / ctx_.node.loops);
  return std::max(all - table_.bytes(), int64_t{1});
}

// -- places -------------------------------------------------------------------

void broker_groups::loaded(const std::string& topic, durable_topic& at,
                           const std::vector<group_place>& groups) {
  at.absent.clear();
  if (keeper(topic) != nullptr)
    for (auto& x : groups)
      if (table_.find(topic, x.group) == nullptr)
        at.absent.emplace(x.group, absent_group{x});
  // Those that are there have outlived what the shard knew of the topic.
  auto head = self_.where(topic).offset;
  auto now = now_ms();
  if (table_.for_each_of(topic,
                         [=](shared_group& x) { x.topic_loaded(head, now); }))
    topics_.hold(topic, true);
  forget_absent(topic, at);
  finish_turn();
}

void broker_groups::expire() {
  auto now = now_ms();
  table_.expire(now);
  for (auto& [topic, at] : self_.durable_.topics)
    forget_absent(topic, at);
  if (now - refreshed_ms_ >= refresh_ms) {
    refreshed_ms_ = now;
    table_.change_all();
  }
  finish_turn();
}

void broker_groups::forget_absent(const std::string& topic, durable_topic& at) {
  // What has copies had members at another owner, a moment ago perhaps.
  auto since = at.copied ? at.since_ms : began_ms_;
  if (now_ms() - since < linger_ms_of(ctx_.node.options))
    return;
  std::vector<saved_place> places;
  for (auto& [name, x] : std::exchange(at.absent, {})) {
    auto& place = places.emplace_back();
    place.topic = topic;
    place.forgotten = true;
    place.where.group = name;
  }
  if (!places.empty())
    self_.save_places(std::move(places), nullptr);
}

void broker_groups::forgotten(const shared_group& group) {
  saved_place place;
  place.topic = group.topic();
  place.forgotten = true;
  place.where.group = group.name();
  std::vector<saved_place> places{std::move(place)};
  self_.save_places(std::move(places), nullptr);
}

bool broker_groups::save_changed() {
  std::vector<std::pair<std::string, std::string>> names;
  std::vector<saved_place> places;
  std::vector<shared_group*> later;
  for (auto* group : table_.take_changed()) {
    auto* at = keeper(group->topic());
    if (at == nullptr || at->at != stage::ready
        || places.size() == places_a_save) {
      later.push_back(group);
      continue;
    }
    auto where = self_.where(group->topic());
    places.push_back({group->topic(), where.epoch, where.offset, at->options,
                      false, group->state()});
    names.emplace_back(group->topic(), group->name());
  }
  for (auto* group : later)
    group->note_change();
  if (places.empty())
    return false;
  saving_ = true;
  auto finish = [this, names = std::move(names)](bool failed) {
    saving_ = false;
    auto again = failed && !handed_over_;
    for (auto& [topic, name] : names)
      if (auto* group = again ? table_.find(topic, name) : nullptr)
        group->note_change();
    finish_turn();
  };
  self_.save_places(std::move(places), std::move(finish));
  return true;
}

void broker_groups::hand_over() {
  handed_over_ = true;
  table_.close();
  save_all();
}

void broker_groups::save_all() {
  // What has no topic that is loaded stays where it was.
  auto goes_on = true;
  while (goes_on && table_.changed())
    goes_on = save_changed();
}

// -- later --------------------------------------------------------------------

void broker_groups::arm_upkeep() {
  if (!std::exchange(upkeep_armed_, true))
    self_.run_delayed(upkeep_interval, [this] { keep_up(); });
}

void broker_groups::keep_up() {
  upkeep_armed_ = false;
  for (auto& x : std::exchange(fetches_, {}))
    begin_fetch(std::move(x));
  if (!saving_ && !ctx_.node.store->full())
    save_changed();
  if (table_.changed())
    arm_upkeep();
}

void broker_groups::heed_draining() {
  if (ctx_.node.draining)
    table_.end();
}

} // namespace callboard
