#include <callboard/actors/cluster/topic_replicas.hpp>

#include <algorithm>
#include <limits>

namespace callboard {

topic_replicas::topic_replicas(replica_host& host, store_nodes_ptr stores,
                               uint32_t self, size_t topics_max)
  : host_{host},
    stores_{std::move(stores)},
    self_{self},
    topics_max_{topics_max} {
}

template <class F>
void topic_replicas::for_each(const std::vector<std::string>& names, F f) {
  // The host may add others meanwhile.
  for (auto& topic : names)
    if (auto i = topics_.find(topic); i != topics_.end() && i->second.replica) {
      f(i->second);
      run(topic, i->second);
    }
}

// -- what comes in ------------------------------------------------------------

void topic_replicas::lead(const std::string& topic) {
  auto* x = find_or_make(topic);
  if (x == nullptr || x->self >= x->voters.keepers)
    return host_.lost(topic);
  if (std::exchange(x->wants_lead, true) || !x->replica) {
    if (leads(topic))
      host_.begun(topic);
    return;
  }
  x->replica->lead(host_.new_epoch());
  run(topic, *x);
}

void topic_replicas::release(const std::string& topic) {
  auto i = topics_.find(topic);
  if (i == topics_.end())
    return;
  i->second.wants_lead = false;
  if (i->second.replica)
    i->second.replica->rest();
}

void topic_replicas::append(const std::string& topic,
                            const publication_ptr& x) {
  auto& at = topics_.at(topic);
  at.replica->append(x);
  run(topic, at);
}

uint64_t topic_replicas::place(const std::string& topic, group_places_ptr x) {
  auto& at = topics_.at(topic);
  auto result = at.replica->place(std::move(x));
  run(topic, at);
  return result;
}

bool topic_replicas::leads(const std::string& topic) const {
  auto i = topics_.find(topic);
  return i != topics_.end() && i->second.replica && i->second.replica->leads();
}

bool topic_replicas::wanted(const std::string& topic) const {
  auto i = topics_.find(topic);
  return i != topics_.end() && i->second.wants_lead;
}

bool topic_replicas::stands_at(const std::string& topic, uint64_t head) const {
  return leads(topic) && topics_.at(topic).replica->head() == head;
}

void topic_replicas::install(uint64_t present, uint64_t anew) {
  present_ = present;
  std::vector<std::string> names;
  for (auto& [topic, x] : topics_)
    names.push_back(topic);
  for_each(names, [this, anew](entry& x) {
    x.replica->set_present(present_of(x, anew));
    x.replica->set_present(present_of(x, 0));
  });
}

void topic_replicas::take(uint32_t node, const std::string& topic,
                          const replica_message& x) {
  auto* at = find_or_make(topic);
  if (at == nullptr)
    return;
  auto end = at->voters.places.begin() + at->voters.voters;
  auto from = std::find(at->voters.places.begin(), end, node);
  // It goes by other rules, or is this node.
  if (from == end || node == self_)
    return;
  at->used = true;
  auto place = static_cast<uint32_t>(from - at->voters.places.begin());
  if (at->replica) {
    at->replica->take(place, x);
    run(topic, *at);
  } else if (at->parked.size() < parked_max) {
    at->parked.emplace_back(place, x);
  }
}

void topic_replicas::take(const store_report::replica& x) {
  auto i = topics_.find(x.topic);
  if (i == topics_.end())
    return;
  auto& at = i->second;
  if (x.loaded) {
    if (at.replica)
      return;
    if (!x.failed) {
      at.replica.emplace(topic_replica::seats{at.self, at.voters.keepers,
                                              at.voters.voters},
                         x.record, x.places);
      return begin(x.topic, at);
    }
    // Who still wants it asks again.
    auto wanted = at.wants_lead;
    topics_.erase(i);
    if (wanted)
      host_.lost(x.topic);
  } else if (at.replica && x.failed) {
    reload(x.topic, at);
  } else if (at.replica) {
    at.replica->written();
    run(x.topic, at);
  }
}

void topic_replicas::tick() {
  std::erase_if(topics_, [](auto& at) {
    auto& x = at.second;
    return !x.used && !x.wants_lead && x.replica && x.replica->idle();
  });
  std::vector<std::string> names;
  std::vector<std::string> late;
  for (auto& [topic, x] : topics_) {
    x.used = false;
    names.push_back(topic);
    if (!x.wants_lead || (x.replica && x.replica->leads()))
      x.late = 0;
    else if (++x.late % late_max == 0)
      late.push_back(topic);
  }
  for_each(names, [](entry& x) { x.replica->tick(); });
  for (auto& topic : late)
    if (wanted(topic) && !leads(topic))
      host_.lost(topic);
}

std::pair<size_t, size_t> topic_replicas::served() const {
  std::pair<size_t, size_t> result;
  for (auto& [topic, x] : topics_)
    if (x.replica && x.replica->leads()) {
      ++result.first;
      result.second += x.replica->alone() ? 1 : 0;
    }
  return result;
}

// -- one topic ----------------------------------------------------------------

topic_replicas::entry* topic_replicas::find_or_make(const std::string& topic) {
  if (auto i = topics_.find(topic); i != topics_.end())
    return &i->second;
  if (topics_.size() >= topics_max_)
    return nullptr;
  entry made;
  made.voters = stores_->voters_of(topic);
  auto& places = made.voters.places;
  auto end = places.begin() + made.voters.voters;
  auto self = std::find(places.begin(), end, self_);
  if (made.voters.keepers < 2 || self == end)
    return nullptr;
  made.self = static_cast<uint32_t>(self - places.begin());
  auto& x = topics_.emplace(topic, std::move(made)).first->second;
  host_.load(topic);
  return &x;
}

uint32_t topic_replicas::present_of(const entry& x, uint64_t without) const {
  uint32_t result = 0;
  for (uint32_t i = 0; i < x.voters.voters; ++i)
    if (((present_ & ~without) >> x.voters.places[i] & 1) != 0)
      result |= 1u << i;
  return result;
}

void topic_replicas::begin(const std::string& topic, entry& x) {
  x.replica->set_present(present_of(x, 0));
  for (auto& [place, message] : std::exchange(x.parked, {}))
    x.replica->take(place, message);
  if (x.wants_lead)
    x.replica->lead(host_.new_epoch());
  run(topic, x);
}

void topic_replicas::run(const std::string& topic, entry& x) {
  auto what = x.replica->take_effects();
  for (auto& change : what.writes)
    host_.change(topic, std::move(change));
  for (auto& [place, message] : what.messages)
    host_.send(x.voters.places[place], topic, std::move(message));
  for (auto& read : what.reads)
    serve(topic, x, read);
  if (what.begun) {
    x.told = x.replica->agreed();
    x.told_placed = x.replica->placed();
  } else if (auto upto = x.replica->agreed();
             (x.replica->leads() || what.lost) && upto > x.told)
    host_.agreed(topic, x.told = upto);
  if (auto number = x.replica->placed();
      x.replica->leads() && number > x.told_placed)
    host_.placed(topic, x.told_placed = number);
  // It may be trying again by itself.
  if (what.lost || what.gave_up) {
    x.wants_lead = x.replica->seeks();
    if (!x.wants_lead || what.lost)
      host_.lost(topic);
  }
  if (what.begun)
    host_.begun(topic);
}

void topic_replicas::serve(const std::string& topic, const entry& x,
                           const replica_read& what) {
  store_query query;
  query.topic = topic;
  query.epoch = what.epoch;
  query.first = what.first;
  query.last = what.last;
  query.events_max = page_events_max;
  query.bytes_max = page_bytes_max;
  // What is left out would count as gone, whatever a clock said.
  query.after_ms = std::numeric_limits<int64_t>::min();
  auto answer = [this, topic, node = x.voters.places[what.to],
                 what](store_report::reading&& found) {
    auto i = topics_.find(topic);
    // The log holds still for as long as the promise does.
    if (found.failed || i == topics_.end() || !i->second.replica
        || i->second.replica->term() != what.term)
      return;
    replica_message message;
    message.what = replica_call::events;
    message.keepers = i->second.voters.keepers;
    message.term = what.term;
    message.first = what.first;
    message.head = what.last;
    message.events = std::move(found.events);
    host_.send(node, topic, std::move(message));
  };
  host_.read(std::move(query), std::move(answer));
}

void topic_replicas::reload(const std::string& topic, entry& x) {
  auto wanted = std::exchange(x.wants_lead, false);
  x.replica.reset();
  x.parked.clear();
  host_.load(topic);
  if (wanted)
    host_.lost(topic);
}

} // namespace callboard
