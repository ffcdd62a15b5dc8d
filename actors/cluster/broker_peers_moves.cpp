#include <callboard/actors/cluster/broker_peers.hpp>

#include <algorithm>
#include <utility>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>
#include <callboard/messages/topic.hpp>

// What a shard does when it goes by other nodes: topics that it owned go to
// their new owners with all they have, and it asks these for what its loops
// want. Nothing is taken for such a topic until all shards of all nodes have
// settled (`view_flush`). So the old owner has taken its last publication, and
// everybody has its events, before the new one takes its first.

namespace callboard {

namespace {

// Frames of one kind that are made in one turn.
constexpr size_t turn_frames_max = 64;

// How often it is looked for room in vain, every 20 ms.
constexpr uint32_t stalls_max = 25;

view_id view_of(const peer_set& x) {
  return {x.number, x.coordinator};
}

} // namespace

void broker_peers::install(const peer_set_ptr& x) {
  // What waits was said by the view before.
  ctx_.peers.flush();
  auto old = ctx_.peers.shared_nodes();
  ctx_.peers.install(x);
  // Until now the gate did not know this shard: what came for it is lost.
  auto first = !std::exchange(installed_, true);
  auto slots = std::max(old->slots.size(), x->slots.size());
  if (first)
    old = caf::make_counted<peer_set>();
  patterns_of_.resize(slots);
  unsettled_.resize(slots);
  moves_.held_bytes.resize(slots);
  for (uint32_t slot = 0; slot < slots; ++slot) {
    if (first)
      ctx_.peers.send_to_all(shard_kind::broker, slot, peer_reset{ctx_.index});
    if (x->same_at(slot, *old)) {
      // Nobody is to wait for room because of what waits for another view.
      unsettled_[slot] += std::exchange(moves_.held_bytes[slot], 0);
      continue;
    }
    if (first || old->at(slot) != nullptr) {
      forget(slot, nullptr);
      detach_all(slot);
      forget_moves(slot, nullptr);
      unsettled_[slot] = moves_.held_bytes[slot] = 0;
    }
    for (auto& [name, pattern] : patterns_)
      ask(name, pattern, slot);
  }
  move_topics(old, first);
  self_.replicas_.install();
}

void broker_peers::move_topics(const peer_set_ptr& old, bool first) {
  moves_.begin(old, ctx_.peers.nodes(), first);
  moves_.first_asked = ctx_.peers.new_number();
  for (auto& [topic, loops] : std::exchange(moves_.ownerless, {}))
    moves_.untold[topic].merge(loops);
  note_lost_reports();
  leave_arrivals();
  follow_anew(*old);
  leave_copies();
  give_away(*old);
  groups_.follow_anew(*old, first);
  keep_own_presence();
  go_on_moving();
}

// -- as a home ----------------------------------------------------------------

void broker_peers::follow_anew(const peer_set& old) {
  auto& now = ctx_.peers.nodes();
  for (auto i = followed_.begin(); i != followed_.end();) {
    auto at = i++;
    auto& [name, x] = *at;
    auto owner = now.owner_of(name);
    if (!x.refused && owner == x.slot
        && (owner == peer_set::nobody || now.same_at(owner, old)))
      continue;
    if (owner == peer_set::here && durable(name)) {
      // It has copies, and is read first.
      again(name, x.loops);
      followed_.erase(at);
      continue;
    }
    // Nobody has the loops' word of who is there, perhaps.
    if (moves_.open() && x.where.epoch.empty())
      tell_again(name);
    // Who has yet to be answered stands behind what was published before.
    if (waits(name))
      for (auto [loop, generation] : std::exchange(x.waiting, {}))
        attach_later(loop, name, generation);
    auto never_had = x.where.epoch.empty() && x.waiting.empty() && !x.again;
    if (owner != peer_set::here && !never_had) {
      ask_anew(name, x);
      continue;
    }
    if (!never_had)
      take_over(name, x);
    followed_.erase(at);
  }
}

void broker_peers::ask_anew(const std::string& topic, followed_topic& x) {
  x.slot = ctx_.peers.owner_of(topic);
  x.generation = 0;
  x.attached = x.refused = false;
  // What the owner was asked before will not be answered.
  x.again |= !x.fetching.empty();
  x.fetching.clear();
  if (x.slot != peer_set::nobody) {
    moves_.asks.push_back(topic);
    return;
  }
  // Those who have had an answer wait until there is an owner again.
  for (auto [loop, generation] : std::exchange(x.waiting, {}))
    self_.refuse(loop, topic, generation, errc::owner_down);
}

void broker_peers::take_over(const std::string& topic, followed_topic& x) {
  auto& y = moves_.arrivals[topic];
  y.loops.merge(x.loops);
  y.where = std::move(x.where);
  y.again = x.again || !x.fetching.empty();
}

void broker_peers::leave_arrivals() {
  for (auto i = moves_.arrivals.begin(); i != moves_.arrivals.end();) {
    auto at = i++;
    auto& [name, x] = *at;
    if (owns(name))
      continue;
    if (auto loops = of_this_node(x.loops); !loops.empty()) {
      auto& topic = followed_[name];
      topic.loops = std::move(loops);
      topic.where = std::move(x.where);
      topic.again = x.again;
      ask_anew(name, topic);
    }
    moves_.arrivals.erase(at);
  }
}

bool broker_peers::send_asks() {
  auto& asks = moves_.asks;
  for (size_t n = 0; !asks.empty(); asks.pop_front(), ++n) {
    auto i = followed_.find(asks.front());
    if (i == followed_.end() || i->second.generation != 0
        || i->second.slot == peer_set::nobody)
      continue;
    auto& x = i->second;
    if (!may_send(x.slot, n))
      return false;
    x.generation = ctx_.peers.new_number();
    ctx_.peers.send(shard_kind::broker, x.slot, i->first,
                    peer_attach{i->first, x.generation, true});
  }
  return true;
}

// -- as the old owner ---------------------------------------------------------

void broker_peers::give_away(const peer_set& old) {
  auto groups = groups_.give_away(old);
  auto stays = [this](const std::string& name) {
    return owns(name) || durable(name);
  };
  topics_.extract_unless(stays, [this, &groups](moved_topic x) {
    x.room = take_room(x.name);
    x.groups = std::move(groups[x.name]);
    // One that nobody has used may begin anew.
    auto used = moves_.ranks.erase(x.name) > 0 || x.head > 0 || !x.loops.empty()
                || !x.room.empty() || !x.groups.empty();
    if (auto loops = of_this_node(x.loops); !loops.empty()) {
      auto& topic = followed_[x.name];
      topic.loops = std::move(loops);
      topic.where = {x.epoch, x.head};
      ask_anew(x.name, topic);
    }
    if (used)
      moves_.outgoing.emplace_back(std::move(x));
  });
}

bool broker_peers::send_topics() {
  auto& topics = moves_.outgoing;
  for (size_t n = 0; !topics.empty(); ++n) {
    auto& x = topics.front();
    auto& name = x.topic().name;
    auto slot = ctx_.peers.owner_of(name);
    if (slot == peer_set::here) {
      settle_in(x.take(), slot);
      topics.pop_front();
      continue;
    }
    if (!may_send(slot, n))
      return false;
    ctx_.peers.send(shard_kind::broker, slot, name,
                    x.next(ctx_.index, self_.now_ms()));
    if (x.done())
      topics.pop_front();
  }
  return true;
}

// -- as the new owner ---------------------------------------------------------

void broker_peers::take(uint32_t slot, peer_handover& x) {
  if (x.shard >= ctx_.peers.nodes().at(slot)->who.loops)
    return;
  auto topic = moves_.incoming[{slot, x.shard}].take(x, self_.now_ms());
  if (!topic)
    return;
  // It is not durable by the rules of the other one.
  if (durable(topic->name))
    return;
  if (owns(topic->name))
    return settle_in(std::move(*topic), slot);
  // This node has gone by another view meanwhile.
  moves_.outgoing.emplace_back(std::move(*topic));
  go_on_moving();
}

void broker_peers::settle_in(moved_topic x, uint32_t slot) {
  auto& nodes = ctx_.peers.nodes();
  auto rank = nodes.rank_of(slot);
  if (topics_.options_if_known(x.name) != nullptr) {
    auto i = moves_.ranks.find(x.name);
    auto known = i != moves_.ranks.end() ? i->second
                                         : nodes.rank_of(peer_set::here);
    if (!waits(x.name) || rank >= known)
      return self_.groups_.lose(x.groups);
    // Two clusters have become one, and it had an owner in both.
    groups_.lose(x.name);
    auto old = topics_.extract(x.name);
    old.loops.for_each([&](uint32_t loop) {
      if (is_peer(loop))
        send_refused(loop, x.name, 0, errc::owner_down);
    });
    if (auto loops = of_this_node(old.loops); !loops.empty()) {
      auto& y = moves_.arrivals[x.name];
      y.loops.merge(loops);
      y.again = true;
    }
    tell_again(x.name);
  }
  if (moves_.open())
    moves_.ranks[x.name] = rank;
  auto [name, head] = std::pair{x.name, x.head};
  auto room = std::move(x.room);
  auto groups = std::move(x.groups);
  if (topics_.adopt(std::move(x), self_.now_ms())) {
    keep_room(name, std::move(room));
    return groups_.adopt(name, head, groups);
  }
  // Who was in the one that was here is told of anew, as all are.
  moves_.rooms.erase(name);
  self_.presence_.forget(name);
  self_.groups_.lose(groups);
}

bool broker_peers::greet_arrivals() {
  auto is_slow = [this](auto& y) {
    return ctx_.peers.nodes().congested(y.first - ctx_.node.loops);
  };
  for (size_t n = 0; !moves_.arrivals.empty(); ++n) {
    auto i = moves_.arrivals.begin();
    if (std::ranges::any_of(i->second.asked, is_slow)) {
      wake_later();
      return false;
    }
    if (n >= turn_frames_max) {
      wake_soon();
      return false;
    }
    auto x = moves_.arrivals.extract(i);
    greet(x.key(), x.mapped());
  }
  return true;
}

void broker_peers::greet(const std::string& topic,
                         const topic_moves::arrival& x) {
  auto make_epoch = [this] { return self_.new_epoch(); };
  auto where = topics_.position_of(topic, self_.now_ms(), make_epoch);
  if (!where) {
    for (auto [loop, generation] : x.asked)
      send_refused(loop, topic, generation, errc::overloaded);
    again(topic, x.loops);
    return tell_again(topic, x.loops);
  }
  x.loops.for_each(
    [&](uint32_t loop) { topics_.attach(loop, topic, make_epoch); });
  for (auto [loop, generation] : x.asked)
    send_attached(loop, topic, generation, *where, topics_.retained(topic));
  if (x.again || x.where != *where)
    again(topic, x.loops);
  if (!x.where.epoch.empty() && x.where.epoch != where->epoch)
    tell_again(topic, x.loops);
}

// -- until all have settled ---------------------------------------------------

void broker_peers::take(uint32_t slot, peer_handed& x) {
  auto& nodes = ctx_.peers.nodes();
  // What has no end by now has none.
  moves_.incoming.erase({slot, x.shard});
  moves_.gaps.take_handed(slot, x.shard);
  if (x.view != view_of(nodes))
    return;
  if (moves_.open() && x.way != moves_.way()) {
    // One of the two has missed a view in which the other one's topics were
    // elsewhere. An owner that was none meanwhile has forgotten who had asked
    // it, and a home that has missed that would not ask it again.
    auto loops = nodes.at(slot)->who.loops;
    for (auto& [name, y] : followed_)
      if (y.slot == slot && shard_of(name, loops) == x.shard
          && y.generation != 0 && y.generation < moves_.first_asked)
        ask_anew(name, y);
  }
  moves_.flush.take_handed(slot, x.shard);
  go_on_moving();
}

void broker_peers::take(uint32_t slot, peer_settled& x) {
  if (x.view != view_of(ctx_.peers.nodes()))
    return;
  moves_.flush.take_settled(slot, x.shard);
  moves_.gaps.take_settled(slot, x.shard);
  go_on_moving();
}

void broker_peers::go_on_moving() {
  if (!installed_ || !send_asks() || !groups_.send_joins() || !send_topics())
    return;
  if (moves_.open() || moves_.untold.empty())
    moves_.stalled = 0;
  auto view = view_of(ctx_.peers.nodes());
  moves_.flush.tell_handed([&](uint32_t slot) {
    ctx_.peers.send_to_all(shard_kind::broker, slot,
                           peer_handed{ctx_.index, view, moves_.way()});
  });
  if (!moves_.flush.all_handed())
    return;
  auto returns = true;
  moves_.flush.tell_settled([&](uint32_t slot) {
    if (std::exchange(returns, false))
      return_parked();
    ctx_.peers.send_to_all(shard_kind::broker, slot,
                           peer_settled{ctx_.index, view});
  });
  if (!moves_.flush.all_settled())
    return;
  tell_gaps();
  if (moves_.open()) {
    release_held();
    if (!greet_arrivals())
      return;
    end_move();
  }
  for (auto& x : std::exchange(moves_.leavers, {}))
    x.deliver();
}

// -- room ---------------------------------------------------------------------

bool broker_peers::may_send(uint32_t slot, size_t sent_in_turn) {
  auto& nodes = ctx_.peers.nodes();
  auto* node = nodes.at(slot);
  auto quarter = nodes.outbox_bytes_max / 4;
  // There is to be room for publications. Where these, which may take a half,
  // leave none for long, topics go on in front of them.
  auto room = moves_.stalled > stalls_max ? 3 * quarter : quarter;
  if (node == nullptr || !node->gate || node->traffic->outstanding() > room) {
    wake_later();
    return false;
  }
  if (moves_.stalled <= stalls_max)
    moves_.stalled = 0;
  if (sent_in_turn < turn_frames_max)
    return true;
  wake_soon();
  return false;
}

} // namespace callboard
