#include <callboard/actors/presence_registry.hpp>

#include <iterator>
#include <utility>

#include <caf/make_counted.hpp>

// Nodes that come and go, with all that they told.

namespace callboard {

void presence_registry::drop(const source& x, int64_t now_ms) {
  departures gone;
  for (auto& [topic, at] : rooms_)
    collect(topic, at, x.node, round_ + 1, gone);
  unwatch_all(x.loop, [](const std::string&) { return true; });
  leave_all(gone, now_ms);
}

void presence_registry::drop(const std::string& topic,
                             const node_name_ptr& node, int64_t now_ms) {
  departures gone;
  if (auto i = rooms_.find(topic); i != rooms_.end())
    collect(topic, i->second, node, round_ + 1, gone);
  leave_all(gone, now_ms);
}

// -- nodes that tell anew who is there ----------------------------------------

void presence_registry::renew(const source& x, topic_filter topics,
                              int64_t now_ms) {
  unwatch_all(x.loop, topics);
  sweeps_.push_back(
    {{now_ms + settle_ms, ++round_, x.node}, std::move(topics)});
}

void presence_registry::renew(const std::string& topic, const source& from,
                              int64_t now_ms) {
  unwatch(topic, from.loop);
  auto i = rooms_.find(topic);
  if (i == rooms_.end())
    return;
  auto at_ms = now_ms + settle_ms;
  i->second.renewals.push_back({at_ms, ++round_, from.node});
  renewing_.emplace_back(at_ms, topic);
}

void presence_registry::sweep(int64_t now_ms) {
  auto x = std::move(sweeps_.front());
  sweeps_.pop_front();
  departures gone;
  for (auto& [topic, at] : rooms_)
    if (x.topics(topic))
      collect(topic, at, x.what.node, x.what.round, gone);
  leave_all(gone, now_ms);
}

void presence_registry::end_renewal(int64_t now_ms) {
  auto [at_ms, topic] = std::move(renewing_.front());
  renewing_.pop_front();
  end_renewals(topic, at_ms, now_ms);
}

void presence_registry::end_renewals(const std::string& topic, int64_t until_ms,
                                     int64_t now_ms) {
  auto i = rooms_.find(topic);
  if (i == rooms_.end())
    return;
  auto& at = i->second;
  departures gone;
  std::erase_if(at.renewals, [&](const renewal& x) {
    if (x.at_ms > until_ms)
      return false;
    collect(topic, at, x.node, x.round, gone);
    return true;
  });
  leave_all(gone, now_ms);
}

void presence_registry::collect(const std::string& topic, const room& at,
                                const node_name_ptr& node, uint32_t round,
                                departures& out) {
  for (auto& [id, place] : at.connections)
    if (place.round < round && same_node(id.node, node))
      out.emplace_back(topic, id);
}

void presence_registry::leave_all(const departures& xs, int64_t now_ms) {
  for (auto& [topic, id] : xs)
    leave(topic, id, now_ms);
}

void presence_registry::unwatch_all(uint32_t loop, const topic_filter& topics) {
  std::vector<std::string> found;
  for (auto& [topic, at] : rooms_)
    if ((at.watchers.contains(loop) || at.held.contains(loop)) && topics(topic))
      found.push_back(topic);
  for (auto& topic : found)
    unwatch(topic, loop);
}

// -- topics that change their owner -------------------------------------------

presence_registry::room_map::iterator
presence_registry::forget(room_map::iterator i) {
  auto& at = i->second;
  for (auto& [key, who] : at.members)
    stop_lingering(who);
  members_ -= at.members.size();
  unschedule(at);
  return rooms_.erase(i);
}

void presence_registry::forget(const std::string& topic) {
  if (auto i = rooms_.find(topic); i != rooms_.end())
    forget(i);
}

void presence_registry::keep_if(const topic_filter& owns) {
  for (auto i = rooms_.begin(); i != rooms_.end();)
    i = owns(i->first) ? std::next(i) : forget(i);
}

void presence_registry::confirm(const std::string& topic, int64_t now_ms) {
  departures gone;
  for (auto& x : sweeps_)
    if (auto i = rooms_.find(topic); i != rooms_.end() && x.topics(topic))
      collect(topic, i->second, x.what.node, x.what.round, gone);
  leave_all(gone, now_ms);
  end_renewals(topic, never, now_ms);
}

presence_registry::extracted
presence_registry::extract(const std::string& topic) {
  extracted result;
  auto found = rooms_.find(topic);
  if (found == rooms_.end())
    return result;
  auto& at = found->second;
  result.watchers = at.watchers;
  result.watchers.merge(at.held);
  result.missed = at.changed.empty() ? at.held : result.watchers;
  auto& room = result.room;
  room.members.reserve(at.members.size());
  auto add = [&](moved_room::member& to, const connection_key& id) {
    auto place = room.place_of(id.node ? id.node->value : node_);
    to.connections.push_back({place, id.number});
  };
  for (auto& [key, who] : at.members) {
    auto& x = room.members.emplace_back();
    x.user = user_of(key);
    x.lingers = who.lingers;
    if (who.lingers)
      add(x, who.last);
    for (auto& id : who.connections)
      add(x, id);
  }
  forget(found);
  return result;
}

void presence_registry::adopt(const std::string& topic, const moved_room& x,
                              const std::vector<node_name_ptr>& names,
                              int64_t now_ms) {
  presence_change change{presence_change::kind::join, topic, 0, {}};
  for (auto& who : x.members) {
    change.user = who.user;
    for (auto& at : who.connections) {
      if (at.node >= names.size())
        continue;
      change.connection = at.number;
      join(change, {0, names[at.node]}, now_ms);
      if (who.lingers)
        leave(topic, {names[at.node], at.number}, now_ms);
    }
  }
}

// -- watchers who were told by another owner ----------------------------------

void presence_registry::hold(const std::string& topic, uint32_t loop,
                             int64_t now_ms) {
  auto found = rooms_.find(topic);
  if (found == rooms_.end())
    return;
  auto& at = found->second;
  if (at.held.empty()) {
    at.settles_ms = now_ms + settle_ms;
    settling_.emplace_back(at.settles_ms, topic);
  }
  at.watchers.set(loop, false);
  at.held.set(loop, true);
}

std::pair<presence_news_ptr, loop_set> presence_registry::end_settling() {
  auto [at_ms, topic] = std::move(settling_.front());
  settling_.pop_front();
  auto found = rooms_.find(topic);
  // Those who were held may have gone, and others come since.
  if (found == rooms_.end() || found->second.held.empty()
      || found->second.settles_ms != at_ms)
    return {};
  auto& at = found->second;
  auto loops = std::exchange(at.held, {});
  at.watchers.merge(loops);
  auto news = caf::make_counted<presence_news>();
  news->topic = std::move(topic);
  news->reset = true;
  return {std::move(news), std::move(loops)};
}

} // namespace callboard
