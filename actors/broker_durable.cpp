#include <callboard/actors/broker.hpp>

#include <utility>

#include <caf/send.hpp>

// Topics that outlive the process. A shard asks the store about a topic when it
// is first used, and parks whatever concerns it until the answer is there. With
// durability `disk`, a publication gets its offset, goes to the store, and
// becomes part of its topic when the store has it on the disk. If it fails, the
// shard forgets the topic and asks the store anew, so that it never goes on
// from where the disk is not.

namespace callboard {

namespace {

using stage = durable_topic::stage;

/// Passes what the store's threads tell on to one life of a shard.
class shard_receiver : public store_receiver {
public:
  explicit shard_receiver(broker_actor to)
    : to_{caf::actor_cast<caf::weak_actor_ptr>(to)} {
  }

  void report(store_report_ptr x) override {
    if (auto to = caf::actor_cast<broker_actor>(to_.lock()))
      caf::anon_send(to, std::move(x));
  }

private:
  caf::weak_actor_ptr to_;
};

} // namespace

// -- which topics -------------------------------------------------------------

durable_topic* broker::durable(const std::string& name) {
  if (ctx_.node.store == nullptr)
    return nullptr;
  if (auto i = durable_.topics.find(name); i != durable_.topics.end())
    return &i->second;
  auto* known = topics_.options_if_known(name);
  auto& options = known != nullptr ? *known : options_of(ctx_.rules(), name);
  if (options.durability == durability::none)
    return nullptr;
  auto& made = durable_.topics.try_emplace(name, options, ++durable_.last_life)
                 .first->second;
  made.copied = made.on_disk() && replicas_.copied(name);
  made.since_ms = now_ms();
  return &made;
}

void broker::when_ready(const std::string& name, durable_topic& at,
                        std::function<void(errc)> f) {
  if (at.at == stage::ready)
    return f(errc::none);
  // It would take the topic from its owner, for which it has no use.
  if (at.copied && !peers_.owns(name))
    return f(errc::owner_down);
  at.parked.push_back(std::move(f));
  if (std::exchange(at.at, stage::loading) == stage::loading)
    return;
  if (at.copied)
    replicas_.topics().lead(name);
  else
    ctx_.node.store->load(receiver(), name, at.options);
}

const store_receiver_ptr& broker::receiver() {
  if (receiver_ == nullptr)
    receiver_
      = std::make_shared<shard_receiver>(caf::actor_cast<broker_actor>(this));
  return receiver_;
}

void broker::with_topic(const std::string& topic, std::function<void(errc)> f) {
  if (auto* at = durable(topic))
    when_ready(topic, *at, std::move(f));
  else
    f(errc::none);
}

// -- publishing ---------------------------------------------------------------

bool broker::goes_to_store(const durable_topic& at) const noexcept {
  return at.on_disk() || at.at != stage::ready || durable_.handed_over;
}

void broker::publish_durable(durable_topic& at, const publication_ptr& x,
                             publish_waiter who) {
  if (at.at == stage::unknown && now_ms() < at.retry_ms) {
    waiting_->remove(x->cost());
    return who.tell(at.copied ? errc::owner_down : errc::storage_unavailable);
  }
  when_ready(x->topic, at,
             [this, x, who = std::move(who)](errc failed) mutable {
               waiting_->remove(x->cost());
               // It may be another one by now.
               auto* topic = durable(x->topic);
               if (failed != errc::none)
                 who.tell(failed);
               else if (topic->on_disk())
                 append(*topic, x, std::move(who));
               else if (durable_.handed_over)
                 who.tell(errc::shutting_down);
               else
                 who.take(publish_now(x));
             });
}

void broker::append(durable_topic& at, const publication_ptr& x,
                    publish_waiter who) {
  if (congested(topics_.loops_of(x->topic)) || ctx_.node.store->full()
      || !topics_.has_room(x->topic, *x)
      || (at.copied
          && (at.copies.size() >= topic_replica::early_max
              || replicas_.congested(x->topic))))
    return who.tell(errc::overloaded);
  if (auto wait_ms = topics_.take_place(*x, now_ms()); wait_ms > 0)
    return who.take(limited(*x, wait_ms));
  if (topics_.find_duplicate(*x, now_ms()))
    return who.tell(errc::none, {x->epoch, x->offset});
  auto key = x->id.empty() ? std::string{} : x->id_key();
  if (auto i = at.ids.find(key); !key.empty() && i != at.ids.end()) {
    // It is answered after the one that came first.
    i->second->again.push_back(std::move(who));
    return;
  }
  x->epoch = where(x->topic).epoch;
  x->offset = ++at.assigned;
  x->timestamp = ctx_.unix_ms;
  ++at.pending;
  auto& pending = at.copied ? at.copies : durable_.pending;
  auto& entry
    = pending.emplace_back(pending_publication{x, at.life, std::move(who), {}});
  if (!key.empty())
    at.ids.emplace(std::move(key), &entry);
  if (at.copied)
    replicas_.topics().append(x->topic, x);
  else
    ctx_.node.store->append(receiver_, x, at.options);
}

void broker::finish_append(bool committed) {
  if (durable_.pending.empty())
    return;
  auto entry = std::move(durable_.pending.front());
  durable_.pending.pop_front();
  finish(std::move(entry), committed);
}

void broker::finish(pending_publication entry, bool committed) {
  auto& x = entry.event;
  auto i = durable_.topics.find(x->topic);
  auto current = i != durable_.topics.end() && i->second.life == entry.life;
  auto tell = [&entry](errc code, const position& where = {}) {
    entry.who.tell(code, where);
    for (auto& y : entry.again)
      y.tell(code, where);
  };
  if (!current || !committed) {
    tell(errc::storage_unavailable);
    if (current) {
      if (++i->second.failures > 1)
        // Each try reads all that the store knows of the topic.
        i->second.retry_ms = now_ms() + store_retry_interval.count();
      forget(x->topic, i->second);
    }
    return;
  }
  auto& at = i->second;
  at.failures = 0;
  --at.pending;
  if (!x->id.empty())
    at.ids.erase(x->id_key());
  at.stored_last = x->offset;
  if (at.stored_first == 0)
    at.stored_first = x->offset;
  topics_.accept(x, now_ms());
  accepted(x, topics_.loops_of(x->topic));
  tell(errc::none, {x->epoch, x->offset});
}

void broker::forget(const std::string& name, durable_topic& at) {
  topics_.drop(name);
  at.at = stage::unknown;
  at.pending = 0;
  at.ids.clear();
  at.absent.clear();
  at.life = ++durable_.last_life;
}

// -- what the store tells -----------------------------------------------------

void broker::take(const store_report& x) {
  for (auto& y : x.appended)
    for (size_t i = 0; i < y.count; ++i)
      finish_append(y.committed);
  for (auto& y : x.replicas)
    replicas_.take(y);
  for (auto& y : x.loaded)
    loaded(y);
  for (auto& y : x.readings)
    if (auto waiting = durable_.reads.extract(y.token))
      waiting.mapped()(store_report::reading{y});
  for (auto& y : x.savings)
    if (auto waiting = durable_.saves.extract(y.token))
      waiting.mapped()(y.failed);
}

void broker::loaded(const store_report::load& x) {
  auto i = durable_.topics.find(x.topic);
  if (i == durable_.topics.end() || i->second.at != stage::loading)
    return;
  auto& at = i->second;
  // It was asked before the topic was lost, and perhaps begun again.
  auto& copies = replicas_.topics();
  if (at.copied
      && !(x.failed ? copies.leads(x.topic)
                    : copies.stands_at(x.topic, x.what.head)))
    return;
  auto failed = x.failed ? errc::storage_unavailable : errc::none;
  if (!x.failed) {
    auto from = x.what;
    if (from.epoch.empty())
      from.epoch = new_epoch();
    // The rules may have changed since it was asked for.
    auto before = at.options;
    at.options = callboard::revised(before, options_of(ctx_.rules(), x.topic));
    tell_store(x.topic, at, before);
    if (!topics_.restore(x.topic, from, at.options, now_ms(), ctx_.unix_ms))
      failed = errc::overloaded;
    at.assigned = from.head;
    at.stored_first = from.first;
    at.stored_last = from.last;
    // What the store has let go of and is not used here goes back.
    if (!at.on_disk() && failed != errc::none) {
      std::erase_if(from.ids, [](auto& id) {
        return id.key.starts_with(publication::connection_mark);
      });
      ctx_.node.store->save(
        {x.topic, from.epoch, from.head, {}, std::move(from.ids), at.options});
    } else if (!at.on_disk() && durable_.handed_over) {
      save(x.topic, at);
    }
  }
  if (failed == errc::none) {
    at.at = stage::ready;
    at.places.clear();
    if (at.copied)
      for (auto& y : x.what.groups)
        at.places.emplace(y.group, y);
    groups_.loaded(x.topic, at, x.what.groups);
  }
  finish_loading(x.topic, at, failed);
}

void broker::finish_loading(const std::string& name, durable_topic& at,
                            errc failed) {
  if (failed != errc::none)
    at.at = stage::unknown;
  // A loop that had it before still wants it when it is there again; others say
  // that they do not.
  auto loops = at.loops;
  for (auto [loop, generation] : loops)
    if (failed == errc::none) {
      attach_now(loop, name, generation);
    } else {
      // Another node says nothing more, but asks anew.
      if (peers_.is_peer(loop))
        at.loops.erase(loop);
      refuse(loop, name, generation, failed);
    }
  for (auto& f : std::exchange(at.parked, {}))
    f(failed);
  // Nobody needs to know of it any more; one of these may have found so before.
  auto i = durable_.topics.find(name);
  if (i != durable_.topics.end() && i->second.at == stage::unknown
      && i->second.loops.empty())
    durable_.topics.erase(i);
}

// -- loops --------------------------------------------------------------------

void broker::attach_durable(durable_topic& at, uint32_t loop,
                            const std::string& name, uint64_t generation) {
  at.loops[loop] = generation;
  if (at.at == stage::ready)
    return attach_now(loop, name, generation);
  when_ready(name, at, [](errc) {});
}

// -- ending -------------------------------------------------------------------

bool broker::may_go(const std::string& name) {
  auto i = durable_.topics.find(name);
  if (i == durable_.topics.end())
    return true;
  auto& at = i->second;
  if (at.pending > 0 || !at.placing.empty())
    return false;
  if (!at.on_disk())
    save(name, at);
  if (at.copied)
    replicas_.topics().release(name);
  durable_.topics.erase(i);
  return true;
}

void broker::save(const std::string& name, const durable_topic& at) {
  ctx_.node.store->save(
    topics_.leave(name, at.stored_last, now_ms(), ctx_.unix_ms));
}

void broker::hand_over() {
  if (std::exchange(durable_.handed_over, true))
    return;
  groups_.hand_over();
  for (auto& [name, at] : durable_.topics)
    if (at.at == stage::ready && !at.on_disk())
      save(name, at);
}

void broker::expire_durable() {
  std::erase_if(durable_.topics, [](auto& x) {
    return x.second.at == stage::unknown && x.second.loops.empty();
  });
}

void broker::abandon_durable() {
  auto all = std::exchange(durable_, {});
  for (auto& x : all.pending) {
    x.who.tell(errc::internal);
    for (auto& y : x.again)
      y.tell(errc::internal);
  }
  for (auto& [name, at] : all.topics) {
    for (auto& x : at.copies) {
      x.who.tell(errc::internal);
      for (auto& y : x.again)
        y.tell(errc::internal);
    }
    for (auto& f : std::exchange(at.parked, {}))
      f(errc::internal);
  }
  groups_.abandon();
}

} // namespace callboard
