#include <callboard/actors/presence_registry.hpp>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include <caf/make_counted.hpp>

namespace callboard {

namespace {

constexpr char user_mark = 'u';
constexpr char connection_mark = 'c';

} // namespace

// -- from the loops -----------------------------------------------------------

void presence_registry::apply(const presence_change& x, const source& from,
                              int64_t now_ms) {
  using kind = presence_change::kind;
  switch (x.what) {
    case kind::join:
      return join(x, from, now_ms);
    case kind::leave:
      return leave(x.topic, {from.node, x.connection}, now_ms);
    case kind::watch:
      return watch(x.topic, from.loop);
    case kind::watch_anew:
      watch(x.topic, from.loop);
      return hold(x.topic, from.loop, now_ms);
    case kind::unwatch:
      return unwatch(x.topic, from.loop);
    case kind::renew:
      return renew(x.topic, from, now_ms);
  }
}

presence_registry::room& presence_registry::room_of(const std::string& topic) {
  auto [i, added] = rooms_.try_emplace(topic);
  if (added)
    i->second.batch = batches_.end();
  return i->second;
}

void presence_registry::join(const presence_change& x, const source& from,
                             int64_t now_ms) {
  auto& at = room_of(x.topic);
  connection_key id{from.node, x.connection};
  auto [place, is_new] = at.connections.try_emplace(id);
  place->second.round = round_;
  if (!is_new)
    return;
  auto [who, added] = at.members.try_emplace(key_of(id, x.user));
  auto& connections = who->second.connections;
  place->second.who = who;
  place->second.index = static_cast<uint32_t>(connections.size());
  connections.push_back(id);
  stop_lingering(who->second);
  if (!added)
    return;
  ++members_;
  changed(x.topic, at, who->first, false, id, now_ms);
}

void presence_registry::leave(const std::string& topic,
                              const connection_key& id, int64_t now_ms) {
  auto found = rooms_.find(topic);
  if (found == rooms_.end())
    return;
  auto& at = found->second;
  auto place = at.connections.find(id);
  if (place == at.connections.end())
    return;
  auto index = place->second.index;
  auto& [key, who] = *place->second.who;
  at.connections.erase(place);
  // The last one takes its place.
  auto last = who.connections.back();
  who.connections.pop_back();
  if (last != id) {
    who.connections[index] = last;
    at.connections.find(last)->second.index = index;
  }
  if (!who.connections.empty())
    return;
  // A connection's number never comes back.
  if (key.front() == connection_mark || limits_.linger_ms == 0) {
    changed(topic, at, key, true, id, now_ms);
    at.members.erase(at.members.find(key));
    --members_;
    forget_if_unused(topic);
    return;
  }
  who.last = id;
  who.lingers = true;
  who.linger = lingering_.insert(lingering_.end(),
                                 {now_ms + limits_.linger_ms, topic, key});
  if (lingering_.size() > limits_.lingering_max)
    end_linger(now_ms);
}

void presence_registry::watch(const std::string& topic, uint32_t loop) {
  auto& at = room_of(topic);
  if (!at.held.contains(loop))
    at.watchers.set(loop, true);
}

void presence_registry::unwatch(const std::string& topic, uint32_t loop) {
  auto i = rooms_.find(topic);
  if (i == rooms_.end())
    return;
  i->second.watchers.set(loop, false);
  i->second.held.set(loop, false);
  forget_if_unused(topic);
}

// -- to the loops -------------------------------------------------------------

int64_t presence_registry::due_ms() const noexcept {
  auto linger = lingering_.empty() ? never : lingering_.front().until_ms;
  auto batch = batches_.empty() ? never : batches_.begin()->first;
  auto settled = settling_.empty() ? never : settling_.front().first;
  auto swept = sweeps_.empty() ? never : sweeps_.front().what.at_ms;
  auto renewed = renewing_.empty() ? never : renewing_.front().first;
  return std::min({linger, batch, settled, swept, renewed});
}

void presence_registry::end_linger(int64_t now_ms) {
  auto oldest = std::move(lingering_.front());
  auto& at = rooms_.find(oldest.topic)->second;
  auto who = at.members.find(oldest.key);
  stop_lingering(who->second);
  changed(oldest.topic, at, oldest.key, true, who->second.last, now_ms);
  at.members.erase(who);
  --members_;
  forget_if_unused(oldest.topic);
}

void presence_registry::stop_lingering(member& who) {
  if (std::exchange(who.lingers, false))
    lingering_.erase(who.linger);
}

void presence_registry::changed(const std::string& topic, room& at,
                                const std::string& key, bool was_here,
                                const connection_key& last, int64_t now_ms) {
  if (at.watchers.empty())
    return;
  auto [x, added] = at.changed.try_emplace(key, heard{was_here, last});
  x->second.last = last;
  if (at.batch != batches_.end())
    return;
  auto soon = at.told_ms > now_ms - limits_.interval_ms;
  schedule(topic, at, soon ? at.told_ms + limits_.interval_ms : now_ms);
}

void presence_registry::schedule(const std::string& topic, room& at,
                                 int64_t at_ms) {
  at.batch = batches_.emplace(at_ms, topic);
}

presence_news_ptr presence_registry::take_news(const std::string& topic,
                                               int64_t now_ms) {
  auto found = rooms_.find(topic);
  if (found == rooms_.end())
    return nullptr;
  auto& at = found->second;
  unschedule(at);
  auto result = caf::make_counted<presence_news>();
  result->topic = topic;
  auto& steps = result->steps;
  for (auto i = at.changed.begin();
       i != at.changed.end() && steps.size() < steps_max;
       i = at.changed.erase(i)) {
    auto& [key, x] = *i;
    auto is_here = at.members.contains(key);
    if (is_here != x.was_here || at.listed)
      steps.push_back({is_here, user_of(key), x.last.number,
                       x.last.node ? x.last.node->value : std::string{}});
  }
  if (at.changed.empty()) {
    at.changed = {};
    at.listed = false;
  } else {
    schedule(topic, at, now_ms + std::max<int64_t>(limits_.interval_ms, 1));
  }
  if (steps.empty())
    return nullptr;
  at.told_ms = now_ms;
  return result;
}

void presence_registry::unschedule(room& at) {
  if (at.batch != batches_.end())
    batches_.erase(std::exchange(at.batch, batches_.end()));
}

const loop_set& presence_registry::watchers_of(std::string_view topic) const {
  static const loop_set none;
  auto i = rooms_.find(topic);
  return i == rooms_.end() ? none : i->second.watchers;
}

void presence_registry::forget_if_unused(const std::string& topic) {
  auto i = rooms_.find(topic);
  if (i == rooms_.end())
    return;
  auto& at = i->second;
  if (!at.members.empty() || !at.watchers.empty() || !at.held.empty())
    return;
  unschedule(at);
  rooms_.erase(i);
}

// -- questions ----------------------------------------------------------------

std::string presence_registry::user_of(std::string_view key) {
  return key.front() == user_mark ? std::string{key.substr(1)} : std::string{};
}

// The keys of connections sort like their numbers, and are the same at every
// node.
std::string presence_registry::connection_key_of(connection_id number,
                                                 std::string_view node) {
  char digits[16];
  auto end
    = std::to_chars(std::begin(digits), std::end(digits), number, 16).ptr;
  std::string result(1, connection_mark);
  result.append(sizeof(digits) - static_cast<size_t>(end - digits), '0');
  return result.append(digits, end).append(node);
}

std::string presence_registry::key_of(const connection_key& id,
                                      std::string_view user) const {
  return user.empty()
           ? connection_key_of(id.number, id.node ? id.node->value : node_)
           : user_mark + std::string{user};
}

std::string presence_registry::cursor_of(const presence_member& x,
                                         std::string_view node) {
  if (!x.user.empty())
    return user_mark + x.user;
  if (!x.nodes.empty() && !x.nodes.front().empty())
    node = x.nodes.front();
  return connection_key_of(x.connections.empty() ? 0 : x.connections.front(),
                           node);
}

presence_count presence_registry::count(std::string_view topic) const {
  auto i = rooms_.find(topic);
  if (i == rooms_.end())
    return {};
  return {i->second.members.size(), i->second.connections.size()};
}

presence_page presence_registry::list(std::string_view topic,
                                      std::string_view after, size_t limit) {
  presence_page result;
  auto found = rooms_.find(topic);
  if (found == rooms_.end())
    return result;
  found->second.listed = !found->second.changed.empty();
  auto& all = found->second.members;
  auto i = all.upper_bound(after);
  for (; i != all.end() && result.members.size() < limit; ++i) {
    auto& [key, who] = *i;
    auto& x = result.members.emplace_back();
    x.user = user_of(key);
    auto n = std::min(who.connections.size(), connections_max);
    for (size_t at = 0; at < n; ++at) {
      auto& id = who.connections[at];
      x.connections.push_back(id.number);
      if (!id.node)
        continue;
      x.nodes.resize(n);
      x.nodes[at] = id.node->value;
    }
  }
  if (i != all.end() && !result.members.empty())
    result.next = std::prev(i)->first;
  return result;
}

} // namespace callboard
