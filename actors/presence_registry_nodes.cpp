#include <callboard/actors/presence_registry.hpp>

#include <utility>

#include <caf/make_counted.hpp>

// Nodes that come and go, with all that they told.

namespace callboard {

void presence_registry::depart(const std::string& topic, const source& from,
                               int64_t now_ms) {
  departures gone;
  if (auto i = rooms_.find(topic); i != rooms_.end())
    collect(topic, i->second, from.node, round_ + 1, gone);
  unwatch(topic, from.loop);
  leave_all(gone, now_ms);
}

void presence_registry::drop(const source& x, int64_t now_ms) {
  departures gone;
  for (auto& [topic, at] : rooms_)
    collect(topic, at, x.node, round_ + 1, gone);
  unwatch_all(x.loop, [](const std::string&) { return true; });
  leave_all(gone, now_ms);
}

void presence_registry::renew(const source& x, topic_filter topics,
                              int64_t now_ms) {
  unwatch_all(x.loop, topics);
  sweeps_.push_back({now_ms + settle_ms, ++round_, x, std::move(topics)});
}

void presence_registry::sweep(int64_t now_ms) {
  auto x = std::move(sweeps_.front());
  sweeps_.pop_front();
  departures gone;
  for (auto& [topic, at] : rooms_)
    if (x.topics(topic))
      collect(topic, at, x.from.node, x.round, gone);
  leave_all(gone, now_ms);
}

void presence_registry::keep_if(const topic_filter& owns) {
  for (auto i = rooms_.begin(); i != rooms_.end();) {
    if (owns(i->first)) {
      ++i;
      continue;
    }
    auto& at = i->second;
    for (auto& [key, who] : at.members)
      stop_lingering(who);
    members_ -= at.members.size();
    unschedule(at);
    i = rooms_.erase(i);
  }
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
