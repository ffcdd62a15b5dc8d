#include <callboard/actors/cluster/broker_peers.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>

// Who is in topics that change their owner. The old one gives a topic away with
// all whom it knows there and all nodes that watch, when it has told these its
// last news. The new one takes them in, and with them what was reported
// meanwhile, when all have settled. So watchers see nothing of it. Only what
// may be lost, and what there was no room for, the loops tell anew; then their
// watchers are to ask again.

namespace callboard {

namespace {

// Topics that are told anew before it is looked again whether there is room.
constexpr size_t told_at_once_max = 64;

int64_t report_cost(const std::string& topic, const std::string& user) {
  return static_cast<int64_t>(256 + topic.size() + user.size());
}

} // namespace

// -- what waits ---------------------------------------------------------------

// Reports can be told anew, so they leave room for what cannot.
void broker_peers::report(uint32_t loop, const presence_change& x) {
  if (waits(x.topic)) {
    auto cost = report_cost(x.topic, x.user);
    if (!moves_.parked.has_half(cost))
      return tell_again(x.topic);
    auto later = [=, this](errc failed) {
      if (failed == errc::none)
        report(loop, x);
    };
    moves_.parked.add(peer_set::here, x.topic, cost, std::move(later));
  } else if (owns(x.topic)) {
    self_.presence_.apply(x, {loop}, self_.now_ms());
  } else {
    pass_on(loop, x);
  }
}

void broker_peers::look_up_later(const presence_query& x,
                                 presence_reply reply) {
  auto later = [this, x, reply = std::move(reply)](errc failed) {
    if (failed == errc::none)
      self_.look_up(x, reply);
    else
      reply({failed});
  };
  moves_.parked.add(peer_set::here, x.topic, report_cost(x.topic, x.after),
                    std::move(later));
}

void broker_peers::take(uint32_t slot, peer_presence& x) {
  using kind = presence_change::kind;
  if (x.what > static_cast<uint8_t>(kind::renew))
    return;
  auto mine = owns(x.topic);
  // All is told anew when it has an owner again.
  if (!mine && durable(x.topic))
    return;
  if (!mine && !moves_.may_return())
    return ctx_.peers.send(shard_kind::broker, slot, x.topic,
                           peer_presence_returned{x});
  if (!mine || waits(x.topic)) {
    auto cost = report_cost(x.topic, x.user);
    return moves_.parked.has_half(cost) ? park(slot, x.topic, cost, x)
                                        : refuse(slot, x);
  }
  self_.presence_.apply({static_cast<kind>(x.what), std::move(x.topic),
                         x.connection, std::move(x.user)},
                        presence_source(slot), self_.now_ms());
}

void broker_peers::refuse(uint32_t slot, const peer_presence& x) {
  moves_.unheard.emplace(slot, x.topic);
}

void broker_peers::refuse(uint32_t slot, const peer_presence_query& x) {
  peer_presence_found answer;
  answer.call = x.call;
  answer.code = errc::overloaded;
  ctx_.peers.send(shard_kind::broker, slot, x.topic, answer);
}

void broker_peers::take(uint32_t, peer_presence_returned& x) {
  auto& topic = x.what.topic;
  // Its owner goes by other rules: there it would be returned again.
  if (durable(topic))
    return;
  auto cost = report_cost(topic, x.what.user);
  // Something may have gone to the new owner before it.
  if (!waits(topic) || !moves_.parked.has_half(cost))
    return tell_again(topic);
  auto later = [this, what = x.what](errc failed) {
    using kind = presence_change::kind;
    if (failed != errc::none)
      return;
    if (!owns(what.topic))
      return ctx_.peers.send(shard_kind::broker,
                             ctx_.peers.owner_of(what.topic), what.topic, what);
    // Who watches here it has by `watching_`.
    auto change = static_cast<kind>(what.what);
    if (change == kind::renew)
      tell_again(what.topic);
    else if (change == kind::join || change == kind::leave)
      self_.presence_.apply({change, what.topic, what.connection, what.user},
                            {ctx_.index}, self_.now_ms());
  };
  moves_.parked.add_returned(peer_set::here, topic, cost, std::move(later));
}

// -- as the old owner ---------------------------------------------------------

moved_room broker_peers::take_room(const std::string& topic) {
  if (auto known = moves_.rooms.extract(topic))
    return std::move(known.mapped());
  auto tell = [this](const presence_news_ptr& news, const loop_set& loops) {
    news->timestamp = ctx_.unix_ms;
    self_.tell(news, loops);
  };
  auto x = self_.presence_.extract(topic, self_.now_ms(), tell);
  auto& nodes = ctx_.peers.nodes();
  x.watchers.for_each([&](uint32_t loop) {
    auto* node = is_peer(loop) ? nodes.at(loop - ctx_.node.loops) : nullptr;
    auto& at = x.room.nodes[x.room.place_of(node != nullptr ? node->who.name
                                                            : ctx_.node.name)];
    at.watches = true;
    at.missed |= x.missed.contains(loop);
  });
  for (auto& at : x.room.nodes) {
    if (at.name == ctx_.node.name)
      at.incarnation = ctx_.node.incarnation;
    for (auto& node : nodes.slots)
      if (node && node->who.name == at.name)
        at.incarnation = node->who.incarnation;
  }
  if (auto here = of_this_node(x.watchers); !here.empty())
    watching_[topic] = std::move(here);
  return std::move(x.room);
}

// -- as the new owner ---------------------------------------------------------

void broker_peers::keep_room(const std::string& topic, moved_room x) {
  // Other nodes may go by rules already that this one has yet to be given.
  auto keeps = self_.has_presence(topic) || !x.empty();
  if (waits(topic)) {
    self_.presence_.forget(topic);
    moves_.rooms.erase(topic);
    if (keeps)
      moves_.rooms.emplace(topic, std::move(x));
  } else if (keeps) {
    // Others come to it already, and go along if it moves once more.
    let_in(topic, x);
  }
}

void broker_peers::let_in_rooms() {
  for (auto& [topic, room] : std::exchange(moves_.rooms, {}))
    if (owns(topic))
      let_in(topic, room);
  // Where nothing has come, nobody knows what those who watch here have heard.
  for (auto i = watching_.begin(); i != watching_.end();) {
    auto at = i++;
    if (!owns(at->first))
      continue;
    presence_change x{presence_change::kind::watch_anew, at->first, 0, {}};
    at->second.for_each(
      [&](uint32_t loop) { self_.presence_.apply(x, {loop}, self_.now_ms()); });
    watching_.erase(at);
  }
}

void broker_peers::let_in(const std::string& topic, const moved_room& x) {
  auto& presence = self_.presence_;
  auto now_ms = self_.now_ms();
  std::vector<std::optional<uint32_t>> slots;
  std::vector<node_name_ptr> names;
  for (auto& node : x.nodes) {
    auto slot = slots.emplace_back(slot_of(node));
    if (!slot)
      names.push_back(caf::make_counted<node_name>(node.name));
    else if (*slot == peer_set::here)
      names.emplace_back();
    else
      names.push_back(presence_source(*slot).node);
  }
  presence.adopt(topic, x, names, now_ms);
  loop_set here;
  if (auto watches = watching_.extract(topic))
    here = std::move(watches.mapped());
  presence_change watch{presence_change::kind::watch, topic, 0, {}};
  here.for_each([&](uint32_t loop) { presence.apply(watch, {loop}, now_ms); });
  for (size_t i = 0; i < x.nodes.size(); ++i)
    if (slots[i] && names[i] && x.nodes[i].watches)
      presence.apply(watch, presence_source(*slots[i]), now_ms);
  for (size_t i = 0; i < x.nodes.size(); ++i) {
    if (!slots[i]) {
      // It has gone meanwhile.
      presence.drop(topic, names[i], now_ms);
      continue;
    }
    doubt(topic, *slots[i]);
    if (!x.nodes[i].missed)
      continue;
    if (names[i])
      presence.hold(topic, loop_at(*slots[i]), now_ms);
    else
      here.for_each([&](uint32_t loop) { presence.hold(topic, loop, now_ms); });
  }
}

void broker_peers::doubt(const std::string& topic, uint32_t slot) {
  auto is_here = slot == peer_set::here;
  auto first = is_here ? 0 : loop_at(slot);
  auto end = is_here ? ctx_.node.loops : first + 1;
  for (auto loop = first; loop < end; ++loop)
    if (topics_.has(loop, topic))
      return;
  // Its last one has gone, and it follows the topic no more: nothing tells it
  // that what it said of that is lost.
  if (is_here)
    tell_again(topic);
  else
    moves_.unheard.emplace(slot, topic);
}

std::optional<uint32_t> broker_peers::slot_of(const moved_room::node& x) const {
  if (x.name == ctx_.node.name && x.incarnation == ctx_.node.incarnation)
    return peer_set::here;
  auto& slots = ctx_.peers.nodes().slots;
  for (uint32_t slot = 0; slot < slots.size(); ++slot)
    if (slots[slot] && slots[slot]->who.name == x.name
        && slots[slot]->who.incarnation == x.incarnation)
      return slot;
  return std::nullopt;
}

// -- what is told anew --------------------------------------------------------

void broker_peers::tell_again(const std::string& topic, const loop_set& loops) {
  if (!self_.has_presence(topic))
    return;
  moves_.untold[topic].merge(loops);
  // What says so once more until then costs nothing.
  if (!moves_.open())
    wake_soon();
}

void broker_peers::tell_untold() {
  auto& untold = moves_.untold;
  for (size_t n = 0; !moves_.open() && !untold.empty();) {
    auto slot = ctx_.peers.owner_of(untold.begin()->first);
    if (slot == peer_set::nobody) {
      // Others need not wait for the view in which there is an owner.
      auto x = untold.extract(untold.begin());
      moves_.ownerless[x.key()].merge(x.mapped());
      continue;
    }
    // The loops are to have told of these before it is looked for room again.
    if (n == told_at_once_max)
      return wake_later();
    if (slot != peer_set::here && !may_send(slot, n))
      return;
    ++n;
    auto x = untold.extract(untold.begin());
    begin_anew(x.key(), std::move(x.mapped()));
  }
}

void broker_peers::begin_anew(const std::string& topic, loop_set loops) {
  loops.merge(topics_.loops_of(topic));
  if (auto i = followed_.find(topic); i != followed_.end())
    loops.merge(i->second.loops);
  // Whom they leave out has gone, and so have those who watched.
  using kind = presence_change::kind;
  presence_change renewal{kind::renew, topic, 0, {}};
  if (owns(topic)) {
    presence_change none{kind::unwatch, topic, 0, {}};
    for (uint32_t loop = 0; loop < ctx_.node.loops; ++loop)
      self_.presence_.apply(none, {loop}, self_.now_ms());
    self_.presence_.apply(renewal, {ctx_.index}, self_.now_ms());
  } else {
    watching_.erase(topic);
    pass_on(ctx_.index, renewal);
  }
  of_this_node(loops).for_each([&](uint32_t loop) {
    caf::anon_send(ctx_.brokers[loop].actor, attach_atom_v, presence_atom_v,
                   topic);
  });
}

void broker_peers::note_lost_reports() {
  // Those since all had settled wait here, whoever owned the topic meanwhile.
  auto& now = ctx_.peers.nodes();
  for (auto& [name, x] : followed_)
    if (moves_.lost_owner(name, now))
      tell_again(name);
  for (auto& [name, x] : moves_.arrivals)
    if (moves_.lost_owner(name, now))
      tell_again(name, x.loops);
  // Of its own only those that were nobody's.
  for (auto& [name, x] : self_.durable_.topics)
    if (owns(name) && moves_.lost_owner(name, now))
      tell_again(name);
}

void broker_peers::make_up_for_reports() {
  for (auto& [slot, topic] : std::exchange(moves_.unheard, {}))
    if (ctx_.peers.nodes().at(slot) != nullptr)
      ctx_.peers.send(shard_kind::broker, slot, topic,
                      peer_presence_again{topic});
  // What was on its way to the shard that had this one's place is lost, and a
  // new owner may have been given what that one had told.
  if (!std::exchange(settled_, true))
    for (auto& [topic, x] : followed_)
      tell_again(topic);
  tell_untold();
}

void broker_peers::take(uint32_t, peer_presence_again& x) {
  tell_again(x.topic);
}

} // namespace callboard
