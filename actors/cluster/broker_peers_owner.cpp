#include <callboard/actors/cluster/broker_peers.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>
#include <callboard/actors/cluster/peer_boxes.hpp>
#include <callboard/messages/topic.hpp>

// Where another node is a loop of this one.

namespace callboard {

namespace {

// How soon it is looked again whether the loops have room, and asked again what
// was refused.
constexpr auto wake_interval = std::chrono::milliseconds{20};

// Topics that are looked at for one frame of last values.
constexpr size_t values_page_topics_max = 32;

// Questions of what topics have kept that are answered at once when there is
// room again, because each may take megabytes.
constexpr size_t fetches_at_once_max = 16;

// Returns what fits into so many bytes, and one event in any case.
std::vector<publication_ptr>
first_of(const std::vector<publication_ptr>& events, uint64_t bytes_max) {
  uint64_t bytes = 0;
  auto is_too_much = [&](const publication_ptr& x) {
    bytes += static_cast<uint64_t>(x->cost());
    return bytes > bytes_max && x != events.front();
  };
  return {events.begin(), std::ranges::find_if(events, is_too_much)};
}

} // namespace

// -- frames -------------------------------------------------------------------

void broker_peers::take(const shard_batch& x) {
  if (ctx_.peers.nodes().at(x.slot) == nullptr)
    return;
  frame_source source{x.frames};
  peer_frame number;
  auto well_formed = true;
  batch_view_ = x.view;
  batch_held_ = false;
  while (well_formed && source.next(number))
    well_formed = take_frame(x.slot, number, source);
  if (!well_formed)
    ctx_.metrics.cluster_malformed->inc();
  self_.advance_presence();
  auto& done = batch_held_ ? moves_.held_bytes : unsettled_;
  done[x.slot] += x.frames.size();
  if (x.credit != nullptr)
    x.credit->take_over();
  if (!settles_later_)
    settle();
}

bool broker_peers::take_frame(uint32_t slot, peer_frame number,
                              frame_source& source) {
  auto handle = [&](auto& frame) { take(slot, frame); };
  return source.read_one_of<
           peer_publish, peer_published, peer_attach, peer_attached,
           peer_refused, peer_detach, peer_event, peer_fetch, peer_slice,
           peer_query, peer_found, peer_fetch_values, peer_values, peer_reset,
           peer_presence, peer_presence_news, peer_presence_query,
           peer_presence_found, peer_presence_returned, peer_presence_again,
           peer_handover, peer_handed, peer_settled, peer_returned>(number,
                                                                    handle)
         || groups_.take_frame(slot, number, source)
         || self_.replicas_.take_frame(slot, number, source);
}

// -- credit and what is done later -------------------------------------------

void broker_peers::settle() {
  auto full = [this](const broker_ref& x) {
    return x && ctx_.node.congested(x);
  };
  settles_later_ = std::ranges::any_of(ctx_.brokers, full);
  if (settles_later_)
    wake_later();
  else
    acknowledge();
}

void broker_peers::acknowledge() {
  for (uint32_t slot = 0; slot < unsettled_.size(); ++slot)
    if (auto n = std::exchange(unsettled_[slot], 0); n > 0)
      if (auto* node = ctx_.peers.nodes().at(slot))
        node->traffic->received.fetch_add(n, std::memory_order_relaxed);
}

void broker_peers::wake_later() {
  if (!std::exchange(wakes_, true))
    self_.delayed_anon_send(caf::actor_cast<broker_actor>(&self_),
                            wake_interval, cluster_atom_v);
}

void broker_peers::wake_soon() {
  if (!std::exchange(wakes_soon_, true))
    caf::anon_send(caf::actor_cast<broker_actor>(&self_), cluster_atom_v);
}

void broker_peers::wake() {
  if (!std::exchange(wakes_soon_, false)) {
    wakes_ = false;
    ++moves_.stalled;
  }
  settle();
  if (std::exchange(asks_refused_, false))
    follow_anew(ctx_.peers.nodes());
  groups_.wake();
  go_on_moving();
  tell_untold();
  size_t n = 0;
  fetches_.make(errc::none, [&](uint32_t slot, auto&) {
    return !congested(loop_at(slot)) && n++ < fetches_at_once_max;
  });
  if (fetches_.size() > 0)
    wake_later();
  self_.advance_presence();
}

// -- nodes as loops -----------------------------------------------------------

bool broker_peers::left() const noexcept {
  auto is_there = [](auto& x) { return x.has_value(); };
  return ctx_.node.draining && clustered()
         && std::ranges::none_of(ctx_.peers.nodes().slots, is_there);
}

uint32_t broker_peers::shard_at(uint32_t slot, std::string_view topic) const {
  return shard_of(topic, ctx_.peers.nodes().at(slot)->who.loops);
}

uint32_t broker_peers::loop_at(uint32_t slot) const noexcept {
  return ctx_.node.loops + slot;
}

bool broker_peers::is_peer(uint32_t loop) const noexcept {
  return loop >= ctx_.node.loops;
}

bool broker_peers::congested(uint32_t loop) const noexcept {
  return ctx_.peers.nodes().congested(loop - ctx_.node.loops);
}

void broker_peers::send_event(const loop_set& loops, const publication_ptr& x) {
  auto& same = ready_event_;
  same.bytes.clear();
  loops.for_each([&](uint32_t loop) {
    if (!is_peer(loop))
      return;
    auto slot = loop - ctx_.node.loops;
    peer_event frame{boxed(slot, x)};
    // Only the publisher's own node is told who that is.
    if (frame.what.publisher != 0)
      return ctx_.peers.send(shard_kind::broker, slot, x->topic, frame);
    if (same.bytes.empty())
      append_frame(same.bytes, frame);
    ctx_.peers.send(shard_kind::broker, slot, x->topic, same);
  });
  // What is this large is rare.
  if (same.bytes.size() > loop_peers::batch_bytes_max)
    same = {};
}

void broker_peers::send_attached(uint32_t loop, const std::string& subject,
                                 uint64_t generation, position where,
                                 const publication_ptr& retained) {
  auto slot = loop - ctx_.node.loops;
  peer_attached frame{subject, generation, ctx_.index, std::move(where), {}};
  if (retained != nullptr)
    frame.retained.push_back(boxed(slot, retained));
  ctx_.peers.send(shard_kind::broker, slot, subject, frame);
}

void broker_peers::send_refused(uint32_t loop, const std::string& subject,
                                uint64_t generation, errc why) {
  ctx_.peers.send(shard_kind::broker, loop - ctx_.node.loops, subject,
                  peer_refused{subject, generation, why});
}

void broker_peers::send_slice(uint32_t loop, const history_slice& x) {
  auto slot = loop - ctx_.node.loops;
  if (congested(loop))
    return fetch_when_room(slot, {x.topic, x.asked});
  // The home asks again for what does not fit.
  auto events = first_of(x.events, ctx_.peers.nodes().outbox_bytes_max / 4);
  ctx_.peers.send(shard_kind::broker, slot, x.topic,
                  peer_slice{x.topic, x.epoch, x.head, x.asked,
                             boxed(slot, events)});
}

void broker_peers::fetch_when_room(uint32_t slot, const peer_fetch& x) {
  auto fetch = [this, slot, x = x](errc failed) mutable {
    if (failed == errc::none)
      take(slot, x);
    else
      // Too many wait: who asked is told that it cannot have all.
      ctx_.peers.send(shard_kind::broker, slot, x.topic,
                      peer_slice{x.topic, {}, 0, x.first, {}});
  };
  fetches_.add(slot, x.topic, static_cast<int64_t>(sizeof(x) + x.topic.size()),
               std::move(fetch), loop_at(slot));
  wake_later();
}

// -- what they ask ------------------------------------------------------------

void broker_peers::refuse(uint32_t slot, const peer_publish& x) {
  if (x.call != 0)
    ctx_.peers.send(shard_kind::broker, slot, x.what.content->topic,
                    peer_published{x.call, errc::overloaded, {}, 0});
}

void broker_peers::refuse(uint32_t slot, const peer_attach& x) {
  send_refused(loop_at(slot), x.subject, x.generation, errc::overloaded);
}

void broker_peers::refuse(uint32_t slot, const peer_fetch& x) {
  send_slice(loop_at(slot), *self_.read_kept(x.topic, x.first));
}

void broker_peers::refuse(uint32_t slot, const peer_query& x) {
  peer_found answer;
  answer.call = x.call;
  answer.code = errc::overloaded;
  ctx_.peers.send(shard_kind::broker, slot, x.topic, answer);
}

void broker_peers::refuse(uint32_t slot, const peer_fetch_values& x) {
  peer_values none;
  none.call = x.call;
  ctx_.peers.send_to(shard_kind::broker, slot, x.home, none);
}

void broker_peers::take(uint32_t slot, peer_publish& x) {
  auto& topic = x.what.content->topic;
  if (durable(topic))
    return publish_durable(slot, x);
  // The home lets it go to the new owner, before what comes later.
  if (!owns(topic) && !moves_.may_return())
    return ctx_.peers.send(shard_kind::broker, slot, topic,
                           peer_returned{x.call, std::move(x.what)});
  if (!owns(topic) || waits(topic))
    return park(slot, topic, x.what.content->cost(), x);
  auto what = unboxed(x.what);
  what->publisher = foreign(slot, what->publisher);
  auto done = self_.publish_now(what);
  peer_published answer{x.call, done.code, std::move(done.position),
                        done.retry_after_ms};
  if (x.call != 0)
    ctx_.peers.send(shard_kind::broker, slot, what->topic, answer);
}

void broker_peers::take(uint32_t slot, peer_attach& x) {
  auto pattern = is_pattern(x.subject);
  if (!pattern && !owns(x.subject))
    // By the second the home does not look for another owner.
    return send_refused(loop_at(slot), x.subject, x.generation,
                        durable(x.subject) ? errc::storage_unavailable
                                           : errc::owner_down);
  if (!pattern && waits(x.subject)) {
    if (!x.again)
      return park(slot, x.subject, sizeof(x), x, loop_at(slot));
    auto& asked = moves_.arrivals[x.subject];
    asked.loops.set(loop_at(slot), true);
    std::erase_if(asked.asked,
                  [=, this](auto& y) { return y.first == loop_at(slot); });
    asked.asked.emplace_back(loop_at(slot), x.generation);
    return;
  }
  if (pattern)
    patterns_of_[slot].insert(x.subject);
  else if (auto* at = self_.durable(x.subject))
    return self_.attach_durable(*at, loop_at(slot), x.subject, x.generation);
  self_.attach_now(loop_at(slot), x.subject, x.generation);
}

void broker_peers::take(uint32_t slot, peer_detach& x) {
  patterns_of_[slot].erase(x.subject);
  if (moves_.open())
    moves_.cancel(loop_at(slot), x.subject);
  fetches_.cancel(x.subject, loop_at(slot));
  self_.detach_now(loop_at(slot), x.subject);
}

void broker_peers::take(uint32_t slot, peer_fetch& x) {
  // Else the home asks anew.
  if (!owns(x.topic))
    return;
  if (waits(x.topic))
    park(slot, x.topic, sizeof(x), x);
  else if (congested(loop_at(slot)))
    fetch_when_room(slot, x);
  else
    self_.fetch(loop_at(slot), x.topic, x.first);
}

void broker_peers::take(uint32_t slot, peer_query& x) {
  if (waits(x.topic) && owns(x.topic))
    return park(slot, x.topic, sizeof(x), x);
  peer_found answer;
  answer.call = x.call;
  history_query query{x.topic,       x.position_only,
                      x.since.epoch, x.since.offset,
                      x.before,      x.limit,
                      x.reverse,     static_cast<size_t>(x.bytes_max)};
  if (durable(x.topic))
    return look_up_durable(slot, x.call, query);
  if (!owns(x.topic)) {
    answer.code = errc::owner_down;
  } else if (!query.well_formed()) {
    answer.code = errc::bad_payload;
  } else if (!x.position_only && ctx_.peers.nodes().congested(slot)) {
    answer.code = errc::overloaded;
  } else if (auto found = self_.look_up(query); !found) {
    answer.code = errc_of(found.error());
  } else {
    answer.head = std::move(found->head);
    answer.events = boxed(slot, found->events);
    answer.more = found->more;
  }
  ctx_.peers.send(shard_kind::broker, slot, x.topic, answer);
}

void broker_peers::take(uint32_t slot, peer_fetch_values& x) {
  if (moves_.open() && moves_.parked.has_room(sizeof(x)))
    return park(slot, {}, sizeof(x), x);
  std::vector<publication_ptr> found;
  peer_values answer;
  answer.call = x.call;
  answer.upto = topics_.collect_retained(x.pattern, x.after,
                                         values_page_topics_max, found);
  for (auto& value : found)
    if (shard_of(value->topic, std::max(x.homes, 1u)) == x.home)
      answer.values.push_back(boxed(slot, value));
  ctx_.peers.send_to(shard_kind::broker, slot, x.home, answer);
}

void broker_peers::detach_all(uint32_t slot) {
  self_.detach_topics(loop_at(slot), [](std::string_view) { return true; });
  for (auto& x : std::exchange(patterns_of_[slot], {}))
    topics_.detach(loop_at(slot), x, self_.now_ms());
  drop_presence(slot);
}

void broker_peers::detach_shard(uint32_t slot, uint32_t shard) {
  auto loops = ctx_.peers.nodes().at(slot)->who.loops;
  auto is_home = [=](std::string_view subject) {
    return shard_of(subject, loops) == shard;
  };
  self_.detach_topics(loop_at(slot), is_home);
  std::erase_if(patterns_of_[slot], [&](const std::string& x) {
    if (!is_home(x))
      return false;
    topics_.detach(loop_at(slot), x, self_.now_ms());
    return true;
  });
  renew_presence(slot, is_home);
}

} // namespace callboard
