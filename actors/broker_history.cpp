#include <callboard/actors/broker.hpp>

#include <algorithm>
#include <chrono>
#include <limits>

#include <caf/send.hpp>

// What topics have kept: from memory, and from the store where it is not in
// memory any more.

namespace callboard {

void broker::fetch(uint32_t loop, const std::string& topic, uint64_t first) {
  if (peers_.waits(topic))
    return peers_.fetch_later(loop, topic, first);
  if (!peers_.owns(topic))
    return peers_.fetch(loop, topic, first);
  auto* at = durable(topic);
  if (at == nullptr)
    return send_slice(loop, read_kept(topic, first));
  when_ready(topic, *at, [this, loop, topic, first](errc failed) {
    if (failed == errc::none)
      fetch_durable(loop, topic, first);
    else
      fetch_later(loop, topic, first);
  });
}

void broker::fetch_later(uint32_t loop, const std::string& topic,
                         uint64_t first) {
  auto i = durable_.topics.find(topic);
  if (i != durable_.topics.end() && i->second.loops.contains(loop))
    delayed_anon_send(caf::actor_cast<broker_actor>(this), store_retry_interval,
                      fetch_atom_v, loop, topic, first);
}

history_slice_ptr broker::read_kept(const std::string& topic, uint64_t first) {
  auto result = topics_.read(topic, first, history_slice::events_max,
                             history_slice::bytes_max, now_ms());
  result->asked = first;
  return result;
}

void broker::send_slice(uint32_t loop, history_slice_ptr slice) {
  // It takes its place among the events that go the same way.
  if (peers_.is_peer(loop))
    peers_.send_slice(loop, *slice);
  else if (loop == ctx_.index)
    ctx_.topics.fetched(slice);
  else
    caf::anon_send(ctx_.brokers[loop].actor, fetched_atom_v, std::move(slice));
}

void broker::fetch(const retained_query& x) {
  if (peers_.fetch_values(x))
    return;
  auto page = caf::make_counted<retained_page>();
  page->shard = ctx_.index;
  page->pattern = x.pattern;
  page->number = x.number;
  page->upto = topics_.collect_retained(x.pattern, x.after,
                                        retained_page::topics_max,
                                        page->values);
  page->own_done = page->upto.empty();
  if (page->own_done)
    page->upto = peers_.after_own_values();
  send_page(x.loop, std::move(page));
}

void broker::send_page(uint32_t loop, retained_page_ptr page) {
  if (loop == ctx_.index)
    ctx_.topics.fetched(*page);
  else
    caf::anon_send(ctx_.brokers[loop].actor, fetched_atom_v, std::move(page));
}

void broker::look_up(const connection_actor& asker, uint32_t call_id,
                     const history_query& x) {
  look_up(x, [=, this](const caf::expected<history_found>& found) {
    send(asker, resolve_atom_v, call_id,
         found ? answer(x, *found)
               : request_outcome::failure(errc_of(found.error())));
  });
}

void broker::look_up(const history_query& x, history_reply reply) {
  if (peers_.waits(x.topic)) {
    waiting_->remove(x.cost());
    return peers_.look_up_later(x, std::move(reply));
  }
  if (!peers_.owns(x.topic)) {
    waiting_->remove(x.cost());
    return peers_.look_up(x, std::move(reply));
  }
  look_up_own(x, std::move(reply));
}

void broker::look_up_own(const history_query& x, history_reply reply) {
  auto* at = durable(x.topic);
  if (at == nullptr) {
    waiting_->remove(x.cost());
    reply(look_up(x));
    return;
  }
  auto f = [=, this, reply = std::move(reply)](errc failed) {
    waiting_->remove(x.cost());
    if (failed == errc::none)
      look_up_durable(x, reply);
    else
      reply(caf::make_error(failed));
  };
  when_ready(x.topic, *at, std::move(f));
}

caf::expected<history_found> broker::look_up(const history_query& x) {
  auto make_epoch = [this] { return new_epoch(); };
  auto where = topics_.position_of(x.topic, now_ms(), make_epoch);
  if (!where)
    return caf::make_error(errc::overloaded);
  if (x.position_only)
    return history_found{std::move(*where), {}, false};
  auto range = range_of(x, *where, topics_.oldest(x.topic, now_ms()));
  // Read backwards, the bytes count from the other end.
  auto slice = topics_.read(x.topic, range.first, range.count,
                            x.reverse ? std::numeric_limits<int64_t>::max()
                                      : static_cast<int64_t>(x.bytes_max),
                            now_ms());
  auto more = range.more || slice->events.size() < range.count;
  return select(x, *slice, more);
}

// -- from the store -----------------------------------------------------------

void broker::read(store_query what,
                  std::function<void(store_report::reading&&)> f) {
  auto token = ++durable_.last_token;
  durable_.reads.emplace(token, std::move(f));
  ctx_.node.store->read(receiver_, token, std::move(what));
}

void broker::save_places(std::vector<saved_place> xs,
                         std::function<void(bool)> f) {
  copy_places(xs, f);
  if (xs.empty())
    return;
  uint64_t token = 0;
  if (f != nullptr) {
    token = ++durable_.last_token;
    durable_.saves.emplace(token, std::move(f));
  }
  ctx_.node.store->save_places(token != 0 ? receiver_ : nullptr, token,
                               std::move(xs));
}

position broker::where(const std::string& name) {
  // It lives, so none is made.
  auto make_epoch = [] { return std::string{}; };
  return topics_.position_of(name, now_ms(), make_epoch).value_or(position{});
}

broker::stored_range broker::stored(const std::string& name,
                                    const durable_topic& at) {
  auto size = at.options.history_size;
  auto head = where(name).offset;
  auto oldest = topics_.oldest(name, now_ms());
  // Without a gap to what is here.
  auto follows = oldest == 0 ? at.stored_last == head
                             : oldest <= at.stored_last + 1;
  auto first = std::max(at.stored_first, head >= size ? head - size + 1 : 1);
  if (size == 0 || at.stored_first == 0 || !follows || first > at.stored_last)
    return {0, 0, oldest};
  return {first, at.stored_last, oldest};
}

store_query broker::query_of(const std::string& name, const durable_topic& at) {
  using std::chrono::milliseconds;
  auto ttl_ms
    = std::chrono::duration_cast<milliseconds>(at.options.history_ttl).count();
  store_query result;
  result.topic = name;
  result.epoch = where(name).epoch;
  result.after_ms = ttl_ms == 0 ? 0 : ctx_.unix_ms - ttl_ms;
  return result;
}

void broker::fetch_durable(uint32_t loop, const std::string& name,
                           uint64_t first) {
  auto& at = *durable(name);
  auto there = stored(name, at);
  if (!there.needed_for(first))
    return send_slice(loop, read_kept(name, first));
  auto what = query_of(name, at);
  what.first = std::max(first, there.first);
  what.last = there.last;
  what.events_max = history_slice::events_max;
  what.bytes_max = history_slice::bytes_max;
  read(std::move(what), [this, loop, name, first, life = at.life](auto&& x) {
    auto* now = durable(name);
    // What cannot be read now is not gone.
    if (x.failed || now == nullptr || now->at != durable_topic::stage::ready
        || now->life != life)
      return fetch_later(loop, name, first);
    auto slice = read_kept(name, first);
    // The topic may have moved on; its head is told as it is now.
    if (!x.events.empty())
      slice->events = std::move(x.events);
    send_slice(loop, std::move(slice));
  });
}

void broker::look_up_durable(const history_query& x, history_reply reply) {
  auto& at = *durable(x.topic);
  auto there = stored(x.topic, at);
  auto head = where(x.topic);
  auto range = range_of(x, head, there.first);
  if (x.position_only || there.first == 0 || range.count == 0
      || (there.oldest != 0 && range.first >= there.oldest)) {
    reply(look_up(x));
    return;
  }
  auto last = x.before == 0 ? head.offset : std::min(x.before - 1, head.offset);
  // What the store does not have follows what it has.
  auto here = last > there.last ? static_cast<size_t>(last - there.last) : 0;
  auto what = query_of(x.topic, at);
  what.first = range.first;
  what.last = std::min(last, there.last);
  what.events_max = x.reverse ? range.count - std::min(here, range.count)
                              : range.count;
  what.bytes_max = static_cast<int64_t>(x.bytes_max);
  what.newest = x.reverse;
  auto f = [=, this, life = at.life, reply = std::move(reply)](auto&& found) {
    auto* now = durable(x.topic);
    if (found.failed || now == nullptr || now->at != durable_topic::stage::ready
        || now->life != life)
      reply(caf::make_error(errc::storage_unavailable));
    else
      reply(select_stored(x, range, last, std::move(found.events)));
  };
  read(std::move(what), std::move(f));
}

history_found broker::select_stored(const history_query& x,
                                    const history_range& range, uint64_t last,
                                    std::vector<publication_ptr> events) {
  auto next = events.empty() ? range.first : events.back()->offset + 1;
  auto slice = topics_.read(x.topic, next, range.count,
                            std::numeric_limits<int64_t>::max(), now_ms());
  // What has expired on the disk may still be counted in the range.
  auto is_end = x.reverse && events.empty();
  auto kept = std::exchange(slice->events, std::move(events));
  for (auto& event : kept)
    if (event->offset <= last && slice->events.size() < range.count)
      slice->events.push_back(std::move(event));
  auto& all = slice->events;
  auto more = x.reverse ? range.more && !is_end
                        : !all.empty() && all.back()->offset < last;
  return select(x, *slice, more);
}

} // namespace callboard
