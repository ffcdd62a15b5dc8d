#include <callboard/actors/cluster/broker_peers.hpp>

#include <algorithm>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>
#include <callboard/messages/topic.hpp>

// What a home asks the owners of its topics, and what it does with the answers.

namespace callboard {

namespace {

template <class Waiting>
void wait_anew(Waiting& list, uint32_t loop, uint64_t generation) {
  std::erase_if(list, [loop](auto& x) { return x.first == loop; });
  list.emplace_back(loop, generation);
}

// Takes the entries out for which `matches(key, value)`.
template <class Map, class F>
std::vector<typename Map::node_type> extract_if(Map& from, F matches) {
  std::vector<typename Map::node_type> result;
  for (auto i = from.begin(); i != from.end();) {
    auto at = i++;
    if (matches(at->first, at->second))
      result.push_back(from.extract(at));
  }
  return result;
}

} // namespace

broker_peers::broker_peers(broker& self, loop_context& ctx,
                           owned_topics& topics)
  : self_{self},
    ctx_{ctx},
    topics_{topics},
    patterns_of_(ctx.peers.nodes().slots.size()),
    unsettled_(ctx.peers.nodes().slots.size()),
    moves_{ctx.peers.nodes().number > 0},
    groups_{self, ctx, *this} {
  moves_.held_bytes.resize(unsettled_.size());
}

void broker_peers::abandon() {
  moves_.parked.make_all(errc::internal);
  for (auto& x : std::exchange(moves_.leavers, {}))
    x.deliver();
  for (uint32_t slot = 0; slot < moves_.held_bytes.size(); ++slot)
    unsettled_[slot] += std::exchange(moves_.held_bytes[slot], 0);
  for (auto& [call, x] : std::exchange(calls_, {}))
    x.fail(errc::internal);
  groups_.abandon();
  acknowledge();
}

bool broker_peers::owns(std::string_view topic) const noexcept {
  return ctx_.peers.owner_of(topic) == peer_set::here;
}

bool broker_peers::durable(std::string_view topic) const noexcept {
  return ctx_.peers.nodes().durable(topic);
}

errc broker_peers::unreachable(uint32_t slot) const noexcept {
  if (slot == peer_set::nobody)
    return errc::owner_down;
  return ctx_.peers.nodes().congested(slot) ? errc::overloaded : errc::none;
}

bool broker_peers::clustered() const noexcept {
  return ctx_.peers.nodes().number > 0;
}

// -- what is lost -------------------------------------------------------------

void broker_peers::again(const std::string& topic, const loop_set& loops) {
  loops.for_each([&](uint32_t loop) {
    if (!is_peer(loop))
      caf::anon_send(ctx_.brokers[loop].actor, attach_atom_v, topic);
  });
}

void broker_peers::forget(uint32_t slot, const uint32_t* shard) {
  auto is_meant = [=](uint64_t, const pending_call& x) {
    return x.slot == slot && (shard == nullptr || x.shard == *shard);
  };
  for (auto& x : extract_if(calls_, is_meant))
    x.mapped().fail(errc::owner_down);
  if (shard != nullptr)
    return;
  for (auto& [name, x] : patterns_) {
    std::erase_if(x.unconfirmed, [=](auto& at) { return at.first == slot; });
    check_confirmed(name, x);
  }
}

void broker_peers::take(uint32_t slot, peer_reset& x) {
  auto loops = ctx_.peers.nodes().at(slot)->who.loops;
  if (x.shard >= loops)
    return;
  forget(slot, &x.shard);
  detach_shard(slot, x.shard);
  forget_moves(slot, &x.shard);
  for (auto& [name, y] : followed_)
    if (y.slot == slot && shard_of(name, loops) == x.shard) {
      // By the answer's epoch, it would not be seen that a durable one has
      // lost who is there.
      if (y.where.epoch.empty() || durable(name))
        tell_again(name);
      ask_anew(name, y);
    }
  for (auto& [name, pattern] : patterns_) {
    std::erase(pattern.unconfirmed, std::pair{slot, x.shard});
    pattern.unconfirmed.emplace_back(slot, x.shard);
    ctx_.peers.send_to(shard_kind::broker, slot, x.shard,
                       peer_attach{name, pattern.generation});
  }
  groups_.reset(slot, x.shard);
  moves_.gaps.take_reset(slot, x.shard);
  moves_.flush.tell_again(slot);
  go_on_moving();
}

// -- questions ----------------------------------------------------------------

void pending_call::fail(errc why) {
  peer_values none;
  if (reply)
    reply(caf::make_error(why));
  else if (take_values)
    take_values(none);
  else if (take_presence)
    take_presence({why});
  else
    promise.deliver(published{call_id, why, {}, 0});
}

pending_call& broker_peers::add_call(uint32_t slot, uint32_t shard) {
  last_call_ = ctx_.peers.new_number();
  // No other one has a higher number.
  auto& result = calls_.try_emplace(calls_.end(), last_call_)->second;
  result.slot = slot;
  result.shard = shard;
  return result;
}

pending_call broker_peers::take_call(uint32_t slot, uint64_t call) {
  auto i = calls_.find(call);
  if (i == calls_.end() || i->second.slot != slot)
    return {};
  return std::move(calls_.extract(i).mapped());
}

// -- topics -------------------------------------------------------------------

void broker_peers::attach(uint32_t loop, const std::string& topic,
                          uint64_t generation) {
  auto owner = ctx_.peers.owner_of(topic);
  // Loops that have subscribers already ask again.
  if (owner == peer_set::nobody)
    return self_.refuse(loop, topic, generation, errc::owner_down);
  auto [i, is_new] = followed_.try_emplace(topic);
  auto& x = i->second;
  x.loops.set(loop, true);
  if (x.attached)
    return self_.tell_attached(loop, topic, generation, x.where, x.retained);
  wait_anew(x.waiting, loop, generation);
  if (!is_new)
    return;
  x.slot = owner;
  x.generation = ctx_.peers.new_number();
  ctx_.peers.send(shard_kind::broker, owner, topic,
                  peer_attach{topic, x.generation});
}

void broker_peers::detach(uint32_t loop, const std::string& subject) {
  if (moves_.open())
    moves_.cancel(loop, subject);
  auto leave = [loop](auto& x) {
    x.loops.set(loop, false);
    std::erase_if(x.waiting, [loop](auto& at) { return at.first == loop; });
    return x.loops.empty();
  };
  if (auto i = followed_.find(subject); i != followed_.end()) {
    if (!leave(i->second))
      return;
    // One that has missed a view may take itself for the owner.
    moves_.for_each_owner(subject, ctx_.peers.nodes(), [&](uint32_t slot) {
      ctx_.peers.send(shard_kind::broker, slot, subject, peer_detach{subject});
    });
    followed_.erase(i);
  } else if (auto j = patterns_.find(subject); j != patterns_.end()) {
    if (!leave(j->second))
      return;
    patterns_.erase(j);
    auto slots = ctx_.peers.nodes().slots.size();
    for (uint32_t slot = 0; slot < slots; ++slot)
      ctx_.peers.send_to_all(shard_kind::broker, slot, peer_detach{subject});
  }
}

void broker_peers::take(uint32_t slot, peer_attached& x) {
  if (auto i = patterns_.find(x.subject); i != patterns_.end()) {
    // An older question was followed by a detach.
    if (i->second.generation != x.generation)
      return;
    std::erase(i->second.unconfirmed, std::pair{slot, x.shard});
    return check_confirmed(i->first, i->second);
  }
  // Behind the events that come before it, and in front of those behind it.
  if (!waits(x.subject)
      || moves_.from_before(slot, batch_view_, x.subject, ctx_.peers.nodes()))
    return finish_attached(slot, x);
  batch_held_ = true;
  moves_.held[batch_view_].push_back(
    [this, slot, x]() mutable { finish_attached(slot, x); });
}

void broker_peers::finish_attached(uint32_t slot, peer_attached& x) {
  auto i = followed_.find(x.subject);
  if (i == followed_.end() || i->second.slot != slot
      || i->second.generation != x.generation)
    return;
  auto& topic = i->second;
  auto missed = std::exchange(topic.again, false) || topic.where != x.where;
  auto anew = !topic.where.epoch.empty() && topic.where.epoch != x.where.epoch;
  topic.attached = true;
  topic.refused = false;
  topic.where = std::move(x.where);
  topic.retained = x.retained.empty() ? nullptr : unboxed(x.retained[0]);
  auto others = topic.loops;
  for (auto [loop, generation] : std::exchange(topic.waiting, {})) {
    others.set(loop, false);
    self_.tell_attached(loop, i->first, generation, topic.where,
                        topic.retained);
  }
  if (missed)
    again(i->first, others);
  if (anew)
    tell_again(i->first);
}

void broker_peers::take(uint32_t slot, peer_refused& x) {
  auto i = followed_.find(x.subject);
  if (i == followed_.end() || i->second.slot != slot
      || (x.generation != 0 && i->second.generation != x.generation))
    return;
  if (x.why == errc::owner_down && !durable(x.subject)) {
    // It had given no answer yet, and has another one's topic now.
    if (x.generation == 0 && i->second.where.epoch.empty())
      tell_again(i->first);
    if (moves_.open()) {
      ask_anew(i->first, i->second);
      return go_on_moving();
    }
    // It went by a view that this node has skipped, or has yet to go by.
    i->second.attached = false;
    i->second.refused = true;
    asks_refused_ = true;
    return wake_later();
  }
  tell_again(i->first, i->second.loops);
  auto [waiting, loops] = std::pair{std::move(i->second.waiting),
                                    std::move(i->second.loops)};
  followed_.erase(i);
  for (auto [loop, generation] : waiting) {
    loops.set(loop, false);
    self_.refuse(loop, x.subject, generation, x.why);
  }
  // Those who had it from another owner are refused when they ask.
  again(x.subject, loops);
}

void broker_peers::take(uint32_t slot, peer_event& x) {
  auto event = unboxed(x.what);
  auto& nodes = ctx_.peers.nodes();
  if (!waits(event->topic)) {
    // Another node may own the topic by now, and its order is another one.
    if (nodes.owner_of(event->topic) == slot)
      give(event);
  } else if (moves_.from_before(slot, batch_view_, event->topic, nodes)) {
    give(event);
  } else if (moves_.owned(slot, event->topic, nodes)) {
    batch_held_ = true;
    moves_.held[batch_view_].push_back([this, event] { give(event); });
  }
}

void broker_peers::give(const publication_ptr& event) {
  auto loops = topics_.loops_of(event->topic);
  if (auto i = followed_.find(event->topic); i != followed_.end()) {
    auto& topic = i->second;
    loops.merge(topic.loops);
    topic.where = {event->epoch, event->offset};
    auto keeps = event->retain && !event->payload.is_nil();
    topic.retained = keeps ? event : nullptr;
  } else if (auto j = moves_.arrivals.find(event->topic);
             j != moves_.arrivals.end()) {
    loops.merge(j->second.loops);
    j->second.where = {event->epoch, event->offset};
  }
  self_.hand_out_here(event, loops);
}

// -- patterns -----------------------------------------------------------------

bool broker_peers::attach_pattern(uint32_t loop, const std::string& pattern,
                                  uint64_t generation) {
  if (shard_of(pattern, ctx_.node.loops) != ctx_.index)
    return true;
  auto [i, is_new] = patterns_.try_emplace(pattern);
  auto& x = i->second;
  x.loops.set(loop, true);
  if (is_new) {
    x.generation = ctx_.peers.new_number();
    auto slots = ctx_.peers.nodes().slots.size();
    for (uint32_t slot = 0; slot < slots; ++slot)
      ask(pattern, x, slot);
  }
  if (x.unconfirmed.empty())
    return true;
  wait_anew(x.waiting, loop, generation);
  return false;
}

void broker_peers::ask(const std::string& pattern, spread_pattern& x,
                       uint32_t slot) {
  auto* node = ctx_.peers.nodes().at(slot);
  if (node == nullptr)
    return;
  for (uint32_t shard = 0; shard < node->who.loops; ++shard)
    x.unconfirmed.emplace_back(slot, shard);
  ctx_.peers.send_to_all(shard_kind::broker, slot,
                         peer_attach{pattern, x.generation});
}

void broker_peers::check_confirmed(const std::string& pattern,
                                   spread_pattern& x) {
  if (x.unconfirmed.empty())
    for (auto [loop, generation] : std::exchange(x.waiting, {}))
      self_.tell_attached(loop, pattern, generation, {}, nullptr);
}

} // namespace callboard
