#include <callboard/actors/topic_table.hpp>

#include <algorithm>

#include <callboard/actors/event_frame.hpp>
#include <callboard/actors/tenant_space.hpp>
#include <callboard/actors/topic_table_parts.hpp>

namespace callboard {

namespace {

// A batch of this size is shared out before the turn's end.
constexpr size_t batch_bytes = 64 * 1024;

} // namespace

topic_table::topic_table(outbox_scheduler& scheduler, framing& wire,
                         const std::vector<topic_rule>& rules,
                         size_t values_max)
  : scheduler_{scheduler},
    wire_{wire},
    rules_{&rules},
    values_max_{values_max} {
}

topic_table::~topic_table() = default;

subscription::~subscription() = default;

topic_table::subscribe_result
topic_table::subscribe(outbox& box, std::string_view subject, uint32_t seq_id,
                       bool takes_bytes, const topic_position* since,
                       bool watches) {
  auto& map = is_pattern(subject) ? patterns_ : topics_;
  auto i = map.find(subject);
  auto created = i == map.end();
  if (created) {
    i = map.emplace(subject, std::make_unique<local_topic>(subject, *rules_))
          .first;
    if (i->second->pattern)
      tree_[subject] = i->second.get();
  }
  auto& topic = *i->second;
  auto same = [&topic](auto& x) { return x->topic == &topic; };
  if (!created && std::ranges::any_of(box.subscriptions, same))
    return subscribe_result::duplicate;
  if (!topics_lap_.done || !patterns_lap_.done)
    revise(topic);
  // What was published before must not reach the newcomer.
  share_out(topic);
  auto& added = *box.subscriptions.emplace_back(
    new subscription{&topic, &box, 0, seq_id, takes_bytes, since != nullptr});
  if (topic.pattern ? topic.retains : since != nullptr)
    added.behind.reset(
      new replay{since != nullptr ? *since : topic_position{}});
  put_in(added);
  if (topic.presence)
    enter_presence(added, watches);
  ++subscriptions_;
  if (created)
    return subscribe_result::attach;
  if (!topic.ready)
    return subscribe_result::waiting;
  if (added.behind != nullptr) {
    settle(added);
    return added.behind != nullptr ? subscribe_result::waiting
                                   : subscribe_result::subscribed;
  }
  welcome(topic, added, since == nullptr ? recovery::none : recovery::lost);
  return subscribe_result::subscribed;
}

std::vector<std::string> topic_table::subjects_of(const outbox& box) {
  std::vector<std::string> result;
  for (auto& x : box.subscriptions)
    result.push_back(x->topic->name);
  return result;
}

topic_table::unsubscribe_result
topic_table::unsubscribe(outbox& box, std::string_view subject) {
  auto i = std::ranges::find_if(box.subscriptions, [subject](auto& x) {
    return x->topic->name == subject;
  });
  if (i == box.subscriptions.end())
    return {};
  auto& topic = *(*i)->topic;
  auto& behind = (*i)->behind;
  auto waits = !topic.ready || (behind != nullptr && !behind->answered);
  unsubscribe_result result{true, false, waits ? (*i)->seq_id : 0};
  erase(**i);
  std::swap(*i, box.subscriptions.back());
  box.subscriptions.pop_back();
  result.detach = erase_if_unused(topic);
  return result;
}

bool topic_table::has(const outbox& box, std::string_view subject) {
  return std::ranges::any_of(box.subscriptions, [subject](auto& x) {
    return x->topic->name == subject;
  });
}

void topic_table::remove(outbox& box, std::vector<std::string>& detached) {
  for (auto& x : box.subscriptions) {
    auto& topic = *x->topic;
    erase(*x);
    if (topic.size() > 0)
      continue;
    detached.push_back(topic.name);
    erase_if_unused(topic);
  }
  box.subscriptions.clear();
  box.subscriptions.shrink_to_fit();
}

uint64_t topic_table::new_generation(std::string_view subject) {
  auto* topic = find(subject);
  if (topic == nullptr)
    return 0;
  topic->confirmed.clear();
  // What a shard was asked before may be lost.
  begin_round_again(*topic);
  return topic->generation = ++generation_;
}

void topic_table::attached(std::string_view topic, uint64_t generation,
                           topic_position position, publication_ptr retained) {
  auto* x = find(topic);
  if (x == nullptr || x->generation != generation)
    return;
  share_out(*x);
  auto was_ready = std::exchange(x->ready, true);
  auto started_over = was_ready && x->position.epoch != position.epoch;
  auto jumped = was_ready && !started_over
                && x->position.offset < position.offset;
  x->position = std::move(position);
  x->keep(std::move(retained), topics_lap_.done ? nullptr : rules_);
  if (started_over || jumped)
    tell_position(*x, started_over ? "epoch changed" : events_lost);
  else if (!was_ready)
    x->for_each([&](subscription& s) { welcome(*x, s, recovery::none); });
  // What the owner was asked before will not be answered.
  x->fetching = false;
  for (auto& [box, held] : x->behind)
    if (held->behind->at == replay::stage::asked)
      held->behind->at = replay::stage::waiting;
  settle(*x);
}

bool topic_table::refused(std::string_view topic, uint64_t generation,
                          errc why) {
  auto* x = find(topic);
  if (x == nullptr || x->generation != generation || x->ready)
    return false;
  // Those who are gone as well, or the topic would wait for ever.
  std::vector<std::pair<outbox_ptr, uint32_t>> waiting;
  for (auto& form : x->forms)
    for (auto& [box, held] : form.list)
      waiting.emplace_back(box, held->seq_id);
  for (auto* list : {&x->actors, &x->behind})
    for (auto& [box, held] : *list)
      waiting.emplace_back(box, held->seq_id);
  auto name = x->name;
  for (auto& [box, seq_id] : waiting) {
    unsubscribe(*box, name);
    if (box->owner != nullptr)
      box->owner->on_refused(seq_id, name, why);
  }
  return find(name) == nullptr;
}

void topic_table::pattern_attached(std::string_view pattern,
                                   uint64_t generation, uint32_t shard,
                                   uint32_t shards) {
  auto* x = find(pattern);
  if (x == nullptr || x->generation != generation || (x->ready && !x->loses))
    return;
  x->confirmed.resize(shards);
  x->confirmed[shard] = true;
  if (std::ranges::find(x->confirmed, false) != x->confirmed.end())
    return;
  if (std::exchange(x->ready, true)) {
    x->loses = false;
    return tell_lost(*x);
  }
  x->for_each([&](subscription& s) {
    welcome(*x, s, s.asked_missed ? recovery::lost : recovery::none);
  });
  settle(*x);
}

size_t topic_table::deliver(const publication_ptr& what) {
  auto& event = *what;
  size_t n = 0;
  if (auto i = topics_.find(event.topic); i != topics_.end()) {
    // What comes before the owner's answer was meant for a subscription that
    // is gone.
    if (auto& topic = *i->second; topic.ready) {
      auto& at = topic.position;
      auto same = at.epoch == event.epoch;
      if (!same || at.offset + 1 < event.offset) {
        // The shard that had them died. What a new one sends because of a
        // pattern may come before it has answered for the topic.
        share_out(topic);
        at = {event.epoch, event.offset - 1};
        tell_position(topic, same ? events_lost : "epoch changed");
      }
      at.offset = event.offset;
      auto keeps = event.retain && !event.payload.is_nil();
      topic.keep(keeps ? what : nullptr, topics_lap_.done ? nullptr : rules_);
      n += deliver_to(topic, what, {});
    }
  }
  tree_.match(event.topic, [this](local_topic* x) {
    if (x->ready)
      matched_.push_back(x);
  });
  for (auto* x : matched_)
    n += deliver_to(*x, what, x->name);
  matched_.clear();
  return n;
}

size_t topic_table::deliver_to(local_topic& topic, const publication_ptr& what,
                               std::string_view pattern) {
  auto& event = *what;
  if (event.no_echo)
    share_out(topic);
  if (topic.overflow != overflow_policy::disconnect)
    hold(topic, what);
  else if (topic.pattern && !topic.behind.empty())
    keep_for_newcomers(topic, what);
  size_t n = topic.actors.size();
  for (auto& x : topic.actors)
    if (x.box->owner != nullptr)
      x.box->owner->on_event(event, pattern, false);
  auto share_now = event.no_echo;
  for (size_t form = 0; form < wire_form_count; ++form) {
    auto& to = topic.forms[form];
    if (to.list.empty())
      continue;
    n += to.list.size();
    if (event.no_echo)
      n -= static_cast<size_t>(std::ranges::count_if(to.list, [&](auto& x) {
        return x.box->connection == event.publisher;
      }));
    if (!to.batch)
      to.batch = scheduler_.chunks().take();
    encode(static_cast<wire_form>(form), event, pattern, false,
           to.batch->bytes);
    share_now |= to.batch->bytes.size() >= batch_bytes;
  }
  if (!std::exchange(topic.pending, true))
    pending_.push_back(&topic);
  if (share_now)
    share_out(topic, event.no_echo ? event.publisher : 0);
  return n;
}

void topic_table::encode(wire_form form, const publication& event,
                         std::string_view pattern, bool retained,
                         byte_buffer& out) const {
  auto frame = event_frame(event);
  auto& meta = frame.meta;
  if (!pattern.empty()) {
    meta.mark(meta_key::pattern);
    meta.pattern = visible_name(pattern);
  }
  if (retained) {
    meta.mark(meta_key::retained);
    meta.retained = true;
  }
  wire_.append(form, frame, out);
}

void topic_table::share_out(local_topic& topic, connection_id except) {
  share(topic, [except](outbox& box, const chunk_ptr& batch) {
    if (except == 0 || box.connection != except)
      box.append(batch);
  });
}

template <class F>
void topic_table::share(local_topic& topic, F&& give) {
  if (!std::exchange(topic.pending, false))
    return;
  auto drops = topic.overflow != overflow_policy::disconnect;
  for (auto& to : topic.forms) {
    if (!to.batch)
      continue;
    // The last one takes the place of one that leaves.
    for (auto i = to.list.size(); drops && i > 0; --i)
      if (!to.list[i - 1].box->has_room(to.batch->bytes.size()))
        lag(*to.list[i - 1].held);
    auto n = to.list.size();
    for (size_t i = 0; i < n; ++i) {
      // Their outboxes lie all over the memory: fetch those that come next.
      if (i + 2 < n) {
        to.list[i + 2].box->prefetch();
        to.list[i + 1].box->prefetch_transport();
      }
      give(*to.list[i].box, to.batch);
    }
    to.batch = chunk_ptr{};
  }
  topic.fresh.clear();
}

void topic_table::flush() {
  // A single topic's receivers have nothing to gain from waiting for what other
  // topics bring: each is sent its bytes while its memory is at hand.
  if (pending_.size() == 1)
    share(*pending_.front(), [](outbox& box, const chunk_ptr& batch) {
      box.append_and_send(batch);
    });
  else
    for (auto* x : pending_)
      share_out(*x);
  pending_.clear();
}

void topic_table::welcome(local_topic& topic, subscription& x,
                          recovery missed) {
  x.box->owner->on_subscribed(x.seq_id, topic.name,
                              topic.pattern ? nullptr : &topic.position, missed,
                              last_values::none);
  // Who missed nothing has the last value.
  if (topic.retained == nullptr || missed == recovery::whole)
    return;
  if (x.takes_bytes) {
    auto bytes = scheduler_.chunks().take();
    encode(x.box->form(), *topic.retained, {}, true, bytes->bytes);
    x.box->append(bytes);
  } else {
    x.box->owner->on_event(*topic.retained, {}, true);
  }
}

void topic_table::erase(subscription& x) {
  if (x.behind != nullptr)
    std::erase(replaying_, &x);
  if (x.topic->presence)
    leave_presence(x);
  take_out(x);
  --subscriptions_;
}

void topic_table::put_in(subscription& x) {
  auto& list = x.topic->list_of(x);
  x.index = static_cast<uint32_t>(list.size());
  list.push_back({x.box, &x});
}

void topic_table::take_out(subscription& x) {
  auto& topic = *x.topic;
  // What was published before still reaches the one that leaves, and not the
  // one that joins with all of it.
  share_out(topic);
  auto& list = topic.list_of(x);
  list[x.index] = list.back();
  list[x.index].held->index = x.index;
  list.pop_back();
}

bool topic_table::erase_if_unused(local_topic& topic) {
  if (topic.size() > 0)
    return false;
  std::erase(pending_, &topic);
  std::erase(wanting_, &topic);
  std::erase(gathering_, &topic);
  auto name = std::move(topic.name);
  if (topic.pattern) {
    tree_.erase(name);
    patterns_.erase(patterns_.find(name));
  } else {
    topics_.erase(topics_.find(name));
  }
  return true;
}

size_t topic_table::subscribers(std::string_view subject) const {
  auto* topic = find(subject);
  return topic == nullptr ? 0 : topic->size();
}

local_topic* topic_table::find(std::string_view subject) const {
  auto& map = is_pattern(subject) ? patterns_ : topics_;
  auto i = map.find(subject);
  return i == map.end() ? nullptr : i->second.get();
}

} // namespace callboard
